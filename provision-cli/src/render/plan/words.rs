//! Words for everything that a plan can say.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::id::{BlockAddr, CheckName, ObjectId};
use provision_core::lookup::{FoundObject, Query};
use provision_core::plan::{Certainty, Mode, Moved, Note, Outcome, Plan, Reason, ReplaceOrder, ResourcePlan};
use provision_core::value::Value;

use super::value::{self, safe, shortened};

/// How many characters of somebody else's words are shown.
const MOST: usize = 400;
/// How much of a value stands in a sentence.
const MOST_OF_A_VALUE: usize = 120;

/// What happens to a resource, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// `+`
    Create,
    /// `~`
    Update,
    /// `-`
    Delete,
    /// `-/+`: the old one goes first.
    DeleteFirst,
    /// `+/-`: the new one is made first.
    CreateFirst,
    /// `>`
    Move,
    /// `=`
    Adopt,
    /// Nothing.
    Stay,
}

impl Mark {
    /// The strongest thing that may happen.
    pub(crate) fn of(resource: &ResourcePlan) -> Self {
        let may = |outcome| resource.allowed.contains(&outcome);
        let goes = || {
            let existing = resource.existing.as_ref().map(|existing| &existing.id);
            resource.retire.iter().any(|retirement| existing.is_none_or(|id| *id == retirement.id))
        };
        if may(Outcome::Replace) {
            match resource.order {
                ReplaceOrder::CreateFirst => Self::CreateFirst,
                ReplaceOrder::DeleteFirst => Self::DeleteFirst,
            }
        } else if may(Outcome::Delete) || goes() {
            Self::Delete
        } else if may(Outcome::Update) {
            Self::Update
        } else if may(Outcome::Create) {
            Self::Create
        } else if may(Outcome::Adopt) {
            Self::Adopt
        } else if resource.moved.is_some() {
            Self::Move
        } else {
            Self::Stay
        }
    }

    /// Whether an object goes, or may go.
    pub(crate) fn destroys(self) -> bool {
        matches!(self, Self::Delete | Self::DeleteFirst | Self::CreateFirst)
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Update => "~",
            Self::Delete => "-",
            Self::DeleteFirst => "-/+",
            Self::CreateFirst => "+/-",
            Self::Move => ">",
            Self::Adopt => "=",
            Self::Stay => " ",
        }
    }

    /// What a mark means that not everybody knows.
    pub(crate) fn legend(self) -> Option<&'static str> {
        match self {
            Self::Move => Some("> an object becomes another resource's: only its ownership mark is set"),
            Self::Adopt => Some("= an object that is there becomes ours as it is"),
            Self::Create | Self::Update | Self::Delete | Self::DeleteFirst | Self::CreateFirst | Self::Stay => None,
        }
    }
}

/// What the mark alone does not say: that it is not certain, or which object goes first.
pub(crate) fn how(resource: &ResourcePlan) -> String {
    if resource.allowed.len() > 1 {
        let possible: Vec<String> =
            resource.allowed.iter().filter(|outcome| **outcome != Outcome::NoOp).map(ToString::to_string).collect();
        return format!("may {}: known after apply", possible.join(" or "));
    }
    match Mark::of(resource) {
        Mark::CreateFirst => "a new one is made, then this one goes".to_owned(),
        Mark::DeleteFirst => "this one goes, then a new one is made".to_owned(),
        Mark::Create | Mark::Update | Mark::Delete | Mark::Move | Mark::Adopt | Mark::Stay => String::new(),
    }
}

fn known(value: Option<&Value>) -> String {
    value.map_or_else(|| "(not set)".to_owned(), |value| value::line(&value.widen(), MOST_OF_A_VALUE))
}

/// What follows a field that differs.
pub(crate) fn forces(replaces: Certainty, differs: Certainty) -> &'static str {
    match (replaces, differs) {
        (Certainty::No, Certainty::May) => "(may differ)",
        (Certainty::No, Certainty::No | Certainty::Yes) => "",
        (Certainty::May, _) => "(may force a new object)",
        (Certainty::Yes, _) => "(forces a new object)",
    }
}

