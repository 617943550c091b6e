//! `validate`: the definitions alone, no network.

use provision_core::desired::{Desired, Finding};

use crate::error::CliError;
use crate::{Exit, clouds, render};

/// Prints all findings at once; the error counts them.
pub(crate) fn refused(findings: &[Finding]) -> CliError {
    for finding in findings {
        render::finding(&finding.to_string());
    }
    CliError::Findings { count: findings.len() }
}

/// Nothing to complain about; what is advised against is told.
pub(crate) fn valid(desired: &Desired) -> Exit {
    for advice in clouds::providers().advice(desired) {
        render::warning(&advice.to_string());
    }
    let resources: usize = desired.blocks.values().map(|block| block.resources.len()).sum();
    render::line(&format!(
        "Valid: {} is {resources} resources in {} blocks in {} data centres.",
        desired.infra,
        desired.blocks.len(),
        desired.dcs.len()
    ));
    Exit::Ok
}
