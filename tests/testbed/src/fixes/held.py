"""What there is: `/moto-api/held` lists the objects of every kind, past the APIs and past whoever reads those.

Not in it are objects that every account has from the start, those that come and go with another one (the network interface
of an instance), and those that AWS shows for a while after they are gone.
"""

import json

from moto.backends import get_backend
from moto.moto_api._internal import urls

GONE = ("deleted", "deleting", "terminated", "shutting-down", "rejected", "expired")


def alive(items):
    """The ids of the objects of a dictionary that are not gone."""
    return [key for key, item in items.items() if getattr(item, "state", None) not in GONE]


def nested(items):
    return {key: item for inner in items.values() for key, item in inner.items()}


def interfaces(ec2):
    """Those that nobody else's object brought along."""
    of_others = {nat._eni.id for nat in ec2.nat_gateways.values() if getattr(nat, "_eni", None)}
    of_others |= {id for endpoint in ec2.vpc_end_points.values() for id in endpoint.network_interface_ids or []}
    return [id for id, eni in ec2.enis.items() if id not in of_others and not (eni.instance and eni.device_index == 0)]


def disks(ec2, instances):
    """Those that do not go with an instance."""
    mapped = [mapping for instance in instances for mapping in instance.block_device_mapping.values()]
    with_instance = {mapping.volume_id for mapping in mapped if mapping.delete_on_termination}
    return [id for id in ec2.volumes if id not in with_instance]


def network(ec2):
    yield "vpc", [vpc.id for vpc in ec2.vpcs.values() if not vpc.is_default]
    yield "subnet", [id for id, subnet in nested(ec2.subnets).items() if not subnet.default_for_az]
    yield "security_group", [id for id, group in nested(ec2.groups).items() if group.name != "default"]
    yield "dhcp_options", list(ec2.dhcp_options_sets)
    yield "internet_gateway", list(ec2.internet_gateways)
    yield "elastic_ip", [address.allocation_id for address in ec2.addresses]
    yield "nat_gateway", alive(ec2.nat_gateways)
    yield "route_table", [id for id, table in ec2.route_tables.items() if not table.main_association_id]
    yield "network_acl", [id for id, acl in ec2.network_acls.items() if not acl.default]
    yield "vpc_endpoint", alive(ec2.vpc_end_points)
    yield "flow_logs", list(ec2.flow_logs)
    yield "vpc_peering_connection", [id for id, pcx in ec2.vpc_pcxs.items() if pcx._status.code not in GONE]
    yield "customer_gateway", alive(ec2.customer_gateways)
    yield "vpn_gateway", alive(ec2.vpn_gateways)
    yield "vpn_connection", alive(ec2.vpn_connections)
    yield "transit_gateway", alive(ec2.transit_gateways)
    yield "transit_gateway_vpc_attachment", alive(ec2.transit_gateway_attachments)
    own = [gateway.default_route_table.id for gateway in ec2.transit_gateways.values()]
    tables = ec2.transit_gateways_route_tables
    yield "transit_gateway_route_table", [id for id in alive(tables) if id not in own]


def machines(ec2):
    instances = [instance for reservation in ec2.reservations.values() for instance in reservation.instances]
    groups = "aws:autoscaling:groupName"
    ours = [i for i in instances if i._state.name not in GONE and groups not in {tag["key"] for tag in i.get_tags()}]
    yield "instance", [instance.id for instance in ours]
    yield "ebs_volume", disks(ec2, instances)
    yield "network_interface", interfaces(ec2)
    yield "key_pair", [pair.id for pair in ec2.key_pairs.values()]
    yield "placement_group", [group.id for group in getattr(ec2, "placement_groups", {}).values()]
    yield "launch_template", list(ec2.launch_templates)


def balancers(elbv2):
    yield "lb", list(elbv2.load_balancers)
    yield "lb_target_group", list(elbv2.target_groups)
    listeners = nested({arn: balancer.listeners for arn, balancer in elbv2.load_balancers.items()})
    yield "lb_listener", list(listeners)
    yield "lb_listener_rule", [arn for listener in listeners.values() for arn in listener._non_default_rules]


def groups(autoscaling):
    yield "autoscaling_group", list(autoscaling.autoscaling_groups)


def identities(iam):
    yield "iam_role", [role.name for role in iam.roles.values()]
    own = [arn for arn in iam.managed_policies if not arn.startswith("arn:aws:iam::aws:")]
    yield "iam_policy", own
    yield "iam_instance_profile", [profile.name for profile in iam.instance_profiles.values()]


def zones(route53):
    yield "route53_zone", list(route53.zones)
    own = lambda zone, record: record.type in ("NS", "SOA") and record.name.rstrip(".") == zone.name.rstrip(".")
    records = [(zone, record) for zone in route53.zones.values() for record in zone.rrsets if not own(zone, record)]
    yield "route53_record", [f"{zone.resource_id}/{r.name.rstrip('.')}/{r.type}/{r.set_identifier or ''}".rstrip("/") for zone, r in records]


def buckets(s3):
    yield "s3_bucket", list(s3.buckets)


KINDS = {
    "ec2": (network, machines),
    "elbv2": (balancers,),
    "autoscaling": (groups,),
    "iam": (identities,),
    "route53": (zones,),
    "s3": (buckets,),
}


def held(*_):
    found = {}
    for service, kinds in KINDS.items():
        for regions in list(get_backend(service).values()):
            for backend in list(regions.values()):
                for name, ids in (pair for kind in kinds for pair in kind(backend)):
                    found.setdefault(name, []).extend(str(id) for id in ids)
    return 200, {}, json.dumps({name: sorted(set(ids)) for name, ids in found.items()})


urls.url_paths["{0}/moto-api/held$"] = held
