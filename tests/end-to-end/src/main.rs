//! The command line of provision on the tests' infrastructure.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::main(end_to_end::infrastructure)
}
