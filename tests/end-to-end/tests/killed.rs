//! SIGKILL before and after each write and each call of a plan with one resource of each type: the next run finishes
//! it, without an operator, and there is exactly one of each.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use end_to_end::points::Point;
use end_to_end::pool::{and_more, each};
use end_to_end::world::{APPLY, puts};
use end_to_end::{Variant, World};
use testbed::aws::{Fault, RecordedCall};
use tokio::time::sleep;

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
/// How many points are tested at a time.
const WORLDS: usize = 8;
const CREATES: [&str; 4] = ["CreateVpc", "CreateSubnet", "CreateSecurityGroup", "RunInstances"];

/// When the run is killed, as the server sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// The request is on its way, and arrives only after the next run is through.
    Before,
    /// The request is on its way, and arrives while the next run is at work.
    Late,
    /// The request was executed; its answer was not heard.
    After,
}

struct Case {
    moment: Moment,
    point: Point,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.moment, self.point)
    }
}

/// What became of the request of the run that was killed, and of the next run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It was executed.
    Executed,
    /// It was refused when it came: too old, or its key was taken.
    Refused,
    /// It was written between the next run's plan and its claims: that run refused to go on, and did nothing.
    ChangedThePlan,
}

#[tokio::test]
async fn a_run_killed_at_any_point_is_finished_by_the_next() {
    let Some(first) = World::start(BINARY).await else { return };
    let began = Instant::now();
    first.apply(Variant::OneEach).await;
    let points = Point::all(&first.mutating());
    let calls = points.iter().filter(|point| point.cloud).count();
    let writes = points.len() - calls;
    assert!(calls >= 8 && writes >= 25, "{points:?}");

    let worlds = and_more(first, BINARY, WORLDS).await;
    let moments = [Moment::Before, Moment::Late, Moment::After];
    let cases = moments.into_iter().flat_map(|moment| points.iter().map(move |point| (moment, point.clone())));
    let mut cases: Vec<Case> = cases.map(|(moment, point)| Case { moment, point }).collect();
    // Those that wait longest first.
    cases.sort_by_key(|case| (!case.point.cloud, case.moment));
    let total = cases.len();
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    for (case, fate) in each(&worlds, cases, killed_at).await {
        *seen.entry((case.point.cloud, case.moment, fate)).or_default() += 1;
    }
    println!(
        "killed at {calls} calls and {writes} writes, before, late and after: {total} points in {:.0?}",
        began.elapsed()
    );
    for ((cloud, moment, fate), count) in &seen {
        println!("  {count:3} {} {moment:?}: {fate:?}", if *cloud { "calls" } else { "writes" });
    }
    // What the proxy is there for: calls did come late, were executed where that is still in time, else refused.
    let count = |moment, fate| seen.get(&(true, moment, fate)).copied().unwrap_or_default();
    assert_eq!(count(Moment::Before, Fate::Refused), calls, "later than the bound: never executed");
    assert!(count(Moment::Late, Fate::Executed) > 0, "within the bound: executed, and found");
}

async fn killed_at(world: &World, Case { moment, point }: &Case) -> Fate {
    let (aws, moment) = (&world.aws, *moment);
    let fault = if moment == Moment::After { Fault::HoldAnswer } else { Fault::Hold };
    let held = |call: &RecordedCall| call.faulted.as_ref() == Some(&fault);
    let rule = aws.add_rule(point.rule(fault.clone()));
    let running = world.spawn(Variant::OneEach, &APPLY);
    rule.arrived(1).await;
    let arrived = Instant::now();
    if moment == Moment::After {
        aws.until(|calls| calls.iter().any(|call| held(call) && call.result.is_some())).await;
    }
    let killed = running.killed().await;
    assert_eq!(killed.code(), None, "{killed:#?}");
    if moment == Moment::After {
        rule.release();
    }
    let runs = aws.count(puts("v1/run/"));
    let next = world.spawn(Variant::OneEach, &APPLY);
    if moment == Moment::Late {
        if point.cloud {
            // Within the bound, and when the next run has had a look.
            sleep(Duration::from_millis(1_500).saturating_sub(arrived.elapsed())).await;
        } else {
            // When the next run begins to write, so that it is a race for the same keys.
            let writes = aws.arrived(puts("v1/run/"), runs + 1);
            tokio::select! { () = writes => {}, () = sleep(Duration::from_secs(3)) => {} }
        }
        rule.release();
    }
    let mut next = next.ended().await;
    let changed = next.err.contains("the world has changed since the plan was made, so nothing was done");
    if changed && moment == Moment::Late && !point.cloud {
        // An intent of the killed run was written after this run had planned. It is not what was approved: plan again.
        next = world.run(Variant::OneEach, &APPLY).await;
    }
    let next = next.succeeded();
    rule.release();
    aws.until(|calls| calls.iter().any(|call| held(call) && call.result.is_some())).await;
    let calls = aws.calls();
    let result = calls.iter().find(|call| held(call)).and_then(|call| call.result).unwrap_or_default();

    assert_eq!(world.held().await.counts(), [1; 4], "{next:#?}");
    for create in CREATES {
        // Nothing was made twice, not even to be deleted again.
        let made = calls.iter().filter(|call| call.action == create && call.executed && call.result == Some(200));
        assert_eq!(made.count(), 1, "{create}: {next:#?}");
    }
    world.plan_is_empty(Variant::OneEach).await;
    match result {
        _ if changed => Fate::ChangedThePlan,
        200..300 => Fate::Executed,
        _ => Fate::Refused,
    }
}
