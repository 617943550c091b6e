//! A plan as people, reviewers and policy tools read it.
//!
//! | | |
//! |---|---|
//! | `text` | for a terminal |
//! | `markdown` | for a review comment |
//! | `json` | for policy and cost tools, in the shape of Terraform's |
//! | `held` | the blocks that another run holds |
//! | `view`, `diff`, `words`, `counts`, `value` | what text and Markdown say alike |

mod counts;
mod diff;
mod held;
mod json;
mod markdown;
mod text;
mod value;
mod view;
mod words;

#[cfg(test)]
mod tests;

use std::path::Path;

use provision_core::plan::{BlockChange, Mode, Plan, ResourcePlan};

pub(crate) use held::Held;
pub(crate) use json::json;
pub(crate) use markdown::markdown;
pub(crate) use text::title;

/// Where nothing says how wide the page is.
const COLUMNS: usize = 100;

/// A value on one line; of long texts the end is left out.
pub(crate) fn expr(value: &provision_core::value::Expr) -> String {
    value::line(value, usize::MAX)
}

/// Prints it for a person.
pub(crate) fn show(plan: &Plan) {
    let columns = console::Term::stdout().size_checked().map_or(COLUMNS, |(_, columns)| usize::from(columns));
    super::line(text::text(plan, columns).trim_end());
    refusals(plan);
}

/// That the plan stands in a file now, and what to do with it.
pub(crate) fn written(file: &Path) -> String {
    let name = file.to_string_lossy();
    let word = shlex::try_quote(&name).map_or_else(|_| value::safe(&name), |word| value::safe(&word));
    let name = value::safe(&name);
    format!("\nThe plan is in {name}: `show {word}` prints it, `apply {word}` does what it says and nothing else.")
}

/// Whether a block's checks are asked after a run of this plan has done its part in it.
pub(crate) fn is_checked(plan: &Plan, change: &BlockChange) -> bool {
    plan.mode == Mode::Apply && !change.checks.is_empty() && change.resources.values().any(ResourcePlan::applies)
}

/// Says on standard error what can't be planned.
pub(crate) fn refusals(plan: &Plan) {
    for (block, problem) in plan.refusals() {
        let problem = value::safe(problem);
        super::error(&format!("{block} can't be planned, so nothing in it is touched: {problem}"));
    }
}
