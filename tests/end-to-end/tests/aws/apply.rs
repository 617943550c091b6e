//! What an apply makes, and that a destroy leaves nothing.

use std::collections::BTreeSet;

use end_to_end::{Variant, World, world::APPLY};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");

#[tokio::test]
async fn after_an_apply_the_plan_is_empty_and_the_state_is_what_is_there() {
    let Some(world) = World::start(BINARY).await else { return };
    let plan = world.run(Variant::Base, &["plan", "--detailed-exitcode", "--generation", "1"]).await;
    assert_eq!(plan.code(), Some(2), "{plan:#?}");
    assert!(plan.out.contains("Plan: 6 to add, 0 to change, 0 to destroy."), "{}", plan.out);
    assert_eq!(world.mutating(), [], "a plan changes nothing");

    let applied = world.apply(Variant::Base).await;
    assert!(applied.out.contains("Resources: 6 added, 0 changed, 0 destroyed."), "{applied:#?}");
    let held = world.held().await;
    assert_eq!(held.counts(), [1, 2, 2, 1]);
    let before = world.ec2_changes();
    world.plan_is_empty(Variant::Base).await;
    let again = world.apply(Variant::Base).await;
    assert!(again.out.contains("No changes."), "{again:#?}");
    assert_eq!(world.ec2_changes(), before, "nothing is called where nothing is to be done");

    // What the state lists is what the server holds, no more and no less.
    let list = world.run(Variant::Base, &["state", "list"]).await.succeeded();
    assert_eq!(objects(&list.out), held.ids(), "{}", list.out);
    assert!(list.out.contains("west.network.main  aws_vpc  vpc-"), "{}", list.out);
}

/// The ids that a list of the state names: `west.network.main  aws_vpc  vpc-1`.
fn objects(list: &str) -> BTreeSet<String> {
    let words = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let objects = words.filter(|words| words.get(1).is_some_and(|word| word.starts_with("aws_")));
    objects.filter_map(|words| words.get(2).map(|id| (*id).to_owned())).collect()
}

#[tokio::test]
async fn a_destroy_leaves_nothing() {
    let Some(world) = World::start(BINARY).await else { return };
    let untouched = world.held().await;
    assert_eq!(untouched.counts(), [0; 4]);
    world.apply(Variant::Base).await;
    assert_eq!(world.held().await.counts(), [1, 2, 2, 1]);
    let destroyed = world.run(Variant::Base, &["destroy", "--auto-approve", "--generation", "1"]).await.succeeded();
    assert!(destroyed.out.contains("0 added, 0 changed, 6 destroyed."), "{destroyed:#?}");
    assert_eq!(world.held().await, untouched);
    let list = world.run(Variant::Base, &["state", "list"]).await.succeeded();
    assert_eq!(objects(&list.out), BTreeSet::new(), "{}", list.out);
    let plan = world.run(Variant::Base, &["plan", "--destroy", "--detailed-exitcode", "--generation", "1"]).await;
    assert_eq!(plan.code(), Some(0), "{plan:#?}");

    // Applied again, everything is made anew: a plan of its own, with names and tokens of its own.
    world.run(Variant::Base, &APPLY).await.succeeded();
    assert_eq!(world.held().await.counts(), [1, 2, 2, 1]);
    world.plan_is_empty(Variant::Base).await;
    world.run(Variant::Base, &["destroy", "--auto-approve", "--generation", "1"]).await.succeeded();
    assert_eq!(world.held().await, untouched);
}
