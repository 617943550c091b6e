//! `plan --out FILE` and `apply FILE`: what was read is what happens, once, also when it takes more than one machine.
#![expect(clippy::disallowed_methods, reason = "the plan's file is carried to another home")]

use std::fmt;

use end_to_end::pool::{and_more, each, say};
use end_to_end::world::puts;
use end_to_end::{Ran, Running, Variant, World};
use testbed::aws::{Fault, Match, Rule};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
const FILE: &str = "p.plan";

async fn planned(world: &World, variant: Variant, generation: &str) {
    world.run(variant, &["plan", "--generation", generation, "--out", FILE]).await.succeeded();
}

fn applying(world: &World, variant: Variant, generation: &str) -> tokio::process::Command {
    world.command(variant, &["apply", FILE, "--auto-approve", "--generation", generation])
}

async fn applied(world: &World, variant: Variant, generation: &str) -> Ran {
    Running::of(applying(world, variant, generation)).ended().await
}

#[tokio::test]
async fn a_plan_is_applied_once_and_not_when_it_is_stale() {
    let Some(world) = World::start(BINARY).await else { return };
    planned(&world, Variant::Base, "1").await;
    assert!(world.ec2_changes().is_empty(), "a plan calls nothing");
    applied(&world, Variant::Base, "1").await.succeeded();
    let there = world.held().await;
    assert_eq!(there.counts(), [1, 2, 2, 1]);
    applied(&world, Variant::Base, "1").await.refused_with(&["already applied by run"]);

    planned(&world, Variant::GroupReplaced, "2").await;
    world.run(Variant::Protected, &["apply", "--auto-approve", "--generation", "2"]).await.succeeded();
    world.aws.reset_calls();
    applied(&world, Variant::GroupReplaced, "2").await.refused_with(&["this plan is stale", "west.security"]);
    assert!(world.ec2_changes().is_empty(), "a stale plan calls nothing");
    assert_eq!(world.held().await, there);
}

/// Its run ended, and badly: what it would do now is not what somebody read.
#[tokio::test]
async fn a_plan_whose_run_failed_is_used() {
    let Some(world) = World::start(BINARY).await else { return };
    planned(&world, Variant::OneEach, "1").await;
    let refuse = Fault::Refuse { status: 400, code: "SubnetLimitExceeded".to_owned() };
    world.aws.add_rule(Rule::new("CreateSubnet", refuse).times(9));
    let failed = applied(&world, Variant::OneEach, "1").await;
    assert_eq!(failed.code(), Some(1), "{failed:#?}");
    assert!(failed.out.contains("SubnetLimitExceeded"), "{failed:#?}");
    assert_eq!(world.held().await.counts(), [1, 0, 0, 0]);
    applied(&world, Variant::OneEach, "1").await.refused_with(&["already used", "failed"]);
    assert_eq!(world.held().await.counts(), [1, 0, 0, 0]);
}

/// Where a run is killed.
struct Kill {
    at: Match,
    fault: Fault,
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.fault, self.at)
    }
}

const CREATES: [&str; 4] = ["CreateVpc", "CreateSubnet", "CreateSecurityGroup", "RunInstances"];

/// Killed at any call, and finished by the same file in another home: nothing is made twice.
#[tokio::test]
async fn a_plan_whose_run_was_killed_is_resumed() {
    let Some(first) = World::start(BINARY).await else { return };
    let mut kills: Vec<Kill> = Vec::new();
    for call in CREATES {
        let at = |fault| Kill { at: Match::action(call), fault };
        kills.extend([at(Fault::Hold), at(Fault::HoldAnswer)]);
    }
    for folder in ["v1/run/", "v1/block/west.network/"] {
        kills.push(Kill { at: puts(folder), fault: Fault::HoldAnswer });
    }
    let worlds = and_more(first, BINARY, 5).await;
    let ended = each(&worlds, kills, async |world, kill| {
        planned(world, Variant::OneEach, "1").await;
        let rule = world.aws.add_rule(Rule::new(kill.at.clone(), kill.fault.clone()));
        let running = Running::of(applying(world, Variant::OneEach, "1"));
        rule.arrived(1).await;
        running.killed().await;
        rule.release();

        let elsewhere = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let file = std::fs::read(world.home().join(FILE)).unwrap_or_else(|error| panic!("{error}"));
        std::fs::write(elsewhere.path().join(FILE), file).unwrap_or_else(|error| panic!("{error}"));
        let mut command = applying(world, Variant::OneEach, "1");
        command.current_dir(elsewhere.path()).env("HOME", elsewhere.path());
        let resumed = Running::of(command).ended().await.succeeded();
        assert_eq!(world.held().await.counts(), [1; 4], "{resumed:#?}");
        for call in CREATES {
            let made = world.aws.calls().into_iter().filter(|made| made.action == call && made.result == Some(200));
            assert_eq!(made.count(), 1, "{call}: {resumed:#?}");
        }
        applied(world, Variant::OneEach, "1").await.refused_with(&["already applied by run"]);
        world.plan_is_empty(Variant::OneEach).await;
    })
    .await;
    say(&format!("resumed after {} kills", ended.len()));
}
