"""Internet, NAT, customer and VPN gateways, VPN connections, VPC endpoints, flow logs."""

from moto.ec2.models import EC2Backend
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.responses import EC2Response

from .tools import EmptyResult, ActionResult, Refused, around, before, canonical, known, lacking, tagged, without_tags


@before(EC2Response, "AttachInternetGateway")
def _(self):
    vpc = self._get_param("VpcId")
    if any(igw.vpc and igw.vpc.id == vpc for igw in self.ec2_backend.internet_gateways.values()):
        if not self.ec2_backend.get_internet_gateway(self._get_param("InternetGatewayId")).vpc:
            raise Refused("InvalidParameterValue", f"Network {vpc} already has an internet gateway attached")


@before(EC2Response, "DetachInternetGateway")
def _(self):
    vpc = self._get_param("VpcId")
    if any(address.eni and address.eni.subnet.vpc_id == vpc for address in self.ec2_backend.addresses):
        message = f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
        raise Refused("DependencyViolation", message)


@before(EC2Response, "CreateNatGateway")
def _(self):
    backend = self.ec2_backend
    if self._get_param("ConnectivityType") == "private":
        return
    if not self._get_param("AllocationId"):
        raise Refused("MissingParameter", "The request must include the AllocationId parameter.")
    vpc = backend.get_subnet(self._get_param("SubnetId")).vpc_id
    if not any(igw.vpc and igw.vpc.id == vpc for igw in backend.internet_gateways.values()):
        raise Refused("Gateway.NotAttached", f"Network {vpc} has no Internet gateway attached")


@around(EC2Response, "CreateNatGateway")
def _(original, self):
    answer, ip = original(), self._get_param("PrivateIpAddress")
    nat = answer.result["NatGateway"]
    for address in nat.address_set if ip else []:
        address["privateIp"] = ip
    if ip:
        nat.private_ip = nat._eni.private_ip_address = ip
    return answer


@before(EC2Response, "DeleteNatGateway")
def _(self):
    id = self._get_param("NatGatewayId")
    known([id], self.ec2_backend.nat_gateways.values(), "NatGatewayNotFound", "NAT gateway")


@around(EC2Backend, "delete_nat_gateway")
def _(original, self, nat_gateway_id):
    nat = original(nat_gateway_id)
    self.enis.pop(nat._eni.id, None)
    for address in self.addresses:
        if address.eni is nat._eni:
            address.association_id = address.eni = None
    return nat


@around(EC2Backend, "describe_nat_gateways")
def _(original, self, filters, nat_gateway_ids):
    known(nat_gateway_ids, self.nat_gateways.values(), "NatGatewayNotFound", "NAT gateway")
    return tagged(original(without_tags(filters), nat_gateway_ids), filters)


@around(EC2Backend, "describe_customer_gateways")
def _(original, self, filters=None, customer_gateway_ids=None):
    code = "InvalidCustomerGatewayID.NotFound"
    known(customer_gateway_ids, self.customer_gateways.values(), code, "customerGateway ID")
    return tagged(original(without_tags(filters), customer_gateway_ids), filters)


@around(EC2Response, "CreateCustomerGateway")
def _(original, self):
    """The same gateway is one, whatever its tags are."""
    ip = self._get_param("IpAddress") or self._get_param("PublicIp")
    for gateway in self.ec2_backend.customer_gateways.values():
        if gateway.state != "deleted" and (gateway.ip_address, str(gateway.bgp_asn)) == (ip, str(self._get_param("BgpAsn"))):
            return ActionResult({"CustomerGateway": gateway})
    answer = original()
    answer.result["CustomerGateway"].device_name = self._get_param("DeviceName")
    return answer


def connections(backend, **of):
    live = [vpn for vpn in backend.vpn_connections.values() if vpn.state != "deleted"]
    return [vpn for vpn in live if all(getattr(vpn, name) == id for name, id in of.items())]


