//! Flags and verbs.

use clap::{Args, Parser, Subcommand};
use provision_core::id::{Generation, Revision};

use crate::report::ReportFile;
use crate::variables::says_yes;

/// Infrastructure as typed Rust: plans and applies the blocks of this infrastructure.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100, args_override_self = true)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,

    /// Where the state is: a directory, or `s3://bucket/prefix` [default: .provision/state]
    #[arg(long, global = true, env = "PROVISION_STATE", value_name = "STORE", hide_env_values = true)]
    pub(crate) state: Option<String>,

    /// Whether `--state` was typed, not taken from the environment.
    #[arg(skip)]
    pub(crate) state_typed: bool,

    /// Use the simulated cloud in .provision/simulated, with a state of its own: no account, nothing real
    #[arg(long, global = true, env = "PROVISION_SIMULATE", value_parser = parse_switch, hide_env_values = true)]
    pub(crate) simulate: bool,

    /// The generation of this code: a number that CI hands in and that never falls on the main line
    #[arg(long, global = true, env = "PROVISION_GENERATION", value_name = "N", value_parser = parse_generation)]
    pub(crate) generation: Option<Generation>,

    /// What this code was built from: a commit or a version
    #[arg(long, global = true, env = "PROVISION_REVISION", value_name = "REVISION")]
    pub(crate) revision: Option<Revision>,

    /// No colours
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

fn parse_generation(text: &str) -> Result<Generation, String> {
    text.parse().map(Generation).map_err(|_| "a generation is a whole number, as in `--generation 42`".to_owned())
}

/// A switch by its variable: nothing, `0`, `false`, `no` and `off` leave it off.
fn parse_switch(text: &str) -> Result<bool, String> {
    Ok(says_yes(text))
}

/// Whether questions are asked; an empty variable says nothing.
fn parse_input(text: &str) -> Result<bool, String> {
    Ok(text.is_empty() || says_yes(text))
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check the definitions; needs no network
    Validate,
    /// Show what an apply would do
    Plan(PlanArgs),
    /// Bring everything to its definition
    Apply(ApplyArgs),
    /// Delete everything that the state knows
    Destroy(ApplyArgs),
    /// Look at the state
    #[command(subcommand)]
    State(StateVerb),
}

impl Cli {
    /// Whether standard output is for machines: one event per line.
    pub(crate) fn prints_events(&self) -> bool {
        match &self.verb {
            Verb::Apply(args) | Verb::Destroy(args) => args.json,
            Verb::Validate | Verb::Plan(_) | Verb::State(_) => false,
        }
    }
}

/// Flags of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// Exit with 2 where there are changes (0: none, 1: error)
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
    /// Plan the deletion of everything
    #[arg(long)]
    pub(crate) destroy: bool,
}

/// Flags of `apply` and `destroy`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Allow that most of what there is goes because the code no longer has it
    #[arg(long)]
    pub(crate) allow_many_deletions: bool,
    /// Whether anything may be asked; `--input=false` never waits for an answer
    #[arg(long, env = "PROVISION_INPUT", value_name = "BOOL", default_value = "true", value_parser = parse_input,
        action = clap::ArgAction::Set, hide_env_values = true)]
    pub(crate) input: bool,
    /// One JSON object per line on standard output instead of text; needs --auto-approve
    #[arg(long)]
    pub(crate) json: bool,
    /// On a terminal: print every resource, not only what failed or took long
    #[arg(long, env = "PROVISION_VERBOSE", value_parser = parse_switch, hide_env_values = true)]
    pub(crate) verbose: bool,
    /// Write what became of each block to FILE: JSON (.json) or JUnit (.xml); several with commas or several times
    #[arg(long, env = "PROVISION_REPORT", value_name = "FILE", value_delimiter = ',')]
    pub(crate) report: Vec<ReportFile>,
}

/// Verbs of `state`.
#[derive(Debug, Subcommand)]
pub(crate) enum StateVerb {
    /// List what the state records, one object a line
    List {
        /// With --simulate: list what the cloud itself holds (type, id, mark), read from its file and from no log
        #[arg(long)]
        cloud: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
