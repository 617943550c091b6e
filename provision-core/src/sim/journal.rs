//! The journal of a cloud in a file: a header line, then a line of JSON per change, only ever appended to.
//!
//! A line counts once its newline is there. What stands after the last newline was never answered for: its writer died.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::model::{BadRecord, Record};

/// The version of the format that this build reads and writes.
const FORMAT: u32 = 1;
const HEADER_START: &str = r#"{"provision_simulated_cloud":"#;
/// More than any header line has.
const HEADER_MAX: u64 = 200;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "provision_simulated_cloud")]
    format: u32,
    seed: u64,
}

/// Why the simulated cloud of a directory cannot be used.
#[derive(Debug, Error)]
pub enum FileCloudError {
    /// The file system refused.
    #[error("cannot {doing} the simulated cloud in {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is not a journal of a simulated cloud.
    #[error("{} is not the journal of a simulated cloud; move it away, or use another directory", path.display())]
    SomethingElse {
        /// Which file.
        path: PathBuf,
    },
    /// The file is of a newer build.
    #[error(
        "{} has format {format}, and this build knows formats up to {FORMAT}: use a newer build, or remove the directory to \
         begin with an empty cloud",
        path.display()
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// A line before the end of the file is damaged.
    #[error("{}, line {line}: {problem}; remove the directory to begin with an empty cloud", path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Which line of it.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The file lost lines that were read from it.
    #[error("{} is shorter than it was: something else than this program writes to it", path.display())]
    Shrunk {
        /// Which file.
        path: PathBuf,
    },
}

/// An open journal, read up to an offset. Whoever reads or appends holds the file's lock.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// All before it was folded; a line begins here.
    offset: u64,
    line: u64,
}

impl Journal {
    /// Opens the journal, or begins one with this seed; gives the seed that it has.
    pub(super) fn open(path: PathBuf, seed: u64) -> Result<(Self, u64), FileCloudError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|source| FileCloudError::Io { doing: "open", path: path.clone(), source })?;
        let mut journal = Self { path, file, offset: 0, line: 1 };
        let seed = journal.locked(Lock::Exclusive, |journal| journal.header(seed))?;
        Ok((journal, seed))
    }

    /// Runs `f` under the lock that all processes respect.
    pub(super) fn locked<T>(
        &mut self,
        lock: Lock,
        f: impl FnOnce(&mut Self) -> Result<T, FileCloudError>,
    ) -> Result<T, FileCloudError> {
        let taken = match lock {
            Lock::Exclusive => self.file.lock(),
            Lock::Shared => self.file.lock_shared(),
        };
        taken.map_err(|source| self.io("lock", source))?;
        let result = f(self);
        let unlocked = self.file.unlock().map_err(|source| self.io("unlock", source));
        let value = result?;
        unlocked.map(|()| value)
    }

    fn io(&self, doing: &'static str, source: io::Error) -> FileCloudError {
        FileCloudError::Io { doing, path: self.path.clone(), source }
    }

    /// The error for a record that does not fit, at the line where it stands.
    pub(super) fn corrupt(&self, problem: impl ToString) -> FileCloudError {
        FileCloudError::Corrupt { path: self.path.clone(), line: self.line, problem: problem.to_string() }
    }

    fn header(&mut self, seed: u64) -> Result<u64, FileCloudError> {
        let mut start = Vec::new();
        let read = (&self.file).take(HEADER_MAX).read_to_end(&mut start);
        read.map_err(|source| self.io("read", source))?;
        let Some(end) = start.iter().position(|byte| *byte == b'\n') else {
            let expected = HEADER_START.as_bytes();
            if start.len() < HEADER_MAX as usize && (expected.starts_with(&start) || start.starts_with(expected)) {
                return self.begin(seed);
            }
            return Err(FileCloudError::SomethingElse { path: self.path.clone() });
        };
        let line = start.get(..end).unwrap_or_default();
        let header: Header = match serde_json::from_slice(line) {
            Ok(header) => header,
            Err(_) => return Err(FileCloudError::SomethingElse { path: self.path.clone() }),
        };
        if header.format > FORMAT {
            return Err(FileCloudError::Newer { path: self.path.clone(), format: header.format });
        }
        self.offset = end as u64 + 1;
        self.line = 2;
        Ok(header.seed)
    }

    /// Writes the header into a file that is empty, or whose header was torn.
    fn begin(&mut self, seed: u64) -> Result<u64, FileCloudError> {
        self.write(&Header { format: FORMAT, seed })?;
        // The directory's own entry of the new file has to last too.
        if let Some(parent) = self.path.parent() {
            let synced = File::open(parent).and_then(|parent| parent.sync_all());
            synced.map_err(|source| self.io("write", source))?;
        }
        Ok(seed)
    }

    /// Folds in what was appended since the last time. Stands where it was when a line is refused.
    pub(super) fn tail(&mut self, mut fold: impl FnMut(Record) -> Result<(), BadRecord>) -> Result<(), FileCloudError> {
        let length = self.file.metadata().map_err(|source| self.io("read", source))?.len();
        if length < self.offset {
            return Err(FileCloudError::Shrunk { path: self.path.clone() });
        }
        if length == self.offset {
            return Ok(());
        }
        let mut new = Vec::new();
        let read = self.file.seek(SeekFrom::Start(self.offset)).and_then(|_| self.file.read_to_end(&mut new));
        read.map_err(|source| self.io("read", source))?;
        for line in new.split_inclusive(|byte| *byte == b'\n') {
            let Some(text) = line.strip_suffix(b"\n") else { return Ok(()) };
            let record = serde_json::from_slice(text).map_err(|bad| self.corrupt(bad))?;
            fold(record).map_err(|bad| self.corrupt(bad))?;
            self.advance(line.len());
        }
        Ok(())
    }

    /// Appends a change, and answers once it is durable. A torn line before it is cut off.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), FileCloudError> {
        self.write(record)
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), FileCloudError> {
        let mut bytes = serde_json::to_vec(line).map_err(|bad| self.corrupt(bad))?;
        bytes.push(b'\n');
        let offset = self.offset;
        let file = &mut self.file;
        let written = file
            .set_len(offset)
            .and_then(|()| file.seek(SeekFrom::Start(offset)))
            .and_then(|_| file.write_all(&bytes))
            .and_then(|()| file.sync_data());
        written.map_err(|source| self.io("write", source))?;
        self.advance(bytes.len());
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.offset += bytes as u64;
        self.line += 1;
    }
}

/// Which lock an operation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// To change something.
    Exclusive,
    /// To read.
    Shared,
}
