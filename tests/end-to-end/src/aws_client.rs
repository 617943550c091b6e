//! The AWS client as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision_aws_client::main()
}
