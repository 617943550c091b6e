//! How long a run takes, against the longest way through what it has to do, and against what the cloud lets through.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use provision_core::call::{Effect, Wait};
use provision_core::desired::Desired;
use provision_core::exec::GenerationChoice;
use provision_core::id::{EnvName, ObjectId, ResourceAddr};
use provision_core::plan::Mode;
use provision_core::sim::SimConfig;
use simulation::infra::specs;
use simulation::oracle;
use simulation::process::Job;
use simulation::sim::{Chance, Delays, Sim};
use simulation::trace::Trace;
use simulation::world::World;

use super::limits::{networks, per_second};

/// The longest that one read takes in the cloud's model: what was waited for is seen by a read.
const READ_MS: u64 = 80;

/// What a run has to wait for from the first call on: the calls of a resource one after the other, each as long as the cloud
/// takes for it and for what it asks to wait for, after all that the resource uses, after the blocks that its block comes
/// after, and after the environments before.
///
/// It knows what was called, but not when.
fn longest_way(desired: &Desired, config: &SimConfig, trace: &Trace) -> u64 {
    let latency = config.latency();
    let mut whose: BTreeMap<ObjectId, ResourceAddr> = BTreeMap::new();
    let mut takes: BTreeMap<ResourceAddr, Duration> = BTreeMap::new();
    for (_, sending, answer) in trace.executed() {
        let provision_core::call::Answer::Done { id, .. } = answer else { continue };
        if let (Effect::Create { mark: Some(mark), .. }, Some(id)) = (&sending.call.effect, id) {
            whose.insert(id.clone(), mark.address.clone());
        }
        let object = id.as_ref().or(sending.object.as_ref()).unwrap();
        let waits = match sending.call.wait {
            Wait::No => Duration::ZERO,
            Wait::Ready(_) => latency.ready(object) + Duration::from_millis(READ_MS),
            Wait::Gone(_) => panic!("nothing is removed"),
        };
        *takes.entry(whose[object].clone()).or_default() += latency.call(sending) + waits;
    }
    let env = |addr: &ResourceAddr| {
        let env: &EnvName = &desired.dcs[&addr.block.dc].env;
        desired.environments.iter().position(|other| other == env).unwrap()
    };
    let mut ended: BTreeMap<ResourceAddr, Duration> = BTreeMap::new();
    let all: BTreeSet<ResourceAddr> = takes.keys().cloned().collect();
    while ended.len() < all.len() {
        let before = ended.len();
        for addr in &all {
            let block = &desired.blocks[&addr.block];
            let uses = block.resources[&addr.name].depends_on();
            let comes_after = |other: &ResourceAddr| {
                uses.contains(other) || block.after.contains(&other.block) || env(other) < env(addr)
            };
            let mut before = all.iter().filter(|other| comes_after(other));
            if !ended.contains_key(addr) && before.clone().all(|other| ended.contains_key(other)) {
                let begins = before.by_ref().map(|other| ended[other]).max().unwrap_or_default();
                ended.insert(addr.clone(), begins + takes[addr]);
            }
        }
        assert!(ended.len() > before, "refs in a circle");
    }
    u64::try_from(ended.values().max().copied().unwrap_or_default().as_millis()).unwrap()
}

/// Applies it, and tells how long that took from the first call to the end of the run, in milliseconds.
fn apply(desired: &Desired, config: &SimConfig) -> (u64, Trace) {
    let mut world = World::new(config.clone());
    world.tick_ms = 0;
    let mut sim = Sim::new(world);
    sim.chance = Chance { order: None, delays: Delays::Modelled };
    let mut job = Job::new(Arc::new(desired.clone()), Mode::Apply, 0);
    (job.generation, job.lease) = (GenerationChoice::AfterHighest, Duration::from_secs(3_600));
    sim.start(job, false);
    sim.run().unwrap();
    assert!(sim.processes[0].is_good(), "{:?}", sim.processes[0].outcome());
    oracle::is_as_defined(desired, &sim.world.objects()).unwrap();
    let trace = std::mem::take(&mut sim.world.trace);
    let sent = trace.calls().map(|call| trace.steps[call.at].ms).min().unwrap_or(sim.world.ms);
    (sim.world.ms - sent, trace)
}

fn realistic(seed: u64) -> SimConfig {
    SimConfig { latency_percent: 100, ..SimConfig::instant(seed) }
}

/// At most 5 % longer.
fn is_close(took: u64, bound: u64) -> bool {
    took * 100 <= bound * 105
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_run_takes_as_long_as_its_longest_way(spec in specs(), seed: u64) {
        let (desired, config) = (spec.desired(), realistic(seed));
        let (took, trace) = apply(&desired, &config);
        let bound = longest_way(&desired, &config, &trace);
        prop_assert!(is_close(took, bound), "{took} ms, where the longest way takes {bound}\n{}", trace.table());
    }
}

/// Wide: what the cloud lets through decides.
#[test]
fn a_wide_run_takes_as_long_as_the_limit() {
    let desired = networks(0, 20, 50);
    let config = SimConfig { throttle: per_second(50, 20), ..realistic(7) };
    let (took, _) = apply(&desired, &config);
    let bound = (1_000 - 50) * 1_000 / 20;
    println!("1,000 creates at 20 per second: {took} ms, where the limit takes {bound}");
    assert!(is_close(took, bound), "{took} ms, where the limit takes {bound}");
}
