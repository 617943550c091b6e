//! What is shown, given what has happened and how large the terminal is.

use console::{measure_text_width, strip_ansi_codes};
use provision_core::progress::Verb;

use super::*;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A board of these blocks, with so many actions each.
fn board(blocks: &[(&str, usize)], detail: Detail) -> Board {
    let mut board = Board::new(None, detail);
    board.blocks = blocks.iter().map(|(addr, actions)| (addr.parse().unwrap(), BlockNow::new(*actions, 0))).collect();
    board
}

fn started(resource: &str) -> Progress {
    Progress::Started { resource: resource.parse().unwrap(), verb: Verb::Create }
}

fn waiting(resource: &str, why: &str) -> Progress {
    Progress::Waiting { resource: resource.parse().unwrap(), why: why.to_owned() }
}

fn finished(resource: &str) -> Progress {
    Progress::Finished {
        resource: resource.parse().unwrap(),
        verb: Verb::Create,
        id: Some("vpc-1".to_owned()),
        took_ms: 1_500,
    }
}

fn failed(resource: &str) -> Progress {
    let error = "CreateVpc was refused: no room".to_owned();
    Progress::Failed { resource: resource.parse().unwrap(), verb: Verb::Create, error }
}

fn skipped(resource: &str) -> Progress {
    let why = "dc.net.main failed".to_owned();
    Progress::Skipped { resource: resource.parse().unwrap(), verb: Verb::Create, why }
}

/// What servers say is on one line and steers no terminal.
#[test]
fn words_of_servers_are_harmless() {
    const EVIL: &str = "no\u{1b}[2J\u{9b}1m\u{202e}\nApply complete!";
    let resource = || "dc.net.main".parse().unwrap();
    let (block, check) = ("dc.net".parse().unwrap(), "http".parse().unwrap());
    let (why, reason) = (EVIL.to_owned(), EVIL.to_owned());
    let events = [
        Progress::Phase { what: EVIL.to_owned() },
        started("dc.net.main"),
        waiting("dc.net.main", EVIL),
        Progress::Recovered { resource: resource(), what: EVIL.to_owned() },
        Progress::Failed { resource: resource(), verb: Verb::Create, error: EVIL.to_owned() },
        Progress::Skipped { resource: resource(), verb: Verb::Create, why: why.clone() },
        Progress::Skipped { resource: "dc.web.host".parse().unwrap(), verb: Verb::Create, why },
        Progress::Checking { block: "dc.net".parse().unwrap(), check: "http".parse().unwrap(), what: EVIL.to_owned() },
        Progress::Checked { block, check, result: CheckResult::Failed { reason }, simulated: false, took_ms: 1 },
    ];
    for detail in [Detail::Events, Detail::Resources, Detail::Blocks] {
        let mut board = board(&[("dc.net", 3), ("dc.web", 1)], detail);
        let mut lines = Vec::new();
        for (event, at) in events.iter().zip(0..) {
            lines.extend(board.see(event, secs(at * 30)));
            lines.extend(board.slow(secs(at * 30)));
            lines.extend(board.live(secs(at * 30), 200, 24));
        }
        lines.extend(board.end(secs(900)));
        let text = lines.iter().map(|line| strip_ansi_codes(line)).collect::<Vec<_>>();
        assert!(text.iter().any(|line| line.contains("no\\u{1b}[2J\\u{9b}1m\\u{202e}\\nApply complete!")), "{text:#?}");
        assert!(!text.iter().any(|line| line.contains(super::super::is_unsafe)), "{text:#?}");
    }
}

fn plain(lines: Vec<String>) -> Vec<String> {
    lines.iter().map(|line| strip_ansi_codes(line).trim_end().to_owned()).collect()
}

/// What is printed for these events, one after another, a second apart.
fn printed(board: &mut Board, events: &[Progress]) -> Vec<String> {
    let lines = events.iter().zip(0..).flat_map(|(event, at)| board.see(event, secs(at)));
    plain(lines.collect())
}

