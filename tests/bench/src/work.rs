//! The pieces of work, each in a process of its own.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use provision_core::driver::{ObjectStoreBackend, World};
use provision_core::embed::{Engine, PlanRequest, Simulated, Task};
use provision_core::exec::{Binding, GenerationChoice};
use provision_core::plan::{Plan, Providers};
use provision_core::provider::Provider;
use provision_core::sim::{Held, SimCloud, SimConfig, Tamper};
use provision_core::stream::Signer;
use provision_core::stream::event::RunOutcome;

use crate::count::Counting;
use crate::infra::{self, PlainProvider};
use crate::terraform;
use crate::usage::{Meter, Took, Whose};

/// A piece of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// A plan to create everything.
    Plan,
    /// An apply of that, with its plan: what a run of the command does.
    Apply,
    /// A plan of what was applied: nothing to do.
    Noop,
    /// What it costs to write the definitions down, which is a part of all these.
    Define,
    /// The same of the peer.
    TerraformPlan,
    /// The same of the peer.
    TerraformApply,
    /// The same of the peer.
    TerraformNoop,
}

/// Does it.
///
/// # Errors
/// It does not end as it should.
pub(crate) fn run(work: Work, resources: usize, dir: &Path) -> Result<Took, Box<dyn Error>> {
    match work {
        Work::Define => {
            let meter = Meter::begin(Whose::Own)?;
            let desired = infra::infrastructure(resources).finish();
            let took = meter.end(None)?;
            desired.map(drop).map_err(|findings| format!("{findings:?}"))?;
            Ok(took)
        }
        Work::TerraformPlan | Work::TerraformNoop => terraform::plan(dir),
        Work::TerraformApply => terraform::apply(dir),
        Work::Plan | Work::Apply | Work::Noop => {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(ours(work, resources, dir))
        }
    }
}

async fn ours(work: Work, resources: usize, dir: &Path) -> Result<Took, Box<dyn Error>> {
    let mut cloud = SimCloud::new(SimConfig::instant(7));
    let held = dir.join("cloud.json");
    if work == Work::Noop {
        restore(&mut cloud, &serde_json::from_slice::<Vec<Held>>(&fs::read(&held)?)?)?;
    }
    let cloud = Arc::new(Mutex::new(cloud));
    let meter = Meter::begin(Whose::Own)?;
    let desired = infra::infrastructure(resources).finish().map_err(|findings| format!("{findings:?}"))?;
    // As the command opens it: synced before a put is answered.
    let state = dir.join("state");
    let address = state.to_str().ok_or("the directory is no text")?;
    let store = match work {
        Work::Plan => ObjectStoreBackend::memory(),
        _ => ObjectStoreBackend::open(address).await?,
    };
    let store = Counting::new(store);
    let providers = Providers::new([Arc::new(PlainProvider) as Arc<dyn Provider>]);
    let world = World::new(Arc::new(store.clone()), Arc::new(Simulated::Memory(cloud.clone())));
    let engine = Engine::new(desired, providers, world, Signer::new(&[7; 32], "bench"))?;
    let engine = Engine { simulated: true, generation: GenerationChoice::AfterHighest, ..engine };
    let plan = ended(engine.plan(&PlanRequest::default())).await?.plan;
    expect(&plan, if work == Work::Noop { 0 } else { resources })?;
    if work == Work::Apply {
        let mut run = engine.apply(plan, Binding::Ceiling);
        while run.next_event().await.is_some() {}
        let report = run.finish().await?;
        if report.outcome != RunOutcome::Succeeded {
            return Err(format!("the run ended as {:?}: {:?}", report.outcome, report.problems).into());
        }
    }
    let took = meter.end(Some(store.counts()))?;
    if work == Work::Apply {
        let now = provision_core::call::ServerTime(u64::MAX);
        let objects = cloud.lock().unwrap_or_else(PoisonError::into_inner).objects(now);
        if objects.len() != resources {
            return Err(format!("{} objects for {resources} resources", objects.len()).into());
        }
        fs::write(held, serde_json::to_vec(&objects)?)?;
    }
    Ok(took)
}

/// Takes events as the command does, so that they do not pile up.
async fn ended<T: Send + 'static>(mut task: Task<T>) -> Result<T, Box<dyn Error>> {
    while task.next_event().await.is_some() {}
    Ok(task.finish().await?)
}

fn expect(plan: &Plan, changes: usize) -> Result<(), Box<dyn Error>> {
    let planned = plan.resources().filter(|(_, resource)| resource.applies()).count();
    let refused: Vec<_> = plan.refusals().collect();
    if planned == changes && refused.is_empty() {
        Ok(())
    } else {
        Err(format!("{planned} changes instead of {changes}, {refused:?} refused").into())
    }
}

/// Makes the objects again that an apply had made: numbers and seed give the same ids.
fn restore(cloud: &mut SimCloud, objects: &[Held]) -> Result<(), Box<dyn Error>> {
    let now = provision_core::call::ServerTime(0);
    for Held { target, type_name, id, mark, fields, readiness: _ } in objects {
        let mut fields = fields.clone();
        fields.remove("id");
        let (target, type_name, mark) = (target.clone(), type_name.clone(), mark.clone());
        let made = cloud.tamper(now, &Tamper::Create { target, type_name, fields, mark, name: None })?;
        if made.as_ref() != Some(id) {
            return Err(format!("{made:?} instead of {id}").into());
        }
    }
    Ok(())
}
