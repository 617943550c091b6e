//! Bad input: a clear error on standard error, exit code 1, and nothing was changed anywhere.
#![expect(clippy::disallowed_methods, reason = "tests measure time")]

use std::time::{Duration, Instant};

use end_to_end::state::Raw;
use end_to_end::world::{APPLY, PLAN, Running};
use end_to_end::{Ran, Variant, World};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
/// Nobody waits longer than this to be told.
const SOON: Duration = Duration::from_secs(12);

/// Neither a plan nor an apply of this does anything.
async fn refused(world: &World, variant: Variant, change: &[(&str, Option<&str>)], texts: &[&str]) {
    let before = world.mutating().len();
    for args in [&APPLY[..], &PLAN[..]] {
        let began = Instant::now();
        let mut command = world.command(variant, args);
        for (name, value) in change {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let ran = Running::of(command).ended().await;
        ran.refused_with(texts);
        is_clear(&ran);
        assert!(began.elapsed() < SOON, "{:?}: {ran:#?}", began.elapsed());
    }
    assert_eq!(world.mutating().len(), before, "nothing was called or written");
}

fn is_clear(ran: &Ran) {
    assert!(ran.err.starts_with("error: "), "{ran:#?}");
    for noise in ["panicked", "RUST_BACKTRACE", "Some(", "Err("] {
        assert!(!ran.err.contains(noise), "{ran:#?}");
    }
}

#[tokio::test]
async fn wrong_accounts_credentials_and_endpoints() {
    let Some(world) = World::start(BINARY).await else { return };
    let wrong = ["aws:999999999999:us-east-1", "the credentials are of account 123456789012", "999999999999"];
    refused(&world, Variant::OtherAccount, &[], &wrong).await;

    // The state is elsewhere, so that it is AWS that has no credentials.
    let none = [("AWS_ACCESS_KEY_ID", None), ("AWS_SECRET_ACCESS_KEY", None), ("PROVISION_STATE", Some("state"))];
    refused(&world, Variant::OneEach, &none, &["no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE"]).await;
    let none = [("AWS_ACCESS_KEY_ID", None), ("AWS_SECRET_ACCESS_KEY", None)];
    refused(&world, Variant::OneEach, &none, &["no credentials for s3://provision-state/e2e", "AWS_ACCESS_KEY_ID"])
        .await;
    let nowhere = [("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1")), ("PROVISION_STATE", Some("state"))];
    refused(&world, Variant::OneEach, &nowhere, &["aws:123456789012:us-east-1", "the endpoint cannot be reached"])
        .await;

    let bound = [("PROVISION_AWS_STAMP_BOUND", Some("soon"))];
    refused(&world, Variant::OneEach, &bound, &["PROVISION_AWS_STAMP_BOUND holds `soon`", "number of seconds"]).await;
    let lease = [("PROVISION_LEASE", Some("0"))];
    refused(&world, Variant::OneEach, &lease, &["PROVISION_LEASE holds `0`", "at least 0.5"]).await;
    let generation = [("PROVISION_GENERATION", Some("-1"))];
    let mut command = world.command(Variant::OneEach, &["plan"]);
    Running::of({
        command.envs(generation.map(|(name, value)| (name, value.unwrap_or_default())));
        command
    })
    .ended()
    .await
    .refused_with(&["a generation is a whole number"]);
}

#[tokio::test]
async fn stores_that_cannot_be_used() {
    let Some(world) = World::start(BINARY).await else { return };
    for (address, texts) in [
        ("s3://no-such-bucket/e2e", ["s3://no-such-bucket/e2e", "bucket"]),
        ("s3://", ["`s3://` is no store", "s3://bucket/prefix"]),
        ("s3://bucket/../up", ["`s3://bucket/../up` is no store", "s3://bucket/prefix"]),
        ("gs://bucket", ["`gs://bucket` is no store", "s3://bucket"]),
        ("/dev/null/state", ["/dev/null/state", "cannot be used as a store"]),
    ] {
        refused(&world, Variant::OneEach, &[("PROVISION_STATE", Some(address))], &texts).await;
    }
    let nowhere = [("AWS_ENDPOINT_URL", Some("http://127.0.0.1:1"))];
    refused(&world, Variant::OneEach, &nowhere, &["s3://provision-state/e2e cannot be used"]).await;
}

