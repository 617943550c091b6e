//! Flags and verbs.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use provision_core::id::{Generation, Revision};

/// Infrastructure as typed Rust: plans and applies the blocks of this infrastructure.
#[derive(Debug, Parser)]
#[command(name = "provision", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,

    /// Where the state is: a directory, or `s3://bucket/prefix` [default: .provision/state]
    #[arg(long, global = true, env = "PROVISION_STATE", value_name = "STORE", hide_env_values = true)]
    pub(crate) state: Option<String>,

    /// Use the simulated cloud in .provision/simulated, with a state of its own: no account, nothing real
    #[arg(long, global = true)]
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

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Check the definitions; needs no network
    Validate,
    /// Show what an apply would do
    Plan(PlanArgs),
    /// Show the plan in a file that `plan --out` wrote; needs no network, no store, and no valid definitions
    Show(ShowArgs),
    /// Bring everything to its definition
    Apply(ApplyArgs),
    /// Delete everything that the state knows
    Destroy(ApplyArgs),
    /// Look at the state
    #[command(subcommand)]
    State(StateVerb),
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
    /// Write the plan to a file too, for `show` and `apply`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// Flags of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) form: Form,
}

/// What a plan is printed as. Nothing else goes to standard output then.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Form {
    /// Print JSON in the shape of Terraform's plans, for policies and tools
    #[arg(long)]
    pub(crate) json: bool,
    /// Print Markdown for a review comment, no longer than GitHub takes
    #[arg(long)]
    pub(crate) markdown: bool,
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
