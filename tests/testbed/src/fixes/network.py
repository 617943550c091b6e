"""VPCs, subnets, route tables, network ACLs, security groups."""

from moto.ec2.models import EC2Backend
from moto.ec2.models.dhcp_options import DHCPOptionsSet
from moto.ec2.responses import EC2Response
from moto.elbv2.models import elbv2_backends

from .tools import Refused, around, before, canonical


DHCPOptionsSet.tags = property(lambda self: self.get_tags())


@around(EC2Response, "CreateDhcpOptions")
def _(original, self):
    answer = original()
    answer.result["DhcpOptions"].add_tags(self._parse_tag_specification().get("dhcp-options", {}))
    return answer


def interfaces(backend, of):
    """The interfaces of a subnet, a VPC or a group that something living has."""
    return [eni for eni in backend.enis.values() if of(eni)]


def balancers(backend):
    return list(elbv2_backends[backend.account_id][backend.region_name].load_balancers.values())


def in_use(noun, id):
    return Refused("DependencyViolation", f"The {noun} '{id}' has dependencies and cannot be deleted.")


@before(EC2Response, "DeleteSubnet")
def _(self):
    backend, id = self.ec2_backend, self._get_param("SubnetId")
    nats = [nat for nat in backend.nat_gateways.values() if nat.subnet_id == id and nat.state != "deleted"]
    attached = [a for a in backend.transit_gateway_attachments.values() if id in getattr(a, "subnet_ids", []) and a.state != "deleted"]
    balanced = [lb for lb in balancers(backend) if any(subnet.id == id for subnet in lb.subnets)]
    if nats or attached or balanced or interfaces(backend, lambda eni: eni.subnet.id == id):
        raise in_use("subnet", id)


@around(EC2Response, "DeleteSubnet")
def _(original, self):
    answer = original()
    id = self._get_param("SubnetId")
    for table in self.ec2_backend.route_tables.values():
        table._associations = {at: target for at, target in table._associations.items() if target != id}
    for acl in self.ec2_backend.network_acls.values():
        acl._associations = {at: a for at, a in acl._associations.items() if a.subnet_id != id}
    return answer


@before(EC2Response, "DeleteVpc")
def _(self):
    backend, id = self.ec2_backend, self._get_param("VpcId")
    gateways = [igw for igw in backend.internet_gateways.values() if igw.vpc and igw.vpc.id == id]
    endpoints = [e for e in backend.vpc_end_points.values() if e.vpc_id == id and e.state != "deleted"]
    acls = [acl for acl in backend.network_acls.values() if acl.vpc_id == id and not acl.default]
    attached = [a for a in backend.transit_gateway_attachments.values() if a.resource_id == id and a.state != "deleted"]
    if gateways or endpoints or acls or attached:
        raise in_use("vpc", id)


@around(EC2Response, "DeleteVpc")
def _(original, self):
    answer = original()
    backend, id = self.ec2_backend, self._get_param("VpcId")
    for acl in [acl.id for acl in backend.network_acls.values() if acl.vpc_id == id]:
        del backend.network_acls[acl]
    return answer


@before(EC2Response, "DeleteSecurityGroup")
def _(self):
    backend, id = self.ec2_backend, self._get_param("GroupId")
    held = interfaces(backend, lambda eni: any(group and group.id == id for group in eni.group_set))
    balanced = [lb for lb in balancers(backend) if id in (lb.security_groups or [])]
    others = [group for groups in backend.groups.values() for group in groups.values() if group.id != id]
    named = [
        rule for group in others for rule in [*group.ingress_rules, *group.egress_rules]
        if (rule.source_group or {}).get("GroupId") == id
    ]
    if held or balanced or named:
        raise Refused("DependencyViolation", f"resource {id} has a dependent object")


@before(EC2Response, "DeleteRouteTable")
def _(self):
    table = self.ec2_backend.route_tables.get(self._get_param("RouteTableId"))
    if table and table.main_association_id:
        raise in_use("routeTable", table.id)


