//! The binary `provision` for the infrastructure in `infra-defs`.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision_cli::main(infra_defs::infrastructure)
}