/// Why something happens, or does not, in a sentence.
pub(crate) fn reason(reason: &Reason, resource: &ResourcePlan) -> String {
    match reason {
        Reason::New => "new in the code".to_owned(),
        Reason::Gone { id } => format!("{id} is no longer there"),
        Reason::Field { field, from, to, replaces, differs } => {
            let forces = forces(*replaces, *differs);
            let to = value::line(to, MOST_OF_A_VALUE);
            format!("{}: {} -> {to} {forces}", safe(field), known(from.as_ref())).trim_end().to_owned()
        }
        Reason::MarkLost if matches!(resource.moved, Some(Moved::In { .. })) => {
            "its ownership mark gets the new address".to_owned()
        }
        Reason::MarkLost => "its ownership mark is missing or was changed: it is set again".to_owned(),
        Reason::NotReady => "it is not ready yet: it is waited for".to_owned(),
        Reason::Broken { why } => format!("it is not well, and apply fails until it is: {}", theirs(why)),
        Reason::NotFinished => "the run that made it was cut off: the log is brought up to date".to_owned(),
        Reason::LeftCode if resource.allowed.contains(&Outcome::Delete) => "no longer in the code".to_owned(),
        Reason::LeftCode => "no longer in the code, but kept".to_owned(),
        Reason::DestroyAsked => "everything is to be destroyed".to_owned(),
        Reason::DeleteDue { id } => format!("{id} was replaced earlier and is still to be deleted"),
        Reason::OpenCall { api } => {
            format!("{} of a run that has not finished is open: apply first finds out whether it landed", theirs(api))
        }
        Reason::MayBeMadeAgain { api } => {
            format!("it is gone, and a repeated {} may have made it again: apply first finds that out", theirs(api))
        }
        Reason::MovedFrom { from } => format!("moved from {from}"),
        Reason::MovedTo { to } => format!("moves to {to}"),
        Reason::RefsMoved => "uses what has moved: the log is brought up to date".to_owned(),
        Reason::Protection { prevent_destroy: true } => {
            "protected from now on: neither deleted nor replaced".to_owned()
        }
        Reason::Protection { prevent_destroy: false } => "no longer protected".to_owned(),
        Reason::Ignored { field, is, defined } => {
            let defined = value::line(defined, MOST_OF_A_VALUE);
            format!("{} is {}, defined as {defined}: its changes are ignored", safe(field), known(is.as_ref()))
        }
        Reason::KeyTaken { fields } => {
            let fields: Vec<String> = fields.iter().map(|field| safe(field)).collect();
            format!("the old one goes first: both would have the same {}", fields.join(" and "))
        }
        Reason::UsesWhatGoesFirst { resource } => format!("uses {resource}, whose old object goes first"),
        Reason::Adopted { id } => format!("{id} is taken over as it is"),
        Reason::OnTrust { field } => format!("{} is not shown by reads: taken to be as defined", safe(field)),
        Reason::FoundOther { field, lookup, was, is } if was == is => {
            format!("{}: {is}, which {lookup} finds, has changed", safe(field))
        }
        Reason::FoundOther { field, lookup, was, is } => {
            format!("{}: {lookup} finds {is} now, {was} before", safe(field))
        }
        Reason::Kept { because } => format!("kept: {}", theirs(because)),
        Reason::NoLongerOurs { field, stays } => {
            format!("{} is no longer ours: stays {}", safe(field), value::line(&stays.widen(), MOST_OF_A_VALUE))
        }
    }
}

/// A note, in a sentence.
pub(crate) fn note(note: &Note) -> String {
    match note {
        Note::Unmanaged { address, type_name, id } => {
            format!("{type_name} {id} carries the mark of {address}, but no log knows it; it is left alone")
        }
        Note::ChecksDue { block, checks } => checks_due(block, checks),
        Note::BlockKept { block, because } => {
            format!("{block} is no longer in the code and is kept: {}", theirs(because))
        }
    }
}

