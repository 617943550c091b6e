//! A test's own AWS, and the command line run against it.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testbed::aws::{AwsServer, Match, Options, RecordedCall};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::cloud::Held;
use crate::infra::{VARIANT, Variant};
use crate::state::{ADDRESS, BUCKET, Bucket, PREFIX};

/// How old a stamp the server takes, in seconds. Stamps have whole seconds.
pub const STAMP_BOUND: u64 = 3;
/// How long the runner believes that a new object can be invisible.
pub const VISIBILITY: &str = "1";
/// How long any run may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(90);
/// How often is looked whether a process of somebody else has ended: the kernel tells only its parent.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// An AWS server with a bucket, and a user who runs the command line.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub aws: AwsServer,
    binary: PathBuf,
    home: TempDir,
}

/// A run that has ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// How.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub out: String,
    /// What it wrote to standard error.
    pub err: String,
}

/// A run that goes on.
#[derive(Debug)]
pub struct Running {
    child: Child,
}

impl World {
    /// A server, or nothing where the test is to be skipped. `binary` is `env!("CARGO_BIN_EXE_e2e-provision")`.
    pub async fn start(binary: &str) -> Option<Self> {
        // Never one that others use: the tests count what the server holds.
        let options = Options { existing: None, ..Options::default() };
        let aws = testbed::available(AwsServer::start(options).await)?;
        let home = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let world = Self { aws, binary: binary.into(), home };
        world.prepare().await;
        Some(world)
    }

    /// An empty server again, in a hundredth of the time of another one.
    pub async fn restart(&self) {
        self.aws.reset().await;
        self.prepare().await;
    }

    async fn prepare(&self) {
        self.aws.create_bucket(BUCKET).await;
        self.aws.set_stamp_bound(Duration::from_secs(STAMP_BOUND));
    }

