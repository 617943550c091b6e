//! How a run ended.

use console::Term;
use provision_core::exec::ActionResult;
use provision_core::progress::CheckResult;
use provision_core::stream::event::RunOutcome;

use super::style::{BOLD, GREEN, RED, YELLOW};
use super::{is_json, plain, table};
use crate::events;
use crate::report::Account;

/// Where there is no terminal.
const WIDTH: usize = 120;

/// Prints the complete account: what was done, what not, and why.
pub(crate) fn show(account: &Account) {
    if is_json() {
        events::run_complete(account).iter().for_each(super::event);
        return;
    }
    let width = Term::stdout().size_checked().map_or(WIDTH, |(_, columns)| columns.into());
    for line in lines(account, width) {
        super::line(&line);
    }
}

fn lines(account: &Account, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(troubles(account));
    let table = table::lines(account, width);
    if !table.is_empty() {
        if lines.len() > 1 {
            lines.push(String::new());
        }
        lines.extend(table);
        lines.push(String::new());
    }
    let style = match account.outcome {
        RunOutcome::Succeeded => GREEN,
        RunOutcome::Failed | RunOutcome::Refused => RED,
        RunOutcome::Interrupted => YELLOW,
    };
    lines.push(format!("{style}{BOLD}{}{BOLD:#}{style:#} {}", account.how(), account.what()));
    lines
}

/// What failed, each with its reason, and what was not done for it, counted.
fn troubles(account: &Account) -> Vec<String> {
    let (mut failed, mut skipped) = (Vec::new(), Vec::<(&str, Vec<String>)>::new());
    for action in account.blocks.iter().flat_map(|block| &block.actions) {
        match &action.result {
            ActionResult::Done | ActionResult::Unneeded => {}
            ActionResult::Failed { error } => {
                failed.push(format!("{RED}{}: failed:{RED:#} {}", action.resource, plain(error)));
            }
            ActionResult::CutOff { made } => {
                let made = made.as_ref().map(|made| format!(" after {made} was made")).unwrap_or_default();
                let resource = &action.resource;
                failed.push(format!("{YELLOW}{resource}: not finished:{YELLOW:#} the run was interrupted{made}"));
            }
            ActionResult::Skipped { why, .. } => {
                let resource = action.resource.to_string();
                match skipped.iter_mut().find(|(known, _)| known == why) {
                    Some((_, resources)) => resources.push(resource),
                    None => skipped.push((why, vec![resource])),
                }
            }
        }
    }
    for (block, check) in account.blocks.iter().flat_map(|block| block.checks.iter().map(move |check| (block, check))) {
        if let CheckResult::Failed { reason } = &check.result {
            failed.push(format!("{RED}{}: check {} failed:{RED:#} {}", block.addr, check.check, plain(reason)));
        }
    }
    failed.extend(skipped.into_iter().map(|(why, resources)| {
        let which = match &resources[..] {
            [first, second, third, _, _, ..] => {
                format!("{first}, {second}, {third} and {} more", resources.len() - 3)
            }
            few => few.join(", "),
        };
        format!("{YELLOW}{which}: not done:{YELLOW:#} {}", plain(why))
    }));
    failed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn reasons_stand_on_one_line_and_steer_no_terminal() {
        let lines = lines(&samples::account(), 100);
        assert!(lines.iter().any(|line| line.contains(r"has been reached & \u{1b}[31mno\nmore")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("\u{1b}[31mno") || line.contains('\n')), "{lines:#?}");
    }
}
