//! The process that has the client halves: how it is started, watched and asked.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::frame::{Ask, Hello, PROTOCOL, Reply};
use super::link::{Link, NoLink, Opened, Outcome, chain};
use crate::call::{Answer, Bounds, Read, ReadAnswer, Refusal, Sending};
use crate::driver::Connector;
use crate::provider::{Client, ClientError};
use crate::target::TargetId;

/// How often the process is started in the life of a [`ClientProcess`]: one that dies of every request is not started for
/// ever.
pub const MOST_STARTS: u32 = 4;

/// How long the process may take to say who it is.
const FIRST_LINE: Duration = Duration::from_secs(10);
/// How long a request may go unanswered: client halves give up long before.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a process whose pipe has ended may take to end, and its last words to arrive.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How much of a line of its standard error is shown, in bytes.
const MOST_OF_AN_ERROR_LINE: u64 = 4 << 10;

/// A program that [serves](super::serve) client halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its arguments. They can be seen by everybody on the machine: nothing secret.
    pub args: Vec<OsString>,
    /// What it has to say that it was built from: see [the protocol](super).
    pub build: String,
    /// What to do about one that is missing or of another build: "build it with `…`".
    pub remedy: String,
}

/// A process with client halves. It is started by its first request; dropping this ends it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use provision_core::driver::Connector as _;
/// use provision_core::driver::pipe::{ClientProcess, Program};
/// use provision_core::target::TargetId;
///
/// let remedy = "install it".to_owned();
/// let program = Program { path: "/nowhere/toy-client".into(), args: Vec::new(), build: "toy 1".to_owned(), remedy };
/// let target = TargetId { provider: "toy".parse()?, account: "1".to_owned(), region: String::new() };
/// let problem = ClientProcess::new(program).connect(&target).await.err();
/// let expected = "/nowhere/toy-client can't be started: No such file or directory (os error 2): install it";
/// assert_eq!(problem.as_deref(), Some(expected));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientProcess(Arc<Inner>);

struct Inner {
    program: Program,
    patience: Duration,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    link: Option<Link>,
    starts: u32,
    /// Why it could not be used the last time.
    problem: String,
}

impl ClientProcess {
    /// Of this program, which is not started yet.
    pub fn new(program: Program) -> Self {
        Self::with_patience(program, PATIENCE)
    }

    /// The same, with which no request may go unanswered for longer than this.
    pub(super) fn with_patience(program: Program, patience: Duration) -> Self {
        Self(Arc::new(Inner { program, patience, running: Mutex::default() }))
    }
}

#[async_trait]
impl Connector for ClientProcess {
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        match self.0.ask(target, &Ask::Connect).await {
            Outcome::Replied(Reply::Connected(bounds)) => {
                Ok(Arc::new(Remote { process: self.clone(), target: target.clone(), bounds }))
            }
            other => Err(problem(other)),
        }
    }
}

/// The client half of a target, in the other process.
struct Remote {
    process: ClientProcess,
    target: TargetId,
    bounds: Bounds,
}

#[async_trait]
impl Client for Remote {
    fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn verify(&self, target: &TargetId) -> Result<(), ClientError> {
        match self.process.0.ask(target, &Ask::Verify).await {
            Outcome::Replied(Reply::Verified) => Ok(()),
            Outcome::Replied(Reply::NotVerified(error)) => Err(error),
            other => Err(ClientError { target: target.clone(), problem: problem(other) }),
        }
    }

    async fn call(&self, sending: &Sending) -> Answer {
        match self.process.0.ask(&self.target, &Ask::Call(Box::new(sending.clone()))).await {
            Outcome::Replied(Reply::Answer(answer)) => answer,
            Outcome::NotSent(message) | Outcome::Replied(Reply::NoClient(message)) => {
                let code = "NotSent".to_owned();
                Answer::Refused { refusal: Refusal::Invalid, code, message, server_time: None }
            }
            lost => Answer::Unknown { reason: problem(lost) },
        }
    }

    async fn read(&self, read: &Read) -> ReadAnswer {
        match self.process.0.ask(&self.target, &Ask::Read(read.clone())).await {
            Outcome::Replied(Reply::Read(answer)) => answer,
            Outcome::NotSent(reason) | Outcome::Replied(Reply::NoClient(reason)) => {
                ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason }
            }
            lost => ReadAnswer::Failed { refusal: None, reason: problem(lost) },
        }
    }
}

/// Why there is not the reply that there should be.
fn problem(outcome: Outcome) -> String {
    match outcome {
        Outcome::NotSent(problem) | Outcome::Lost(problem) | Outcome::Replied(Reply::NoClient(problem)) => problem,
        Outcome::Replied(Reply::NotVerified(ClientError { target: _, problem })) => problem,
        Outcome::Replied(Reply::Connected(_) | Reply::Verified | Reply::Answer(_) | Reply::Read(_)) => {
            "the client process answered something else than was asked".to_owned()
        }
    }
}