    /// The home of the user, where the runs also take place.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The command line on a variant, with the state in the bucket.
    pub fn command(&self, variant: Variant, args: &[&str]) -> Command {
        let mut command = std::process::Command::new(&self.binary);
        let ours = |name: &str| name.starts_with("PROVISION_") || name.starts_with("AWS_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| ours(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        self.aws.set_env(&mut command);
        command
            .args(args)
            .current_dir(self.home.path())
            .env(VARIANT, variant.name())
            .env("HOME", self.home.path())
            .env("USER", "tester")
            .env("NO_COLOR", "1")
            .env("PROVISION_KEY", self.home.path().join("key"))
            .env("PROVISION_STATE", ADDRESS)
            .env("PROVISION_AWS_STAMP_BOUND", STAMP_BOUND.to_string())
            .env("PROVISION_AWS_VISIBILITY", VISIBILITY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        command
    }

    /// Starts the command line.
    pub fn spawn(&self, variant: Variant, args: &[&str]) -> Running {
        Running::of(self.command(variant, args))
    }

    /// Runs the command line to its end.
    pub async fn run(&self, variant: Variant, args: &[&str]) -> Ran {
        self.spawn(variant, args).ended().await
    }

    /// Applies, and expects that it succeeds.
    pub async fn apply(&self, variant: Variant) -> Ran {
        self.run(variant, &APPLY).await.succeeded()
    }

    /// Plans, and expects that nothing is to be done.
    pub async fn plan_is_empty(&self, variant: Variant) {
        let plan = self.run(variant, &PLAN).await;
        assert_eq!(plan.code(), Some(0), "the plan is not empty: {plan:#?}");
        assert!(plan.out.contains("No changes.") && !plan.out.contains("note:"), "{plan:#?}");
    }

    /// What the server holds.
    pub async fn held(&self) -> Held {
        Held::of(&self.aws).await
    }

    /// The bucket, past the proxy.
    pub fn bucket(&self) -> Bucket {
        Bucket::of(&self.aws)
    }

    /// The calls that can change something in the cloud or in the store's streams, in the order of their arrival.
    pub fn mutating(&self) -> Vec<RecordedCall> {
        self.aws.calls().into_iter().filter(is_mutating).collect()
    }

    /// The names of the EC2 calls that can change something, in the order of their arrival.
    pub fn ec2_changes(&self) -> Vec<String> {
        let calls = self.mutating().into_iter().filter(|call| call.service == "ec2");
        calls.map(|call| call.action).collect()
    }
}

/// The arguments of an apply with a generation.
pub const APPLY: [&str; 4] = ["apply", "--auto-approve", "--generation", "1"];
/// The arguments of a plan with a generation, whose exit code says whether there is something to do.
pub const PLAN: [&str; 4] = ["plan", "--detailed-exitcode", "--generation", "1"];

/// Whether a call can change something: of S3, all writes but those of hints.
pub fn is_mutating(call: &RecordedCall) -> bool {
    let key = || call.params.get("Key").map(String::as_str).unwrap_or_default();
    match call.service.as_str() {
        "ec2" => !call.action.starts_with("Describe"),
        "s3" => !call.action.starts_with("Get") && !call.action.starts_with("List") && !key().starts_with(&hints()),
        _ => false,
    }
}

fn hints() -> String {
    format!("{PREFIX}/v1/hint/")
}

/// The writes of the state whose keys start so: `v1/run/`.
pub fn puts(folder: &str) -> Match {
    Match::s3("PUT", &format!("{PREFIX}/{folder}"))
}

impl Ran {
    /// The exit code, if it was not killed.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Expects that it succeeded.
    ///
    /// # Panics
    /// Where it did not.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code(), Some(0), "{self:#?}");
        self
    }

    /// Expects exit code 1 and every one of these texts on standard error.
    ///
    /// # Panics
    /// Where it is otherwise.
    pub fn refused_with(&self, texts: &[&str]) {
        assert_eq!(self.code(), Some(1), "{self:#?}");
        for text in texts {
            assert!(self.err.contains(text), "`{text}` is missing: {self:#?}");
        }
    }
}

impl Running {
    /// Starts a command.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn of(mut command: Command) -> Self {
        Self { child: command.spawn().unwrap_or_else(|error| panic!("{error}")) }
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// Where the process has ended.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let pid = pid.unwrap_or_else(|| panic!("it has ended"));
        kill_process(pid, signal).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The process that it has started, if it has: by what the kernel says.
    pub fn started(&self) -> Option<Pid> {
        let ours = self.child.id()?.to_string();
        let pids = std::fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let children = pids.filter(|pid| state_and_parent(pid).is_some_and(|(_, parent)| parent == ours));
        children.filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).next()
    }

    /// Kills it as the kernel does, and waits until it is gone.
    pub async fn killed(self) -> Ran {
        self.signal(Signal::KILL);
        self.ended().await
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// Where it does not end in time.
    pub async fn ended(self) -> Ran {
        let output = timeout(PATIENCE, self.child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("the run did not end within {PATIENCE:?}"));
        let output = output.unwrap_or_else(|error| panic!("{error}"));
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran { status: output.status, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// What the kernel says about a process: its state (`Z` once it has ended and nobody has asked how) and its parent.
#[expect(clippy::disallowed_methods, reason = "the kernel tells by files")]
fn state_and_parent(pid: &str) -> Option<(String, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // They follow the name in parentheses, which may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned);
    Some((fields.next()?, fields.next()?))
}

/// Waits until a process that is nobody's child here has ended.
///
/// # Panics
/// Where it does not end in time.
#[expect(clippy::disallowed_methods, reason = "a test looks again and again")]
pub async fn has_ended(pid: Pid) {
    let pid = pid.as_raw_nonzero().to_string();
    let ended = async {
        while state_and_parent(&pid).is_some_and(|(state, _)| state != "Z") {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    timeout(PATIENCE, ended).await.unwrap_or_else(|_| panic!("{pid} did not end within {PATIENCE:?}"));
}
