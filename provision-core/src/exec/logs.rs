//! What the logs record, for whoever plans or compares.

use std::collections::BTreeMap;

use crate::id::{BlockAddr, InfraId};
use crate::machine::Io;
use crate::plan::BlockInput;
use crate::stream::{ReadError, read_blocks};

/// Reads these blocks' logs. One that is damaged is told as such, and harms no other.
///
/// # Errors
/// The store does not answer.
pub async fn read_recorded(
    io: &Io,
    infra: &InfraId,
    blocks: impl IntoIterator<Item = BlockAddr>,
) -> Result<BTreeMap<BlockAddr, BlockInput>, ReadError> {
    let read = read_blocks(io, infra, blocks).await.into_iter();
    let inputs = read.map(|(addr, read)| match read {
        Ok(state) => Ok((addr, Ok(state))),
        Err(error @ ReadError::Store { .. }) => Err(error),
        Err(
            error @ (ReadError::Entry(_)
            | ReadError::Gap { .. }
            | ReadError::Illegal { .. }
            | ReadError::NotAStream { .. }),
        ) => Ok((addr, Err(error.to_string()))),
    });
    inputs.collect()
}
