//! `reach`: whether traffic gets from one place to another, by what is written alone.

use provision_core::dsl::Infrastructure;
use provision_core::reach::{Question, Reach, Verdict};
use serde::Serialize;

use super::validate;
use crate::cli::ReachArgs;
use crate::error::CliError;
use crate::{Exit, clouds, render};

/// The answer as JSON.
#[derive(Serialize)]
struct Answer<'a> {
    format_version: &'static str,
    from: String,
    to: String,
    traffic: String,
    #[serde(flatten)]
    reach: &'a Reach,
}

pub(crate) fn run(args: &ReachArgs, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    let question = Question::parse(&args.from, &args.to)?;
    let desired = infrastructure().finish().map_err(|findings| validate::refused(&findings))?;
    let reach = clouds::providers().reach(&desired, &question)?;
    if args.json {
        render::json(&Answer {
            format_version: "1.0",
            from: question.from.to_string(),
            to: question.to.to_string(),
            traffic: question.traffic.to_string(),
            reach: &reach,
        });
        return Ok(Exit::Ok);
    }
    let head = match reach.verdict {
        Verdict::Yes => "Yes",
        Verdict::May => "May",
        Verdict::No => "No",
    };
    render::line(&format!("{head}: {question}"));
    for step in &reach.steps {
        render::line(&format!("  {:<4}{}", step.verdict, step.because));
    }
    Ok(Exit::Ok)
}