@around(EC2Response, "AssociateRouteTable")
def _(original, self):
    subnet, table = self._get_param("SubnetId"), self._get_param("RouteTableId")
    for other in self.ec2_backend.route_tables.values():
        if subnet and other.id != table and subnet in other._associations.values():
            message = f"the specified association for route table {table} conflicts with an existing association"
            raise Refused("Resource.AlreadyAssociated", message)
    return original()


@before(EC2Response, "CreateRoute", "ReplaceRoute")
def _(self):
    backend, nat, transit = self.ec2_backend, self._get_param("NatGatewayId"), self._get_param("TransitGatewayId")
    if nat and (nat not in backend.nat_gateways or backend.nat_gateways[nat].state == "deleted"):
        raise Refused("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")
    if transit and transit not in backend.transit_gateways:
        raise Refused("InvalidTransitGatewayID.NotFound", f"The transitGateway ID '{transit}' does not exist")


@before(EC2Response, "DeleteRoute")
def _(self):
    table = self.ec2_backend.route_tables.get(self._get_param("RouteTableId"))
    cidr = self._get_param("DestinationCidrBlock") or self._get_param("DestinationIpv6CidrBlock")
    if table and any(r.local and cidr in (r.destination_cidr_block, r.destination_ipv6_cidr_block) for r in table.routes):
        raise Refused("InvalidParameterValue", f"cannot remove local route {cidr} in route table {table.id}")


@around(EC2Backend, "create_route")
def _(original, self, route_table_id, destination_cidr_block, *args, **kwargs):
    return original(route_table_id, canonical(destination_cidr_block), *args, **kwargs)


@around(EC2Backend, "create_network_acl")
def _(original, self, *args, **kwargs):
    acl = original(*args, **kwargs)
    if not acl.default:
        for egress in (True, False):
            self.create_network_acl_entry(acl.id, 32767, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None)
    return acl


def entry(self):
    acl = self.ec2_backend.network_acls.get(self._get_param("NetworkAclId"))
    number, egress = int(self._get_param("RuleNumber")), bool(self._get_param("Egress"))
    found = [e for e in (acl.entries if acl else []) if int(e.rule_number) == number and bool(e.egress) == egress]
    return acl, found


@before(EC2Response, "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry")
def _(self):
    acl, found = entry(self)
    if acl and not found:
        raise Refused("InvalidNetworkAclEntry.NotFound", f"The networkAcl entry {self._get_param('RuleNumber')} does not exist")


def with_icmp(original, self):
    answer = original()
    given = self._get_param("IcmpTypeCode", {}) or {}
    for made in entry(self)[1] if given else []:
        made.icmp_type, made.icmp_code = given.get("Type"), given.get("Code")
    return answer


around(EC2Response, "CreateNetworkAclEntry")(with_icmp)
around(EC2Response, "ReplaceNetworkAclEntry")(with_icmp)


@before(EC2Response, "DescribeNetworkAcls")
def _(self):
    for id in self._get_param("NetworkAclIds", []):
        if id not in self.ec2_backend.network_acls:
            raise Refused("InvalidNetworkAclID.NotFound", f"The networkAcl ID '{id}' does not exist")


@before(EC2Response, "DeleteNetworkAcl")
def _(self):
    acl = self.ec2_backend.network_acls.get(self._get_param("NetworkAclId"))
    if acl and acl.default:
        raise Refused("InvalidParameterValue", f"The network ACL '{acl.id}' is the default and cannot be deleted")


@before(EC2Response, "ReplaceNetworkAclAssociation")
def _(self):
    id = self._get_param("AssociationId")
    if not any(id in acl._associations for acl in self.ec2_backend.network_acls.values()):
        raise Refused("InvalidAssociationID.NotFound", f"The association ID '{id}' does not exist")
