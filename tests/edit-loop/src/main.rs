//! Measures the edit loop: `cargo run -p edit-loop -- build` and `… -- plan`. `docs/edit-loop.md` says what is measured, and
//! what came out.

#![expect(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr, reason = "a command that measures")]

mod building;
mod generate;
mod measure;
mod peer;
mod planning;
mod project;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use measure::Failure;

/// Measures how long it takes from an edit to its binary, and to its plan.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// Where projects and their builds are kept between measurements
    #[arg(long, global = true, default_value = "target/edit-loop")]
    folder: PathBuf,
    /// How many edits; their median counts
    #[arg(long, global = true, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

#[derive(Subcommand)]
enum Command {
    /// From an edit of a generated infrastructure of 2,000 and of 20,000 resources to the built binary
    Build {
        /// Only these, by how many resources they have
        #[arg(long, value_delimiter = ',', default_value = "2000,20000")]
        sizes: Vec<usize>,
    },
    /// From an edit in a copy of infra-defs to its plan, through the AWS SDK against the testbed's server
    Plan,
    /// Only write a generated infrastructure
    Generate {
        /// How many resources
        resources: usize,
        /// In how many blocks
        blocks: usize,
        /// In how many crates
        crates: usize,
    },
}

fn main() -> ExitCode {
    let Args { command, folder, runs } = Args::parse();
    let folder = std::env::current_dir().unwrap_or_default().join(folder);
    let measured = match command {
        Command::Build { sizes } => building::measure(&folder, &sizes, runs),
        Command::Plan => planning::measure(&folder, runs),
        Command::Generate { resources, blocks, crates } => {
            generate::write(&folder.join("generated"), generate::Size { resources, blocks, crates })
                .map(|project| println!("{}", project.root.display()))
        }
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Skipped(why)) => {
            println!("skipped: {why}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
