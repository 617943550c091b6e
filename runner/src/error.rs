//! Why a command could not be carried out.

use provision_core::driver::{HolderError, KeyFileError, OpenError};
use provision_core::exec::RunError;
use provision_core::id::BadName;
use provision_core::plan::SealedError;
use provision_core::sim::FileCloudError;
use provision_core::stream::ReadError;
use thiserror::Error;

/// Why a command could not be carried out. Each says what would be right.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error("--simulate keeps a state of its own in .provision/simulated; leave out --state")]
    SimulatedState,
    #[error("--cloud shows what the simulated cloud holds; add --simulate")]
    CloudWithoutSimulate,
    #[error("there is no simulated cloud in {0} yet: `apply --simulate` makes one")]
    NoSimulatedCloud(String),
    #[error("nobody can be asked here: standard input is no terminal; look at `plan`, then give --auto-approve")]
    NoTerminal,
    #[error("interrupted; nothing was done")]
    Interrupted,
    #[error("{0} can't be read or written")]
    File(String, #[source] std::io::Error),
    #[error("{0} is there and is no file: give another name")]
    NoFile(String),
    #[error("{0}")]
    Plan(String, #[source] SealedError),
    #[error("the plan can't be kept in a file")]
    Unsealable(#[source] SealedError),
    #[error("where the home directory is is not known: set PROVISION_KEY to the path of the signing key")]
    NoHome,
    #[error("{name} holds `{value}`: {problem}")]
    Variable { name: &'static str, value: String, problem: String },
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error(transparent)]
    Holder(#[from] HolderError),
    #[error(transparent)]
    Simulated(#[from] FileCloudError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// An error with its causes, one after the other; a cause that its error already quotes is left out.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
