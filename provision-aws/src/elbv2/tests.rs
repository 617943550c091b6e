//! What authors write: what it becomes, and what is found in it.

use provision_core::prelude::*;

use crate::ec2::vpc::VpcId;
use crate::prelude::*;
use crate::tests::{UsEast, findings};
use crate::*;

fn wrong<D: AwsDc>(b: &Block<D>, (): ()) {
    let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
    let [zone, ..] = D::zones();
    let subnet = b.put("a", Subnet { vpc, zone, cidr: cidr!("10.0.0.0/24") });

    let web = b
        .put("web", TargetGroup { vpc, protocol: TargetProtocol::Http, port: 0 })
        .name("web-")
        .health_check_protocol(TargetProtocol::Tcp)
        .health_check_interval(10)
        .health_check_timeout(10)
        .health_check_port("http")
        .health_check_path("health")
        .slow_start(20)
        .stickiness(Stickiness::source_ip())
        .proxy_protocol_v2(true);
    b.put("tcp", TargetGroup { vpc, protocol: TargetProtocol::Tcp, port: 443 })
        .target_type(TargetType::Alb)
        .algorithm(Algorithm::RoundRobin)
        .stickiness(Stickiness::lb_cookie(0));

    let front =
        b.put("front", LoadBalancer { subnets: [subnet] }).name("internal-front").cross_zone(true).idle_timeout(0);
    let network =
        b.put("network", LoadBalancer { subnets: [subnet] }).load_balancer_type(LoadBalancerType::Network).http2(true);

    let action = Action::forward(web);
    let secure =
        b.put("secure", Listener { load_balancer: front, port: 443, protocol: ListenerProtocol::Https, action });
    let action = Action::redirect_to_https();
    b.put("tcp-in", Listener { load_balancer: network, port: 80, protocol: ListenerProtocol::Tcp, action })
        .certificate("main")
        .alpn_policy(AlpnPolicy::Http2Only);

    let hosts = ["1", "2", "3", "4", "5"];
    let conditions = [Condition::host(hosts), Condition::host(["6"]), Condition::header("Host", ["a"])];
    let action = Action::weighted([(web, 1000)]).sticky(0);
    b.put("rule", ListenerRule { listener: secure, priority: 0, conditions, action });
    let conditions: [Condition; 0] = [];
    let action = Action::respond(302, "no");
    b.put("empty", ListenerRule { listener: secure, priority: 1, conditions, action });
}

#[test]
fn what_aws_would_refuse_is_found() {
    insta::assert_snapshot!(findings(UsEast, "front", wrong));
}

/// What is written in another order, or not at all where AWS fills it up, is the same definition.
#[test]
fn conditions_and_redirects_have_one_form() {
    fn rules<D: AwsDc>(b: &Block<D>, (): ()) {
        fn listener<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) -> Ref<ListenerId, D> {
            let [a, c, ..] = D::zones();
            let subnets = [
                b.put("a", Subnet { vpc, zone: a, cidr: cidr!("10.0.0.0/24") }).id(),
                b.put("c", Subnet { vpc, zone: c, cidr: cidr!("10.0.1.0/24") }).id(),
            ];
            let group = b.put("front", SecurityGroup { vpc, description: "front" });
            let front = b.put("balancer", LoadBalancer { subnets }).security_groups([group]);
            let action = Action::redirect_to_https();
            b.put("in", Listener { load_balancer: front, port: 80, protocol: ListenerProtocol::Http, action }).id()
        }
        let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") }).id();
        let listener = listener(b, vpc);
        let to = Redirect::temporary().host("b.example.com");
        let one = [Condition::host(["b.example.com", "a.example.com"]), Condition::query(["v=2"])];
        b.put("one", ListenerRule { listener, priority: 1, conditions: one, action: Action::redirect(to.clone()) });
        let other = [Condition::host(["a.example.com", "b.example.com", "a.example.com"]), Condition::query(["v=2"])];
        let to = to.path("/#{path}").query("#{query}");
        b.put("other", ListenerRule { listener, priority: 2, conditions: other, action: Action::redirect(to) });
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("front", rules, ());
    let desired = infra.finish().unwrap();
    let resources = &desired.blocks[&"us-east.front".parse().unwrap()].resources;
    let inputs = |name: &str| &resources[&name.parse().unwrap()].inputs;
    for field in ["conditions", "action"] {
        assert_eq!(inputs("one")[field], inputs("other")[field]);
    }
}
