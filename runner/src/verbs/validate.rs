//! `validate`: the definitions alone, no network.

use provision_core::desired::{Desired, Finding};

use crate::Exit;
use crate::render;

/// All findings at once.
pub(crate) fn refused(findings: &[Finding]) -> Exit {
    for finding in findings {
        render::error(&finding.to_string());
    }
    let count = findings.len();
    render::error(&format!(
        "{count} {} in the definitions; nothing was done",
        if count == 1 { "problem" } else { "problems" }
    ));
    Exit::Failed
}

/// Nothing to complain about.
pub(crate) fn valid(desired: &Desired) -> Exit {
    let resources: usize = desired.blocks.values().map(|block| block.resources.len()).sum();
    render::line(&format!(
        "Valid: {} is {resources} resources in {} blocks in {} data centres.",
        desired.infra,
        desired.blocks.len(),
        desired.dcs.len()
    ));
    Exit::Ok
}
