//! The command line of provision on the tests' infrastructure.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision_cli::main(end_to_end::infrastructure)
}
