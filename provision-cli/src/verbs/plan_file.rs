//! Plans in files: written whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use provision_core::plan::{MOST_BYTES, Plan, SealedError, open, seal};

use crate::error::CliError;

/// Writes the plan into a file of its own beside the given one, which takes its place then. Whatever interrupts that,
/// the file is either the earlier one or a whole plan.
pub(crate) fn write(file: &Path, plan: &Plan) -> Result<(), CliError> {
    let name = || file.display().to_string();
    // What takes the place of a device, a pipe or a folder is no file any more.
    if fs::metadata(file).is_ok_and(|there| !there.is_file()) {
        return Err(CliError::NoFile(name()));
    }
    let sealed = seal(plan);
    // What can't be read again, as values that are nested too deeply, is noticed now and not when it is needed.
    open(&sealed).map_err(CliError::Unsealable)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    place(folder, file, &sealed).map_err(|error| CliError::File(name(), error))
}

fn place(folder: &Path, file: &Path, bytes: &[u8]) -> io::Result<()> {
    // The usual permissions, less what the user's mask takes away: another account may be the one that applies.
    let mut temporary =
        tempfile::Builder::new().prefix(".plan-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file)?;
    Ok(())
}

/// The plan in a file.
pub(crate) fn read(file: &Path) -> Result<Plan, CliError> {
    let name = || file.display().to_string();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    // A pipe would be waited for.
    if fs::metadata(file).is_ok_and(|there| !there.is_file()) {
        return Err(CliError::NoPlanFile(name()));
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes));
    opened.map_err(|error| CliError::File(name(), error))?;
    open(&bytes).map_err(|problem: SealedError| CliError::Plan(name(), problem))
}
