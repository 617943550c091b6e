//! Load balancers: application and network ones, target groups, listeners, rules.

use provision_aws::prelude::*;
use provision_aws::{
    Action, Algorithm, BalancerAddresses, ClientRouting, Condition, CrossZone, DesyncMitigation, InternetGateway,
    Listener, ListenerProtocol, ListenerRule, LoadBalancer, LoadBalancerType, Redirect, SecurityGroup, Stickiness,
    TargetGroup, TargetProtocol, XffProcessing,
};
use provision_core::prelude::*;

use super::networks::net;
use super::{Family, Stage, tags};
use crate::infra::West;

pub(super) const FAMILY: Family = Family {
    name: "balancing",
    types: &["aws_lb_target_group", "aws_lb", "aws_lb_listener", "aws_lb_listener_rule"],
    kept: &[],
    define: |infra, stage| {
        infra.dc(West).block("balancing", balancing, stage);
    },
};

fn balancing<D: AwsDc>(b: &Block<D>, stage: Stage) {
    let tags = tags(stage);
    let net = net(b, "net", cidr!("10.7.0.0/16"));
    b.put("internet", InternetGateway { vpc: net.vpc });
    let public = b.put("public", SecurityGroup { vpc: net.vpc, description: "the web" }).id();
    let blue = b
        .put("blue", TargetGroup { vpc: net.vpc, protocol: TargetProtocol::Http, port: 8080 })
        .health_check_path(stage.updated("/health", "/healthy"))
        .health_check_interval(stage.updated(30, 10))
        .health_check_timeout(stage.updated(5, 4))
        .health_check_port(stage.updated("traffic-port", "8081"))
        .health_check_protocol(stage.updated(TargetProtocol::Http, TargetProtocol::Https))
        .healthy_threshold(stage.updated(5, 3))
        .unhealthy_threshold(stage.updated(2, 4))
        .cross_zone(stage.updated(CrossZone::AsLoadBalancer, CrossZone::Enabled))
        .health_check_matcher(stage.updated("200", "200-299"))
        .deregistration_delay(stage.updated(300, 30))
        .algorithm(stage.updated(Algorithm::RoundRobin, Algorithm::LeastOutstandingRequests))
        .stickiness(stage.updated(Stickiness::off(), Stickiness::lb_cookie(3600)))
        .tags(tags);
    let green = b
        .put("green", TargetGroup { vpc: net.vpc, protocol: TargetProtocol::Http, port: stage.replaced(8081, 8082) })
        .slow_start(stage.updated(30, 60));
    let front = b
        .put("front", LoadBalancer { subnets: net.subnets })
        .security_groups([stage.updated(net.group, public)])
        .ip_address_type(stage.updated(BalancerAddresses::Ipv4, BalancerAddresses::Dualstack))
        .idle_timeout(stage.updated(60, 120))
        .client_keep_alive(stage.updated(3600, 600))
        .preserve_host_header(stage.updated(false, true))
        .xff_header_processing(stage.updated(XffProcessing::Append, XffProcessing::Remove))
        .desync_mitigation(stage.updated(DesyncMitigation::Defensive, DesyncMitigation::Strictest))
        .waf_fail_open(stage.updated(false, true))
        .http2(stage.updated(true, false))
        .drop_invalid_header_fields(stage.updated(false, true))
        .internal(stage.replaced(false, true))
        .tags(tags);
    b.put(
        "redirecting",
        Listener {
            load_balancer: front,
            port: stage.updated(80, 81),
            protocol: ListenerProtocol::Http,
            action: stage
                .updated(Action::redirect_to_https(), Action::redirect(Redirect::temporary().host("example.com"))),
        },
    )
    .tags(tags);
    let listener = b.put(
        "web",
        Listener {
            load_balancer: front,
            port: 8443,
            protocol: ListenerProtocol::Http,
            action: stage.updated(Action::respond(404, "nothing here"), Action::forward(blue)),
        },
    );
    b.put(
        "app",
        ListenerRule {
            listener,
            priority: stage.updated(10, 30),
            conditions: [Condition::host(["app.example.com"]), Condition::path([stage.updated("/a/*", "/b/*")])],
            action: Action::weighted([(blue, stage.updated(90, 50)), (green, stage.updated(10, 50))]).sticky(60),
        },
    )
    .tags(tags);
    b.put(
        "others",
        ListenerRule {
            listener,
            priority: 20,
            conditions: [Condition::method(["GET", "HEAD"])],
            action: Action::forward(green),
        },
    );

    let tcp = b
        .put("tcp", TargetGroup { vpc: net.vpc, protocol: TargetProtocol::Tcp, port: 5432 })
        .connection_termination(stage.updated(false, true))
        .preserve_client_ip(stage.updated(true, false))
        .proxy_protocol_v2(stage.updated(false, true));
    let inside = b
        .put("inside", LoadBalancer { subnets: &net.subnets[..stage.updated(1, 2)] })
        .load_balancer_type(LoadBalancerType::Network)
        .internal(true)
        .client_routing(stage.updated(ClientRouting::AnyZone, ClientRouting::OwnZone))
        .cross_zone(stage.updated(false, true));
    b.put(
        "database",
        Listener { load_balancer: inside, port: 5432, protocol: ListenerProtocol::Tcp, action: Action::forward(tcp) },
    )
    .tcp_idle_timeout(stage.updated(350, 600));
    let certificate = |name: &str| format!("arn:aws:acm:us-east-1:123456789012:certificate/{name}");
    let secure =
        Listener { load_balancer: front, port: 443, protocol: ListenerProtocol::Https, action: Action::forward(blue) };
    b.put("secure", secure)
        .certificate(certificate(stage.updated("a", "b")))
        .additional_certificates([certificate(stage.updated("c", "d")), certificate("e")])
        .ssl_policy(stage.updated("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06"));
}
