//! What an internal tool does with provision, through its public API alone. All that is looked at is data.

mod adopting;
mod applying;
mod bad_days;
mod caching;
mod checks;
mod files;
mod interrupts;
mod looking;
mod together;

use std::collections::BTreeSet;

use embedding::infra::company;
use embedding::office::Problem;
use provision_core::desired::Desired;
use provision_core::exec::{ActionReport, ActionResult, RunReport};
use provision_core::sim::Held;

/// What the company runs; whatever is wrong with it fails the test.
fn code(port: u16) -> Result<Desired, Problem> {
    company(port).map_err(|findings| format!("{findings:?}").into())
}

/// The actions that ended so.
fn ended(report: &RunReport, how: impl Fn(&ActionResult) -> bool) -> Vec<&ActionReport> {
    report.actions.iter().filter(|action| how(&action.result)).collect()
}

/// The addresses that objects carry: as many as there are objects, if none was made twice.
fn addresses(objects: &[Held]) -> BTreeSet<String> {
    objects.iter().filter_map(|held| Some(held.mark.as_ref()?.address.to_string())).collect()
}
