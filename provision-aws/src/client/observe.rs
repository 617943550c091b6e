//! EC2's objects as the schema's fields, in the form that definitions use.

use aws_sdk_ec2::types::{
    Instance, InstanceStateName, IpPermission, SecurityGroup, Subnet, SubnetState, Tag, Vpc, VpcState,
};
use provision_core::call::{Observed, Readiness};
use provision_core::id::ObjectId;
use provision_core::schema::Schema;
use provision_core::value::{Fields, Value};

use crate::resources;
use crate::rule::{self, Peer, Rule, Rules};
use crate::tags;

/// What a VPC's own description lacks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dns {
    pub(crate) support: bool,
    pub(crate) hostnames: bool,
}

/// The fields; what the answer does not hold is left out, and so counts as not observed.
fn observed<const N: usize>(
    schema: &Schema,
    id: Option<String>,
    tags: Vec<Tag>,
    readiness: Readiness,
    known: [(&str, Option<Value>); N],
) -> Option<Observed> {
    let id = ObjectId::new(id?).ok()?;
    let pairs = tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
    let (mark, users) = tags::read(pairs.collect());
    let mut fields: Fields = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    fields.insert("id".to_owned(), id.as_str().into());
    fields.insert("tags".to_owned(), users);
    Some(Observed { id, mark, fields: schema.normal_form(fields), readiness })
}

fn text(text: Option<String>) -> Option<Value> {
    text.map(Value::Text)
}

/// A text that the object may not have: that is known too.
fn text_or_none(text: Option<String>) -> Option<Value> {
    Some(text.filter(|text| !text.is_empty()).map_or(Value::Null, Value::Text))
}

/// An output that is a text always: empty where the object has none.
fn text_or_empty(text: Option<String>) -> Option<Value> {
    Some(Value::Text(text.unwrap_or_default()))
}

pub(crate) fn vpc(vpc: Vpc, dns: Dns) -> Option<Observed> {
    let readiness = match vpc.state {
        Some(VpcState::Pending) => Readiness::Pending,
        _ => Readiness::Ready,
    };
    observed(
        resources::Vpc::SCHEMA,
        vpc.vpc_id,
        vpc.tags.unwrap_or_default(),
        readiness,
        [
            ("cidr", text(vpc.cidr_block)),
            ("dns_support", Some(dns.support.into())),
            ("dns_hostnames", Some(dns.hostnames.into())),
        ],
    )
}

pub(crate) fn subnet(subnet: Subnet) -> Option<Observed> {
    let readiness = match subnet.state {
        Some(SubnetState::Pending) => Readiness::Pending,
        Some(SubnetState::Available) | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the subnet is {}", other.as_str())),
    };
    observed(
        resources::Subnet::SCHEMA,
        subnet.subnet_id,
        subnet.tags.unwrap_or_default(),
        readiness,
        [
            ("vpc", text(subnet.vpc_id)),
            ("zone", text(subnet.availability_zone)),
            ("cidr", text(subnet.cidr_block)),
            ("public_ip", subnet.map_public_ip_on_launch.map(Into::into)),
        ],
    )
}

pub(crate) fn security_group(group: SecurityGroup) -> Option<Observed> {
    let id = group.group_id.clone().unwrap_or_default();
    let ingress = rule::value(&rules(group.ip_permissions.unwrap_or_default(), &id));
    let egress = rule::value(&rules(group.ip_permissions_egress.unwrap_or_default(), &id));
    observed(
        resources::SecurityGroup::SCHEMA,
        group.group_id,
        group.tags.unwrap_or_default(),
        Readiness::Ready,
        [
            ("vpc", text(group.vpc_id)),
            ("name", text(group.group_name)),
            ("description", text(group.description)),
            ("ingress", Some(ingress)),
            ("egress", Some(egress)),
        ],
    )
}

/// EC2 gathers all sources of one protocol and port range; a rule of ours has one.
fn rules(permissions: Vec<IpPermission>, own: &str) -> Rules {
    let mut rules = Rules::new();
    for permission in permissions {
        let protocol = permission.ip_protocol.unwrap_or_default();
        let ports = (permission.from_port, permission.to_port);
        let v4 = permission.ip_ranges.unwrap_or_default().into_iter().filter_map(|range| range.cidr_ip);
        let v6 = permission.ipv6_ranges.unwrap_or_default().into_iter().filter_map(|range| range.cidr_ipv6);
        let groups = permission.user_id_group_pairs.unwrap_or_default().into_iter().filter_map(|pair| pair.group_id);
        let lists = permission.prefix_list_ids.unwrap_or_default().into_iter().filter_map(|list| list.prefix_list_id);
        let peers = v4
            .chain(v6)
            .map(Peer::Cidr)
            .chain(groups.map(|group| if group == own { Peer::Own } else { Peer::Group(group) }))
            .chain(lists.map(Peer::PrefixList));
        rules.extend(peers.map(|peer| Rule::observed(&protocol, ports, peer)));
    }
    rules
}

