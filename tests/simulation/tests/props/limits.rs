//! Clouds that throttle: whole runs in virtual time against token buckets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provision_core::call::{Answer, Refusal};
use provision_core::desired::{Channel, Desired, DesiredBlock, DesiredDc};
use provision_core::exec::GenerationChoice;
use provision_core::id::BlockAddr;
use provision_core::plan::Mode;
use provision_core::sim::{Rate, SimConfig};
use provision_core::target::TargetId;
use provision_core::value::{Tree, Value};
use simulation::infra::{Kind, output, resource};
use simulation::oracle;
use simulation::process::Job;
use simulation::sim::Sim;
use simulation::trace::{Did, Trace};
use simulation::world::World;

/// So many blocks from this number on, each with a network and so many subnets.
pub(crate) fn networks(from: usize, blocks: usize, subnets: usize) -> Desired {
    let provider: provision_core::id::ProviderName = "aws".parse().unwrap();
    let target = TargetId { provider: provider.clone(), account: "123456789012".to_owned(), region: "r".to_owned() };
    let targets = BTreeMap::from([(provider, target)]);
    let dc = DesiredDc { env: "prod".parse().unwrap(), channel: Channel::Stable, targets };
    let block = |number: usize| {
        let addr: BlockAddr = format!("dc.b{number}").parse().unwrap();
        let vpc = output(&addr.resource("vpc".parse().unwrap()), "id");
        let cidr = BTreeMap::from([("cidr".to_owned(), "10.0.0.0/16".into())]);
        let mut resources = BTreeMap::from([("vpc".parse().unwrap(), resource(Kind::Vpc, cidr, 1))]);
        for n in 0..subnets {
            let inputs = [
                ("vpc", vpc.clone()),
                ("zone", "z".into()),
                ("cidr", format!("10.{}.{}.0/24", n / 256, n % 256).into()),
            ];
            let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            resources.insert(format!("subnet-{n}").parse().unwrap(), resource(Kind::Subnet, inputs, 1));
        }
        let (function, outputs) = ("b".to_owned(), Tree::Null);
        let (params, after, checks) = (Value::Null, Default::default(), BTreeMap::new());
        (
            addr,
            DesiredBlock {
                function,
                params,
                after,
                resources,
                outputs,
                checks,
                crossings: BTreeMap::new(),
                lookups: BTreeMap::new(),
            },
        )
    };
    Desired {
        infra: "wix".parse().unwrap(),
        environments: vec!["prod".parse().unwrap()],
        dcs: BTreeMap::from([("dc".parse().unwrap(), dc)]),
        blocks: (from..from + blocks).map(block).collect(),
        custom_checks: Default::default(),
        nevers: Vec::new(),
    }
}

pub(crate) fn job(desired: &Desired) -> Job {
    let mut job = Job::new(Arc::new(desired.clone()), Mode::Apply, 0);
    (job.generation, job.lease) = (GenerationChoice::Highest, Duration::from_secs(30));
    job
}

pub(crate) fn per_second(burst: u32, per_second: u32) -> Option<Rate> {
    Some(Rate { burst, per_second })
}

/// An instant cloud with this limit on each API; nothing but waiting takes time.
pub(crate) fn world(throttle: Option<Rate>) -> World {
    let mut world = World::new(SimConfig { throttle, ..SimConfig::instant(7) });
    (world.tick_ms, world.verbose) = (0, false);
    world
}

/// How many creates of subnets were answered: done, and throttled.
fn creates(trace: &Trace) -> (usize, usize) {
    let (mut done, mut throttled) = (0, 0);
    for step in &trace.steps {
        let Did::Call { sending, answer, .. } = &step.did else { continue };
        match answer {
            Answer::Done { .. } if sending.call.api == "CreateSubnet" => done += 1,
            Answer::Refused { refusal: Refusal::Throttled, .. } => throttled += 1,
            Answer::Refused { .. } => panic!("nothing is refused but for its rate: {answer:?}"),
            Answer::Done { .. } | Answer::Unknown { .. } => {}
        }
    }
    (done, throttled)
}

/// Runs these jobs at once, and tells how long they took, in milliseconds. Halfway something may change.
fn run(world: World, jobs: &[Desired], meanwhile: Option<(u64, Rate)>) -> (Sim, u64) {
    let mut sim = Sim::new(world);
    let began = sim.world.ms;
    for desired in jobs {
        sim.start(job(desired), false);
    }
    if let Some((after, rate)) = meanwhile {
        sim.run_until(began + after).unwrap();
        sim.world.cloud.throttle(Some(rate));
    }
    sim.run().unwrap();
    for process in &sim.processes {
        assert!(process.is_good(), "{:?}", process.outcome());
    }
    let took = sim.world.ms - began;
    (sim, took)
}

fn is_within_15_percent(what: &str, took: u64, bound: u64) {
    println!("{what}: {took} ms, where the limit takes {bound}");
    assert!(took * 100 <= bound * 115, "{what}: {took} ms, where the limit takes {bound}");
}

#[test]
fn five_hundred_creates_at_twenty_per_second() {
    let desired = networks(0, 10, 50);
    for burst in [1, 50, 100] {
        let (sim, took) = run(world(per_second(burst, 20)), std::slice::from_ref(&desired), None);
        oracle::is_as_defined(&desired, &sim.world.objects()).unwrap();
        let (done, throttled) = creates(&sim.world.trace);
        assert_eq!(done, 500, "each is made once");
        assert!(throttled < 250, "{throttled} answers were throttling ones");
        is_within_15_percent(&format!("a burst of {burst}"), took, u64::from(500 - burst) * 1_000 / 20);
    }
}

#[test]
fn two_runs_share_what_the_server_lets_through() {
    let jobs = [networks(0, 5, 50), networks(5, 5, 50)];
    let (_, took) = run(world(per_second(50, 20)), &jobs, None);
    is_within_15_percent("two runs", took, 450 * 1_000 / 20);
}

#[test]
fn a_limit_that_changes_midway_is_found_again() {
    for (rate, bound) in [(40, 8_000 + (500 - 20 - 160) * 1_000 / 40), (5, 8_000 + (500 - 20 - 160) * 1_000 / 5)] {
        let meanwhile = Some((8_000, Rate { burst: 20, per_second: rate }));
        let (_, took) = run(world(per_second(20, 20)), &[networks(0, 10, 50)], meanwhile);
        is_within_15_percent(&format!("from 20 to {rate} per second"), took, bound);
    }
}

/// What reads have learnt while it was planned, calls need not find out: and reads that come after, neither.
#[test]
fn what_is_throttled_for_long_uses_up_no_attempts() {
    // Less than one call in the time for which a stamp is good.
    let (sim, took) = run(world(Some(Rate { burst: 1, per_second: 1 })), &[networks(0, 1, 50)], None);
    assert_eq!(creates(&sim.world.trace).0, 50);
    assert!(took < 80_000, "{took}");
}
