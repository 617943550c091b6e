//! Questions about a small infrastructure: two VPCs that are peered, public and private subnets, NAT, ACLs.

use provision_core::desired::Desired;
use provision_core::prelude::*;
use provision_core::provider::Provider as _;
use provision_core::reach::{Question, Unanswered, Verdict};

use crate::prelude::*;
use crate::{
    AclEntry, AutoScalingGroup, Aws, ElasticIp, Instance, InternetGateway, LaunchTemplate, LoadBalancer,
    LoadBalancerType, NatGateway, NetworkAcl, Route, RouteTable, Rule, SecurityGroup, Subnet, UsEast1, UsWest2, Vpc,
    VpcId, VpcPeering, VpcPeeringAccepter, VpcPeeringId,
};

#[environment("prod")]
struct Prod;

#[data_centre(name = "a", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
struct A;

#[data_centre(name = "b", env = Prod, channel = Beta, on(Aws, account = "123456789012", region = UsWest2))]
struct B;

crossing!(A => B, via = peering);
crossing!(B => A, via = peering);

const ALL: Cidr = cidr!("0.0.0.0/0");
const NET: Cidr = cidr!("10.0.0.0/16");
const PEER: Cidr = cidr!("10.1.0.0/16");

/// `web` (public) talks to `app` (private, behind NAT), which talks to `db` (private, with an ACL of its own); `other` is in a
/// VPC that is peered, `alone` in a subnet without a table.
fn network(b: &Block<A>, there: Ref<VpcId, B>) -> Ref<VpcPeeringId, A> {
    let [zone, ..] = A::zones();
    let vpc = b.put("vpc", Vpc { cidr: NET }).id();
    let subnet = |name: &str, number| b.put(name, Subnet { vpc, zone, cidr: NET.subnet(24, number) });
    let public = subnet("public", 0).public_ip(true).id();
    let (private, data, lost) = (subnet("private", 1).id(), subnet("data", 2).id(), subnet("lost", 3).id());

    let internet = b.put("internet", InternetGateway { vpc });
    let address = b.put("address", ElasticIp {});
    let nat = b.put("nat", NatGateway { subnet: public }).allocation(address);
    let peering = b.put("peering", VpcPeering { vpc, peer: b.import(there) });
    b.put("outside", RouteTable { vpc }).routes([Route::to(ALL, internet)]).subnets([public]);
    let inside = [Route::to(ALL, nat), Route::to(PEER, peering)];
    b.put("inside", RouteTable { vpc }).routes(inside).subnets([private]);
    b.put("closed", RouteTable { vpc }).subnets([data]);
    b.put("data-acl", NetworkAcl { vpc })
        .subnets([data])
        .ingress([AclEntry::deny(50).tcp(22, ALL), AclEntry::allow(100).tcp_ports(1..=65535, NET.subnet(24, 1))])
        .egress([AclEntry::allow(100).tcp_ports(1024..=65535, NET)]);

    let group = |name: &str| b.put(name, SecurityGroup { vpc, description: "x" });
    let web = group("web-group").ingress([Rule::tcp(443, ALL), Rule::tcp(22, ALL)]).id();
    let app = group("app-group").ingress([Rule::tcp_from(8080, web)]).id();
    let rules = [Rule::tcp_from(5432, app), Rule::tcp_from(5432, web), Rule::tcp_from(22, app)];
    let db = group("db-group").ingress(rules).egress([] as [Rule<A>; 0]).id();
    group("unused");
    for (name, subnet, group) in [("web", public, web), ("app", private, app), ("db", data, db), ("alone", lost, app)] {
        b.put(name, Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" }).security_groups([group]);
    }
    let template = b.put("template", LaunchTemplate { ami: "ami-12c6146b", instance_type: "t3.micro" });
    template.security_groups([app]);
    let version = template.latest_version();
    b.put("fleet", AutoScalingGroup { template, version, subnets: [private], min: 1, max: 2 });
    for (name, internal) in [("front", false), ("back", true)] {
        b.put(name, LoadBalancer { subnets: [public] })
            .load_balancer_type(LoadBalancerType::Network)
            .internal(internal)
            .security_groups([web]);
    }
    peering.id()
}

fn far(b: &Block<B>, (): ()) -> Ref<VpcId, B> {
    b.put("vpc", Vpc { cidr: PEER }).id()
}

fn others(b: &Block<B>, (vpc, asked): (Ref<VpcId, B>, Ref<VpcPeeringId, A>)) {
    let [zone, ..] = B::zones();
    let subnet = b.put("subnet", Subnet { vpc, zone, cidr: PEER.subnet(24, 0) }).id();
    let accepter = b.put("accepter", VpcPeeringAccepter { peering: b.import(asked) });
    b.put("back", RouteTable { vpc }).routes([Route::to(NET, accepter)]).subnets([subnet]);
    let rules = [Rule::tcp(9000, NET.subnet(24, 1)), Rule::tcp(9001, NET.subnet(28, 16))];
    let group = b.put("group", SecurityGroup { vpc, description: "x" }).ingress(rules);
    b.put("other", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" }).security_groups([group]);
}

fn desired() -> Desired {
    let infra = Infrastructure::new("example");
    let there = infra.dc(B).block("far", far, ());
    let asked = infra.dc(A).block("net", network, there);
    infra.dc(B).block("others", others, (there, asked));
    infra.finish().unwrap()
}

fn verdict(from: &str, to: &str) -> (Verdict, String) {
    let question = Question::parse(from, to).unwrap();
    let reach = Aws.reach(&desired(), &question).unwrap().unwrap();
    let steps: Vec<String> = reach.steps.iter().map(|step| format!("{:<4}{}", step.verdict, step.because)).collect();
    (reach.verdict, steps.join("\n"))
}

#[test]
fn groups_acls_and_routes_decide_together() {
    let is = |from: &str, to: &str, expected: Verdict| {
        let (verdict, steps) = verdict(from, to);
        assert_eq!(verdict, expected, "{from} -> {to}\n{steps}");
    };
    use Verdict::{May, No, Yes};
    is("internet", "a.net.web:443", Yes);
    is("internet", "a.net.web:80", No);
    is("internet", "a.net.app:8080", No);
    is("a.net.web", "a.net.app:8080", Yes);
    is("a.net.web", "a.net.app:8081", No);
    is("a.net.front", "a.net.fleet:8080", Yes);
    is("a.net.front", "a.net.fleet:8081", No);
    is("internet", "a.net.fleet:8080", No);
    is("internet", "a.net.front:443", Yes);
    is("internet", "a.net.back:443", No);
    is("a.net.app", "a.net.db:5432", Yes);
    // The group would let it in, the ACL does not.
    is("a.net.web", "a.net.db:5432", No);
    is("a.net.app", "a.net.db:22", No);
    is("a.net.app", "internet:443", Yes);
    // No route leads out of it, and its group lets nothing out.
    is("a.net.db", "internet:443", No);
    is("a.net.app", "b.others.other:9000", Yes);
    // Only a part of the subnet's addresses is let in.
    is("a.net.app", "b.others.other:9001", May);
    // The public subnet's table does not know the other VPC.
    is("a.net.web", "b.others.other:9000", No);
    is("a.net.alone", "internet:443", No);
    // Anything can be in a subnet.
    is("a.net.private", "a.net.db:5432", May);
    is("10.9.0.0/16", "a.net.app:8080", No);
}

#[test]
fn an_answer_says_by_which_rules() {
    insta::assert_snapshot!(verdict("a.net.app", "a.net.db:5432").1);
    insta::assert_snapshot!(verdict("a.net.web", "a.net.db:5432").1);
}

#[test]
fn what_has_no_place_is_not_answered_with_no() {
    let ask = |from: &str, to: &str| Aws.reach(&desired(), &Question::parse(from, to).unwrap());
    assert!(matches!(ask("internet", "a.net.outside:443"), Some(Err(Unanswered::NoPlace { .. }))));
    assert!(matches!(ask("a.net.web", "a.net.nothing:443"), Some(Err(Unanswered::Unknown { .. }))));
    assert!(ask("internet", "10.0.0.0/8:443").is_none(), "nothing of it is AWS'");
}

#[test]
fn what_is_probably_not_meant_is_told() {
    let told: Vec<String> =
        Aws.advice(&desired()).into_iter().map(|found| format!("{}: {}", found.subject, found.problem)).collect();
    insta::assert_snapshot!(told.join("\n"));

    fn twice<D: AwsDc>(b: &Block<D>, (): ()) {
        let [zone, ..] = D::zones();
        let vpc = b.put("one", Vpc { cidr: NET });
        b.put("two", Vpc { cidr: cidr!("10.0.128.0/20") });
        let subnets = [("a", NET.subnet(24, 0)), ("b", NET.subnet(20, 0)), ("c", cidr!("10.7.0.0/24"))];
        let subnets = subnets.map(|(name, cidr)| b.put(name, Subnet { vpc, zone, cidr }).id());
        b.put("table", RouteTable { vpc }).subnets(subnets);
    }
    let infra = Infrastructure::new("example");
    infra.dc(A).block("net", twice, ());
    let told: Vec<String> = Aws.advice(&infra.finish().unwrap()).into_iter().map(|found| found.problem).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
}
