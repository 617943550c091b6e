//! The cache folder: what is downloaded or built once, behind a file lock, and complete or absent.

use std::{
    env,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use crate::unavailable::say;

const MARKER: &str = ".complete";

/// Where downloads and builds are kept: `$PROVISION_TESTBED_CACHE`, else `provision-testbed` in the user's
/// cache folder.
///
/// # Errors
/// Where no variable says where that is.
pub fn cache_folder() -> io::Result<PathBuf> {
    choose(|name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "none of PROVISION_TESTBED_CACHE, XDG_CACHE_HOME and HOME is set")
    })
}

fn choose(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    var("PROVISION_TESTBED_CACHE").or_else(|| {
        let user = var("XDG_CACHE_HOME").or_else(|| var("HOME").map(|home| home.join(".cache")))?;
        Some(user.join("provision-testbed"))
    })
}

/// The folder `name` in `cache`, made by `make` if it is not there. Of any number of processes one makes it
/// and the others wait. `make` finds an empty folder at its final place (tools write absolute paths into
/// what they install); a folder whose making was cut short is made again.
pub(crate) fn made_once<E: From<io::Error>>(
    cache: &Path,
    name: &str,
    make: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<PathBuf, E> {
    let folder = cache.join(name);
    let marker = folder.join(MARKER);
    if marker.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(cache)?;
    // The guard is the open file: the lock goes with it, also when the process is killed.
    let _lock = locked(&cache.join(format!("{name}.lock")))?;
    if marker.exists() {
        return Ok(folder);
    }
    if folder.exists() {
        say(&format!("{} is incomplete, making it again", folder.display()));
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir(&folder)?;
    make(&folder)?;
    File::create(&marker)?.sync_all()?;
    Ok(folder)
}

fn locked(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            say(&format!("waiting for another process that holds {}", path.display()));
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn the_cache_is_where_the_variables_say() {
        let all = |name: &str| Some(PathBuf::from(format!("/{name}")));
        assert_eq!(choose(all), Some(PathBuf::from("/PROVISION_TESTBED_CACHE")));
        let home = |name: &str| (name == "HOME").then(|| PathBuf::from("/h"));
        assert_eq!(choose(home), Some(PathBuf::from("/h/.cache/provision-testbed")));
        assert_eq!(choose(|_| None), None);
    }

    #[test]
    fn many_ask_and_one_makes() {
        let cache = tempfile::tempdir().unwrap();
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    made_once(cache.path(), "thing", |folder| {
                        made.fetch_add(1, Ordering::SeqCst);
                        thread::sleep(std::time::Duration::from_millis(20));
                        fs::write(folder.join("content"), "whole")
                    })
                    .unwrap();
                    assert_eq!(fs::read(cache.path().join("thing/content")).unwrap(), b"whole");
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn what_was_cut_short_is_made_again() {
        let cache = tempfile::tempdir().unwrap();
        let failed = made_once(cache.path(), "thing", |folder| {
            fs::write(folder.join("half"), "")?;
            Err(io::Error::other("killed"))
        });
        assert!(failed.is_err());
        let folder = made_once::<io::Error>(cache.path(), "thing", |_| Ok(())).unwrap();
        assert!(!folder.join("half").exists());
        made_once::<io::Error>(cache.path(), "thing", |_| panic!("it is complete")).unwrap();
    }
}