@before(EC2Response, "DeleteCustomerGateway")
def _(self):
    if connections(self.ec2_backend, customer_gateway_id=self._get_param("CustomerGatewayId")):
        raise Refused("IncorrectState", "The customer gateway is in use.")


@before(EC2Response, "DescribeVpnGateways")
def _(self):
    gateways = self.ec2_backend.vpn_gateways.values()
    known(self._get_param("VpnGatewayIds", []), gateways, "InvalidVpnGatewayID.NotFound", "vpnGateway ID")


@before(EC2Response, "DeleteVpnGateway")
def _(self):
    gateway = self.ec2_backend.get_vpn_gateway(self._get_param("VpnGatewayId"))
    attached = any(attachment.state == "attached" for attachment in gateway.attachments.values())
    if attached or connections(self.ec2_backend, vpn_gateway_id=gateway.id):
        raise Refused("IncorrectState", f"The virtual private gateway '{gateway.id}' is in use.")


RouteTable.propagating_vgws = property(lambda self: [{"GatewayId": id} for id in getattr(self, "_propagating", [])])


@lacking(EC2Response, "EnableVgwRoutePropagation")
def enable_propagation(self):
    table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
    gateway = self.ec2_backend.get_vpn_gateway(self._get_param("GatewayId"))
    attachment = gateway.attachments.get(table.vpc_id)
    if not attachment or attachment.state != "attached":
        raise Refused("Gateway.NotAttached", f"resource {gateway.id} is not attached to the VPC of {table.id}")
    table._propagating = sorted({*getattr(table, "_propagating", []), gateway.id})
    return EmptyResult()


@lacking(EC2Response, "DisableVgwRoutePropagation")
def disable_propagation(self):
    table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
    table._propagating = [id for id in getattr(table, "_propagating", []) if id != self._get_param("GatewayId")]
    return EmptyResult()


@before(EC2Response, "CreateVpnConnection")
def _(self):
    if self._get_param("VpnGatewayId"):
        self.ec2_backend.get_vpn_gateway(self._get_param("VpnGatewayId"))


@around(EC2Response, "CreateVpnConnection")
def _(original, self):
    answer = original()
    vpn = answer.result["VpnConnection"]
    vpn.options = {"StaticRoutesOnly": False, **(self._get_param("Options", {}) or {})}
    vpn.routes, vpn.category = [], "VPN"
    if self._get_param("PreSharedKeyStorage") == "SecretsManager":
        owner = f"{self.ec2_backend.region_name}:{self.ec2_backend.account_id}"
        vpn.pre_shared_key_arn = f"arn:aws:secretsmanager:{owner}:secret:s2svpn!{vpn.id}"
    return answer


def connection(self):
    return self.ec2_backend.describe_vpn_connections([self._get_param("VpnConnectionId")])[0]


@lacking(EC2Response, "CreateVpnConnectionRoute")
def create_vpn_route(self):
    vpn, cidr = connection(self), canonical(self._get_param("DestinationCidrBlock"))
    if all(route["DestinationCidrBlock"] != cidr for route in vpn.routes):
        vpn.routes.append({"DestinationCidrBlock": cidr, "Source": "Static", "State": "available"})
    return EmptyResult()


@lacking(EC2Response, "DeleteVpnConnectionRoute")
def delete_vpn_route(self):
    vpn, cidr = connection(self), canonical(self._get_param("DestinationCidrBlock"))
    if all(route["DestinationCidrBlock"] != cidr for route in vpn.routes):
        raise Refused("InvalidRoute.NotFound", f"The specified route {cidr} does not exist")
    vpn.routes = [route for route in vpn.routes if route["DestinationCidrBlock"] != cidr]
    return EmptyResult()


