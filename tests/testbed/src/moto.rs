//! moto: its Python environment, made once, and one server process, which dies with ours.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{
    Unavailable,
    cache::{cache_folder, made_once},
    unavailable::say,
};

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const CHILD: &str = include_str!("moto_child.py");
/// What is put right inside moto, as files of a Python package.
const FIXES: [(&str, &str); 13] = [
    ("__init__.py", include_str!("fixes/__init__.py")),
    ("balancing.py", include_str!("fixes/balancing.py")),
    ("compute.py", include_str!("fixes/compute.py")),
    ("gateways.py", include_str!("fixes/gateways.py")),
    ("global_services.py", include_str!("fixes/global_services.py")),
    ("held.py", include_str!("fixes/held.py")),
    ("interfaces.py", include_str!("fixes/interfaces.py")),
    ("network.py", include_str!("fixes/network.py")),
    ("peering.py", include_str!("fixes/peering.py")),
    ("placement.py", include_str!("fixes/placement.py")),
    ("speed.py", include_str!("fixes/speed.py")),
    ("tools.py", include_str!("fixes/tools.py")),
    ("transit.py", include_str!("fixes/transit.py")),
];
const PART: &str = "moto (the AWS server)";
const START: Duration = Duration::from_secs(60);

/// A running moto server. It ends when this is dropped, and also when this process is killed.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    port: u16,
    log: PathBuf,
    /// Holds the log until it is dropped; kept on disk if the test has failed by then.
    folder: Option<TempDir>,
}

impl Moto {
    /// Starts a server on a free loopback port; the first call on a machine installs it (40 s, 140 MB).
    /// Blocks until the server answers.
    ///
    /// # Errors
    /// Where there is no Python 3 with `venv`, where the packages cannot be installed, or where the server
    /// does not start.
    pub fn start() -> Result<Self, Unavailable> {
        let python = environment().map_err(|reason| Unavailable::new(PART, reason))?;
        Self::start_with(&python).map_err(|reason| Unavailable::new(PART, reason))
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1 where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process, for tests of how it ends.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The end of its log, for a failing test to quote.
    pub fn log_tail(&self) -> String {
        tail(&self.log).unwrap_or_else(|error| format!("({}: {error})", self.log.display()))
    }

    fn start_with(python: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("provision-moto-").tempdir()?;
        let log = folder.path().join("moto.log");
        let fixes = folder.path().join("fixes");
        std::fs::create_dir(&fixes)?;
        for (name, text) in FIXES {
            std::fs::write(fixes.join(name), text)?;
        }
        let mut child = Command::new(python)
            .args(["-I", "-B", "-c", CHILD])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let announced = child.stdout.take().map(port_announced_by);
        // From here on a return drops the server, and with it the process.
        let mut moto = Self { child, port: 0, log, folder: Some(folder) };
        moto.port = announced
            .and_then(|port| port.recv_timeout(START).ok().flatten())
            .ok_or_else(|| io::Error::other(format!("it did not start; its log: {}", moto.log_tail())))?;
        Ok(moto)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
        if thread::panicking()
            && let Some(folder) = self.folder.take()
        {
            say(&format!("the log of moto is kept in {}", folder.keep().display()));
        }
    }
}

/// Reads the port on a thread of its own, since a pipe has no deadline.
fn port_announced_by(stdout: impl Read + Send + 'static) -> mpsc::Receiver<Option<u16>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        // Nobody listens any more where the start took too long.
        let _sent = sender.send(read.ok().and_then(|_| line.trim().parse().ok()));
    });
    receiver
}

/// The interpreter of an environment that has exactly the pinned packages.
fn environment() -> io::Result<PathBuf> {
    let version = run(Command::new("python3").args(["-c", "import sys; print(sys.version)"]), "python3")?;
    let mut key = Sha256::new();
    key.update(&version);
    key.update(REQUIREMENTS);
    let name = format!("moto-{}", &hex::encode(key.finalize())[..16]);
    let folder = made_once(&cache_folder()?, &name, install)?;
    Ok(interpreter(&folder))
}

fn install(folder: &Path) -> io::Result<()> {
    say(&format!("installing moto into {} (once; about 40 s and 140 MB)", folder.display()));
    run(Command::new("python3").args(["-m", "venv"]).arg(folder), "python3 -m venv")?;
    let requirements = folder.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENTS)?;
    // Without dependencies: what is not in the list is not installed, so nothing is unpinned.
    let pip = ["-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "-r"];
    run(Command::new(interpreter(folder)).args(pip).arg(&requirements), "pip install")?;
    say("installed moto");
    Ok(())
}

fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

fn run(command: &mut Command, name: &str) -> io::Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{name}: {}: {}", output.status, said.trim())))
}

fn tail(log: &Path) -> io::Result<String> {
    const LENGTH: u64 = 8 * 1024;
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LENGTH)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
