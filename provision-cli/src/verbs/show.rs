//! `show`: the plan in a file. The definitions may be wrong, and no store or cloud is asked.

use provision_core::plan::Plan;

use super::plan_file;
use crate::cli::{Form, ShowArgs};
use crate::error::CliError;
use crate::{Exit, render};

pub(crate) fn run(args: &ShowArgs) -> Result<Exit, CliError> {
    let plan = plan_file::read(&args.file)?;
    if !args.form.is_document() {
        render::line(&format!("{}\n", render::plan::title(&plan)));
    }
    print(&plan, &args.form);
    Ok(Exit::Ok)
}

/// Prints a plan as it was asked for. What can't be planned is said on standard error in any form.
pub(crate) fn print(plan: &Plan, form: &Form) {
    if form.json {
        render::document(&render::plan::json(plan));
        render::plan::refusals(plan);
    } else if form.markdown {
        render::document(&render::plan::markdown(plan));
        render::plan::refusals(plan);
    } else {
        render::plan::show(plan);
    }
}

impl Form {
    /// Whether standard output is a document.
    pub(crate) fn is_document(&self) -> bool {
        self.json || self.markdown
    }
}