#[test]
fn on_a_terminal_only_blocks_and_trouble_stay() {
    let mut board = board(&[("dc.net", 2), ("dc.web", 1), ("dc.dns", 2)], Detail::Blocks);
    let events = [
        started("dc.net.main"),
        started("dc.dns.zone"),
        finished("dc.dns.zone"),
        started("dc.dns.record"),
        failed("dc.net.main"),
        skipped("dc.net.subnet"),
        skipped("dc.web.host"),
        finished("dc.dns.record"),
    ];
    let lines = [
        "dc.net.main: failed: CreateVpc was refused: no room",
        "dc.net: failed after 5.0 s (1 failed, 1 not done)",
        "dc.web: not begun: dc.net.main failed",
        "dc.dns: done after 6.0 s (2 created)",
    ];
    assert_eq!(printed(&mut board, &events), lines);
    assert!(board.end(secs(9)).is_empty(), "every block has been told of");
}

#[test]
fn a_move_is_an_action() {
    let mut board = board(&[("dc.net", 2)], Detail::Blocks);
    let (resource, from) = ("dc.net.main".parse().unwrap(), "dc.old.main".parse().unwrap());
    let events = [Progress::Moved { resource, from }, started("dc.net.main"), finished("dc.net.main")];
    assert_eq!(printed(&mut board, &events), ["dc.net: done after 2.0 s (1 created, 1 moved)"]);
}

#[test]
fn where_no_display_is_everything_is_a_line() {
    let mut board = board(&[("dc.net", 1)], Detail::Events);
    let events = [started("dc.net.main"), waiting("dc.net.main", "throttled"), finished("dc.net.main")];
    let lines = [
        "dc.net.main: creating …",
        "dc.net.main: waiting: throttled",
        "dc.net.main: created vpc-1 after 1.5 s",
        "dc.net: done after 2.0 s (1 created)",
    ];
    assert_eq!(printed(&mut board, &events), lines);
}

#[test]
fn what_takes_long_is_told_once_and_again_after_twice_the_time() {
    let mut board = board(&[("dc.net", 1)], Detail::Blocks);
    assert!(board.see(&started("dc.net.main"), secs(0)).is_empty());
    assert!(board.see(&waiting("dc.net.main", "vpc-1 to be ready"), secs(1)).is_empty());
    let told: Vec<u64> = (0..100).filter(|at| !board.slow(secs(*at)).is_empty()).collect();
    assert_eq!(told, [20, 40, 80]);
    let line = plain(board.slow(secs(160)));
    assert_eq!(line, ["dc.net.main: still creating after 2 m 40 s: vpc-1 to be ready"]);
    // Whoever read that wants to know how it ended.
    let ended = plain(board.see(&finished("dc.net.main"), secs(161)));
    assert_eq!(ended, ["dc.net.main: created vpc-1 after 1.5 s", "dc.net: done after 2 m 41 s (1 created)"]);
}

#[test]
fn a_block_is_not_over_before_its_checks() {
    let mut board = Board::new(None, Detail::Blocks);
    board.blocks.insert("dc.web".parse().unwrap(), BlockNow::new(1, 1));
    let (block, check): (BlockAddr, _) = ("dc.web".parse().unwrap(), "http".parse().unwrap());
    let what = "GET /health".to_owned();
    let checking = Progress::Checking { block: block.clone(), check, what };
    let events = [started("dc.web.host"), finished("dc.web.host"), checking];
    assert!(printed(&mut board, &events).is_empty());
    assert_eq!(plain(board.live(secs(3), 60, 20))[0], "  dc.web  1/1  checking http: GET /health               3 s");
    let result = CheckResult::Failed { reason: "503".to_owned() };
    let checked = Progress::Checked { block, check: "http".parse().unwrap(), result, simulated: false, took_ms: 2_000 };
    let lines = ["dc.web: check http failed: 503", "dc.web: failed after 4.0 s (1 created, 1 check failed)"];
    assert_eq!(plain(board.see(&checked, secs(4))), lines);
}

