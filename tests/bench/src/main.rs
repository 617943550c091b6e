//! What plan and apply cost: `cargo run --release -p bench -- speed`.
//!
//! Each figure is measured in a process of its own, so that CPU time and peak memory are those of that work alone. `speed`
//! starts them and prints the table; `infra` makes infrastructures of any size, and `terraform` the same ones for the peer.

#![expect(clippy::disallowed_methods, reason = "a bench measures times and keeps files")]
#![expect(clippy::print_stdout, reason = "its table is what it is for")]

// As the command has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod count;
mod infra;
mod speed;
mod table;
mod terraform;
mod usage;
mod work;

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// What plan and apply cost.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures plans and applies of many sizes, and prints them side by side with terraform's where it is on PATH.
    Speed(speed::SpeedArgs),
    /// One piece of work, for a process of its own: prints what it took, as JSON.
    #[command(hide = true)]
    One {
        /// Which.
        #[arg(value_enum)]
        work: work::Work,
        /// Of how many resources.
        resources: usize,
        /// Where its files are.
        dir: PathBuf,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    match Cli::parse().command {
        Command::Speed(args) => speed::run(&args),
        Command::One { work, resources, dir } => {
            println!("{}", serde_json::to_string(&work::run(work, resources, &dir)?)?);
            Ok(())
        }
    }
}
