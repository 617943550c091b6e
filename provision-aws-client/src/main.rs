//! The binary `provision-aws-client`, which `provision` starts when the AWS SDK is not linked into it.

use std::process::ExitCode;

fn main() -> ExitCode {
    provision_aws_client::main()
}
