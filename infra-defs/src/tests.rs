//! What is true of the whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use provision_aws::Aws;
use provision_core::id::{Generation, Nonce, ObjectId};
use provision_core::lookup::Looked;
use provision_core::plan::{Inputs, Missing, Mode, Plan, Providers, Selection, World};
use provision_core::provider::Provider;
use provision_core::reach::{Question, Reach, Verdict};

#[test]
fn the_infrastructure_is_valid() {
    let desired = super::infrastructure().finish().unwrap();
    assert_eq!(desired.blocks.len(), 32);
    let after = |block: &str| -> Vec<String> {
        desired.blocks[&block.parse().unwrap()].after.iter().map(ToString::to_string).collect()
    };
    assert_eq!(after("us-east.bastion"), ["us-east.names", "us-east.network", "us-east.routes", "us-east.security"]);
    assert_eq!(after("us-east.routes"), ["eu-west.peering", "us-east.nat", "us-east.network"]);
    assert_eq!(after("staging.routes"), ["staging.nat", "staging.network"]);
    assert_eq!(desired.blocks[&"us-east.bastion".parse().unwrap()].function, "infra_defs::bastion::bastion");
}

#[test]
fn names_of_production_are_known_in_both_networks() {
    let desired = super::infrastructure().finish().unwrap();
    let vpcs = |dc: &str| {
        let names = &desired.blocks[&format!("{dc}.names").parse().unwrap()];
        serde_json::to_string(&names.resources[&"zone".parse().unwrap()].inputs["vpcs"]).unwrap()
    };
    let (us, eu) = (
        r##"{"region":"us-east-1","vpc":{"$ref":"us-east.network.main#id"}}"##,
        r##"{"region":"eu-west-1","vpc":{"$ref":"eu-west.network.main#id"}}"##,
    );
    assert_eq!(vpcs("us-east"), format!("[{us},{eu}]"));
    assert_eq!(vpcs("eu-west"), format!("[{eu},{us}]"));
    assert!(!vpcs("staging").contains("us-east"));
}

/// The plan of all of it, in empty clouds.
fn plan() -> Plan {
    let desired = super::infrastructure().finish().unwrap();
    let aws: Arc<dyn Provider> = Arc::new(Aws);
    let mut world = World::default();
    for addr in desired.blocks.iter().flat_map(|(addr, block)| block.looks_up(addr)) {
        let found = Looked::One { id: ObjectId::new("ami-12c6146b").unwrap(), fields: BTreeMap::new() };
        world.looked_up(desired.query(&addr).unwrap(), found);
    }
    provision_core::plan::plan(Inputs {
        desired: &desired,
        recorded: &BTreeMap::new(),
        world: &world,
        providers: &Providers::new([aws]),
        revision: &"abc123".parse().unwrap(),
        generation: Generation(1),
        nonce: Nonce([7; 16]),
        mode: Mode::Apply,
        missing: Missing::Keep,
        selection: &Selection::default(),
        adoptions: &BTreeMap::new(),
        simulated: true,
    })
}

/// IAM's names are an account's, and the data centres share one.
#[test]
fn no_two_data_centres_make_a_role_of_one_name() {
    let plan = plan();
    let mut names = BTreeSet::new();
    for (addr, resource) in plan.resources() {
        let global = resource.type_name.as_str().starts_with("aws_iam_");
        if let Some(made) = resource.new_name.as_ref().filter(|_| global) {
            assert!(names.insert((resource.type_name.clone(), made.name.clone())), "{addr}: {}", made.name);
        }
    }
    assert_eq!(names.len(), 6, "a role and a profile in each data centre");
}

fn reach(from: &str, to: &str) -> Reach {
    let desired = super::infrastructure().finish().unwrap();
    Aws.reach(&desired, &Question::parse(from, to).unwrap()).unwrap().unwrap()
}

#[test]
fn traffic_gets_where_it_is_meant_to_and_nowhere_else() {
    let is = |from: &str, to: &str, expected: Verdict| {
        let reach = reach(from, to);
        assert_eq!(reach.verdict, expected, "{from} -> {to}\n{:#?}", reach.steps);
    };
    use Verdict::{No, Yes};
    for dc in ["staging", "us-east", "eu-west"] {
        is("192.0.2.7", &format!("{dc}.bastion.host:22"), Yes);
        is("198.51.100.7", &format!("{dc}.bastion.host:22"), No);
        is("internet", &format!("{dc}.dispatchers.balancer:443"), Yes);
        is(&format!("{dc}.dispatchers.balancer"), &format!("{dc}.dispatchers.fleet:8443"), Yes);
        is(&format!("{dc}.bastion.host"), &format!("{dc}.dispatchers.fleet:22"), Yes);
        is(&format!("{dc}.dispatchers.fleet"), "internet:443", Yes);
        is(&format!("{dc}.dispatchers.fleet"), &format!("{dc}.endpoints.ssm:443"), Yes);
        is("internet", &format!("{dc}.endpoints.ssm:443"), No);
    }
    is("us-east.dispatchers.fleet", "eu-west.dispatchers.fleet:8443", Yes);
    is("eu-west.dispatchers.fleet", "us-east.dispatchers.fleet:8443", Yes);
    is("eu-west.dispatchers.fleet", "us-east.dispatchers.fleet:22", No);
    is("staging.dispatchers.fleet", "us-east.dispatchers.fleet:8443", No);
}

/// Somebody opens SSH to the world, just for a moment.
#[test]
fn an_open_bastion_is_refused() {
    let mut open = super::params::US_EAST;
    open.office = crate::ANYWHERE;
    let desired = super::company(&super::params::STAGING, &open, &super::params::EU_WEST).finish().unwrap();
    let aws: Arc<dyn Provider> = Arc::new(Aws);
    let violations = Providers::new([aws]).violations(&desired);
    let subjects: Vec<&str> = violations.iter().map(|found| found.subject.as_str()).collect();
    assert_eq!(subjects, ["never from us-east.dispatchers.fleet to us-east.bastion.host at tcp 22"]);
}

#[test]
fn what_must_never_be_is_ruled_out_and_nothing_is_advised_against() {
    let desired = super::infrastructure().finish().unwrap();
    let aws: Arc<dyn Provider> = Arc::new(Aws);
    let providers = Providers::new([aws]);
    assert_eq!(desired.nevers.len(), 20);
    assert_eq!(providers.violations(&desired), []);
    assert_eq!(providers.advice(&desired), []);
}