#[test]
fn the_display_is_aligned() {
    let mut board = board(&[("dc.net", 3), ("west.databases", 12), ("dc.idle", 1)], Detail::Blocks);
    board.see(&started("dc.net.main"), secs(0));
    board.see(&started("dc.net.other"), secs(2));
    board.see(&started("west.databases.main"), secs(1));
    board.see(&waiting("west.databases.main", "instance\nto be ready"), secs(2));
    let lines = [
        "  dc.net          0/3   creating main +1                               1 m 05 s",
        "  west.databases  0/12  creating main: instance\\nto be ready           1 m 04 s",
        "⠋ 0/3 blocks, 0/16 actions                                             1 m 05 s",
    ];
    let expected: Vec<String> = lines.map(str::to_owned).to_vec();
    let lines = plain(board.live(secs(65), 80, 24));
    // The count is aligned to the right.
    assert_eq!(lines[0], expected[0].replace("0/3   ", " 0/3  "));
    assert_eq!(lines[1..], expected[1..]);
}

#[test]
fn no_line_is_as_wide_as_the_terminal_and_no_display_as_high() {
    let names: Vec<String> = (0..40).map(|number| format!("north-america.a-shard-of-many-{number}")).collect();
    let blocks: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 25)).collect();
    let mut board = board(&blocks, Detail::Blocks);
    for name in &names {
        let resource = format!("{name}.a-resource-with-a-name");
        board.see(&started(&resource), secs(0));
        board.see(&waiting(&resource, &"日本語 \u{1b}[31m".repeat(50)), secs(0));
    }
    for width in 0..200 {
        for height in [0, 1, 5, 10, 24, 60] {
            let lines = board.live(secs(4_000), width, height);
            for line in &lines {
                assert!(measure_text_width(line) <= width.saturating_sub(1).max(1), "{width}: {line:?}");
                assert!(!line.contains('\n'), "{line:?}");
            }
            assert!(lines.len() <= height.max(8) - 5, "{height}: {} lines", lines.len());
        }
    }
    let lines = plain(board.live(secs(5), 50, 12));
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[0], "  north-ame…of-many-0  0/25  creating a-res…  5 s");
    assert_eq!(lines[5], "  … and 35 more blocks");
}

#[test]
fn before_anything_runs_the_phase_is_shown() {
    let mut board = Board::new(None, Detail::Blocks);
    assert_eq!(plain(board.live(secs(1), 40, 24)), ["⠋ opening the state …               1 s"]);
    board.see(&Progress::Phase { what: "reading the logs".to_owned() }, secs(2));
    assert_eq!(plain(board.live(Duration::from_millis(5_300), 40, 24)), ["⠸ reading the logs …                3 s"]);
    board.claims = 3;
    let run = "0".repeat(64).parse().unwrap();
    board.see(&Progress::Claimed { block: "dc.net".parse().unwrap(), run }, secs(6));
    assert_eq!(plain(board.live(secs(6), 40, 24)), ["⠋ claiming the blocks, 1/3 …        0 s"]);
}

#[test]
fn an_interrupted_run_says_that_it_drains() {
    let mut board = board(&[("dc.net", 2)], Detail::Blocks);
    board.see(&started("dc.net.main"), secs(0));
    let said = plain(board.interrupt(secs(5), true));
    assert_eq!(said.len(), 1);
    assert!(said[0].ends_with("waited for, 8 s at most. Interrupt again to stop at once."), "{said:?}");
    assert!(board.interrupt(secs(6), true).is_empty(), "once is enough");
    let total = plain(board.live(secs(7), 80, 24)).pop().unwrap();
    assert!(total.starts_with("⠋ interrupted: waiting for 1 call, 6 s at most"), "{total}");
    assert_eq!(plain(board.end(secs(8))), ["dc.net: not finished after 8.0 s"]);
}

#[test]
fn a_hint_is_for_people() {
    let mut board = Board::new(None, Detail::Events);
    let said = plain(board.interrupt(secs(0), false));
    assert!(said[0].ends_with("8 s at most."), "{said:?}");
}
