//! The decision for one resource, with as much as is known: the planner takes it with symbols, the executor again with
//! everything known. One function, so the two cannot disagree.

use std::collections::{BTreeMap, BTreeSet};

use super::data::Outcome;
use super::reason::{Certainty, Reason};
use crate::call::{Mark, Observed, Readiness};
use crate::id::ObjectId;
use crate::mutant::{self, Mutant};
use crate::schema::{Field, OnChange, Role, Schema};
use crate::value::{Expr, Fields, Value};

/// What a definition wants of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This value.
    Known(Value),
    /// A value that is known only after apply.
    Unknown {
        /// How the definition writes it.
        expr: Expr,
        /// Whether it certainly differs from any value that exists now, as the id of a new object does.
        fresh: bool,
    },
}

impl Wanted {
    /// The same for a reader: what is known, filled in.
    pub(super) fn into_expr(self) -> Expr {
        match self {
            Self::Known(value) => value.into_wide(),
            Self::Unknown { expr, fresh: _ } => expr,
        }
    }
}

/// What there is of a resource.
#[derive(Debug, Clone, Copy)]
pub enum Current<'a> {
    /// Nothing.
    None,
    /// The recorded object is not there any more.
    Gone {
        /// Its id.
        id: &'a ObjectId,
    },
    /// An object.
    Present {
        /// What a read showed.
        observed: &'a Observed,
        /// Its fields as recorded: for what reads do not show.
        recorded: &'a Fields,
        /// The fields that were ours when it was last applied.
        applied: Option<&'a Fields>,
        /// The mark that it should carry.
        mark: Option<&'a Mark>,
    },
}

/// What may happen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The possible outcomes; exactly one where everything is known.
    pub allowed: BTreeSet<Outcome>,
    /// The fields that differ or may differ.
    pub fields: BTreeSet<String>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// Compares what is wanted with what there is. Differences in `ignored` fields count for nothing once there is an object.
pub fn decide(
    schema: &Schema,
    wanted: &BTreeMap<String, Wanted>,
    ignored: &BTreeSet<String>,
    current: Current<'_>,
) -> Decision {
    match current {
        Current::None => only(Outcome::Create, Reason::New),
        Current::Gone { id } => only(Outcome::Create, Reason::Gone { id: id.clone() }),
        Current::Present { observed, recorded, applied, mark } => {
            let mut reasons = Vec::new();
            for field in schema.fields {
                let before = reasons.len();
                compare(field, wanted.get(field.name), observed, recorded, applied, &mut reasons);
                if ignored.contains(field.name) && !mutant::on(Mutant::IgnoredFieldsSet) {
                    leave_alone(&mut reasons, before);
                }
            }
            // An object whose mark cannot be seen would be taken for gone by the next sweep.
            if mark.is_some_and(|mark| observed.mark.as_ref() != Some(mark)) {
                reasons.push(Reason::MarkLost);
            }
            match &observed.readiness {
                Readiness::Pending => reasons.push(Reason::NotReady),
                Readiness::Failed(why) => reasons.push(Reason::Broken { why: why.clone() }),
                Readiness::Ready | Readiness::Going => {}
            }
            outcomes(reasons)
        }
    }
}

/// What was found about a field is said, and counts for nothing.
fn leave_alone(reasons: &mut Vec<Reason>, from: usize) {
    let found = reasons.split_off(from);
    reasons.extend(found.into_iter().filter_map(|reason| match reason {
        Reason::Field { field, from, to, differs: Certainty::Yes, replaces: _ } => {
            Some(Reason::Ignored { field, is: from, defined: to })
        }
        // What may differ is known only after apply, and then it is left alone as well.
        _ => None,
    }));
}

fn only(outcome: Outcome, reason: Reason) -> Decision {
    Decision { allowed: BTreeSet::from([outcome]), fields: BTreeSet::new(), reasons: vec![reason] }
}

fn compare(
    field: &Field,
    wanted: Option<&Wanted>,
    observed: &Observed,
    recorded: &Fields,
    applied: Option<&Fields>,
    reasons: &mut Vec<Reason>,
) {
    let has = field.of(&observed.fields, recorded);
    match wanted {
        None => match field.role {
            // Not ours: the server's, or the engine's, which keeps the name that it gave.
            Role::Optional => {
                let was_ours = applied.is_some_and(|applied| applied.get(field.name).is_some_and(|was| !was.is_null()));
                if let (true, Some(stays)) = (was_ours, has) {
                    reasons.push(Reason::NoLongerOurs { field: field.name.to_owned(), stays });
                }
            }
            Role::Name { .. } | Role::GlobalName { .. } | Role::Computed => {}
            // The DSL always gives these; a definition without them says nothing about the field.
            Role::Required | Role::Default(_) => {}
        },
        Some(Wanted::Known(value)) => {
            let mut value = value.clone();
            field.normalise(&mut value);
            if has.as_ref().unwrap_or(&Value::Null) != &value {
                reasons.push(Reason::Field {
                    field: field.name.to_owned(),
                    from: has,
                    to: value.widen(),
                    replaces: replaces(field, Certainty::Yes),
                    differs: Certainty::Yes,
                });
            }
        }
        Some(Wanted::Unknown { expr, fresh }) => {
            let differs = if *fresh { Certainty::Yes } else { Certainty::May };
            reasons.push(Reason::Field {
                field: field.name.to_owned(),
                from: has,
                to: expr.clone(),
                replaces: replaces(field, differs),
                differs,
            });
        }
    }
}

fn replaces(field: &Field, differs: Certainty) -> Certainty {
    match field.on_change {
        OnChange::Replace => differs,
        OnChange::Update | OnChange::Moves => Certainty::No,
    }
}

fn outcomes(reasons: Vec<Reason>) -> Decision {
    let mut allowed = BTreeSet::new();
    let mut fields = BTreeSet::new();
    let (mut sure, mut sure_replace) = (false, false);
    for reason in &reasons {
        match reason {
            Reason::Field { field, replaces, differs, .. } => {
                fields.insert(field.clone());
                sure |= *differs == Certainty::Yes;
                sure_replace |= *replaces == Certainty::Yes;
                match replaces {
                    Certainty::No => allowed.insert(Outcome::Update),
                    Certainty::May | Certainty::Yes => allowed.insert(Outcome::Replace),
                };
            }
            Reason::MarkLost => {
                sure = true;
                allowed.insert(Outcome::Update);
            }
            Reason::NoLongerOurs { .. }
            | Reason::NotReady
            | Reason::Broken { .. }
            | Reason::NotFinished
            | Reason::New
            | Reason::Gone { .. }
            | Reason::LeftCode
            | Reason::DestroyAsked
            | Reason::DeleteDue { .. }
            | Reason::OpenCall { .. }
            | Reason::MayBeMadeAgain { .. }
            | Reason::MovedFrom { .. }
            | Reason::MovedTo { .. }
            | Reason::RefsMoved
            | Reason::Protection { .. }
            | Reason::Ignored { .. }
            | Reason::KeyTaken { .. }
            | Reason::UsesWhatGoesFirst { .. }
            | Reason::Adopted { .. }
            | Reason::OnTrust { .. }
            | Reason::FoundOther { .. }
            | Reason::Kept { .. } => {}
        }
    }
    if sure_replace {
        allowed = BTreeSet::from([Outcome::Replace]);
    } else if !sure {
        allowed.insert(Outcome::NoOp);
    }
    Decision { allowed, fields, reasons }
}
