//! Looking for drift: reads logs and clouds, and changes nothing anywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::error::RunError;
use super::limiter::{Limiter, Rates};
use super::logs::read_recorded;
use super::observe::{ObjectsByType, observe_types, recorded_by_type};
use super::reading::Reader;
use super::run;
use crate::call::Bounds;
use crate::drift::{DriftInputs, DriftReport, drift};
use crate::id::{BlockAddr, InfraId};
use crate::machine::{Io, Verified};
use crate::plan::{BlockInput, Providers};
use crate::progress::Progress;
use crate::stream::{list_blocks, look_at_store};
use crate::target::TargetId;

/// What drift is looked for in.
#[derive(Clone)]
pub struct DriftSpec {
    /// The infrastructure. Its code is not needed.
    pub infra: InfraId,
    /// Targets to look at besides those that the logs name: those of the code, where it is valid. A log that was lost
    /// names none.
    pub targets: BTreeSet<TargetId>,
    /// The pure halves.
    pub providers: Providers,
    /// How often a read that is not answered is repeated.
    pub read_attempts: u32,
}

/// Reads the logs and what the clouds hold, and compares them.
///
/// # Guarantees
/// Nothing is written to the store and nothing is called that changes anything.
///
/// # Errors
/// The store cannot be used. A damaged log, a target that cannot be used and a read that fails are part of the report.
pub async fn look_for_drift(io: &Io, spec: &DriftSpec) -> Result<DriftReport, RunError> {
    io.emit(Progress::Phase { what: "reading the logs".to_owned() });
    look_at_store(io, &spec.infra).await?;
    let blocks = list_blocks(io).await?;
    let recorded = read_recorded(io, &spec.infra, blocks).await?;
    let wanted = types(spec, &recorded);
    let (bounds, unusable) = verify(io, wanted.keys().map(|(target, _)| target.clone()).collect()).await;
    let asked = wanted.keys().cloned().collect();
    io.emit(Progress::Phase { what: "reading what is there".to_owned() });
    let limiter = Limiter::new(&Rates::default(), &spec.providers);
    let reader = Reader { io, limiter: &limiter, attempts: spec.read_attempts };
    let world = observe_types(reader, &spec.infra, wanted, &bounds).await;
    Ok(drift(DriftInputs {
        infra: &spec.infra,
        recorded: &recorded,
        world: &world,
        providers: &spec.providers,
        asked: &asked,
        unusable: &unusable,
    }))
}

/// Every type of every target: something may carry our mark of which no log knows any object.
fn types<'a>(spec: &DriftSpec, recorded: &'a BTreeMap<BlockAddr, BlockInput>) -> ObjectsByType<'a> {
    let mut wanted = recorded_by_type(recorded, |_, _| true);
    let states = recorded.values().filter_map(|recorded| recorded.as_ref().ok());
    for target in states.flat_map(|state| state.targets.values()).chain(&spec.targets) {
        let schemas = spec.providers.get(&target.provider).map(|provider| provider.schemas()).unwrap_or_default();
        for type_name in schemas.iter().filter_map(|schema| schema.type_name.parse().ok()) {
            wanted.entry((target.clone(), type_name)).or_default();
        }
    }
    wanted
}

/// Asks every target who we are. One that cannot be used does not keep the others from being read.
async fn verify(io: &Io, targets: BTreeSet<TargetId>) -> (BTreeMap<TargetId, Bounds>, BTreeMap<TargetId, String>) {
    let (mut bounds, mut unusable) = (BTreeMap::new(), BTreeMap::new());
    for (target, verified) in run::verify(io, targets).await {
        match verified {
            Verified::Yes { bounds: found } => drop(bounds.insert(target, found)),
            Verified::No { problem } => drop(unusable.insert(target, problem)),
        }
    }
    (bounds, unusable)
}
