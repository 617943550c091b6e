//! The side that asks: one connection, from its first line to its end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::frame::{self, Ask, FrameError, Hello, Number, Reply, Request, Response};
use crate::target::TargetId;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was answered.
    Replied(Reply),
    /// It was certainly never executed, for this reason.
    NotSent(String),
    /// It may have been executed: the connection ended, for this reason, before it was answered.
    Lost(String),
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoLink {
    /// The other side was built from something else.
    OtherBuild(Hello),
    /// It wrote something else.
    Frame(FrameError),
    /// It ended without a word.
    Silent,
}

/// A connection. It ends when the last clone is dropped.
#[derive(Clone)]
pub(super) struct Link {
    queue: mpsc::UnboundedSender<(Number, Vec<u8>)>,
    state: Shared,
}

/// A connection of which only the first lines have been exchanged.
pub(super) struct Opened<I, O> {
    input: BufReader<I>,
    output: O,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<State>>);

/// What both ends of the queue know.
#[derive(Default)]
struct State {
    /// How many requests were made: the next one's number.
    made: Number,
    waiting: BTreeMap<Number, Waiting>,
    /// Why the connection has ended.
    ended: Option<String>,
}

struct Waiting {
    written: Written,
    hears: oneshot::Sender<Outcome>,
}

/// How much of a request's line was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Nothing.
    Nothing,
    /// Perhaps all of it.
    Perhaps,
}

impl<I, O> Opened<I, O>
where
    I: AsyncRead + Send + Unpin + 'static,
    O: AsyncWrite + Send + Unpin + 'static,
{
    /// Exchanges the first lines.
    pub(super) async fn new(build: &str, input: I, mut output: O) -> Result<Self, NoLink> {
        let (ours, mut input) = (Hello::of(build), BufReader::new(input));
        let hello = frame::line(&ours).map_err(NoLink::Frame)?;
        // What the other side has to say is heard in any case: it may be another build's and have hung up.
        let said = write(&mut output, &hello).await;
        match frame::read::<Hello>(&mut input).await.map_err(NoLink::Frame)? {
            None => Err(NoLink::Silent),
            Some(theirs) if theirs == ours => {
                said.map_err(NoLink::Frame)?;
                Ok(Self { input, output })
            }
            Some(theirs) => Err(NoLink::OtherBuild(theirs)),
        }
    }

    /// Takes requests. When the connection has ended, `farewell` is told why, and what it makes of it is what those hear
    /// who still wait.
    pub(super) fn link<F>(mut self, farewell: impl FnOnce(String) -> F + Send + 'static) -> Link
    where
        F: Future<Output = String> + Send,
    {
        let (queue, mut queued) = mpsc::unbounded_channel();
        let state = Shared::default();
        let link = Link { queue, state: state.clone() };
        tokio::spawn(async move {
            let why = tokio::select! {
                why = hear(&mut self.input, &state) => why,
                why = say(&mut self.output, &mut queued, &state) => why,
            };
            drop(self);
            state.end(farewell(why).await);
        });
        link
    }
}

impl Link {
    /// Makes a request, and waits until it is answered or the connection has ended.
    pub(super) async fn ask(&self, target: &TargetId, ask: Ask) -> Outcome {
        let heard = {
            let mut state = self.state.lock();
            if let Some(why) = &state.ended {
                return Outcome::NotSent(why.clone());
            }
            let number = state.made;
            let line = match frame::line(&Request { number, target: target.clone(), ask }) {
                Ok(line) => line,
                Err(error) => return Outcome::Replied(Reply::NoClient(format!("the request does not fit: {error}"))),
            };
            state.made += 1;
            let (hears, heard) = oneshot::channel();
            state.waiting.insert(number, Waiting { written: Written::Nothing, hears });
            // Should nobody take it any more, it is told so with all that wait.
            self.queue.send((number, line)).unwrap_or_default();
            heard
        };
        heard.await.unwrap_or_else(|_| Outcome::Lost("bug: nobody told what became of it".to_owned()))
    }

    /// Whether requests are still taken.
    pub(super) fn lives(&self) -> bool {
        self.state.lock().ended.is_none()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, number: Number, outcome: Outcome) {
        if let Some(waiting) = self.lock().waiting.remove(&number) {
            // Who asked may have gone away.
            waiting.hears.send(outcome).unwrap_or_default();
        }
    }

    fn end(&self, why: String) {
        let mut state = self.lock();
        for (_, Waiting { written, hears }) in std::mem::take(&mut state.waiting) {
            let outcome = match written {
                Written::Nothing => Outcome::NotSent(why.clone()),
                Written::Perhaps => Outcome::Lost(why.clone()),
            };
            hears.send(outcome).unwrap_or_default();
        }
        state.ended = Some(why);
    }
}

async fn write(output: &mut (impl AsyncWrite + Unpin), line: &[u8]) -> Result<(), FrameError> {
    output.write_all(line).await.map_err(FrameError::Pipe)?;
    output.flush().await.map_err(FrameError::Pipe)
}

/// Writes what is queued, until that fails or nobody can ask any more; says why.
async fn say(
    output: &mut (impl AsyncWrite + Unpin),
    queued: &mut mpsc::UnboundedReceiver<(Number, Vec<u8>)>,
    state: &Shared,
) -> String {
    while let Some((number, line)) = queued.recv().await {
        if let Some(waiting) = state.lock().waiting.get_mut(&number) {
            waiting.written = Written::Perhaps;
        }
        if let Err(error) = write(output, &line).await {
            // The end of the line was not taken, and a line without its end is never executed.
            let why = chain(&error);
            state.tell(number, Outcome::NotSent(why.clone()));
            return why;
        }
    }
    "nobody asks any more".to_owned()
}

/// Hands on what is answered, until there is no more or it is not understood; says why.
async fn hear(input: &mut (impl AsyncBufRead + Unpin), state: &Shared) -> String {
    loop {
        match frame::read::<Response>(input).await {
            Ok(Some(Response { number, .. })) if number >= state.lock().made => {
                return format!("it answered request {number}, which nobody made");
            }
            Ok(Some(Response { number, reply })) => state.tell(number, Outcome::Replied(reply)),
            Ok(None) => return "it closed the pipe".to_owned(),
            Err(error) => return chain(&error),
        }
    }
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
