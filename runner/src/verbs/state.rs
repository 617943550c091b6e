//! `state list`: what the logs record, or what the simulated cloud itself holds.

use provision_core::driver::{Clients, World, drive};
use provision_core::dsl::Infrastructure;
use provision_core::id::BlockAddr;
use provision_core::machine::Machine;
use provision_core::stream::{BlockState, ReadError, list_blocks, look_at_store, read_block};

use crate::cli::{Cli, StateVerb};
use crate::error::CliError;
use crate::{Exit, render, setup, signals};

pub(crate) async fn run(cli: &Cli, verb: &StateVerb, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    match verb {
        StateVerb::List { cloud: true } if !cli.simulate => Err(CliError::CloudWithoutSimulate),
        StateVerb::List { cloud: true } => cloud(),
        StateVerb::List { cloud: false } => list(cli, infrastructure).await,
    }
}

/// From the cloud's file and from no log.
fn cloud() -> Result<Exit, CliError> {
    for held in setup::simulated_cloud(true)?.objects()? {
        render::line(&render::state::held(&held));
    }
    Ok(Exit::Ok)
}

type Logs = Vec<(BlockAddr, Result<BlockState, ReadError>)>;

async fn list(cli: &Cli, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    let infra = infrastructure().name()?;
    let store = setup::open_store(cli).await?;
    let world = World { store: std::sync::Arc::new(store), clients: Clients::default(), me: None };
    let machine = Machine::new(|io| async move {
        look_at_store(&io, &infra).await.map_err(provision_core::exec::RunError::from)?;
        let mut logs: Logs = Vec::new();
        for addr in list_blocks(&io).await? {
            let state = read_block(&io, &infra, &addr).await;
            logs.push((addr, state));
        }
        Ok::<_, provision_core::exec::RunError>(logs)
    });
    let logs = signals::unless_interrupted(drive(machine, world, signals::none(), |_| {})).await??;
    let mut exit = Exit::Ok;
    for (addr, state) in logs {
        match state {
            Ok(state) => render::state::block(&addr, &state).iter().for_each(|line| render::line(line)),
            Err(error) => {
                render::error(&format!("{addr}: {}", crate::error::chain(&error)));
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}
