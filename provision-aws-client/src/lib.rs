//! AWS' client half as a process of its own, so that the SDK is compiled and linked once, and not after every edit of an
//! infrastructure.
//!
//! It speaks [the protocol](provision_core::driver::pipe) on its standard input and output, and ends with its input. Its
//! settings and credentials come from the environment: see [`Variables`].

#![expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a binary, which reads its environment")]

use std::os::fd::AsFd as _;
use std::process::ExitCode;
use std::sync::Arc;

use provision_aws::client::Variables;
use provision_core::driver::pipe::serve;
use tokio::net::unix::pipe::{Receiver, Sender};

/// Serves until the input ends. What goes wrong is told on standard error.
pub fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the runtime can't be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(async {
        let (mut input, mut output) = pipes().map_err(|error| {
            format!("this is a part of `provision`, which starts it and talks to it through pipes: {error}")
        })?;
        let variables = Arc::new(Variables(|name| std::env::var(name).ok()));
        serve(variables, provision_aws::BUILD, &mut input, &mut output).await.map_err(|error| chain(&error))
    });
    // What is still on its way is not waited for.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Standard input and output, where they are pipes.
fn pipes() -> std::io::Result<(Receiver, Sender)> {
    let input = std::io::stdin().as_fd().try_clone_to_owned()?;
    let output = std::io::stdout().as_fd().try_clone_to_owned()?;
    Ok((Receiver::from_owned_fd(input)?, Sender::from_owned_fd(output)?))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
