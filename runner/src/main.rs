//! The binary `provision` for the infrastructure in `infra-defs`.

use std::process::ExitCode;

// Without a name of it the compiler would not link it.
#[cfg(feature = "dynamic")]
use provision_dylib as _;

fn main() -> ExitCode {
    provision_cli::main(infra_defs::infrastructure)
}
