//! How a run ended.

use provision_core::exec::{ActionResult, RunReport};
use provision_core::plan::Mode;
use provision_core::progress::Verb;
use provision_core::stream::event::RunOutcome;

use super::style::{BOLD, GREEN, RED, YELLOW};

/// Prints the complete account: what was done, what not, and why.
pub(crate) fn show(report: &RunReport, mode: Mode, simulated: bool) {
    for line in lines(report, mode, simulated) {
        super::line(&line);
    }
    for problem in &report.problems {
        super::error(problem);
    }
}

fn lines(report: &RunReport, mode: Mode, simulated: bool) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut counts = [0_usize; 3];
    for action in &report.actions {
        let place = match (&action.result, action.verb) {
            (ActionResult::Done, Verb::Create) => Some(0),
            (ActionResult::Done, Verb::Update) => Some(1),
            (ActionResult::Done, Verb::Delete) => Some(2),
            (ActionResult::Done, Verb::Replace) => Some(0),
            (ActionResult::Unneeded, _) => None,
            (ActionResult::Failed { error }, _) => {
                lines.push(format!("{RED}{}: failed:{RED:#} {error}", action.resource));
                None
            }
            (ActionResult::Skipped { why, .. }, _) => {
                lines.push(format!("{YELLOW}{}: not done:{YELLOW:#} {why}", action.resource));
                None
            }
        };
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    let [added, changed, destroyed] = counts;
    let verb = match mode {
        Mode::Apply => "Apply",
        Mode::Destroy => "Destroy",
        Mode::Adopt => "Adoption",
    };
    let (style, how) = match report.outcome {
        RunOutcome::Succeeded => (GREEN, format!("{verb} complete!")),
        RunOutcome::Failed => (RED, format!("{verb} failed.")),
        RunOutcome::Interrupted => (YELLOW, "Interrupted; the next run goes on from here.".to_owned()),
        RunOutcome::Refused => (RED, "Refused.".to_owned()),
    };
    let cloud = if simulated { " (simulated)" } else { "" };
    lines.push(format!(
        "{style}{BOLD}{how}{BOLD:#}{style:#} Resources: {added} added, {changed} changed, {destroyed} destroyed. Run {}{cloud}.",
        report.run.short()
    ));
    lines
}
