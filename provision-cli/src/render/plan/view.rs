//! A plan in the order in which it is read: blocks, their resources, lines. Text and Markdown arrange it in their ways.

use provision_core::id::{BlockAddr, ResourceAddr};
use provision_core::plan::{BlockChange, Mode, Outcome, Plan, Reason, ResourcePlan, Retirement};
use provision_core::value::{Tree, Value};

use super::counts::Counts;
use super::diff::{self, Line, Sign};
use super::value::{quoted, safe};
use super::words::{self, Mark};

/// A block.
pub(crate) struct BlockView<'a> {
    pub(crate) addr: &'a BlockAddr,
    pub(crate) change: &'a BlockChange,
    pub(crate) counts: Counts,
    /// Whether the code no longer has it; of a plan that destroys nobody asks the code.
    pub(crate) left: bool,
    /// The resources that there is something to say about.
    pub(crate) resources: Vec<ResourceView<'a>>,
    /// How many others there are.
    pub(crate) quiet: usize,
}

/// A resource, or an object of it that was replaced earlier.
pub(crate) struct ResourceView<'a> {
    pub(crate) addr: ResourceAddr,
    pub(crate) mark: Mark,
    subject: Subject<'a>,
}

enum Subject<'a> {
    Resource(&'a ResourcePlan),
    Deposed(&'a Retirement),
}

/// The planned blocks, in the order in which environments are applied.
pub(crate) fn blocks(plan: &Plan) -> impl Iterator<Item = BlockView<'_>> {
    let mut changes: Vec<_> = plan.changes().collect();
    // What is of no environment of the code comes last.
    let applied = |change: &BlockChange| plan.environments.iter().position(|env| *env == change.env);
    changes.sort_by_key(|(_, change)| applied(change).unwrap_or(usize::MAX));
    changes.into_iter().map(|(addr, change)| {
        let mut resources = Vec::new();
        let mut quiet = 0;
        for (name, resource) in &change.resources {
            let before = resources.len();
            let addr = || addr.resource(name.clone());
            if is_shown(resource) {
                resources.push(ResourceView {
                    addr: addr(),
                    mark: Mark::of(resource),
                    subject: Subject::Resource(resource),
                });
            }
            resources.extend(deposed(resource).map(|retirement| ResourceView {
                addr: addr(),
                mark: Mark::Delete,
                subject: Subject::Deposed(retirement),
            }));
            quiet += usize::from(resources.len() == before);
        }
        let left = change.definition.is_none() && plan.mode != Mode::Destroy;
        BlockView { addr, change, counts: Counts::of_block(change), left, resources, quiet }
    })
}

/// The objects of a resource that were replaced earlier and go now.
pub(crate) fn deposed(resource: &ResourcePlan) -> impl Iterator<Item = &Retirement> {
    let present = resource.existing.as_ref().map(|existing| &existing.id);
    resource.retire.iter().filter(move |retirement| Some(&retirement.id) != present)
}

/// Whether there is more to say about it than that objects of it go which were replaced earlier.
fn is_shown(resource: &ResourcePlan) -> bool {
    let due = |reason: &Reason| matches!(reason, Reason::DeleteDue { .. });
    resource.allowed.iter().any(|outcome| *outcome != Outcome::NoOp)
        || resource.moved.is_some()
        || resource.reasons.iter().any(|reason| !due(reason))
        || resource.retire.len() > deposed(resource).count()
}

impl ResourceView<'_> {
    /// Its type, its object, and what the mark alone does not say.
    pub(crate) fn heading(&self) -> (String, String) {
        match self.subject {
            Subject::Resource(resource) => {
                let id = resource.existing.as_ref().map(|existing| format!(" {}", existing.id)).unwrap_or_default();
                (format!("{}{id}", resource.type_name), words::how(resource))
            }
            Subject::Deposed(Retirement { id, type_name, target: _ }) => {
                (format!("{type_name} {id}"), "replaced earlier: it is still to be deleted".to_owned())
            }
        }
    }

    /// Why, in a sentence: of what goes, so that its fields need not be looked at.
    pub(crate) fn because(&self) -> String {
        let Subject::Resource(resource) = self.subject else { return String::new() };
        let weight = |reason: &&Reason| match reason {
            Reason::Field { replaces, .. } => *replaces,
            Reason::DeleteDue { .. } => provision_core::plan::Certainty::No,
            _ => provision_core::plan::Certainty::May,
        };
        let strongest = resource.reasons.iter().rev().max_by_key(weight);
        strongest.map(|reason| words::reason(reason, resource)).unwrap_or_default()
    }

    /// What changes, and why.
    pub(crate) fn lines(&self, width: usize) -> Vec<Line> {
        let Subject::Resource(resource) = self.subject else { return Vec::new() };
        let mut lines = Vec::new();
        let makes = resource.allowed.contains(&Outcome::Create) && !resource.allowed.contains(&Outcome::Replace);
        match (&resource.after, &resource.new_name) {
            (Some(after), _) if makes => lines.extend(diff::fields(after, width)),
            (_, Some(name)) => {
                let mut line = Line::new(0, Sign::Add, format!("{}  {}", safe(&name.field), quoted(&name.name)));
                line.aside = "(the new one's)".to_owned();
                lines.push(line);
            }
            (_, None) => {}
        }
        for reason in &resource.reasons {
            match reason {
                // The mark says it, or the heading of the whole plan.
                Reason::New | Reason::DestroyAsked => {}
                // The object has a line of its own.
                Reason::DeleteDue { .. } => {}
                Reason::Field { field, from, to, replaces, differs } => {
                    let mut change = diff::change(field, &from.as_ref().map_or(Tree::Null, Value::widen), to, width);
                    if let Some(first) = change.first_mut() {
                        first.aside = words::forces(*replaces, *differs).to_owned();
                    }
                    lines.extend(change);
                }
                Reason::Gone { .. }
                | Reason::MarkLost
                | Reason::NotReady
                | Reason::Broken { .. }
                | Reason::NotFinished
                | Reason::LeftCode
                | Reason::OpenCall { .. }
                | Reason::MayBeMadeAgain { .. }
                | Reason::Kept { .. }
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
                | Reason::NoLongerOurs { .. } => {
                    lines.push(Line::new(0, Sign::None, words::reason(reason, resource)));
                }
            }
        }
        lines
    }
}
