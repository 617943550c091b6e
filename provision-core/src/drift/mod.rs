//! Drift: where the clouds differ from what the logs say was applied.
//!
//! It needs no code: types, targets and fields come from the logs, so it also tells about blocks that have left the code.

mod compare;
mod data;

#[cfg(test)]
mod tests;

pub use compare::{DriftInputs, drift};
pub use data::{
    DcDrift, DriftReport, Drifted, FieldDrift, MarkDrift, NotKnown, ObjectAt, Unfinished, UnfinishedWhat, Unmanaged,
    Unread, Verdict,
};
