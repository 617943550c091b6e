//! A plan in the shape of Terraform's plan JSON, so that policies and tools written for that read it unchanged.
//!
//! | where ours says more, or otherwise | |
//! |---|---|
//! | `address`, `module_address` | our addresses: `<dc>.<block>.<resource>`, `<dc>.<block>` |
//! | `provision_version` | instead of `terraform_version` |
//! | `change.actions` | of several possible outcomes the most drastic one, so that no policy is too lenient; all of them are in `provision.outcomes` |
//! | `change.before`, `change.after` | `null` where nothing happens: the plan holds no fields of what it leaves alone |
//! | `change.after` | of what is made: what the definition says and defaults; `id` is unknown, other outputs are left out |
//! | `deposed` | the id of an object that was replaced earlier and goes now: an entry of its own, as in Terraform |
//! | `provision` | everything that Terraform has no word for |
//!
//! Nothing in it is sensitive: secrets are not part of a plan.

mod change;
mod fields;

use std::collections::{BTreeMap, BTreeSet};

use provision_core::desired::Channel;
use provision_core::id::{
    BlockAddr, CheckName, Digest, EnvName, Generation, InfraId, Nonce, ProviderName, ResourceAddr, Revision,
};
use provision_core::lookup::FoundObject;
use provision_core::plan::{BlockChange, Mode, Note, Plan, Selection};
use provision_core::target::TargetId;
use serde::Serialize;

use change::ResourceChange;

/// Terraform's, of the shape that this follows.
const FORMAT_VERSION: &str = "1.2";

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    provision_version: &'static str,
    /// Whether an apply would do anything.
    applyable: bool,
    /// Whether everything in the code is part of it.
    complete: bool,
    /// Whether something could not be planned.
    errored: bool,
    resource_changes: Vec<ResourceChange<'a>>,
    resource_drift: [(); 0],
    output_changes: BTreeMap<(), ()>,
    provision: Extras<'a>,
}

/// What Terraform has no word for.
#[derive(Serialize)]
struct Extras<'a> {
    plan: Digest,
    infra: &'a InfraId,
    revision: &'a Revision,
    generation: Generation,
    nonce: Nonce,
    mode: Mode,
    selection: &'a Selection,
    simulated: bool,
    environments: &'a [EnvName],
    /// What lookups found, by address: `{query: {target, type_name, fields}, id, fields}`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    lookups: &'a BTreeMap<ResourceAddr, FoundObject>,
    summary: Summary,
    blocks: BTreeMap<&'a BlockAddr, Block<'a>>,
    refusals: Vec<Refusal<'a>>,
    moved_out: Vec<Away<'a>>,
    notes: &'a [Note],
}

#[derive(Serialize)]
struct Summary {
    add: usize,
    change: usize,
    destroy: usize,
    moved: usize,
    adopted: usize,
    known_after_apply: usize,
    unchanged: usize,
    blocks_refused: usize,
}

#[derive(Serialize)]
struct Block<'a> {
    env: &'a EnvName,
    channel: Channel,
    targets: &'a BTreeMap<ProviderName, TargetId>,
    after: &'a BTreeSet<BlockAddr>,
    in_code: bool,
    checks: &'a BTreeSet<CheckName>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    checks_due: &'a BTreeSet<CheckName>,
}

#[derive(Serialize)]
struct Refusal<'a> {
    block: &'a BlockAddr,
    problem: &'a str,
}

/// A resource whose object goes to another address, where it is listed.
#[derive(Serialize)]
struct Away<'a> {
    from: ResourceAddr,
    to: &'a ResourceAddr,
}

/// The document, with a line end.
pub(crate) fn json(plan: &Plan) -> String {
    let refusals: Vec<Refusal<'_>> = plan.refusals().map(|(block, problem)| Refusal { block, problem }).collect();
    let document = Document {
        format_version: FORMAT_VERSION,
        provision_version: env!("CARGO_PKG_VERSION"),
        applyable: !plan.is_empty(),
        complete: refusals.is_empty() && plan.selection.is_all(),
        errored: !refusals.is_empty(),
        resource_changes: change::all(plan),
        resource_drift: [],
        output_changes: BTreeMap::new(),
        provision: extras(plan, refusals),
    };
    // Strings, numbers, lists and maps with string keys: writing them to memory cannot fail.
    let mut text = harmless(&serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

/// The same document without characters that a terminal may obey or that hide others: JSON's own escapes say them.
/// Outside of texts there are none but line ends.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\n' | ' '..='~') || (!c.is_ascii() && c.escape_debug().count() == 1) {
            out.push(c);
        } else {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

fn extras<'a>(plan: &'a Plan, refusals: Vec<Refusal<'a>>) -> Extras<'a> {
    let Plan {
        format_version: _,
        infra,
        revision,
        generation,
        nonce,
        mode,
        selection,
        simulated,
        environments,
        lookups,
        blocks: _,
        notes,
    } = plan;
    Extras {
        plan: plan.digest(),
        infra,
        revision,
        generation: *generation,
        nonce: *nonce,
        mode: *mode,
        selection,
        simulated: *simulated,
        environments,
        lookups,
        summary: summary(plan, refusals.len()),
        blocks: plan.changes().map(|(addr, change)| (addr, block(change))).collect(),
        refusals,
        moved_out: change::moved_out(plan).map(|(from, to)| Away { from, to }).collect(),
        notes,
    }
}

fn summary(plan: &Plan, blocks_refused: usize) -> Summary {
    let super::counts::Counts { add, change, destroy, moved, adopted, unsure, unchanged } =
        super::counts::Counts::of(plan);
    Summary { add, change, destroy, moved, adopted, known_after_apply: unsure, unchanged, blocks_refused }
}

fn block(change: &BlockChange) -> Block<'_> {
    let BlockChange { env, channel, targets, after, definition, state: _, checks, checks_due, resources: _ } = change;
    Block { env, channel: *channel, targets, after, in_code: definition.is_some(), checks, checks_due }
}
