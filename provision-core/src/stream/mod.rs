//! Streams of immutable entries: the one mechanism that lock, journal and history come from.
//!
//! Entry N+1 of a stream is written with put-if-absent on its own key, so exactly one writer can ever write it. A
//! [`Claim`] is a run's right to write to a block's stream; a writer that was superseded finds its next key taken.

pub mod event;

mod arriving;
mod beside;
mod by_resource;
mod checkpoint;
mod claim;
mod commit;
mod edit;
mod envelope;
mod fold;
mod illegal;
mod key;
mod lease;
mod log;
mod many;
mod moving;
mod name;
mod probe;
mod run;
mod run_state;
mod said;
mod short;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use arriving::{Arrival, Arriving};
pub use by_resource::{ByResource, OfResource};
pub use claim::{ClaimError, ClaimRefused, claim_block};
pub use commit::Claim;
pub use envelope::{Author, Body, ClaimRef, Entry, EntryError, EntryProblem, FORMAT, Head, Heading, Writer, recalled};
pub use fold::{BlockState, Deposed, Health, OpenClaim, ResourceState};
pub use illegal::Illegal;
pub use key::{PublicKey, Signer};
pub use lease::{Lease, LeaseLapsed, Timing};
pub use log::{ReadError, fold_block, list_blocks, list_runs, read_block, read_log, read_run, refresh_block};
pub use many::{ManyRead, read_block_logs, read_blocks, read_runs};
pub use moving::{Came, MovedOut};
pub use name::StreamEvent;
pub use probe::{StoreError, StoreUse, enter_store, look_at_store};
pub use run::{NewRun, RunStream, StampError, StartError, earlier_run};
pub use run_state::{Checked, RunStart, RunState};
pub use said::Said;
pub use write::WriteError;
