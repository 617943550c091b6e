//! The side that has the client halves.

use std::sync::Arc;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::frame::{self, Ask, FrameError, Hello, PROTOCOL, Reply, Request, Response};
use crate::call::{Answer, ReadAnswer, Refusal};
use crate::driver::{Clients, Connector};

/// How many replies may wait for a reader that is slow; then requests wait.
const REPLIES: usize = 64;

/// Why serving ended other than by the end of the input.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Who started it speaks another protocol or was built from something else.
    #[error(
        "whoever started this speaks protocol {protocol} of build {build}, this is protocol {PROTOCOL} of build {ours}: \
         build both from the same sources"
    )]
    OtherBuild {
        /// Their protocol.
        protocol: u32,
        /// Their build.
        build: String,
        /// Our build.
        ours: String,
    },
    /// A line can't be used.
    #[error("a request can't be read, or a reply not be written")]
    Frame(#[from] FrameError),
}

/// Answers requests until the input ends; those in flight are then dropped, as if the process had been killed.
///
/// ```
/// # use std::collections::BTreeMap;
/// # use std::sync::Arc;
/// # use provision_core::driver::pipe::serve;
/// # use provision_core::provider::Client;
/// # use provision_core::target::TargetId;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A process that has no client half at all; instead of these two its standard input and output.
/// let clients = BTreeMap::<TargetId, Arc<dyn Client>>::new();
/// let (mut input, mut output) = (tokio::io::empty(), Vec::new());
/// serve(Arc::new(clients), "toy 1", &mut input, &mut output).await?;
/// assert_eq!(String::from_utf8(output)?, "{\"provision_client\":1,\"build\":\"toy 1\"}\n");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Input that is not the protocol's, or of another build; output that nobody reads.
pub async fn serve(
    connector: Arc<dyn Connector>,
    build: &str,
    input: &mut (impl AsyncRead + Unpin),
    output: &mut (impl AsyncWrite + Unpin),
) -> Result<(), ServeError> {
    write(output, &frame::line(&Hello::of(build))?).await?;
    let mut input = BufReader::new(input);
    match frame::read::<Hello>(&mut input).await? {
        None => return Ok(()),
        Some(theirs) if theirs == Hello::of(build) => {}
        Some(Hello { provision_client: protocol, build: theirs }) => {
            return Err(ServeError::OtherBuild { protocol, build: theirs, ours: build.to_owned() });
        }
    }
    let (replies, mut written) = mpsc::channel::<Vec<u8>>(REPLIES);
    // Dropped at the end, and with it whatever is in flight.
    let mut tasks = JoinSet::new();
    let reading = async {
        let clients = Clients::new(connector);
        while let Some(request) = frame::read::<Request>(&mut input).await? {
            let (clients, replies) = (clients.clone(), replies.clone());
            tasks.spawn(async move {
                // Nobody listens once the output has failed.
                replies.send(reply_line(&clients, request).await).await.unwrap_or_default();
            });
            while tasks.try_join_next().is_some() {}
        }
        Ok(())
    };
    let writing = async {
        while let Some(line) = written.recv().await {
            write(output, &line).await?;
        }
        Ok(())
    };
    tokio::select! {
        ended = reading => ended,
        ended = writing => ended,
    }
}

async fn write(output: &mut (impl AsyncWrite + Unpin), line: &[u8]) -> Result<(), ServeError> {
    output.write_all(line).await.map_err(FrameError::Pipe)?;
    output.flush().await.map_err(FrameError::Pipe)?;
    Ok(())
}

async fn reply_line(clients: &Clients, request: Request) -> Vec<u8> {
    let Request { number, target, ask } = request;
    let reply = match clients.get(&target).await {
        Err(problem) => Reply::NoClient(problem),
        Ok(client) => match &ask {
            Ask::Connect => Reply::Connected(client.bounds()),
            Ask::Verify => client.verify(&target).await.map_or_else(Reply::NotVerified, |()| Reply::Verified),
            Ask::Call(sending) => Reply::Answer(client.call(sending).await),
            Ask::Read(read) => Reply::Read(client.read(read).await),
        },
    };
    frame::line(&Response { number, reply }).unwrap_or_else(|error| {
        // What was said can't be told; that it can't is short.
        let reason = format!("the answer does not fit the pipe: {error}");
        let reply = match ask {
            Ask::Connect | Ask::Verify => Reply::NoClient(reason),
            Ask::Call(_) => Reply::Answer(Answer::Unknown { reason }),
            Ask::Read(_) => Reply::Read(ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason }),
        };
        frame::line(&Response { number, reply }).unwrap_or_default()
    })
}
