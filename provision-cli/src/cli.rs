//! Flags and verbs.

mod changing;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use provision_core::id::{BadName, BlockAddr, Generation, ResourceAddr, Revision};

pub(crate) use changing::{AdoptArgs, ApplyArgs, DestroyArgs, ImportArgs, RunArgs, SelectArgs};

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

    /// Where what was read of a state on S3 is kept, so that it is not fetched again; `off`: nowhere [default: provision/ in
    /// the user's cache folder]
    #[arg(long, global = true, env = "PROVISION_CACHE", value_name = "DIR", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
    pub(crate) cache: Option<String>,

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

/// Whether questions are asked; an empty variable says nothing. What is neither yes nor no is not guessed: a build server
/// that waits for an answer waits for ever.
fn parse_input(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "1" | "true" | "yes" | "on" => Ok(true),
        no if !says_yes(no) => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
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
    /// Bring everything to its definition, or do what the plan in a file says
    Apply(ApplyArgs),
    /// Delete everything that the state knows
    Destroy(DestroyArgs),
    /// Make an object that is there a resource's: nothing is called
    Import(ImportArgs),
    /// Make objects that are there those of a block's resources: nothing is called
    Adopt(AdoptArgs),
    /// Compare what was applied with what is there; changes nothing. Exit code 2 where they differ
    Drift(DriftArgs),
    /// Show what blocks offer, from the state alone
    Output(OutputArgs),
    /// Draw the blocks, or the resources of one, for Graphviz or Mermaid
    Graph(GraphArgs),
    /// Say whether traffic gets from one place to another, and by which rules; needs no network
    Reach(ReachArgs),
    /// Look at past and present runs
    #[command(subcommand)]
    Run(RunVerb),
    /// Look at the state
    #[command(subcommand)]
    State(StateVerb),
}

impl Cli {
    /// Whether standard output is for machines: one event per line.
    pub(crate) fn prints_events(&self) -> bool {
        match &self.verb {
            Verb::Apply(args) => args.run.json,
            Verb::Destroy(args) => args.run.json,
            Verb::Import(args) => args.run.json,
            Verb::Adopt(args) => args.run.json,
            Verb::Validate
            | Verb::Show(_)
            | Verb::Plan(_)
            | Verb::Drift(_)
            | Verb::Output(_)
            | Verb::Graph(_)
            | Verb::Reach(_)
            | Verb::Run(_)
            | Verb::State(_) => false,
        }
    }

    /// Whether standard output is one document.
    pub(crate) fn prints_a_document(&self) -> bool {
        match &self.verb {
            Verb::Plan(args) => args.form.is_document(),
            Verb::Show(args) => args.form.is_document(),
            Verb::Validate
            | Verb::Apply(_)
            | Verb::Destroy(_)
            | Verb::Import(_)
            | Verb::Adopt(_)
            | Verb::Drift(_)
            | Verb::Output(_)
            | Verb::Graph(_)
            | Verb::Reach(_)
            | Verb::Run(_)
            | Verb::State(_) => false,
        }
    }
}

/// Flags of `drift`.
#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `output`.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// A block (`us-east.network`) or a value in what it offers (`us-east.network.vpc`) [default: all blocks]
    #[arg(value_name = "ADDRESS")]
    pub(crate) path: Option<OutputPath>,
    /// Print JSON: of one value, that value alone
    #[arg(long)]
    pub(crate) json: bool,
    /// Print one text as it is, for scripts
    #[arg(long, conflicts_with = "json", requires = "path")]
    pub(crate) raw: bool,
}

/// A value in what a block offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutputPath {
    /// The block.
    pub(crate) block: BlockAddr,
    /// Names and places in its outputs, with dots in between; empty for all of them.
    pub(crate) path: String,
}

impl FromStr for OutputPath {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let end = text.match_indices('.').nth(1).map(|(dot, _)| dot);
        let (block, path) = end.and_then(|end| Some((text.get(..end)?, text.get(end + 1..)?))).unwrap_or((text, ""));
        Ok(Self { block: block.parse()?, path: path.to_owned() })
    }
}

/// Flags of `reach`.
#[derive(Debug, Args)]
pub(crate) struct ReachArgs {
    /// Where traffic comes from: a resource, `internet`, or a network such as `10.0.0.0/8`
    #[arg(value_name = "FROM")]
    pub(crate) from: String,
    /// Where it goes: a place, a colon and a port, as in `us-east.db.main:5432`; also `:53/udp` and `:icmp`
    #[arg(value_name = "TO:PORT")]
    pub(crate) to: String,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Flags of `graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// A block whose resources are drawn [default: all blocks]
    #[arg(value_name = "ADDRESS")]
    pub(crate) block: Option<BlockAddr>,
    /// The language of the drawing
    #[arg(long, value_enum, default_value_t = GraphFormat::Dot)]
    pub(crate) format: GraphFormat,
}

/// A language for drawings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Graphviz: `provision graph | dot -Tsvg`
    Dot,
    /// Mermaid, as in Markdown
    Mermaid,
}

/// Verbs of `run`.
#[derive(Debug, Subcommand)]
pub(crate) enum RunVerb {
    /// List runs, the newest first
    List {
        /// How many at the most
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a run, and what it did in each block
    Show {
        /// Its id, or how it begins
        #[arg(value_name = "RUN")]
        run: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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
    pub(crate) select: SelectArgs,
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

/// Verbs of `state`.
#[derive(Debug, Subcommand)]
pub(crate) enum StateVerb {
    /// List what the state records, one object a line
    List {
        /// With --simulate: list what the cloud itself holds (type, id, mark), read from its file and from no log
        #[arg(long)]
        cloud: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show everything that is recorded about a block or a resource
    Show {
        /// A block (`us-east.network`) or a resource (`us-east.network.main`)
        address: Address,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a block's log, entry by entry
    History {
        /// A block (`us-east.network`), or a resource (`us-east.network.main`) to see only its events
        address: Address,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// A block or a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// `us-east.network`
    Block(BlockAddr),
    /// `us-east.network.main`
    Resource(ResourceAddr),
}

impl Address {
    /// The block that it is or lies in.
    pub(crate) fn block(&self) -> &BlockAddr {
        match self {
            Self::Block(block) => block,
            Self::Resource(resource) => &resource.block,
        }
    }
}

impl FromStr for Address {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if text.split('.').count() < 3 { text.parse().map(Self::Block) } else { text.parse().map(Self::Resource) }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(block) => block.fmt(f),
            Self::Resource(resource) => resource.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Address, OutputPath};

    #[test]
    fn addresses_and_paths() {
        assert_eq!("dc.net".parse(), Ok(Address::Block("dc.net".parse().unwrap())));
        assert_eq!("dc.net.main".parse(), Ok(Address::Resource("dc.net.main".parse().unwrap())));
        for bad in ["", "dc", "dc.net.main.more", "Dc.net", "dc..main"] {
            assert!(bad.parse::<Address>().is_err(), "{bad:?} was accepted");
        }
        let path = |text: &str| text.parse().map(|OutputPath { block, path }| (block.to_string(), path));
        assert_eq!(path("dc.net"), Ok(("dc.net".to_owned(), String::new())));
        assert_eq!(path("dc.net.public.0.a"), Ok(("dc.net".to_owned(), "public.0.a".to_owned())));
        assert!(path("dc").is_err());
    }

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