@lacking(EC2Response, "ModifyVpnConnection")
def modify_vpn(self):
    vpn = connection(self)
    for name in ("CustomerGatewayId", "VpnGatewayId", "TransitGatewayId"):
        if self._get_param(name):
            at = {"CustomerGatewayId": "customer_gateway_id", "VpnGatewayId": "vpn_gateway_id"}.get(name, "transit_gateway_id")
            setattr(vpn, at, self._get_param(name))
    return ActionResult({"VpnConnection": vpn})


@lacking(EC2Response, "ModifyVpnConnectionOptions")
def modify_vpn_options(self):
    vpn = connection(self)
    names = [f"{side}Ipv{version}NetworkCidr" for side in ("Local", "Remote") for version in (4, 6)]
    vpn.options.update({name: self._get_param(name) for name in names if self._get_param(name)})
    return ActionResult({"VpnConnection": vpn})


@around(EC2Backend, "create_vpc_endpoint")
def _(original, self, *args, **kwargs):
    endpoint = original(*args, **kwargs)
    if not endpoint.vpc_endpoint_type or endpoint.vpc_endpoint_type == "Gateway":
        endpoint.vpc_endpoint_type, endpoint.private_dns_enabled = "Gateway", False
    return endpoint


@around(EC2Response, "ModifyVpcEndpoint")
def _(original, self):
    answer = original()
    endpoint = self.ec2_backend.vpc_end_points[self._get_param("VpcEndpointId")]
    if self._get_param("PrivateDnsEnabled") is not None:
        endpoint.private_dns_enabled = self._get_bool_param("PrivateDnsEnabled")
    if self._get_param("IpAddressType"):
        endpoint.ip_address_type = self._get_param("IpAddressType")
    return answer


@lacking(EC2Response, "DeleteVpcEndpoints")
def delete_endpoints(self):
    backend, missing = self.ec2_backend, []
    for id in self._get_param("VpcEndpointIds", []):
        endpoint = backend.vpc_end_points.pop(id, None)
        if endpoint is None:
            error = {"Code": "InvalidVpcEndpointId.NotFound", "Message": f"The Vpc Endpoint Id '{id}' does not exist"}
            missing.append({"ResourceId": id, "Error": error})
            continue
        for eni in endpoint.network_interface_ids or []:
            backend.enis.pop(eni, None)
        for table in backend.route_tables.values():
            table._routes = {key: route for key, route in table._routes.items() if route.vpc_endpoint_id != id}
    return ActionResult({"Unsuccessful": missing})


@around(EC2Backend, "create_flow_logs")
def _(original, self, *args, **kwargs):
    """A bucket's ARN may go on with a prefix."""
    names = ["resource_type", "resource_ids", "traffic_type", "deliver_logs_permission_arn", "log_destination_type", "log_destination"]
    given = {**dict(zip(names, args)), **kwargs}
    whole = given.get("log_destination")
    if given.get("log_destination_type") != "s3" or not whole or "/" not in whole:
        return original(*args, **kwargs)
    bucket = whole.split("/", 1)[0]
    taken = [log for log in self.flow_logs.values() if log.log_destination == whole and log.resource_id in given["resource_ids"]]
    if taken:
        raise Refused("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.")
    position = names.index("log_destination")
    args = tuple(bucket if at == position else value for at, value in enumerate(args))
    if "log_destination" in kwargs:
        kwargs["log_destination"] = bucket
    logs, failed = original(*args, **kwargs)
    for log in logs:
        log.log_destination = whole
    return logs, failed


@around(EC2Response, "CreateFlowLogs")
def _(original, self):
    """In which form files are written, and how they are laid out, is told again."""
    answer = original()
    options = self._get_param("DestinationOptions", {}) or {}
    for id in answer.result["FlowLogIds"]:
        self.ec2_backend.flow_logs[id].destination_options = {
            "FileFormat": options.get("FileFormat", "plain-text"),
            "HiveCompatiblePartitions": bool(options.get("HiveCompatiblePartitions")),
            "PerHourPartition": bool(options.get("PerHourPartition")),
        }
    return answer
