//! The verbs.

mod apply;
mod plan;
mod plan_file;
mod show;
mod state;
mod validate;

use provision_core::dsl::Infrastructure;
use provision_core::plan::Mode;

use crate::Exit;
use crate::cli::{Cli, Verb};
use crate::error::CliError;

/// Carries out the command.
pub(crate) async fn run(cli: Cli, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    if let Verb::State(verb) = &cli.verb {
        // The state can be looked at whatever the code says.
        return state::run(&cli, verb, infrastructure).await;
    }
    if let Verb::Show(args) = &cli.verb {
        return show::run(args);
    }
    let desired = match infrastructure().finish() {
        Ok(desired) => desired,
        Err(findings) => return Ok(validate::refused(&findings)),
    };
    match &cli.verb {
        Verb::Validate => Ok(validate::valid(&desired)),
        Verb::Plan(args) => plan::run(&cli, args, desired).await,
        Verb::Apply(args) => apply::run(&cli, args, desired, Mode::Apply).await,
        Verb::Destroy(args) => apply::run(&cli, args, desired, Mode::Destroy).await,
        Verb::State(_) | Verb::Show(_) => Ok(Exit::Ok),
    }
}
