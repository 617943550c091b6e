//! The names of streams, and the keys of what stands in them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::event::{BlockEvent, RunEvent};
use super::fold::BlockState;
use super::said::Said;
use crate::id::{BadName, BlockAddr, RunId, Seq};
use crate::machine::StoreKey;

/// An event enum: it fixes the kind of its streams and what their ids are, so that a run's event cannot get into a
/// block's stream.
pub trait StreamEvent: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What names a stream of this kind.
    type Id: Clone + fmt::Debug + fmt::Display + FromStr<Err = BadName> + PartialEq + Send + Sync + 'static;
    /// What its entries have said, as far as later ones leave it out.
    type Said: Said<Self>;
    /// The kind, as keys have it.
    const KIND: &'static str;
}

impl StreamEvent for BlockEvent {
    type Id = BlockAddr;
    type Said = BlockState;
    const KIND: &'static str = "block";
}

impl StreamEvent for RunEvent {
    type Id = RunId;
    type Said = ();
    const KIND: &'static str = "run";
}

/// The folder of all streams of a kind, with its final `/`.
pub(super) fn kind_folder<E: StreamEvent>() -> String {
    format!("v1/{}/", E::KIND)
}

/// The folder of a stream, with its final `/`.
pub(super) fn stream_folder<E: StreamEvent>(id: &E::Id) -> String {
    format!("v1/{}/{id}/", E::KIND)
}

/// The key of an entry.
pub(super) fn entry_key<E: StreamEvent>(id: &E::Id, seq: Seq) -> StoreKey {
    StoreKey(format!("v1/{}/{id}/{}", E::KIND, entry_name(seq)))
}

/// The name of an entry below its stream.
pub(super) fn entry_name(seq: Seq) -> String {
    format!("{:020}", seq.0)
}

/// The folder of the hints of all streams of a kind, with its final `/`.
pub(super) fn hint_folder<E: StreamEvent>() -> String {
    format!("v1/hint/{}/", E::KIND)
}

/// The key of a stream's hint: its last known head, never believed.
pub(super) fn hint_key<E: StreamEvent>(id: &E::Id) -> StoreKey {
    StoreKey(format!("{}{id}", hint_folder::<E>()))
}

/// The folder of the checkpoints of all streams of a kind, with its final `/`.
pub(super) fn checkpoint_folder<E: StreamEvent>() -> String {
    format!("v1/hint/checkpoint/{}/", E::KIND)
}

/// The key of a stream's checkpoint: what its entries amounted to at one of them, never believed over them.
pub(super) fn checkpoint_key<E: StreamEvent>(id: &E::Id) -> StoreKey {
    StoreKey(format!("{}{id}", checkpoint_folder::<E>()))
}

/// The stream as messages name it: `block us-east.network`.
pub(super) fn shown<E: StreamEvent>(id: &E::Id) -> String {
    format!("{} {id}", E::KIND)
}

/// The number that an entry's name stands for.
pub(super) fn parse_entry_name(name: &str) -> Option<Seq> {
    let digits = name.len() == 20 && name.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| name.parse().ok().map(Seq)).flatten()
}
