//! What the two sides write to each other, and how a line is read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::call::{Answer, Bounds, Read, ReadAnswer, Sending};
use crate::provider::ClientError;
use crate::strict::{self, Budget};
use crate::target::TargetId;

/// The number of this protocol. It changes whenever a line of another build could be misread; a test pins what the lines
/// look like.
pub const PROTOCOL: u32 = 1;
/// How many bytes a line may have: a page of a thousand objects has about one million.
pub const MOST_OF_A_LINE: usize = 32 << 20;
/// How much there may be in a line.
const MOST_VALUES: Budget = Budget(32 << 20);

/// The first line of each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hello {
    /// The number of the protocol.
    pub(super) provision_client: u32,
    /// What the process was built from, as the provider tells builds apart.
    pub(super) build: String,
}

impl Hello {
    /// Ours.
    pub(super) fn of(build: &str) -> Self {
        Self { provision_client: PROTOCOL, build: build.to_owned() }
    }
}

/// The number of a request: never used again on a connection.
pub(super) type Number = u64;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) number: Number,
    pub(super) target: TargetId,
    pub(super) ask: Ask,
}

/// What is asked of a client half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ask {
    /// Whether there is one for the target, and its bounds.
    Connect,
    /// Who we are there.
    Verify,
    /// To send a call.
    Call(Box<Sending>),
    /// To send a read.
    Read(Read),
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Response {
    pub(super) number: Number,
    pub(super) reply: Reply,
}

/// What a client half said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Reply {
    /// To [`Ask::Connect`].
    Connected(Bounds),
    /// To all of them: there is no client half for the target. Nothing was sent.
    NoClient(String),
    /// To [`Ask::Verify`].
    Verified,
    /// To [`Ask::Verify`].
    NotVerified(ClientError),
    /// To [`Ask::Call`].
    Answer(Answer),
    /// To [`Ask::Read`].
    Read(ReadAnswer),
}

/// Why a line can't be used.
#[derive(Debug, Error)]
pub enum FrameError {
    /// It can't be read or written.
    #[error("the pipe broke")]
    Pipe(#[source] std::io::Error),
    /// The other side ended in the middle of it.
    #[error("the last line was cut off")]
    Cut,
    /// It is longer than any line of the protocol.
    #[error("a line has more than {MOST_OF_A_LINE} bytes")]
    TooLong,
    /// It is not what the protocol says.
    #[error("a line is not understood")]
    Garbage(#[source] serde_json::Error),
}

/// The line of a value.
pub(super) fn line(value: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut line = serde_json::to_vec(value).map_err(FrameError::Garbage)?;
    if line.len() >= MOST_OF_A_LINE {
        return Err(FrameError::TooLong);
    }
    line.push(b'\n');
    Ok(line)
}

/// The value of the next line; nothing where the other side has ended.
pub(super) async fn read<T: DeserializeOwned>(
    input: &mut (impl AsyncBufRead + Unpin),
) -> Result<Option<T>, FrameError> {
    let mut line = Vec::new();
    // Never more than a line may have is held, however much is sent.
    let most = u64::try_from(MOST_OF_A_LINE).unwrap_or(u64::MAX);
    input.take(most).read_until(b'\n', &mut line).await.map_err(FrameError::Pipe)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => strict::from_slice_within(&line, MOST_VALUES).map(Some).map_err(FrameError::Garbage),
        Some(_) if line.len() == MOST_OF_A_LINE => Err(FrameError::TooLong),
        Some(_) => Err(FrameError::Cut),
    }
}
