//! The file that holds a writer's secret key, and random numbers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::id::Nonce;

const PREFIX: &str = "ed25519-secret:";

/// A key file that cannot be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file cannot be read or written.
    #[error("the key file {path} cannot be {what}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// It holds no key.
    #[error("the key file {0} holds no key: restore it, or remove it and a new key is made")]
    NoKey(PathBuf),
    /// Others may read it.
    #[error("the key file {0} can be read by others: `chmod 600` it, or remove it and a new key is made")]
    Open(PathBuf),
    /// The kernel gave no random numbers.
    #[error("no random numbers: {0}")]
    Random(String),
}

/// Sixteen random bytes.
///
/// # Errors
/// The kernel gives none.
pub fn draw_nonce() -> Result<Nonce, KeyFileError> {
    Ok(Nonce(random()?))
}

fn random<const N: usize>() -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| KeyFileError::Random(error.to_string()))?;
    Ok(bytes)
}

/// The secret key in this file; a new one is made on first use, readable by its owner alone.
///
/// # Guarantees
/// Of processes that make it at the same time one wins, and all return its key.
///
/// # Errors
/// The file cannot be read or made, holds no key, or can be read by others.
pub fn load_or_create_key(path: &Path) -> Result<[u8; 32], KeyFileError> {
    if let Some(key) = load(path)? {
        return Ok(key);
    }
    let failed = |what| move |source| KeyFileError::Io { path: path.to_owned(), what, source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed("made"))?;
    // Written whole under another name, then linked: the name never stands for half a key, and linking does not
    // replace a key that another process has made meanwhile.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", hex::encode(random::<8>()?)));
    let temporary = PathBuf::from(temporary);
    let made = write(&temporary, random()?).and_then(|()| match fs::hard_link(&temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&temporary);
    made.and(removed).and_then(|()| File::open(folder)?.sync_all()).map_err(failed("made"))?;
    load(path)?.ok_or_else(|| KeyFileError::NoKey(path.to_owned()))
}

fn write(path: &Path, secret: [u8; 32]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(format!("{PREFIX}{}\n", hex::encode(secret)).as_bytes())?;
    file.sync_all()
}

fn load(path: &Path) -> Result<Option<[u8; 32]>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), what: "read", source };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if fs::metadata(path).map_err(failed)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyFileError::Open(path.to_owned()));
    }
    let mut key = [0; 32];
    let digits = text.strip_prefix(PREFIX).map(str::trim_end).unwrap_or_default();
    hex::decode_to_slice(digits, &mut key).map_err(|_| KeyFileError::NoKey(path.to_owned()))?;
    Ok(Some(key))
}
