//! The dispatchers: what customers connect to. Hosts of a group, replaced when they fail, behind a balancer.

use provision_aws::prelude::*;
use provision_aws::{
    Action, Alias, AutoScalingGroup, HealthCheck, InstanceProfile, LaunchTemplate, Listener, ListenerProtocol,
    LoadBalancer, LoadBalancerType, ManagedPolicy, Record, RecordType, Role, Statement, TargetGroup, TargetProtocol,
};
use provision_core::dsl::check::tcp;
use provision_core::prelude::*;

use crate::TAGS;
use crate::image::image;
use crate::logs::Logs;
use crate::names::Names;
use crate::network::Network;
use crate::routes::Routes;
use crate::security::Security;

/// Where dispatchers take connections. TLS ends there, and not in the balancer.
pub const PORT: u16 = 8443;
/// Where they say whether they are well.
pub const HEALTH_PORT: u16 = 8080;

/// What differs between dispatchers.
#[derive(Args, Clone, Copy)]
pub struct DispatcherParams {
    /// The size.
    pub instance_type: &'static str,
    /// How many there are at least.
    pub least: i64,
    /// How many there are at most.
    pub most: i64,
}

/// What other blocks can use of the dispatchers.
#[derive(Args)]
pub struct Dispatchers<D> {
    /// The name under which the world reaches them.
    pub public_name: Ref<String, D>,
}

/// Where dispatchers live.
type Home<'a, D> = (&'a Network<D>, &'a Security<D>, &'a Routes<D>, &'a Names<D>, &'a Logs<D>);

/// Builds the tier: a role, a template, a group of hosts that spreads over the private subnets, and the balancer in front.
pub fn dispatchers<D: AwsDc>(
    b: &Block<D>,
    ((net, groups, routes, names, logs), p, protected): (Home<'_, D>, &DispatcherParams, bool),
) -> Dispatchers<D> {
    // They use nothing of the routes, but their first start does.
    b.after(routes);
    let role = b
        .put("role", Role { trust: Statement::trust_service("ec2.amazonaws.com") })
        .managed_policies([ManagedPolicy::aws("AmazonSSMManagedInstanceCore")])
        .inline_policies([("logs", Statement::allow(["s3:PutObject"]).on([text!("{}/dispatchers/*", logs.bucket)]))])
        .tags(TAGS);
    let profile = b.put("profile", InstanceProfile { role }).tags(TAGS);

    let targets = b
        .put("targets", TargetGroup { vpc: net.vpc, protocol: TargetProtocol::Tcp, port: i64::from(PORT) })
        .health_check_protocol(TargetProtocol::Http)
        .health_check_port(HEALTH_PORT.to_string())
        .health_check_path("/health")
        .deregistration_delay(60)
        .tags(TAGS);
    let balancer = b
        .put("balancer", LoadBalancer { subnets: net.public })
        .load_balancer_type(LoadBalancerType::Network)
        .security_groups([groups.balancer])
        .cross_zone(true)
        .deletion_protection(protected)
        .tags(TAGS);
    let (protocol, action) = (ListenerProtocol::Tcp, Action::forward(targets));
    b.put("listener", Listener { load_balancer: balancer, port: 443, protocol, action }).tags(TAGS);

    // Version 2 of the metadata service is required unless a template says otherwise, so the role's credentials are safe
    // from requests that somebody makes a dispatcher send.
    let template = b
        .put("template", LaunchTemplate { ami: image(b), instance_type: p.instance_type })
        .security_groups([groups.dispatchers])
        .iam_instance_profile(profile)
        .user_data(text!("#!/bin/sh\nexec dispatcher --port {PORT} --health {HEALTH_PORT} --logs {}\n", logs.bucket))
        .instance_tags(TAGS)
        .tags(TAGS);
    // A new template replaces hosts a few at a time; the apply waits until all are in service.
    let (version, subnets) = (template.latest_version(), net.private);
    let fleet = b
        .put("fleet", AutoScalingGroup { template, version, subnets, min: p.least, max: p.most })
        .target_groups([targets])
        .health_check(HealthCheck::Elb)
        .min_healthy(100)
        .max_healthy(150)
        .instance_tags(TAGS);

    let alias = Alias::to(balancer.zone_id(), balancer.dns_name()).while_healthy();
    b.put("name", Record { zone: names.zone, name: names.of("dispatchers"), record_type: RecordType::A }).alias(alias);

    b.never("internet", text!("{fleet}:22"));
    b.never("internet", text!("{fleet}:{PORT}"));
    b.check("answers", tcp(text!("{}:443", balancer.dns_name())));
    Dispatchers { public_name: balancer.dns_name() }
}
