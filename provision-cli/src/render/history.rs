//! A block's log in words.

use provision_core::call::Effect;
use provision_core::history::Told;
use provision_core::id::{Digest, Epoch, Generation, ResourceName, Revision, RunId, Seq};
use provision_core::stream::event::{BlockEvent, Intent, Landed, TakeOver};
use serde::Serialize;

use super::style::{BOLD, DIM};
use super::{plain, time};
use crate::cli::Address;

/// A heading whenever another run or another writer goes on, and a line for each event.
pub(crate) fn lines(history: &[Told<'_>]) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut last_heading, mut last_seq) = (None, None);
    for told in history {
        let heading = heading(told);
        if last_heading.as_ref() != Some(&heading) {
            lines.push(format!("{BOLD}{heading}{BOLD:#}"));
            last_heading = Some(heading);
        }
        let seq = told.entry.body.seq;
        let when = format!("{seq:>5}  {}", time(told.entry.modified_ms));
        let width = when.len();
        let when = if last_seq.replace(seq) == Some(seq) { String::new() } else { when };
        let of = told.resource.map(|resource| format!("{resource}: ")).unwrap_or_default();
        lines.push(format!("{DIM}{when:width$}{DIM:#}  {of}{}", words(told)));
    }
    lines
}

fn heading(told: &Told<'_>) -> String {
    let body = &told.entry.body;
    let claim = body.claim.as_ref().map(|claim| format!("run {}, epoch {}, ", claim.run.short(), claim.epoch));
    let (claim, by) = (claim.unwrap_or_default(), plain(&body.writer.name));
    format!("{claim}generation {}, revision {}, by {by}", body.generation, body.revision)
}

/// What happened, in words.
pub(crate) fn words(told: &Told<'_>) -> String {
    let api = || told.intent.map_or_else(|| "a call".to_owned(), |intent| plain(&intent.call.api));
    match told.event {
        BlockEvent::Claimed { run: _, epoch: _, holder, took_over } => {
            let took = took_over.map(|why| format!(", taken over because {}", took_over_words(why)));
            format!("claimed by {}{}", plain(&holder.name), took.unwrap_or_default())
        }
        BlockEvent::Released {} => "given back".to_owned(),
        BlockEvent::Applying { digest, definition, env, channel: _, targets: _, found } => {
            let short: String = digest.as_str().chars().take(8).collect();
            let found =
                found.iter().map(|(lookup, found)| format!("; {lookup} found {}", found.id)).collect::<String>();
            match definition {
                Some(definition) => {
                    let count = definition.resources.len();
                    let plural = if count == 1 { "" } else { "s" };
                    let function = plain(&definition.function);
                    format!(
                        "brought to a new definition {short} of {function} in {env}: {count} resource{plural}{found}"
                    )
                }
                None => format!("brought to the definition {short} in {env}{found}"),
            }
        }
        BlockEvent::Intent(intent) => format!("{} is about to be called{}", plain(&intent.call.api), about(intent)),
        BlockEvent::Done { intent: _, id, outputs: _, how } => {
            let made = id.as_ref().map(|id| format!(": made {id}")).unwrap_or_default();
            let how = match how {
                Landed::Answered => "was answered",
                Landed::Found => "was found to have landed",
                Landed::Repeated => "was repeated and then answered",
            };
            format!("{} {how}{made}", api())
        }
        BlockEvent::Failed { intent: _, code, message } => {
            format!("{} was refused: {}: {}", api(), plain(code), plain(message))
        }
        BlockEvent::Abandoned { intent: _ } => format!("{} did not land", api()),
        BlockEvent::Applied { .. } => "is as defined".to_owned(),
        BlockEvent::Deposed { resource: _, id } => format!("{id} is to be deleted later"),
        BlockEvent::Gone { resource: _, id } => format!("{id} was found to be gone"),
        BlockEvent::MovedOut { resource: _, to } => format!("moved to {to}"),
        BlockEvent::MovedIn { resource: _, from, epoch: _, record, applied: _, protected: _ } => {
            format!("moved here from {from}, with {}", record.id)
        }
        BlockEvent::Adopting { resource: _, id } => format!("is about to take over {id}"),
        BlockEvent::Adopted { resource: _, record, inputs: _, protected: _ } => {
            format!("took over {} {} as it was", record.type_name, record.id)
        }
        BlockEvent::Healthy {} => "its health checks passed".to_owned(),
        BlockEvent::Reserved { run } => format!("a place was reserved for run {}", run.short()),
    }
}

fn took_over_words(why: TakeOver) -> &'static str {
    match why {
        TakeOver::RunEnded => "its run had ended",
        TakeOver::HolderDead => "the holder's process was gone",
        TakeOver::LeaseExpired => "its lease had run out",
    }
}

/// What a call acts on, and what it sets.
fn about(intent: &Intent) -> String {
    let type_name = &intent.call.type_name;
    match (&intent.call.effect, &intent.object) {
        (Effect::Create { .. }, _) => format!(": a new {type_name}"),
        (Effect::Set { fields, .. }, object) => {
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            let of = object.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
            if names.is_empty() { format!(": the mark{of}") } else { format!(": {}{of}", names.join(", ")) }
        }
        (Effect::Remove, Some(id)) => format!(": removes {id}"),
        (Effect::Remove, None) => String::new(),
    }
}

/// A log as JSON.
#[derive(Serialize)]
pub(crate) struct History<'a> {
    format_version: &'static str,
    address: String,
    entries: Vec<EntryView<'a>>,
}

#[derive(Serialize)]
struct EntryView<'a> {
    seq: Seq,
    hash: &'a Digest,
    /// By the store's clock.
    time: String,
    time_ms: u64,
    writer: &'a str,
    revision: &'a Revision,
    generation: Generation,
    run: Option<&'a RunId>,
    epoch: Option<Epoch>,
    events: Vec<EventView<'a>>,
}

#[derive(Serialize)]
struct EventView<'a> {
    resource: Option<&'a ResourceName>,
    words: String,
    /// As the log has it.
    logged: &'a BlockEvent,
}

/// A log as JSON, events both in words and as they stand there.
pub(crate) fn json<'a>(address: &Address, history: &[Told<'a>]) -> History<'a> {
    let mut entries: Vec<EntryView<'a>> = Vec::new();
    for told in history {
        let body = &told.entry.body;
        if entries.last().is_none_or(|last| last.seq != body.seq) {
            entries.push(EntryView {
                seq: body.seq,
                hash: &told.entry.hash,
                time: time(told.entry.modified_ms),
                time_ms: told.entry.modified_ms,
                writer: &body.writer.name,
                revision: &body.revision,
                generation: body.generation,
                run: body.claim.as_ref().map(|claim| &claim.run),
                epoch: body.claim.as_ref().map(|claim| claim.epoch),
                events: Vec::new(),
            });
        }
        if let Some(entry) = entries.last_mut() {
            entry.events.push(EventView { resource: told.resource, words: words(told), logged: told.event });
        }
    }
    History { format_version: super::FORMAT_VERSION, address: address.to_string(), entries }
}
