//! A plan as text: grouped by data centre and block, unchanged resources only counted.

use std::fmt::Write as _;

use anstyle::Style;
use provision_core::desired::Desired;
use provision_core::id::{BlockAddr, DcName, ResourceAddr};
use provision_core::plan::{BlockChange, Certainty, Note, Outcome, Plan, Reason, ResourcePlan};
use provision_core::value::{Expr, Piece, Symbol, Tree};

use super::style::{BOLD, DIM, GREEN, RED, YELLOW};

/// Prints it.
pub(crate) fn show(plan: &Plan, desired: &Desired) {
    super::line(text(plan, desired).trim_end());
    for (block, problem) in plan.refusals() {
        super::error(&format!("{block} can't be planned, so nothing in it is touched: {problem}"));
    }
}

/// The whole text.
pub(crate) fn text(plan: &Plan, desired: &Desired) -> String {
    let mut out = String::new();
    let mut last_dc: Option<&DcName> = None;
    for (block, change) in plan.changes() {
        if !change.resources.values().any(is_shown) {
            continue;
        }
        if last_dc != Some(&block.dc) {
            last_dc = Some(&block.dc);
            data_centre(&mut out, &block.dc, change);
        }
        self::block(&mut out, block, change, desired);
    }
    for note in &plan.notes {
        push(&mut out, 0, &format!("{YELLOW}note:{YELLOW:#} {}", self::note(note)));
    }
    if !plan.notes.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(plan));
    out
}

fn is_shown(resource: &ResourcePlan) -> bool {
    resource.acts()
        || resource.reasons.iter().any(|reason| matches!(reason, Reason::Kept { .. } | Reason::NoLongerOurs { .. }))
}

fn push(out: &mut String, indent: usize, line: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{:indent$}{line}", "").unwrap_or_default();
}

fn data_centre(out: &mut String, dc: &DcName, change: &BlockChange) {
    let targets: Vec<String> = change.targets.values().map(ToString::to_string).collect();
    push(out, 0, &format!("{BOLD}{dc}{BOLD:#}  {DIM}{}, {}{DIM:#}", change.env, targets.join(", ")));
    out.push('\n');
}

fn block(out: &mut String, addr: &BlockAddr, change: &BlockChange, desired: &Desired) {
    let left = if change.definition.is_none() { "  (no longer in the code)" } else { "" };
    push(out, 2, &format!("{BOLD}{}{BOLD:#}{left}", addr.block));
    let mut unchanged = 0;
    for (name, resource) in &change.resources {
        if is_shown(resource) {
            self::resource(out, &addr.resource(name.clone()), resource, desired);
        } else {
            unchanged += 1;
        }
    }
    if unchanged > 0 {
        push(out, 4, &format!("{DIM}{unchanged} unchanged{DIM:#}"));
    }
    out.push('\n');
}

fn resource(out: &mut String, addr: &ResourceAddr, resource: &ResourcePlan, desired: &Desired) {
    let (mark, style, words) = mark(resource);
    let id = resource.existing.as_ref().map(|existing| format!(" {}", existing.id)).unwrap_or_default();
    let words = if words.is_empty() { String::new() } else { format!("  {DIM}{words}{DIM:#}") };
    push(out, 4, &format!("{style}{mark}{style:#} {}  {DIM}{}{id}{DIM:#}{words}", addr.name, resource.type_name));
    if resource.allowed.contains(&Outcome::Create)
        && let Some(definition) = desired.blocks.get(&addr.block).and_then(|block| block.resources.get(&addr.name))
    {
        let mut fields: Vec<(&str, String)> = definition
            .inputs
            .iter()
            .filter(|(_, value)| !is_empty(value))
            .map(|(field, value)| (field.as_str(), expr_lines(value)))
            .collect();
        fields.extend(resource.new_name.as_ref().map(|name| (name.field.as_str(), quoted(&name.name))));
        fields.sort();
        let width = fields.iter().map(|(field, _)| field.len()).max().unwrap_or_default();
        for (field, value) in fields {
            push(out, 8, &format!("{field:width$}  {}", value.replace('\n', &format!("\n{:1$}", "", 10 + width))));
        }
    } else if let Some(name) = &resource.new_name {
        push(out, 8, &format!("{}  {} (the new one's)", name.field, quoted(&name.name)));
    }
    for reason in &resource.reasons {
        if let Some(reason) = self::reason(reason, resource) {
            push(out, 8, &reason);
        }
    }
}

/// The usual marks: `+` create, `~` update, `+/-` replace (the new one first), `-` delete.
fn mark(resource: &ResourcePlan) -> (&'static str, Style, String) {
    let may = |outcome| resource.allowed.contains(&outcome);
    let unsure = resource.allowed.len() > 1;
    let possible = || {
        let names: Vec<String> = resource.allowed.iter().map(ToString::to_string).collect();
        format!("may {}: known after apply", names.join(" or "))
    };
    let words = if unsure { possible() } else { String::new() };
    if resource.goes_first() {
        ("-/+", YELLOW, if unsure { words } else { "this one goes, then a new one is made".to_owned() })
    } else if may(Outcome::Replace) {
        ("+/-", YELLOW, if unsure { words } else { "a new one is made, then this one goes".to_owned() })
    } else if may(Outcome::Create) {
        ("+", GREEN, words)
    } else if may(Outcome::Update) {
        ("~", YELLOW, words)
    } else if may(Outcome::Delete) || !resource.retire.is_empty() {
        ("-", RED, words)
    } else {
        (" ", DIM, words)
    }
}

