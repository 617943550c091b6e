//! Why a command could not be carried out.

use provision_core::driver::{HolderError, KeyFileError, OpenError};
use provision_core::exec::RunError;
use provision_core::id::{BadName, BlockAddr, ResourceAddr};
use provision_core::outputs::NoOutput;
use provision_core::plan::SealedError;
use provision_core::reach::{BadQuestion, Unanswered};
use provision_core::sim::FileCloudError;
use provision_core::stream::ReadError;
use thiserror::Error;

/// Why a command could not be carried out. Each says what would be right.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error("--simulate keeps a state of its own in .provision/simulated; leave out --state")]
    SimulatedState,
    #[error("--cloud shows what the simulated cloud holds; add --simulate")]
    CloudWithoutSimulate,
    #[error("there is no simulated cloud in {0} yet: `apply --simulate` makes one")]
    NoSimulatedCloud(String),
    #[error("there is no state in {0} yet: `apply --simulate` makes one")]
    NoSimulatedState(String),
    #[error("there is no state in {0}: look elsewhere (--state, PROVISION_STATE), or apply first")]
    NoState(String),
    #[error("nobody can be asked here: standard input is no terminal; look at `plan`, then give --auto-approve")]
    NoTerminal,
    #[error("nothing may be asked (--input=false or PROVISION_INPUT): look at `plan`, then give --auto-approve")]
    NoInput,
    #[error("--json prints events for machines, so nobody can be asked: give --auto-approve too")]
    JsonAsks,
    #[error("{count} {} in the definitions; nothing was done", if *count == 1 { "problem" } else { "problems" })]
    Findings { count: usize },
    #[error("interrupted; nothing was done")]
    Interrupted,
    #[error("the state records no block {block}; {}", instead("it has", known))]
    NoBlock { block: BlockAddr, known: Vec<String> },
    #[error("the state records no resource {resource}; {}", instead("the block has", known))]
    NoResource { resource: ResourceAddr, known: Vec<String> },
    #[error("the code has no block {block}; {}", meant(&block.to_string(), "it has", known))]
    NotInCode { block: BlockAddr, known: Vec<String> },
    #[error("the code has no resource {resource}; {}", meant(resource.name.as_str(), "the block has", known))]
    NoSuchResource { resource: ResourceAddr, known: Vec<String> },
    #[error("{error}; {}", meant(name, "there is", known))]
    Selection { error: Box<RunError>, name: String, known: Vec<String> },
    #[error(
        "a plan in a file has the blocks that it was made for: leave out --env, --dc and --block, or give them to `plan`"
    )]
    SelectsOfPlan,
    #[error("this plan was made in the simulated cloud: give --simulate, or make a plan without it")]
    PlanIsSimulated,
    #[error("this plan was made for the clouds themselves: leave out --simulate (or PROVISION_SIMULATE)")]
    PlanIsReal,
    #[error("{0} stands twice: each resource gets one object, and each object has one resource")]
    NamedTwice(String),
    #[error("{0}")]
    Tags(String),
    #[error(
        "no resource of {0} has exactly one object that fits it: name the objects yourself, as in `adopt {0} <resource>=<id>`"
    )]
    NothingFits(BlockAddr),
    #[error(
        "no object was found for {without} of {of} resources of {block}, so nothing was taken over: name all objects \
         yourself, as in `adopt {block} <resource>=<id>`, or give --partial to take over the others"
    )]
    SomeDoNotFit { block: BlockAddr, without: usize, of: usize },
    #[error("the log of {block} can't be used: {problem}")]
    Damaged { block: BlockAddr, problem: String },
    #[error(
        "{block} offers nothing: its function returned nothing, or it was last applied by a build that did not record it"
    )]
    NoOutputs { block: BlockAddr },
    #[error("{block}: {problem}")]
    NoOutput { block: BlockAddr, problem: NoOutput },
    #[error("{0} is not known yet: it is known after apply")]
    NotKnownYet(String),
    #[error("{0} is no text, number or boolean: name one inside it, or use --json")]
    NoText(String),
    #[error("`{0}` does not begin the id of a run: write its first hex digits, as `run list` shows them")]
    NoRunId(String),
    #[error("the state records no run that begins with `{0}`: see `run list`")]
    NoRun(String),
    #[error("`{given}` begins the ids of {}: write more of it", among.join(", "))]
    ManyRuns { given: String, among: Vec<String> },
    #[error("{0} can't be read or written")]
    File(String, #[source] std::io::Error),
    #[error("{0} is there and is no file: give another name")]
    NoFile(String),
    #[error("{0} is there and is no file: name one that `plan --out` wrote")]
    NoPlanFile(String),
    #[error("{0}")]
    Plan(String, #[source] SealedError),
    #[error("the plan can't be kept in a file")]
    Unsealable(#[source] SealedError),
    #[error("where the home directory is is not known: set PROVISION_KEY to the path of the signing key")]
    NoHome,
    #[error("{name} holds `{value}`: {problem}")]
    Variable { name: String, value: String, problem: String },
    #[error(transparent)]
    Name(#[from] BadName),
    #[error(transparent)]
    Question(#[from] BadQuestion),
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Key(#[from] KeyFileError),
    #[error(transparent)]
    Holder(#[from] HolderError),
    #[error(transparent)]
    Simulated(#[from] FileCloudError),
    #[error(transparent)]
    Run(RunError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        match &error {
            RunError::Selection { what: _, name, known } => {
                let (name, known) = (name.clone(), known.iter().cloned().collect());
                Self::Selection { error: Box::new(error), name, known }
            }
            _ => Self::Run(error),
        }
    }
}

/// The name that was most likely meant, or what there is.
fn meant(given: &str, who: &str, names: &[String]) -> String {
    let nearest = names.iter().map(|name| (strsim::damerau_levenshtein(given, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= (given.len() / 3).max(1) => format!("did you mean {name}?"),
        Some(_) | None => instead(who, names),
    }
}

/// What there is instead, for whoever mistyped a name.
fn instead(who: &str, names: &[String]) -> String {
    const MOST: usize = 12;
    match names.split_at_checked(MOST) {
        _ if names.is_empty() => "there is none yet".to_owned(),
        Some((first, rest)) if !rest.is_empty() => format!("{who} {} and {} more", first.join(", "), rest.len()),
        Some(_) | None => format!("{who} {}", names.join(", ")),
    }
}

/// An error with its causes, one after the other; a cause that its error already quotes is left out.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
