//! What the entries of a stream have said: what later ones leave out is filled in from it.

use serde_json::Value;

use super::envelope::{Body, ClaimRef, Entry};
use super::event::{BlockEvent, RunEvent};
use super::fold::BlockState;
use super::illegal::Illegal;
use super::short;

/// What the entries of a stream that were read so far have said, as far as later ones leave it out. It takes in entry after
/// entry: its beginning, each event, its end.
///
/// # Guarantees
/// An entry names the digest of the one before it, so what it leaves out is the same wherever and whenever it is read.
pub trait Said<E>: Default + Send {
    /// An entry begins; its events are not known yet.
    ///
    /// # Errors
    /// It cannot follow.
    fn begin(&mut self, body: &Body<E>) -> Result<(), Illegal>;

    /// The next event, which is written short, as it was before.
    ///
    /// # Errors
    /// What it leaves out was not said.
    fn whole(&self, written: Value) -> Result<Value, String>;

    /// The next event.
    ///
    /// # Errors
    /// It cannot follow.
    fn take_in(&mut self, claim: Option<&ClaimRef>, event: &E) -> Result<(), Illegal>;

    /// The entry ends.
    fn end(&mut self, entry: &Entry<E>);
}

impl Said<BlockEvent> for BlockState {
    fn begin(&mut self, body: &Body<BlockEvent>) -> Result<(), Illegal> {
        self.begin_entry(body)
    }

    fn whole(&self, written: Value) -> Result<Value, String> {
        short::whole(self, written)
    }

    fn take_in(&mut self, claim: Option<&ClaimRef>, event: &BlockEvent) -> Result<(), Illegal> {
        self.apply_event(claim, event)
    }

    fn end(&mut self, entry: &Entry<BlockEvent>) {
        self.head = Some(entry.head());
    }
}

/// The events of runs leave nothing out.
impl Said<RunEvent> for () {
    fn begin(&mut self, _: &Body<RunEvent>) -> Result<(), Illegal> {
        Ok(())
    }

    fn whole(&self, written: Value) -> Result<Value, String> {
        Ok(written)
    }

    fn take_in(&mut self, _: Option<&ClaimRef>, _: &RunEvent) -> Result<(), Illegal> {
        Ok(())
    }

    fn end(&mut self, _: &Entry<RunEvent>) {}
}
