//! SIGKILL before and after each write and each call: the next run finishes it, without an operator, and there is
//! exactly one of each.
#![expect(clippy::disallowed_methods, reason = "tests measure time")]

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use end_to_end::points::Point;
use end_to_end::pool::{and_more, each, say};
use end_to_end::world::{APPLY, PLAN, puts};
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

/// What is applied, and killed on the way.
struct Scenario {
    name: &'static str,
    /// What is there before.
    before: Option<Variant>,
    variant: Variant,
    args: &'static [&'static str],
    /// With what a plan shows that nothing is left to be done.
    plan: &'static [&'static str],
    /// How many VPCs, subnets, groups and instances there are at the end.
    counts: [usize; 4],
}

const CREATE: Scenario =
    Scenario { name: "create", before: None, variant: Variant::OneEach, args: &APPLY, plan: &PLAN, counts: [1; 4] };

const REPLACE: Scenario = Scenario {
    name: "replace",
    before: Some(Variant::Base),
    variant: Variant::GroupReplaced,
    args: &APPLY,
    plan: &PLAN,
    counts: [1, 2, 2, 1],
};

const DESTROY: Scenario = Scenario {
    name: "destroy",
    before: Some(Variant::OneEach),
    variant: Variant::OneEach,
    args: &["destroy", "--auto-approve", "--generation", "1"],
    plan: &["plan", "--destroy", "--detailed-exitcode", "--generation", "1"],
    counts: [0; 4],
};

struct Case<'a> {
    scenario: &'a Scenario,
    moment: Moment,
    point: Point,
    /// How often each create succeeds in all.
    made: &'a [usize; 4],
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?} {}", self.scenario.name, self.moment, self.point)
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
async fn a_create_killed_at_any_call_or_write_is_finished_by_the_next_run() {
    killed(&CREATE, |_| true).await;
}

/// At the calls; `E2E_POINTS=all` adds the writes, which are like those of a create.
#[tokio::test]
async fn a_replacement_killed_at_any_call_is_finished_by_the_next_run() {
    killed(&REPLACE, |point| point.cloud || all_points()).await;
}

/// At the calls; `E2E_POINTS=all` adds the writes, which are like those of a create.
#[tokio::test]
async fn a_destroy_killed_at_any_call_is_finished_by_the_next_run() {
    killed(&DESTROY, |point| point.cloud || all_points()).await;
}

fn all_points() -> bool {
    std::env::var("E2E_POINTS").is_ok_and(|points| points == "all")
}

async fn killed(scenario: &Scenario, wanted: impl Fn(&Point) -> bool) {
    let Some(first) = World::start(BINARY).await else { return };
    let began = Instant::now();
    set_up(&first, scenario).await;
    let before = first.mutating().len();
    first.run(scenario.variant, scenario.args).await.succeeded();
    assert_eq!(first.held().await.counts(), scenario.counts);
    let made = made(&first.aws.calls());
    let mut points = Point::all(&first.mutating()[before..]);
    points.retain(wanted);
    let calls = points.iter().filter(|point| point.cloud).count();
    let writes = points.len() - calls;
    assert!(calls >= 4, "{points:?}");

    let worlds = and_more(first, BINARY, WORLDS.min(points.len())).await;
    let mut cases: Vec<Case<'_>> = Vec::new();
    for moment in [Moment::Before, Moment::Late, Moment::After] {
        cases.extend(points.iter().map(|point| Case { scenario, moment, point: point.clone(), made: &made }));
    }
    // Those that wait longest first.
    cases.sort_by_key(|case| (!case.point.cloud, case.moment));
    let total = cases.len();
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    for (case, fate) in each(&worlds, cases, killed_at).await {
        *seen.entry((case.point.cloud, case.moment, fate)).or_default() += 1;
    }
    let what = scenario.name;
    say(&format!(
        "{what}: killed at {calls} calls and {writes} writes, before, late, after: {total} points in {:.0?}",
        began.elapsed()
    ));
    for ((cloud, moment, fate), count) in &seen {
        say(&format!("  {count:3} {} {moment:?}: {fate:?}", if *cloud { "calls" } else { "writes" }));
    }
    let count = |moment, fate| seen.get(&(true, moment, fate)).copied().unwrap_or_default();
    assert_eq!(count(Moment::Before, Fate::Refused), calls, "a call later than the bound is never executed");
    assert_eq!(count(Moment::After, Fate::Executed), calls);
}

async fn set_up(world: &World, scenario: &Scenario) {
    if let Some(before) = scenario.before {
        world.apply(before).await;
    }
}

/// How often each create was executed and succeeded.
fn made(calls: &[RecordedCall]) -> [usize; 4] {
    CREATES.map(|create| {
        let made = |call: &&RecordedCall| call.action == create && call.executed && call.result == Some(200);
        calls.iter().filter(made).count()
    })
}

async fn killed_at(world: &World, case: &Case<'_>) -> Fate {
    let Case { scenario, moment, point, made: expected } = case;
    set_up(world, scenario).await;
    // As in the first run: what is counted is what this run does.
    let (aws, moment) = (&world.aws, *moment);
    let fault = if moment == Moment::After { Fault::HoldAnswer } else { Fault::Hold };
    let held = |call: &RecordedCall| call.faulted.as_ref() == Some(&fault);
    let rule = aws.add_rule(point.rule(fault.clone()));
    let running = world.spawn(scenario.variant, scenario.args);
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
    let next = world.spawn(scenario.variant, scenario.args);
    if moment == Moment::Late {
        if point.cloud {
            // Within the bound, and when the next run has had a look.
            sleep(Duration::from_millis(1_000).saturating_sub(arrived.elapsed())).await;
        } else {
            // When the next run begins to write, so that it is a race for the same keys.
            let writes = aws.arrived(puts("v1/run/"), runs + 1);
            tokio::select! { () = writes => {}, () = sleep(Duration::from_secs(3)) => {} }
        }
        rule.release();
    }
    let mut next = next.ended().await;
    let changed = next.err.contains("the world has changed since the plan was made, so nothing is done");
    if changed && moment == Moment::Late && !point.cloud {
        // An intent of the killed run was written after this run had planned. It is not what was approved: plan again.
        next = world.run(scenario.variant, scenario.args).await;
    }
    let next = next.succeeded();
    rule.release();
    aws.until(|calls| calls.iter().any(|call| held(call) && call.result.is_some())).await;
    let calls = aws.calls();
    let result = calls.iter().find(|call| held(call)).and_then(|call| call.result).unwrap_or_default();

    assert_eq!(world.held().await.counts(), scenario.counts, "{next:#?}");
    // Nothing was made twice, not even to be deleted again.
    assert_eq!(made(&calls), **expected, "{CREATES:?}: {next:#?}");
    let plan = world.run(scenario.variant, scenario.plan).await;
    assert_eq!(plan.code(), Some(0), "the plan is not empty: {plan:#?}");
    assert!(plan.out.contains("No changes.") && !plan.out.contains("note:"), "{plan:#?}");
    match result {
        _ if changed => Fate::ChangedThePlan,
        200..300 => Fate::Executed,
        _ => Fate::Refused,
    }
}