#[tokio::test]
async fn names_flags_and_empty_definitions() {
    let Some(world) = World::start(BINARY).await else { return };
    refused(&world, Variant::Slash, &[], &["net/work", "infra.rs:"]).await;
    refused(&world, Variant::Dot, &[], &["net.work", "infra.rs:"]).await;
    refused(&world, Variant::Empty, &[], &["infra.rs:"]).await;
    for args in [
        &["apply", "--auto-aprove"][..],
        &["plan", "--generation", "soon"],
        &["aply"],
        &["plan", "west.network"],
        &["state", "list", "--cloud"],
        &["apply"],
        &[],
    ] {
        let ran = world.run(Variant::OneEach, args).await;
        assert_eq!(ran.code(), Some(1), "{args:?}: {ran:#?}");
        assert!(!ran.err.is_empty(), "{args:?}: {ran:#?}");
    }
    let typo = world.run(Variant::OneEach, &["apply", "--auto-aprove"]).await;
    typo.refused_with(&["--auto-aprove", "--auto-approve"]);
    assert_eq!(world.mutating(), []);
}

#[tokio::test]
async fn anothers_store_and_damaged_entries() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::OneEach).await;
    let there = world.held().await;
    refused(&world, Variant::OtherInfra, &[], &["end-to-end", "somebody-else", "use the store of"]).await;
    let list = world.run(Variant::OtherInfra, &["state", "list"]).await;
    list.refused_with(&["use the store of"]);

    let bucket = world.bucket();
    let entries = bucket.entries("v1/block/west.security/").await;
    let entry = entries[2].clone();
    for (damage, says) in [
        (truncated as fn(&Raw) -> Vec<u8>, "truncated"),
        (altered, "altered"),
        (unsigned, "not signed"),
        (emptied, "truncated"),
    ] {
        bucket.overwrite(&entry.key, damage(&entry)).await;
        refused(&world, Variant::OneEach, &[], &["west.security", "entry 2", says]).await;
        let list = world.run(Variant::OneEach, &["state", "list"]).await;
        list.refused_with(&["west.security", says]);
        assert!(list.out.contains("west.network.main"), "the other blocks are unharmed: {list:#?}");
        bucket.overwrite(&entry.key, entry.bytes.clone()).await;
    }
    let elsewhere = bucket.entries("v1/block/west.network/").await[2].clone();
    bucket.overwrite(&entry.key, elsewhere.bytes).await;
    refused(&world, Variant::OneEach, &[], &["west.security", "wrong place"]).await;
    bucket.overwrite(&entry.key, entry.bytes.clone()).await;

    bucket.overwrite("v1/meta/infra", b"{}".to_vec()).await;
    refused(&world, Variant::OneEach, &[], &["v1/meta/infra"]).await;
    bucket.overwrite("v1/meta/infra", br#"{"layout":1,"infra":"end-to-end"}"#.to_vec()).await;
    assert_eq!(world.held().await, there);
    world.plan_is_empty(Variant::OneEach).await;
}

/// In a block whose log is damaged nothing happens; in the others what is to be done is done.
#[tokio::test]
async fn a_damaged_block_does_not_harm_the_others() {
    let Some(world) = World::start(BINARY).await else { return };
    world.apply(Variant::OneEach).await;
    let held = world.held().await;
    let entry = world.bucket().entries("v1/block/west.host/").await[2].clone();
    world.bucket().overwrite(&entry.key, altered(&entry)).await;
    let off = [("VpcId", held.vpc()), ("EnableDnsHostnames.Value", "false")];
    world.aws.raw_ec2("ModifyVpcAttribute", &off).await;
    world.aws.reset_calls();
    let ran = world.run(Variant::OneEach, &APPLY).await;
    ran.refused_with(&["west.host", "altered"]);
    assert_eq!(world.ec2_changes(), ["ModifyVpcAttribute"], "{ran:#?}");
    assert_eq!(world.held().await, held);
    world.bucket().overwrite(&entry.key, entry.bytes.clone()).await;
    world.plan_is_empty(Variant::OneEach).await;
}

fn truncated(entry: &Raw) -> Vec<u8> {
    entry.bytes[..entry.bytes.len() * 2 / 3].to_vec()
}

fn altered(entry: &Raw) -> Vec<u8> {
    let text = String::from_utf8(entry.bytes.clone()).expect("text");
    let other = text.replacen("\"seq\":", "\"seq\": ", 1);
    assert_ne!(text, other);
    other.into_bytes()
}

fn unsigned(entry: &Raw) -> Vec<u8> {
    entry.bytes.split(|byte| *byte == b'\n').next().expect("a body").to_vec()
}

fn emptied(_: &Raw) -> Vec<u8> {
    Vec::new()
}
