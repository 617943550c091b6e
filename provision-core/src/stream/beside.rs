//! Which streams have a hint or a checkpoint beside them, by one listing of each instead of a read for each stream.
//!
//! What a listing doesn't show is as if it were not there: hints and checkpoints are never believed, so a listing that lags
//! costs calls, and nothing else. A store with a cache takes the listing for what it has copies of (`driver/cache`).

use std::collections::HashSet;

use futures::future::join;

use super::event::BlockEvent;
use super::name::{StreamEvent, checkpoint_folder, hint_folder};
use crate::machine::{Io, ListAnswer};

/// From how many streams on it is listed what is beside them. A listing shows a thousand names with one call; of fewer
/// streams than this each is asked for.
const LISTED_FROM: usize = 3;

/// The names that a listing showed.
#[derive(Debug, Default)]
struct Names(Option<HashSet<String>>);

impl Names {
    async fn list(io: &Io, folder: String) -> Self {
        match io.list(folder, None).await {
            ListAnswer::Names(names) => Self(Some(names.into_iter().map(|listed| listed.name).collect())),
            // Each is asked for instead, and tells what is wrong with the store.
            ListAnswer::Failed(_) => Self(None),
        }
    }

    fn may_have(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }
}

/// What stands beside streams, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Beside {
    hints: Names,
    checkpoints: Names,
}

impl Beside {
    /// Of so many streams that are to be read from their beginning.
    pub(super) async fn of<E: StreamEvent>(io: &Io, streams: usize) -> Self {
        if streams < LISTED_FROM {
            return Self::default();
        }
        Self { hints: Names::list(io, hint_folder::<E>()).await, checkpoints: Names::default() }
    }

    /// Of so many blocks that are to be read from their checkpoints on.
    pub(super) async fn of_blocks(io: &Io, blocks: usize) -> Self {
        if blocks < LISTED_FROM {
            return Self::default();
        }
        let hints = Names::list(io, hint_folder::<BlockEvent>());
        let (hints, checkpoints) = join(hints, Names::list(io, checkpoint_folder::<BlockEvent>())).await;
        Self { hints, checkpoints }
    }

    /// Whether it is worth asking for the hint of this stream.
    pub(super) fn may_have_hint<E: StreamEvent>(&self, id: &E::Id) -> bool {
        self.hints.may_have(&id.to_string())
    }

    /// Whether it is worth asking for the checkpoint of this stream.
    pub(super) fn may_have_checkpoint<E: StreamEvent>(&self, id: &E::Id) -> bool {
        self.checkpoints.may_have(&id.to_string())
    }
}
