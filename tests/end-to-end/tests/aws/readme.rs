//! What the README says of real AWS, done at the test server.

use end_to_end::{Variant, World};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
const README: &str = include_str!("../../../../README.md");

/// The arguments of each `cargo run -p runner -- …` of the section, in its order.
fn commands() -> Vec<Vec<&'static str>> {
    let section = README.split("\n## ").find(|section| section.starts_with("Real AWS in five minutes"));
    let after = section.into_iter().flat_map(|section| section.split("cargo run -p runner -- ").skip(1));
    let lines = after.map(|text| text.split(['\n', '`']).next().unwrap_or_default());
    lines.map(|line| line.split_whitespace().collect()).collect()
}

#[tokio::test]
async fn five_minutes_with_aws_go_as_the_readme_says() {
    let Some(world) = World::start(BINARY).await else { return };
    let run = async |args: &[&str]| world.run(Variant::Example, args).await;
    let commands = commands();
    let [apply, drift, destroy] = &commands[..] else { panic!("{commands:?}") };
    assert_eq!([apply[0], drift[0], destroy[0]], ["apply", "drift", "destroy"]);
    // It asks, and there is nobody to answer.
    let yes = |args: &[&'static str]| [args, &["--auto-approve"]].concat();

    let made = run(&yes(apply)).await.succeeded();
    assert!(made.out.contains("Resources: 8 added, 0 changed, 0 destroyed."), "{}", made.out);
    let again = run(&yes(apply)).await.succeeded();
    assert!(again.out.contains("No changes."), "{}", again.out);
    run(drift).await.succeeded();

    let gone = end_to_end::cloud::texts(&of_address(&world, "staging.network.private-us-west-2a").await, "subnetId");
    world.aws.raw_ec2_in("us-west-2", "DeleteSubnet", &[("SubnetId", &gone[0])]).await;
    let told = run(drift).await;
    assert_eq!(told.code(), Some(2), "{told:#?}");
    assert!(told.out.contains("private-us-west-2a"), "{}", told.out);
    let back = run(&yes(apply)).await.succeeded();
    assert!(back.out.contains("Resources: 1 added, 0 changed, 0 destroyed."), "{}", back.out);

    let destroyed = run(&yes(destroy)).await.succeeded();
    assert!(destroyed.out.contains("Resources: 0 added, 0 changed, 8 destroyed."), "{}", destroyed.out);
}

async fn of_address(world: &World, address: &str) -> String {
    let filter = [("Filter.1.Name", "tag:provision:address"), ("Filter.1.Value.1", address)];
    world.aws.raw_ec2_in("us-west-2", "DescribeSubnets", &filter).await
}
