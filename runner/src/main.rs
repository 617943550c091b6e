//! The binary `provision` for the infrastructure in `infra-defs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    runner::main(infra_defs::infrastructure)
}
