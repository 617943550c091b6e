//! Requests and answers that get lost: the run itself, or the next one, finds out, and there is exactly one of each.
#![expect(clippy::disallowed_methods, reason = "tests measure time")]

use std::fmt;
use std::time::{Duration, Instant};

use end_to_end::pool::{and_more, each, say};
use end_to_end::world::APPLY;
use end_to_end::{Variant, World};
use testbed::aws::{Caller, Fault, Lag, Rule};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
const WORLDS: usize = 6;
const CREATES: [&str; 4] = ["CreateVpc", "CreateSubnet", "CreateSecurityGroup", "RunInstances"];

struct Case {
    create: &'static str,
    fault: Fault,
    /// Whether new objects are not found at first.
    lags: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}{}", self.create, self.fault, if self.lags { " with lag" } else { "" })
    }
}

#[tokio::test]
async fn a_lost_create_makes_one_object() {
    let Some(first) = World::start(BINARY).await else { return };
    let began = Instant::now();
    let worlds = and_more(first, BINARY, WORLDS).await;
    let late = Fault::DeliverLate { after: Duration::from_millis(1_200), caller: Caller::Disconnected };
    let faults = [Fault::LoseRequest, Fault::LoseAnswer, Fault::ErrorAfter(500), Fault::CutConnection, late];
    let cases: Vec<Case> = CREATES
        .into_iter()
        .flat_map(|create| faults.iter().map(move |fault| (create, fault.clone())))
        .flat_map(|(create, fault)| [false, true].map(|lags| Case { create, fault: fault.clone(), lags }))
        .filter(|case| !case.lags || matches!(case.fault, Fault::LoseAnswer | Fault::LoseRequest))
        .collect();
    let total = cases.len();
    let results = each(&worlds, cases, lost).await;
    let by_itself = results.iter().filter(|(_, runs)| *runs == 1).count();
    say(&format!("{total} lost creates, {by_itself} of which the run itself mended, in {:.0?}", began.elapsed()));
}

/// How many runs it took.
async fn lost(world: &World, Case { create, fault, lags }: &Case) -> usize {
    if *lags {
        let lag = Duration::from_millis(600);
        world.aws.set_lag(Lag { reads: lag, uses: lag });
    }
    let rule = world.aws.add_rule(Rule::new(*create, fault.clone()));
    let mut ran = world.run(Variant::OneEach, &APPLY).await;
    assert_eq!(rule.hits(), 1);
    let mut runs = 1;
    if ran.code() != Some(0) {
        runs += 1;
        ran = world.run(Variant::OneEach, &APPLY).await;
    }
    let ran = ran.succeeded();
    if matches!(fault, Fault::DeliverLate { .. }) {
        // Not before what comes late has come.
        world.aws.until(|calls| calls.iter().any(|call| call.faulted.is_some() && call.result.is_some())).await;
    }
    assert_eq!(world.held().await.counts(), [1; 4], "{ran:#?}");
    let calls = world.aws.calls();
    let made = |call: &&testbed::aws::RecordedCall| call.action == *create && call.executed && call.result == Some(200);
    assert_eq!(calls.iter().filter(made).count(), 1, "{ran:#?}");
    world.plan_is_empty(Variant::OneEach).await;
    runs
}
