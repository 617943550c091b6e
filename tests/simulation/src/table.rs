//! A trace as a table: who did what, when.

use provision_core::call::{Answer, Scope, Sending};
use provision_core::machine::PutAnswer;

use crate::trace::{Did, Step, Trace, events};

impl Trace {
    /// A line per step that changed something, or that something went wrong at; reads of the store are left out.
    pub fn table(&self) -> String {
        let mut out = format!("{:>9}  {:<4}  what happened\n", "time", "who");
        for Step { ms, run, did } in &self.steps {
            let Some(text) = text(did) else { continue };
            let who = if *run == 0 { String::new() } else { format!("#{run}") };
            let (seconds, millis) = (ms / 1000, ms % 1000);
            out.push_str(&format!("{seconds:>5}.{millis:03}  {who:<4}  {text}\n"));
        }
        out
    }
}

fn text(did: &Did) -> Option<String> {
    Some(match did {
        Did::Put { key, whole, answer } => format!("put {} {} -> {}", short(key), said(whole), put(answer)),
        Did::PutLanded { key, whole, answer } => {
            format!("        put lands: {} {} -> {}", short(key), said(whole), put(answer))
        }
        Did::Hint { key, overwrote } if !key.starts_with("v1/hint/") => {
            format!("OVERWRITES {key}{}", if *overwrote { ", which stood" } else { "" })
        }
        Did::Hint { .. } | Did::Get { .. } => return None,
        Did::Look(what) if what.starts_with("probe") => what.clone(),
        Did::Look(_) => return None,
        Did::Read(read) => format!("read {} {}", read.type_name, scope(&read.scope)),
        Did::Check { check, answer } => {
            format!("check {} of {} -> {:?}", check.check, check.block, answer.result)
        }
        Did::Call { sending, answer, .. } => format!("CALL {} -> {}", call(sending), told(answer)),
        Did::Landed { sending, answer } => format!("        CALL lands: {} -> {}", call(sending), told(answer)),
        Did::Said(text) => format!("  says {text}"),
        Did::Began { what } => format!("== begins: {what}"),
        Did::Ended { how } => format!("== ends: {how}"),
        Did::Fault(what) => format!("** {what:?}"),
        Did::Drifted(what) => format!("** a third party {what}"),
        Did::NotReady(which) => format!("** not ready, and called applied: {which:?}"),
        Did::Died => "** dies".to_owned(),
        Did::Interrupted => "** is interrupted".to_owned(),
    })
}

/// A key without the digits that say nothing to a reader.
fn short(key: &str) -> String {
    match key.split('/').collect::<Vec<_>>()[..] {
        ["v1", "run", id, seq] => format!("run {}.. {}", id.get(..8).unwrap_or(id), number(seq)),
        ["v1", kind, id, seq] => format!("{kind} {id} {}", number(seq)),
        _ => key.to_owned(),
    }
}

fn number(seq: &str) -> &str {
    let short = seq.trim_start_matches('0');
    if short.is_empty() || !short.starts_with(|c: char| c.is_ascii_digit()) { "0" } else { short }
}

fn said(bytes: &[u8]) -> String {
    let name = |event: &serde_json::Value| {
        let name = event["event"].as_str().unwrap_or("?").to_owned();
        match (event["call"]["api"].as_str(), event["number"].as_u64(), event["intent"].as_u64()) {
            (Some(api), Some(number), _) => format!("{name} {number} {api}"),
            (.., Some(intent)) => format!("{name} {intent}"),
            _ => name,
        }
    };
    format!("[{}]", events(bytes).iter().map(name).collect::<Vec<_>>().join(", "))
}

fn put(answer: &PutAnswer) -> &str {
    match answer {
        PutAnswer::Done => "done",
        PutAnswer::Exists => "exists",
        PutAnswer::Unknown(_) => "?",
    }
}

fn call(sending: &Sending) -> String {
    let object = sending.object.as_ref().map_or_else(String::new, |id| format!(" {id}"));
    format!("{}{object} (stamp {}.{:03})", sending.call.api, sending.stamp.0 / 1000 % 100_000, sending.stamp.0 % 1000)
}

fn told(answer: &Answer) -> String {
    match answer {
        Answer::Done { id: Some(id), .. } => format!("done, {id}"),
        Answer::Done { id: None, .. } => "done".to_owned(),
        Answer::Refused { code, message, .. } => format!("{code}: {message}"),
        Answer::Unknown { .. } => "?".to_owned(),
    }
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Marked(_) => "all of ours".to_owned(),
        Scope::Id(id) => id.to_string(),
        Scope::Mark(mark) => format!("marked {} {}", mark.address, mark.incarnation),
        Scope::Key(key) => format!("with key {key:?}"),
        Scope::Tagged(tags) => format!("with tags {tags:?}"),
        Scope::Detail { detail, objects } => format!("{detail} of {} objects", objects.len()),
        Scope::Query(fields) => format!("that {fields:?} means"),
    }
}