fn reason(reason: &Reason, resource: &ResourcePlan) -> Option<String> {
    Some(match reason {
        Reason::New | Reason::DestroyAsked => return None,
        Reason::Gone { id } => format!("{id} is no longer there"),
        Reason::Field { field, from, to, replaces, differs } => {
            let from = from.as_ref().map_or_else(|| "(not set)".to_owned(), |from| expr(&from.widen()));
            let forces = match replaces {
                Certainty::No if *differs == Certainty::May => "  (may differ)",
                Certainty::No => "",
                Certainty::May => "  (may force a new object)",
                Certainty::Yes => "  (forces a new object)",
            };
            format!("{YELLOW}~{YELLOW:#} {field}  {from} -> {}{YELLOW}{forces}{YELLOW:#}", expr(to))
        }
        Reason::MarkLost => "its ownership mark is missing or was changed: it is set again".to_owned(),
        Reason::NotReady => "it is not ready yet: it is waited for".to_owned(),
        Reason::LeftCode if resource.allowed.contains(&Outcome::Delete) => "no longer in the code".to_owned(),
        Reason::LeftCode => "no longer in the code, but kept".to_owned(),
        Reason::DeleteDue { id } => format!("{id} was replaced earlier and is still to be deleted"),
        Reason::OpenCall { api } => {
            format!("an interrupted run left {api} open: apply first finds out whether it landed")
        }
        Reason::MayBeMadeAgain { api } => {
            format!("it is gone, and a repeated {api} may have made it again: apply first finds that out")
        }
        Reason::MovedFrom { from } => format!("moved from {from}"),
        Reason::MovedTo { to } => format!("moves to {to}"),
        Reason::RefsMoved => "uses what has moved: the log is brought up to date".to_owned(),
        Reason::Protection { prevent_destroy: true } => {
            "protected from now on: neither deleted nor replaced".to_owned()
        }
        Reason::Protection { prevent_destroy: false } => "no longer protected".to_owned(),
        Reason::Ignored { field, is, defined } => {
            let is = is.as_ref().map_or_else(|| "(not set)".to_owned(), |is| expr(&is.widen()));
            format!("{DIM}{field} is {is}, defined as {}: its changes are ignored{DIM:#}", expr(defined))
        }
        Reason::KeyTaken { fields } => {
            format!("the old one goes first: both would have the same {}", fields.join(" and "))
        }
        Reason::UsesWhatGoesFirst { resource } => format!("uses {resource}, whose old object goes first"),
        Reason::Adopted { id } => format!("{id} is taken over as it is"),
        Reason::Kept { because } => format!("kept: {because}"),
        Reason::NoLongerOurs { field, stays } => format!("{field} is no longer ours: stays {}", expr(&stays.widen())),
    })
}

fn note(note: &Note) -> String {
    match note {
        Note::Unmanaged { address, type_name, id } => {
            format!("{type_name} {id} carries the mark of {address}, but no log knows it; it is left alone")
        }
        Note::BlockKept { block, because } => format!("{block} is no longer in the code and is kept: {because}"),
    }
}

/// `Plan: N to add, N to change, N to destroy.`, or that there is nothing to do.
pub(crate) fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        return if plan.refusals().next().is_some() {
            "Nothing to do in the blocks that can be planned.".to_owned()
        } else {
            format!("{GREEN}No changes.{GREEN:#} Your infrastructure matches the configuration.")
        };
    }
    let (mut add, mut change, mut destroy, mut unsure) = (0, 0, 0, 0);
    for (_, resource) in plan.resources() {
        let only = |outcome| resource.allowed.len() == 1 && resource.allowed.contains(&outcome);
        unsure += usize::from(resource.allowed.len() > 1);
        add += usize::from(only(Outcome::Create) || only(Outcome::Replace));
        change += usize::from(only(Outcome::Update));
        // The present object of what leaves the code is among those that go.
        destroy += resource.retire.len() + usize::from(only(Outcome::Replace));
    }
    let mut text = format!("{BOLD}Plan:{BOLD:#} {add} to add, {change} to change, {destroy} to destroy");
    if unsure > 0 {
        text.push_str(&format!(", {unsure} known after apply"));
    }
    text.push('.');
    text
}

fn is_empty(value: &Expr) -> bool {
    match value {
        Tree::Null => true,
        Tree::List(list) => list.is_empty(),
        Tree::Map(map) => map.is_empty(),
        Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) | Tree::Symbol(_) => false,
    }
}

fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(200).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{more}")
}

/// A value, a long list with an item a line.
fn expr_lines(value: &Expr) -> String {
    let line = expr(value);
    match value {
        Tree::List(items) if items.len() > 1 && line.chars().count() > 80 => {
            items.iter().map(expr).collect::<Vec<_>>().join("\n")
        }
        _ => line,
    }
}

/// A value on one line; what is not known yet says where it comes from.
pub(crate) fn expr(value: &Expr) -> String {
    match value {
        Tree::Null => "(not set)".to_owned(),
        Tree::Bool(b) => b.to_string(),
        Tree::Int(n) => n.to_string(),
        Tree::Text(text) => quoted(text),
        Tree::List(list) => format!("[{}]", list.iter().map(expr).collect::<Vec<_>>().join(", ")),
        Tree::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", super::plain(key), expr(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Tree::Symbol(Symbol::Output(output)) => {
            format!("(known after apply: {} of {})", output.output, output.resource)
        }
        Tree::Symbol(Symbol::Text(pieces)) => {
            let pieces = pieces.iter().map(|piece| match piece {
                Piece::Literal(text) => text.clone(),
                Piece::Output(output) => format!("(known after apply: {} of {})", output.output, output.resource),
            });
            quoted(&pieces.collect::<String>())
        }
    }
}
