//! `state list`: what the logs record, or what the simulated cloud itself holds.

use provision_core::dsl::Infrastructure;

use crate::cli::Cli;
use crate::error::CliError;
use crate::{Exit, render, setup, store};

/// From the cloud's file and from no log.
pub(crate) fn cloud(cli: &Cli, json: bool) -> Result<Exit, CliError> {
    if !cli.simulate {
        return Err(CliError::CloudWithoutSimulate);
    }
    let held = setup::simulated_cloud(true)?.objects()?;
    if json {
        render::json(&render::state::cloud_json(&held));
    } else {
        held.iter().for_each(|held| render::line(&render::state::held(held)));
    }
    Ok(Exit::Ok)
}

pub(crate) async fn logs(cli: &Cli, json: bool, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    let logs = store::logs(cli, infrastructure().name()?).await?;
    if json {
        render::json(&render::state::list_json(&logs));
    } else {
        for (addr, state) in logs.iter().filter_map(|(addr, input)| Some((addr, input.as_ref().ok()?))) {
            render::state::block(addr, state).iter().for_each(|line| render::line(line));
        }
    }
    Ok(if store::tell_damaged(&logs) { Exit::Failed } else { Exit::Ok })
}
