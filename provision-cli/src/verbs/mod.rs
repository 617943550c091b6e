//! The verbs.

mod adopt;
mod apply;
mod drift;
mod execute;
mod graph;
mod job;
mod output;
mod plan;
mod plan_file;
mod reach;
mod runs;
mod sealed;
mod show;
mod state_history;
mod state_list;
mod state_show;
mod validate;

use provision_core::desired::{Desired, Finding};
use provision_core::dsl::Infrastructure;

use crate::cli::{Cli, StateVerb, Verb};
use crate::error::CliError;
use crate::{Exit, clouds};

/// Carries out the command.
pub(crate) async fn run(cli: Cli, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    match &cli.verb {
        // What there is can be looked at whatever the code says: of it, only the infrastructure's name is needed.
        Verb::Drift(args) => drift::run(&cli, args, infrastructure).await,
        Verb::Output(args) => output::run(&cli, args, infrastructure).await,
        Verb::Run(verb) => runs::run(&cli, verb, infrastructure).await,
        Verb::State(verb) => state(&cli, verb, infrastructure).await,
        Verb::Show(args) => show::run(args),
        // What makes a run is accounted for, also where the code has findings.
        Verb::Apply(args) => apply::apply(&cli, args, infrastructure).await,
        Verb::Destroy(args) => apply::destroy(&cli, args, infrastructure).await,
        Verb::Import(args) => adopt::import(&cli, args, infrastructure).await,
        Verb::Adopt(args) => adopt::adopt(&cli, args, infrastructure).await,
        Verb::Validate => Ok(validate::valid(&without_findings(infrastructure)?)),
        Verb::Plan(args) => plan::run(&cli, args, without_findings(infrastructure)?).await,
        Verb::Graph(args) => graph::run(args, &without_findings(infrastructure)?),
        // What must never be is what one asks about.
        Verb::Reach(args) => reach::run(args, infrastructure),
    }
}

fn without_findings(infrastructure: fn() -> Infrastructure) -> Result<Desired, CliError> {
    finished(infrastructure()).map_err(|findings| validate::refused(&findings))
}

/// The definitions, if nothing is wrong with them and nothing gets where it never must.
fn finished(code: Infrastructure) -> Result<Desired, Vec<Finding>> {
    let desired = code.finish()?;
    match clouds::providers().violations(&desired) {
        violations if violations.is_empty() => Ok(desired),
        violations => Err(violations),
    }
}

async fn state(cli: &Cli, verb: &StateVerb, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    match verb {
        StateVerb::List { cloud: true, json } => state_list::cloud(cli, *json),
        StateVerb::List { cloud: false, json } => state_list::logs(cli, *json, infrastructure).await,
        StateVerb::Show { address, json } => state_show::run(cli, address, *json, infrastructure).await,
        StateVerb::History { address, json } => state_history::run(cli, address, *json, infrastructure).await,
    }
}
