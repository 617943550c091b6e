//! What an approved plan allows: whether a later plan lies inside it, and whether a single outcome does.

use std::collections::BTreeSet;
use std::fmt;

use super::data::{BlockPlan, Moved, Outcome, Plan, ResourcePlan, Retirement};
use super::reason::Reason;
use crate::id::{ObjectId, ResourceAddr};
use crate::value::{Expr, Value};

/// An approved plan, with what its own run has done already: a run that was cut off goes on inside the same ceiling.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let engine = toy::engine(&toy::cloud());
/// use provision_core::embed::PlanRequest;
/// use provision_core::exec::Binding;
/// use provision_core::plan::{Ceiling, Mode};
///
/// let approved = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// let ceiling = Ceiling::new(approved.clone());
/// assert!(ceiling.outside(&approved).is_empty());
///
/// // To do nothing is always allowed; to delete what was made is not.
/// engine.apply(approved, Binding::Ceiling).finish().await?;
/// let nothing = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// assert!(ceiling.outside(&nothing).is_empty());
/// let destroy = engine.plan(&PlanRequest::of(Mode::Destroy)).finish().await?.plan;
/// assert_eq!(ceiling.outside(&destroy).len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Ceiling {
    approved: Plan,
    made: BTreeSet<(ResourceAddr, ObjectId)>,
    resumed: bool,
}

/// How a plan leaves the ceiling of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The resource.
    pub resource: ResourceAddr,
    /// What the later plan would do, and the earlier one does not allow.
    pub what: String,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.resource, self.what)
    }
}

impl Ceiling {
    /// The ceiling of a plan whose run begins.
    pub fn new(approved: Plan) -> Self {
        Self { approved, made: BTreeSet::new(), resumed: false }
    }

    /// The ceiling of a plan whose run goes on, and had made these objects before it was cut off.
    pub fn resumed(approved: Plan, made: impl IntoIterator<Item = (ResourceAddr, ObjectId)>) -> Self {
        Self { approved, made: made.into_iter().collect(), resumed: true }
    }

    /// Everything in `later` that the approved plan does not allow. Doing nothing is always allowed.
    pub fn outside(&self, later: &Plan) -> Vec<Outside> {
        let mut out = Vec::new();
        for (addr, resource) in later.resources() {
            let Some(before) = self.approved.resource(&addr) else {
                if resource.acts() {
                    out.push(Outside { resource: addr, what: "was not in the plan".to_owned() });
                }
                continue;
            };
            out.extend(self.beyond(&addr, before, resource).map(|what| Outside { resource: addr, what }));
        }
        // A run takes the answers from its plan; should it have others, nothing is done with them.
        for (addr, found) in later.lookups.iter().filter(|(addr, found)| self.approved.lookups.get(addr) != Some(found))
        {
            let what = format!("would use {} {}, which the plan did not find", found.query.type_name, found.id);
            out.push(Outside { resource: addr.clone(), what });
        }
        out
    }

    /// Whether the later plan refuses a block that the approved one planned.
    pub fn newly_refused(&self, later: &Plan) -> Option<String> {
        later.blocks.iter().find_map(|(addr, block)| match (block, self.approved.blocks.get(addr)) {
            (BlockPlan::Refused { problem }, Some(BlockPlan::Planned(_)) | None) => Some(format!("{addr}: {problem}")),
            (BlockPlan::Refused { .. } | BlockPlan::Planned(_), _) => None,
        })
    }

