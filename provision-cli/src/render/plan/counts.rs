//! How much a plan does, in numbers.

use provision_core::plan::{BlockChange, Moved, Outcome, Plan, ResourcePlan};

/// How many resources or objects of a plan, or of a block, each thing happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// New objects.
    pub(crate) add: usize,
    /// Objects that change in place.
    pub(crate) change: usize,
    /// Objects that go.
    pub(crate) destroy: usize,
    /// Objects that become another resource's.
    pub(crate) moved: usize,
    /// Objects that become ours.
    pub(crate) adopted: usize,
    /// Resources of which it is known only after apply what happens to them.
    pub(crate) unsure: usize,
    /// Resources that nothing happens to.
    pub(crate) unchanged: usize,
}

impl Counts {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self::all(plan.resources().map(|(_, resource)| resource))
    }

    pub(crate) fn of_block(block: &BlockChange) -> Self {
        Self::all(block.resources.values())
    }

    fn all<'a>(resources: impl Iterator<Item = &'a ResourcePlan>) -> Self {
        let mut counts = Self::default();
        for resource in resources {
            let only = |outcome| resource.allowed.len() == 1 && resource.allowed.contains(&outcome);
            let one = usize::from;
            counts.add += one(only(Outcome::Create) || only(Outcome::Replace));
            counts.change += one(only(Outcome::Update));
            // The present object of what leaves the code is among those that go.
            counts.destroy += resource.retire.len() + one(only(Outcome::Replace));
            counts.moved += one(matches!(resource.moved, Some(Moved::In { .. })));
            counts.adopted += one(only(Outcome::Adopt));
            counts.unsure += one(resource.allowed.len() > 1);
            counts.unchanged += one(!resource.acts() && resource.moved.is_none());
        }
        counts
    }

    /// `3 to add, 1 to change, 0 to destroy`, and what else there is.
    pub(crate) fn text(self) -> String {
        let Self { add, change, destroy, moved, adopted, unsure, unchanged: _ } = self;
        let mut text = format!("{add} to add, {change} to change, {destroy} to destroy");
        for (count, what) in [(moved, "to move"), (adopted, "to take over"), (unsure, "known after apply")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        text
    }

    /// The same without what does not happen.
    pub(crate) fn short(self) -> String {
        let Self { add, change, destroy, moved, adopted, unsure, unchanged } = self;
        let all = [
            (add, "to add"),
            (change, "to change"),
            (destroy, "to destroy"),
            (moved, "to move"),
            (adopted, "to take over"),
            (unsure, "known after apply"),
            (unchanged, "unchanged"),
        ];
        let some: Vec<String> =
            all.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        some.join(", ")
    }
}
