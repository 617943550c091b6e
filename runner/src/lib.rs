//! The command line of provision: `fn main() -> ExitCode { runner::main(infra_defs::infrastructure) }`.
//!
//! All rendering, signals and exit codes are here; the core knows no terminal.

#![expect(clippy::disallowed_methods, reason = "the binary reads its environment and runs the runtime")]

#[cfg(feature = "aws")]
mod aws;
mod cli;
mod clouds;
mod error;
mod render;
mod setup;
mod signals;
mod store;
mod verbs;

use std::process::ExitCode;

use clap::Parser as _;
use provision_core::dsl::Infrastructure;

/// The exit code of what was interrupted.
const INTERRUPTED: u8 = 130;

/// How a command ended, as an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// 0.
    Ok,
    /// 1: something went wrong.
    Failed,
    /// 2: with `--detailed-exitcode`, there are changes.
    Changes,
    /// 130: interrupted.
    Interrupted,
}

/// Runs the command line on an infrastructure.
pub fn main(infrastructure: fn() -> Infrastructure) -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; everything else is exit code 1, since 2 means "changes".
            let code = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            drop(error.print());
            return code;
        }
    };
    render::style::set_colour(cli.no_color);
    logging();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            render::error(&format!("the runtime can't be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let ended = runtime.block_on(verbs::run(cli, infrastructure));
    // A thread that still waits for an answer to a question is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(Exit::Ok) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::FAILURE,
        Ok(Exit::Changes) => ExitCode::from(2),
        Ok(Exit::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            render::error(&error::chain(&error));
            if matches!(error, error::CliError::Interrupted) { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
        }
    }
}

/// `PROVISION_LOG=debug` (or a filter such as `provision_core=trace`) writes what happens to standard error.
fn logging() {
    if let Ok(filter) = std::env::var("PROVISION_LOG") {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