impl Inner {
    /// Asks the process, or the next one where it ended before the request was written.
    async fn ask(&self, target: &TargetId, ask: &Ask) -> Outcome {
        loop {
            let link = match self.link().await {
                Ok(link) => link,
                Err(problem) => return Outcome::NotSent(problem),
            };
            match timeout(self.patience, link.ask(target, ask.clone())).await {
                // How often is bounded by how often it is started.
                Ok(Outcome::NotSent(why)) => self.running.lock().await.problem = self.said(&why),
                Ok(Outcome::Lost(why)) => {
                    let why = self.said(&why);
                    self.running.lock().await.problem.clone_from(&why);
                    return Outcome::Lost(why);
                }
                Ok(replied @ Outcome::Replied(_)) => return replied,
                Err(_) => return Outcome::Lost(self.said(&format!("no answer within {:?}", self.patience))),
            }
        }
    }

    fn said(&self, what: &str) -> String {
        format!("the client process {}: {what}", self.program.path.display())
    }

    /// The connection to the process, which is started where it does not run.
    async fn link(&self) -> Result<Link, String> {
        let mut running = self.running.lock().await;
        if let Some(link) = running.link.as_ref().filter(|link| link.lives()) {
            return Ok(link.clone());
        }
        if running.starts >= MOST_STARTS {
            return Err(format!("{}; it was started {MOST_STARTS} times, which is enough", running.problem));
        }
        running.starts += 1;
        match self.start().await {
            Ok(link) => Ok(running.link.insert(link).clone()),
            Err(problem) => {
                running.problem.clone_from(&problem);
                Err(problem)
            }
        }
    }

    async fn start(&self) -> Result<Link, String> {
        let Program { path, args, build, remedy } = &self.program;
        let shown = path.display();
        let mut command = Command::new(path);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // In a group of its own: the terminal's interrupt is for us, who drain before we close the pipe.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{shown} can't be started: {error}: {remedy}"))?;
        let (Some(input), Some(output), Some(errors)) = (child.stdout.take(), child.stdin.take(), child.stderr.take())
        else {
            return Err("bug: a piped process has no pipes".to_owned());
        };
        let last_words = LastWords::of(errors);
        let opened = match timeout(FIRST_LINE, Opened::new(build, input, output)).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(NoLink::OtherBuild(Hello { provision_client, build: theirs }))) => {
                return Err(format!(
                    "{shown} is of another build ({theirs}, protocol {provision_client}; this needs {build}, protocol \
                     {PROTOCOL}): {remedy}"
                ));
            }
            Ok(Err(NoLink::Frame(error))) => {
                let why = farewell(child, last_words, chain(&error)).await;
                return Err(format!("{shown} is no client process that can be talked to: {why}: {remedy}"));
            }
            Ok(Err(NoLink::Silent)) => {
                let why = farewell(child, last_words, "it closed the pipe".to_owned()).await;
                return Err(format!("{shown} ended before it said who it is: {why}: {remedy}"));
            }
            Err(_) => return Err(format!("{shown} did not say who it is within {FIRST_LINE:?}: {remedy}")),
        };
        tracing::debug!(program = %shown, pid = child.id(), "the client process was started");
        Ok(opened.link(|why| farewell(child, last_words, why)))
    }
}

/// Ends the process, and says all there is to say about its end.
async fn farewell(mut child: Child, last_words: LastWords, why: String) -> String {
    let status = match timeout(LAST_WORDS, child.wait()).await {
        Ok(Ok(status)) => format!("ended with {status}"),
        // Dropped, it is killed.
        Ok(Err(_)) | Err(_) => "was stopped".to_owned(),
    };
    drop(child);
    match last_words.heard().await {
        Some(line) => format!("{why}; it {status} and said: {line}"),
        None => format!("{why}; it {status}"),
    }
}

/// Hands its standard error on, and keeps the last line.
struct LastWords {
    last: Arc<StdMutex<Option<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl LastWords {
    fn of(errors: ChildStderr) -> Self {
        let last = Arc::<StdMutex<Option<String>>>::default();
        let kept = last.clone();
        let task = tokio::spawn(async move {
            let mut errors = BufReader::new(errors);
            let mut line = Vec::new();
            while matches!((&mut errors).take(MOST_OF_AN_ERROR_LINE).read_until(b'\n', &mut line).await, Ok(1..)) {
                let text = safe(&line);
                if !text.is_empty() {
                    tracing::warn!("client process: {text}");
                    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
                }
                line.clear();
            }
        });
        Self { last, task }
    }

    async fn heard(self) -> Option<String> {
        // Something that the process started may hold its standard error open.
        timeout(LAST_WORDS, self.task).await.unwrap_or(Ok(())).unwrap_or_default();
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Text that does nothing to a terminal, which also means: does not change the direction of what follows.
fn safe(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let harmless = |c: char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = |c: char| if harmless(c) { c.to_string() } else { c.escape_default().to_string() };
    text.trim_end().chars().map(escaped).collect()
}
