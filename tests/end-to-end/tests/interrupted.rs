//! Ctrl-C: the first ends the run in order, the second at once. Either way the next run goes on from there.
#![expect(clippy::disallowed_methods, reason = "tests measure time")]

use std::time::{Duration, Instant};

use end_to_end::world::APPLY;
use end_to_end::{Variant, World};
use rustix::process::Signal;
use testbed::aws::{Fault, Rule};
use tokio::time::sleep;

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
/// How long a run waits for the answers of calls on their way, and a little more.
const DRAIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_first_interrupt_waits_for_answers_and_gives_back() {
    let Some(world) = World::start(BINARY).await else { return };
    let held = world.aws.add_rule(Rule::new("CreateVpc", Fault::Hold));
    let run = world.spawn(Variant::OneEach, &APPLY);
    held.arrived(1).await;
    run.signal(Signal::INT);
    sleep(Duration::from_millis(500)).await;
    held.release();
    let began = Instant::now();
    let run = run.ended().await;
    assert_eq!(run.code(), Some(130), "{run:#?}");
    assert!(began.elapsed() < DRAIN, "{run:#?}");
    assert!(run.out.contains("Interrupted; the next run goes on from here."), "{run:#?}");
    assert_eq!(world.ec2_changes(), ["CreateVpc"], "no new calls");

    // Recorded, and given back.
    let list = world.run(Variant::OneEach, &["state", "list"]).await.succeeded();
    assert!(list.out.contains(world.held().await.vpc()), "{list:#?}");
    assert!(!list.out.contains("open:") && !list.out.contains("claimed"), "{list:#?}");
    world.apply(Variant::OneEach).await;
    assert_eq!(world.held().await.counts(), [1; 4]);
    assert_eq!(world.aws.count("CreateVpc"), 1);
    world.plan_is_empty(Variant::OneEach).await;
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for_for_ever() {
    let Some(world) = World::start(BINARY).await else { return };
    let held = world.aws.add_rule(Rule::new("CreateVpc", Fault::HoldAnswer));
    let run = world.spawn(Variant::OneEach, &APPLY);
    world.aws.executed("CreateVpc", 1).await;
    run.signal(Signal::INT);
    let began = Instant::now();
    let run = run.ended().await;
    assert_eq!(run.code(), Some(130), "{run:#?}");
    assert!(began.elapsed() < DRAIN, "{:?}: {run:#?}", began.elapsed());
    held.release();
    let list = world.run(Variant::OneEach, &["state", "list"]).await.succeeded();
    assert!(list.out.contains("open: whether CreateVpc landed is not known"), "{list:#?}");
    world.apply(Variant::OneEach).await;
    assert_eq!(world.held().await.counts(), [1; 4]);
    assert_eq!(world.aws.count("CreateVpc"), 1);
    world.plan_is_empty(Variant::OneEach).await;
}

#[tokio::test]
async fn the_second_interrupt_ends_at_once() {
    let Some(world) = World::start(BINARY).await else { return };
    let held = world.aws.add_rule(Rule::new("CreateVpc", Fault::Hold));
    let run = world.spawn(Variant::OneEach, &APPLY);
    held.arrived(1).await;
    run.signal(Signal::INT);
    sleep(Duration::from_millis(300)).await;
    run.signal(Signal::INT);
    let began = Instant::now();
    let run = run.ended().await;
    assert_eq!(run.code(), Some(130), "{run:#?}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}: {run:#?}", began.elapsed());
    held.release();
    world.apply(Variant::OneEach).await;
    assert_eq!(world.held().await.counts(), [1; 4]);
    assert_eq!(world.aws.count_executed("CreateVpc"), 1);
    world.plan_is_empty(Variant::OneEach).await;
}
