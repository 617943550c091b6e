//! The first look at a store: whose it is, and whether its put-if-absent is one.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::log::{ReadError, backoff, get};
use crate::id::{InfraId, Nonce};
use crate::machine::{Io, PutAnswer, StoreKey};
use crate::strict;

/// The layout of keys that this build writes, and the newest that it reads.
const LAYOUT: u32 = 1;

const ATTEMPTS: u32 = 6;

/// A store that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// It holds another infrastructure.
    #[error("the store belongs to infrastructure `{found}`, and this is `{expected}`: use the store of `{expected}`")]
    OtherInfra {
        /// Which.
        found: InfraId,
        /// Which was expected.
        expected: InfraId,
    },
    /// It holds the state of a simulated infrastructure.
    #[error(
        "the store holds the state of a simulated infrastructure, and this run is not simulated: use another store"
    )]
    Simulated,
    /// It holds the state of a real infrastructure.
    #[error("the store holds the state of real clouds, and this run is simulated: use another store")]
    NotSimulated,
    /// Laid out by a newer build.
    #[error("the store has layout {0}, this build knows up to {LAYOUT}: use a newer build")]
    NewerLayout(u64),
    /// Its marker cannot be understood.
    #[error("the store's marker `v1/meta/infra` is damaged ({0}): restore it from the store's earlier versions")]
    Damaged(String),
    /// It overwrites where it should refuse.
    #[error("the store does not honour put-if-absent ({0}): two runs could both hold a block; use another store")]
    NoPutIfAbsent(String),
    /// It does not answer.
    #[error("the store cannot be written: {0}")]
    Unwritable(String),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    layout: u64,
    infra: InfraId,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    simulated: bool,
}

/// What a store is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreUse {
    /// Nothing yet.
    Nothing,
    /// The state of an infrastructure in real clouds.
    Real,
    /// The state of a simulated one.
    Simulated,
}

impl StoreUse {
    fn of(marker: Option<&Marker>) -> Self {
        match marker {
            None => Self::Nothing,
            Some(marker) if marker.simulated => Self::Simulated,
            Some(_) => Self::Real,
        }
    }

    /// Whether a run may use it: simulated ones and others never share a store.
    ///
    /// # Errors
    /// It may not.
    pub fn fits(self, simulated: bool) -> Result<(), StoreError> {
        match (self, simulated) {
            (Self::Nothing, _) | (Self::Real, false) | (Self::Simulated, true) => Ok(()),
            (Self::Simulated, false) => Err(StoreError::Simulated),
            (Self::Real, true) => Err(StoreError::NotSimulated),
        }
    }
}

fn marker_key() -> StoreKey {
    StoreKey("v1/meta/infra".to_owned())
}

/// What the store is used for, for those who only read.
///
/// # Errors
/// It is another infrastructure's, or cannot be read.
pub async fn look_at_store(io: &Io, infra: &InfraId) -> Result<StoreUse, StoreError> {
    Ok(StoreUse::of(marker(io, infra).await?.map(|(_, marker)| marker).as_ref()))
}

/// Makes sure that the store is ours and that its put-if-absent is one, before anything else is written.
///
/// At the first use two puts at one fresh key must answer "done" and "exists". Later a put of the marker's own bytes
/// at its own key must answer "exists"; where it does not, nothing was harmed.
///
/// # Errors
/// The store is another infrastructure's or another world's, does not honour put-if-absent, or does not answer.
pub async fn enter_store(io: &Io, infra: &InfraId, simulated: bool, nonce: Nonce) -> Result<(), StoreError> {
    if let Some((bytes, marker)) = marker(io, infra).await? {
        StoreUse::of(Some(&marker)).fits(simulated)?;
        return match put(io, &marker_key(), &bytes).await? {
            Put::Exists => Ok(()),
            Put::Done => Err(StoreError::NoPutIfAbsent("it overwrote its own marker".to_owned())),
        };
    }
    probe(io, nonce).await?;
    let marker_of_ours = Marker { layout: u64::from(LAYOUT), infra: infra.clone(), simulated };
    let bytes = serde_json::to_vec(&marker_of_ours).map_err(|error| StoreError::Damaged(error.to_string()))?;
    put(io, &marker_key(), &bytes).await?;
    // Another run may have been first, also one of another infrastructure.
    match marker(io, infra).await? {
        Some((_, marker)) => StoreUse::of(Some(&marker)).fits(simulated),
        None => Err(StoreError::Unwritable("what was written there cannot be read".to_owned())),
    }
}

async fn marker(io: &Io, infra: &InfraId) -> Result<Option<(Vec<u8>, Marker)>, StoreError> {
    #[derive(Deserialize)]
    struct Layout {
        layout: u64,
    }
    let Some((bytes, _)) = get(io, &marker_key()).await? else { return Ok(None) };
    if let Ok(Layout { layout }) = serde_json::from_slice(&bytes)
        && layout > u64::from(LAYOUT)
    {
        return Err(StoreError::NewerLayout(layout));
    }
    let marker: Marker = strict::from_slice(&bytes).map_err(|error| StoreError::Damaged(error.to_string()))?;
    if marker.infra != *infra {
        return Err(StoreError::OtherInfra { found: marker.infra, expected: infra.clone() });
    }
    Ok(Some((bytes, marker)))
}

/// Two puts at one fresh key.
async fn probe(io: &Io, nonce: Nonce) -> Result<(), StoreError> {
    let key = StoreKey(format!("v1/meta/probe-{nonce}"));
    let (first, second) = (b"first\n".as_slice(), b"second\n".as_slice());
    // "Exists" may be the first put itself, whose answer was lost; what stands there tells.
    put(io, &key, first).await?;
    let answer = put(io, &key, second).await?;
    let stands = get(io, &key).await?.map(|(bytes, _)| bytes);
    match (answer, stands.as_deref() == Some(first)) {
        (Put::Exists, true) => Ok(()),
        (Put::Done, _) => Err(StoreError::NoPutIfAbsent("it took a second put at one key".to_owned())),
        (Put::Exists, false) => Err(StoreError::NoPutIfAbsent("a second put changed what the first wrote".to_owned())),
    }
}

enum Put {
    Done,
    Exists,
}

async fn put(io: &Io, key: &StoreKey, bytes: &[u8]) -> Result<Put, StoreError> {
    let mut attempt = 0;
    loop {
        match io.put(key.clone(), bytes.to_vec()).await {
            PutAnswer::Done => return Ok(Put::Done),
            PutAnswer::Exists => return Ok(Put::Exists),
            PutAnswer::Unknown(reason) if attempt + 1 >= ATTEMPTS => return Err(StoreError::Unwritable(reason)),
            PutAnswer::Unknown(_) => io.sleep(backoff(attempt)).await,
        }
        attempt += 1;
    }
}
