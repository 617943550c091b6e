//! The command line of provision: `fn main() -> ExitCode { provision_cli::main(infra_defs::infrastructure) }`.
//!
//! All rendering, signals and exit codes are here; the core knows no terminal.

#![expect(clippy::disallowed_methods, reason = "the binary reads its environment and runs the runtime")]

mod argv;
mod cache;
mod cli;
mod clouds;
mod error;
mod events;
mod render;
mod report;
mod setup;
mod signals;
mod store;
mod variables;
mod verbs;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use error::CliError;
use provision_core::dsl::Infrastructure;
use provision_core::exec::RunError;

// Plans are made of small pieces. What links the core alone chooses for itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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

impl Exit {
    fn of(error: &CliError) -> Self {
        match error {
            CliError::Interrupted | CliError::Run(RunError::Interrupted(_)) => Self::Interrupted,
            _ => Self::Failed,
        }
    }

    /// The same, of a command that could not tell all that it had to tell.
    fn and_failed(self) -> Self {
        match self {
            Self::Ok | Self::Failed | Self::Changes => Self::Failed,
            Self::Interrupted => Self::Interrupted,
        }
    }

    fn code(self) -> ExitCode {
        match self {
            Self::Ok => ExitCode::SUCCESS,
            Self::Failed => ExitCode::FAILURE,
            Self::Changes => ExitCode::from(2),
            Self::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

/// Runs the command line on an infrastructure.
pub fn main(infrastructure: fn() -> Infrastructure) -> ExitCode {
    let command = variables::without_empty(cli::Cli::command());
    let typed = std::env::args_os().collect();
    let args = match argv::expanded(typed, &command, |name| std::env::var(name).ok()) {
        Ok(args) => args,
        Err(error) => {
            render::error(&error::chain(&error));
            return ExitCode::FAILURE;
        }
    };
    let parsed = command.clone().try_get_matches_from(&args).and_then(|found| cli::Cli::from_arg_matches(&found));
    let cli = match parsed {
        Ok(cli) => cli::Cli { state_typed: has_flag(&args, "--state"), ..cli },
        Err(error) => {
            // Help and version are no errors; everything else is exit code 1, since 2 means "changes".
            let code = if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
            drop(error.print());
            return code;
        }
    };
    render::style::set_colour(cli.no_color);
    let automated = std::env::var("PROVISION_IN_AUTOMATION").is_ok_and(|value| variables::says_yes(&value));
    render::set_manner(render::Manner { json: cli.prints_events(), document: cli.prints_a_document(), automated });
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for warning in variables::unknown(names, &variables::known(&cli::Cli::command())) {
        render::warning(&warning);
    }
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
    let exit = ended.unwrap_or_else(|error| {
        render::error(&error::chain(&error));
        Exit::of(&error)
    });
    match render::end() {
        render::Told::All => exit.code(),
        render::Told::NotAll => exit.and_failed().code(),
    }
}

fn has_flag(args: &[OsString], flag: &str) -> bool {
    args.iter().map(|arg| arg.to_string_lossy()).any(|arg| arg == flag || arg.starts_with(&format!("{flag}=")))
}

/// `PROVISION_LOG=debug` (or a filter such as `provision_core=trace`) writes what happens to standard error.
fn logging() {
    if let Ok(filter) = std::env::var("PROVISION_LOG") {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
