//! The verbs.

mod adopt;
mod apply;
mod drift;
mod execute;
mod graph;
mod output;
mod plan;
mod plan_file;
mod runs;
mod sealed;
mod show;
mod state_history;
mod state_list;
mod state_show;
mod validate;

use provision_core::desired::Desired;
use provision_core::dsl::Infrastructure;

use crate::Exit;
use crate::cli::{Cli, StateVerb, Verb};
use crate::error::CliError;

/// Carries out the command.
pub(crate) async fn run(cli: Cli, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    match &cli.verb {
        // What there is can be looked at whatever the code says: of it, only the infrastructure's name is needed.
        Verb::Drift(args) => drift::run(&cli, args, infrastructure).await,
        Verb::Output(args) => output::run(&cli, args, infrastructure).await,
        Verb::Run(verb) => runs::run(&cli, verb, infrastructure).await,
        Verb::State(verb) => state(&cli, verb, infrastructure).await,
        Verb::Show(args) => show::run(args),
        Verb::Validate
        | Verb::Plan(_)
        | Verb::Apply(_)
        | Verb::Destroy(_)
        | Verb::Import(_)
        | Verb::Adopt(_)
        | Verb::Graph(_) => match infrastructure().finish() {
            Ok(desired) => of_code(&cli, desired).await,
            Err(findings) => Ok(validate::refused(&findings)),
        },
    }
}

/// Verbs that need code without findings.
async fn of_code(cli: &Cli, desired: Desired) -> Result<Exit, CliError> {
    match &cli.verb {
        Verb::Validate => Ok(validate::valid(&desired)),
        Verb::Plan(args) => plan::run(cli, args, desired).await,
        Verb::Apply(args) => apply::apply(cli, args, desired).await,
        Verb::Destroy(args) => apply::destroy(cli, args, desired).await,
        Verb::Import(args) => adopt::import(cli, args, desired).await,
        Verb::Adopt(args) => adopt::adopt(cli, args, desired).await,
        Verb::Graph(args) => graph::run(args, &desired),
        // Carried out without it.
        Verb::Drift(_) | Verb::Output(_) | Verb::Run(_) | Verb::State(_) | Verb::Show(_) => Ok(Exit::Ok),
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