/// What the plan's lookups found: heading, and for each lookup what it is and what was asked.
pub(crate) fn lookups(plan: &Plan) -> Option<(&'static str, Vec<(String, String)>)> {
    // What several blocks ask alike was asked once, and stands here once.
    let mut names: BTreeMap<(&Query, &ObjectId), Vec<String>> = BTreeMap::new();
    for (addr, FoundObject { query, id, fields: _ }) in &plan.lookups {
        names.entry((query, id)).or_default().push(addr.to_string());
    }
    let mut found: Vec<_> = names.into_iter().collect();
    found.sort_by(|(_, a), (_, b)| a.cmp(b));
    let lines = found.into_iter().map(|((query, id), names)| {
        let asked =
            query.fields.iter().filter(|(_, asked)| !value::is_empty(&asked.widen()) && **asked != Value::Bool(false));
        let asked = asked.map(|(name, asked)| format!("{} = {}", safe(name), known(Some(asked))));
        let asked = shortened(&asked.collect::<Vec<_>>().join(", "), MOST);
        (format!("{}  {} {id}", shortened(&names.join(", "), MOST), query.type_name), asked)
    });
    let heading = if plan.simulated { "Looked up, in the simulated cloud" } else { "Looked up" };
    (!plan.lookups.is_empty()).then(|| (heading, lines.collect()))
}

/// That a block's checks are asked although nothing in it changes.
fn checks_due(block: &BlockAddr, checks: &BTreeSet<CheckName>) -> String {
    let names: Vec<&str> = checks.iter().map(CheckName::as_str).collect();
    let (what, are) = if names.len() == 1 { ("check", "is") } else { ("checks", "are") };
    format!("{block} was not found healthy since it was last changed: {what} {} {are} asked", names.join(", "))
}

/// Words of somebody else: a cloud, a log, a file.
pub(crate) fn theirs(text: &str) -> String {
    shortened(&safe(&shortened(text, MOST)), MOST)
}

/// What the plan leaves out on purpose, if it does.
pub(crate) fn selection(plan: &Plan) -> Option<String> {
    let selection = &plan.selection;
    if selection.is_all() {
        return None;
    }
    let part = |what: &str, names: Vec<String>| (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")));
    if selection.envs.is_empty() && selection.dcs.is_empty() {
        let blocks: Vec<String> = selection.blocks.iter().map(ToString::to_string).collect();
        return Some(format!("Only {}.", shortened(&blocks.join(", "), MOST)));
    }
    let parts = [
        part("of environment", selection.envs.iter().map(ToString::to_string).collect()),
        part("in", selection.dcs.iter().map(ToString::to_string).collect()),
        part("named", selection.blocks.iter().map(ToString::to_string).collect()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    Some(format!("Only the blocks {}.", shortened(&parts.join(", "), MOST)))
}

/// What the plan is for, where that is not the usual.
pub(crate) fn mode(plan: &Plan) -> Option<&'static str> {
    match plan.mode {
        Mode::Apply => None,
        Mode::Destroy if plan.selection.is_all() => Some("Everything is to be destroyed."),
        Mode::Destroy => Some("Everything in there is to be destroyed."),
        Mode::Adopt => {
            Some("Objects are taken over as they are: nothing is called. The next apply changes what differs.")
        }
    }
}

/// That there is nothing to do: what this follows from.
pub(crate) fn nothing_to_do(plan: &Plan) -> (&'static str, &'static str) {
    let kept = |resource: &ResourcePlan| {
        !resource.defined && resource.reasons.iter().any(|reason| matches!(reason, Reason::Kept { .. }))
    };
    let why = match plan.mode {
        Mode::Destroy => "There is nothing to destroy.",
        Mode::Adopt => "There is nothing to take over.",
        Mode::Apply if plan.resources().any(|(_, resource)| kept(resource)) => {
            "What the code has is as it says; what it no longer has is kept."
        }
        Mode::Apply if !plan.selection.is_all() => "What is selected matches the configuration.",
        Mode::Apply => "Your infrastructure matches the configuration.",
    };
    ("No changes.", why)
}