/// The instance, unless it is terminated: EC2 lists those for an hour.
///
/// User data is left out, and its schema says so (`unread`): reading it takes a call for each instance, it can hold secrets,
/// and it cannot change while the instance runs.
pub(crate) fn instance(instance: Instance) -> Option<Observed> {
    let readiness = match instance.state.and_then(|state| state.name) {
        Some(InstanceStateName::Terminated) => return None,
        Some(InstanceStateName::ShuttingDown) => Readiness::Going,
        Some(InstanceStateName::Pending) => Readiness::Pending,
        Some(InstanceStateName::Running) => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the instance is {}: start it, or replace it", other.as_str())),
        None => Readiness::Pending,
    };
    let groups = instance.security_groups.unwrap_or_default().into_iter().filter_map(|group| group.group_id);
    observed(
        resources::Instance::SCHEMA,
        instance.instance_id,
        instance.tags.unwrap_or_default(),
        readiness,
        [
            ("subnet", text(instance.subnet_id)),
            ("ami", text(instance.image_id)),
            ("instance_type", instance.instance_type.map(|kind| kind.as_str().into())),
            ("security_groups", Some(Value::List(groups.map(Value::Text).collect()))),
            ("key_name", text_or_none(instance.key_name)),
            ("private_ip", text_or_empty(instance.private_ip_address)),
            ("public_address", text_or_empty(instance.public_ip_address)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_ec2::types::{GroupIdentifier, InstanceState, IpRange, UserIdGroupPair};

    fn permission(protocol: &str, ports: Option<i32>) -> aws_sdk_ec2::types::builders::IpPermissionBuilder {
        IpPermission::builder().ip_protocol(protocol).set_from_port(ports).set_to_port(ports)
    }

    #[test]
    fn rules_are_taken_apart_and_stand_in_normal_form() {
        let both = permission("tcp", Some(22))
            .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-2").build())
            .build();
        let all = permission("-1", None).ip_ranges(IpRange::builder().cidr_ip("0.0.0.0/0").build()).build();
        let group = SecurityGroup::builder()
            .group_id("sg-1")
            .group_name("a")
            .ip_permissions(both)
            .ip_permissions_egress(all)
            .build();
        let fields = security_group(group).unwrap().fields;
        assert_eq!(
            serde_json::to_string(&fields["ingress"]).unwrap(),
            r#"[{"cidr":"10.0.0.0/8","from_port":22,"protocol":"tcp","to_port":22},"#.to_owned()
                + r#"{"from_port":22,"group":"self","protocol":"tcp","to_port":22},"#
                + r#"{"from_port":22,"group":"sg-2","protocol":"tcp","to_port":22}]"#
        );
        assert_eq!(serde_json::to_string(&fields["egress"]).unwrap(), r#"[{"cidr":"0.0.0.0/0","protocol":"all"}]"#);
    }

    #[test]
    fn the_states_of_an_instance() {
        let with = |name: InstanceStateName| {
            let state = InstanceState::builder().name(name).build();
            let group = GroupIdentifier::builder().group_id("sg-1").build();
            instance(Instance::builder().instance_id("i-1").state(state).security_groups(group).build())
        };
        let readiness = |name| with(name).map(|observed| observed.readiness);
        assert_eq!(readiness(InstanceStateName::Pending), Some(Readiness::Pending));
        assert_eq!(readiness(InstanceStateName::Running), Some(Readiness::Ready));
        assert_eq!(readiness(InstanceStateName::ShuttingDown), Some(Readiness::Going));
        assert_eq!(readiness(InstanceStateName::Terminated), None);
        assert!(matches!(readiness(InstanceStateName::Stopped), Some(Readiness::Failed(_))));
        let fields = with(InstanceStateName::Running).unwrap().fields;
        assert_eq!(fields.get("public_address"), Some(&"".into()), "known to have none");
        assert_eq!(fields.get("user_data"), None, "not observed");
    }
}
