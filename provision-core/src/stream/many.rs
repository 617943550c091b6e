//! Reading many streams at once: as many at a time as a store takes well, and one that is damaged harms no other.

use std::collections::BTreeMap;

use futures::StreamExt as _;

use super::beside::Beside;
use super::envelope::Entry;
use super::event::{BlockEvent, RunEvent};
use super::fold::BlockState;
use super::log::{ReadError, read_block_beside, read_log_beside, read_run_beside};
use super::run_state::RunState;
use crate::id::{BlockAddr, InfraId, RunId};
use crate::machine::Io;

/// How many streams are read at a time.
const READERS: usize = 16;

/// What each stream says, or why it can't be read.
pub type ManyRead<K, T> = BTreeMap<K, Result<T, ReadError>>;

/// Awaits the reads, so many at a time.
async fn gather<K: Ord, T>(
    reads: impl Iterator<Item = impl Future<Output = (K, Result<T, ReadError>)>>,
) -> ManyRead<K, T> {
    futures::stream::iter(reads).buffer_unordered(READERS).collect().await
}

/// Reads and folds the streams of these blocks.
pub async fn read_blocks(
    io: &Io,
    infra: &InfraId,
    blocks: impl IntoIterator<Item = BlockAddr>,
) -> ManyRead<BlockAddr, BlockState> {
    let blocks: Vec<_> = blocks.into_iter().collect();
    let beside = &Beside::of_blocks(io, blocks.len()).await;
    let reads = blocks.into_iter().map(|addr| async move {
        let read = read_block_beside(io, infra, &addr, beside).await;
        (addr, read)
    });
    gather(reads).await
}

/// Reads the streams of these blocks, entry by entry.
pub async fn read_block_logs(
    io: &Io,
    infra: &InfraId,
    blocks: impl IntoIterator<Item = BlockAddr>,
) -> ManyRead<BlockAddr, Vec<Entry<BlockEvent>>> {
    let blocks: Vec<_> = blocks.into_iter().collect();
    let beside = &Beside::of::<BlockEvent>(io, blocks.len()).await;
    let reads = blocks.into_iter().map(|addr| async move {
        let read = read_log_beside(io, infra, &addr, beside).await;
        (addr, read)
    });
    gather(reads).await
}

/// Reads and folds the streams of these runs.
pub async fn read_runs(io: &Io, infra: &InfraId, runs: impl IntoIterator<Item = RunId>) -> ManyRead<RunId, RunState> {
    let runs: Vec<_> = runs.into_iter().collect();
    let beside = &Beside::of::<RunEvent>(io, runs.len()).await;
    let reads = runs.into_iter().map(|run| async move {
        let read = read_run_beside(io, infra, &run, beside).await;
        (run, read)
    });
    gather(reads).await
}
