//! Reading the store, for verbs that only look: nothing is written, and no cloud is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use provision_core::driver::{Clients, Store, World, our_holder};
use provision_core::embed::Task;
use provision_core::exec::{RunError, read_recorded};
use provision_core::id::{BlockAddr, InfraId};
use provision_core::machine::{Io, Memory};
use provision_core::plan::BlockInput;
use provision_core::stream::{BlockState, StoreUse, list_blocks, look_at_store};

use crate::cli::Cli;
use crate::error::CliError;
use crate::setup::{self, Opening};
use crate::{render, signals};

/// What each block's log says, or why it can't be used.
pub(crate) type Logs = BTreeMap<BlockAddr, BlockInput>;

/// Makes sure that the store is this infrastructure's, and runs what reads it. That nothing was ever written there is an
/// error: whoever looks in the wrong place should not take it for an infrastructure of nothing.
pub(crate) async fn read<T, P>(
    cli: &Cli,
    infra: InfraId,
    protocol: impl FnOnce(Io, InfraId) -> P + Send + 'static,
) -> Result<T, CliError>
where
    T: Send + 'static,
    P: Future<Output = Result<T, RunError>> + Send + 'static,
{
    let store = setup::open_store(cli, Opening::Look).await?;
    let found = read_from(store, infra, |io, infra| async move {
        let is_new = look_at_store(&io, &infra).await? == StoreUse::Nothing && list_blocks(&io).await?.is_empty();
        if is_new { Ok(None) } else { protocol(io, infra).await.map(Some) }
    });
    match found.await? {
        Some(found) => Ok(found),
        None => Err(setup::no_state(cli)?),
    }
}

/// The same of what a run is about to write to: where nothing was ever written, there is nothing.
pub(crate) async fn read_before_run<T, P>(
    cli: &Cli,
    infra: InfraId,
    protocol: impl FnOnce(Io, InfraId) -> P + Send + 'static,
) -> Result<T, CliError>
where
    T: Send + 'static,
    P: Future<Output = Result<T, RunError>> + Send + 'static,
{
    let store = setup::open_store(cli, Opening::Run).await?;
    let read = read_from(store, infra, |io, infra| async move {
        look_at_store(&io, &infra).await?;
        protocol(io, infra).await
    });
    read.await
}

async fn read_from<T, P>(
    store: Arc<dyn Store>,
    infra: InfraId,
    protocol: impl FnOnce(Io, InfraId) -> P + Send + 'static,
) -> Result<T, CliError>
where
    T: Send + 'static,
    P: Future<Output = Result<T, RunError>> + Send + 'static,
{
    // Whether the process of a run is there is told where it can be seen.
    let world = World { store, clients: Clients::default(), checker: None, me: our_holder().ok() };
    let reading = Task::start(Memory::default(), world, |io| protocol(io, infra));
    Ok(signals::unless_interrupted(reading.finish()).await??)
}

/// Every block's log.
pub(crate) async fn logs(cli: &Cli, infra: InfraId) -> Result<Logs, CliError> {
    let read = read(cli, infra, |io, infra| async move {
        let blocks = list_blocks(&io).await?;
        Ok(read_recorded(&io, &infra, blocks).await?)
    });
    read.await
}

/// The state of one block.
pub(crate) fn block<'a>(logs: &'a Logs, addr: &BlockAddr) -> Result<&'a BlockState, CliError> {
    match logs.get(addr) {
        Some(Ok(state)) => Ok(state),
        Some(Err(problem)) => Err(CliError::Damaged { block: addr.clone(), problem: problem.clone() }),
        None => {
            let known = logs.keys().map(ToString::to_string).collect();
            Err(CliError::NoBlock { block: addr.clone(), known })
        }
    }
}

/// Tells of every log that can't be used. Says whether there is one.
pub(crate) fn tell_damaged(logs: &Logs) -> bool {
    let damaged = logs.iter().filter_map(|(addr, input)| Some((addr, input.as_ref().err()?)));
    let damaged = damaged.map(|(addr, problem)| render::error(&format!("{addr}: {problem}")));
    damaged.count() > 0
}