    fn beyond(&self, addr: &ResourceAddr, before: &ResourcePlan, now: &ResourcePlan) -> Option<String> {
        // What an open call of this very run did is found out first; then each outcome is judged by itself.
        let open = self.resumed && now.reasons.iter().any(Reason::is_open_call);
        let existing = now.existing.as_ref().map(|existing| &existing.id);
        for outcome in now.allowed.iter().filter(|_| !open) {
            let unfinished = existing.is_some_and(|id| self.made_here(addr, id));
            if let Some(what) = self.forbids(addr, *outcome, &now.fields, unfinished) {
                return Some(format!("would {what}, which the plan does not allow"));
            }
        }
        if let Some(retirement) = now.retire.iter().find(|retirement| !self.may_go(addr, before, retirement)) {
            return Some(format!("would delete {}, which the plan does not allow", retirement.id));
        }
        match &now.moved {
            moved if *moved == before.moved => {}
            None => {}
            Some(Moved::In { from }) => {
                return Some(format!("would take over the object of {from}, which the plan does not say"));
            }
            Some(Moved::Out { to }) => {
                return Some(format!("would give its object to {to}, which the plan does not say"));
            }
        }
        if let Some((field, was, is)) =
            other_value(before, now).filter(|_| !now.reasons.iter().any(Reason::is_open_call))
        {
            let text = |value: &Value| String::from_utf8_lossy(&value.canonical()).into_owned();
            return Some(format!("would set `{field}` to {}, and the plan says {}", text(&is), text(&was)));
        }
        if now.allowed.contains(&Outcome::Replace) && now.order != before.order && !open {
            return Some("would be replaced in the other order than the plan says".to_owned());
        }
        let (Some(was), Some(is)) = (&before.existing, &now.existing) else { return None };
        (was != is && !self.made_here(addr, &is.id))
            .then(|| format!("was {} when it was planned and is {} now", was.id, is.id))
    }

    /// What of an outcome the plan does not allow, in words; `None` where it does. `unfinished`: it is done to an object that
    /// this very run made, and was cut off before it was as defined.
    pub fn forbids(
        &self,
        addr: &ResourceAddr,
        outcome: Outcome,
        fields: &BTreeSet<String>,
        unfinished: bool,
    ) -> Option<String> {
        let Some(before) = self.approved.resource(addr) else {
            return (outcome != Outcome::NoOp).then(|| outcome.to_string());
        };
        let may = |outcome| before.allowed.contains(&outcome);
        let allowed = match outcome {
            Outcome::NoOp => true,
            // A replacement is a create, too; a run may be cut off between its halves.
            Outcome::Create => may(Outcome::Create) || (may(Outcome::Replace) && (self.resumed || before.goes_first())),
            Outcome::Update => unfinished || may(Outcome::Update),
            Outcome::Replace | Outcome::Delete | Outcome::Adopt => may(outcome),
        };
        if !allowed {
            return Some(outcome.to_string());
        }
        let field = fields.difference(&before.fields).next()?;
        (outcome == Outcome::Update && !unfinished).then(|| format!("update `{field}`"))
    }

    /// Whether the object may be deleted.
    fn may_go(&self, addr: &ResourceAddr, before: &ResourcePlan, gone: &Retirement) -> bool {
        let replaced = before.allowed.contains(&Outcome::Replace)
            && before.existing.as_ref().is_some_and(|existing| existing.id == gone.id);
        before.retire.contains(gone) || (self.resumed && (replaced || self.made_here(addr, &gone.id)))
    }

    fn made_here(&self, addr: &ResourceAddr, id: &ObjectId) -> bool {
        self.made.contains(&(addr.clone(), id.clone()))
    }
}

/// A field that both plans know the value of, and not the same one: something that the resource uses, and that the plan is
/// not about, has changed in between.
fn other_value<'a>(before: &'a ResourcePlan, now: &'a ResourcePlan) -> Option<(&'a str, Value, Value)> {
    let (was, is) = (before.after.as_ref()?, now.after.as_ref()?);
    let given = [&before.new_name, &now.new_name].map(|name| name.as_ref().map(|name| name.field.as_str()));
    was.iter().filter(|(field, _)| !given.contains(&Some(field.as_str()))).find_map(|(field, was)| {
        let known = |expr: &Expr| expr.resolve(&|_| None).ok();
        let (was, is) = (known(was)?, known(is.get(field)?)?);
        (was != is).then_some((field.as_str(), was, is))
    })
}
