//! What a plan is asked for.

use std::collections::BTreeMap;

use crate::exec::Binding;
use crate::id::{ObjectId, ResourceAddr};
use crate::plan::{Mode, Selection};

/// What a plan is asked for. The default: to bring everything to its definition.
///
/// ```
/// use provision_core::embed::PlanRequest;
/// use provision_core::plan::{Mode, Selection};
///
/// let staging = Selection { envs: ["staging".parse()?].into(), ..Selection::default() };
/// let request = PlanRequest { selection: staging, ..PlanRequest::of(Mode::Destroy) };
/// assert!(!request.selection.is_all());
/// assert_eq!(PlanRequest::default().mode, Mode::Apply);
/// # Ok::<(), provision_core::id::BadName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// What it is for.
    pub mode: Mode,
    /// The blocks that it is about; the default is all.
    pub selection: Selection,
    /// The objects that are to become a resource's; taken note of with [`Mode::Adopt`] alone.
    pub adoptions: BTreeMap<ResourceAddr, ObjectId>,
}

impl PlanRequest {
    /// A plan of all blocks.
    pub fn of(mode: Mode) -> Self {
        Self { mode, selection: Selection::default(), adoptions: BTreeMap::new() }
    }

    /// A plan to take over these objects, and to do nothing else.
    pub fn adopt(adoptions: impl IntoIterator<Item = (ResourceAddr, ObjectId)>) -> Self {
        Self { adoptions: adoptions.into_iter().collect(), ..Self::of(Mode::Adopt) }
    }
}

/// How a plan was approved. A [`Binding`] is one, without anything out of the ordinary.
///
/// ```
/// use provision_core::embed::Approval;
/// use provision_core::exec::Binding;
///
/// let careful: Approval = Binding::Sealed.into();
/// assert!(!careful.many_deletions);
/// // Somebody has looked at what goes.
/// let approval = Approval { many_deletions: true, ..careful };
/// # let _ = approval;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// How strictly the plan binds.
    pub binding: Binding,
    /// Whether the run may delete most of what there is because the code no longer has it. Otherwise it is
    /// [refused](crate::exec::RunError::ManyDeletions); [`Plan::leaving`](crate::plan::Plan::leaving) counts.
    pub many_deletions: bool,
}

impl From<Binding> for Approval {
    fn from(binding: Binding) -> Self {
        Self { binding, many_deletions: false }
    }
}

impl Default for PlanRequest {
    fn default() -> Self {
        Self::of(Mode::Apply)
    }
}
