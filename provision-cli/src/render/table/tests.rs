//! How the table of blocks looks.

use console::strip_ansi_codes;
use provision_core::exec::{BlockReport, BlockResult};

use super::lines;
use crate::report::samples;

fn shown(width: usize) -> String {
    let lines = lines(&samples::account(), width);
    lines.iter().map(|line| format!("{}\n", strip_ansi_codes(line).trim_end())).collect()
}

#[test]
fn reasons_stand_below_where_there_is_little_room() {
    insta::assert_snapshot!("narrow", shown(60));
}

#[test]
fn reasons_have_a_column_where_there_is_room() {
    insta::assert_snapshot!("wide", shown(120));
}

#[test]
fn one_block_needs_no_table() {
    let mut account = samples::account();
    account.blocks.truncate(1);
    assert!(lines(&account, 80).is_empty());
    // What did not change is only counted.
    account.blocks.push(account.blocks[0].clone());
    let unchanged = BlockResult::Unchanged;
    account.blocks[1].report = BlockReport { result: unchanged, reason: None, ..account.blocks[1].report.clone() };
    assert!(lines(&account, 80).is_empty());
}

#[test]
fn a_narrow_terminal_is_no_reason_to_panic() {
    for width in 0..130 {
        assert_eq!(lines(&samples::account(), width).first().map(|head| head.contains("Block")), Some(true));
    }
}
