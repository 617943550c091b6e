//! Report files: which, and written when.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;

use super::{Account, json, junit};
use crate::error::CliError;

/// A file that a report goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportFile {
    path: PathBuf,
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Junit,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let format = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => Format::Json,
            Some("xml") => Format::Junit,
            Some(_) | None => {
                return Err("name a file that ends with .json, or with .xml for JUnit".to_owned());
            }
        };
        Ok(Self { path, format })
    }
}

/// Makes the files, empty: one that can't be written is noticed before anything runs, and an old report does not stand in
/// for that of a run that was killed or refused. Where one can't be made, the others are all the same.
pub(crate) fn create(files: &[ReportFile]) -> Result<(), CliError> {
    all(files, |file| File::create(&file.path).map(drop))
}

/// Writes the account into each of them.
pub(crate) fn write(files: &[ReportFile], account: &Account) -> Result<(), CliError> {
    all(files, |file| {
        let text = match file.format {
            Format::Json => format!("{:#}\n", json::document(account)),
            Format::Junit => junit::document(account).map_err(io::Error::other)?,
        };
        File::create(&file.path)?.write_all(text.as_bytes())
    })
}

/// Does it with every file. The first one with which that was not possible is told.
fn all(files: &[ReportFile], act: impl Fn(&ReportFile) -> io::Result<()>) -> Result<(), CliError> {
    let mut first = Ok(());
    for file in files {
        let acted = act(file).map_err(|error| CliError::File(file.path.display().to_string(), error));
        first = first.and(acted);
    }
    first
}
