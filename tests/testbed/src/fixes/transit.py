"""Transit gateways, their attachments and routes."""

from moto.ec2.models import EC2Backend
from moto.ec2.models.transit_gateway_attachments import TransitGatewayAttachment
from moto.ec2.models.transit_gateway_route_tables import TransitGatewayRelations
from moto.ec2.responses import EC2Response

from .tools import ActionResult, Refused, around, before, canonical, known, lacking, tagged, without_tags

ATTACHMENT = ("InvalidTransitGatewayAttachmentID.NotFound", "Transit Gateway Attachment")
TABLE = ("InvalidRouteTableID.NotFound", "Transit Gateway Route Table")


def attachments(backend, gateway):
    return [a for a in backend.transit_gateway_attachments.values() if getattr(a, "transit_gateway_id", None) == gateway and a.state != "deleted"]


@before(EC2Response, "DescribeTransitGateways")
def _(self):
    ids = self._get_param("TransitGatewayIds", [])
    known(ids, self.ec2_backend.transit_gateways.values(), "InvalidTransitGatewayID.NotFound", "Transit Gateway")


@before(EC2Response, "DeleteTransitGateway")
def _(self):
    backend, id = self.ec2_backend, self._get_param("TransitGatewayId")
    known([id], backend.transit_gateways.values(), "InvalidTransitGatewayID.NotFound", "Transit Gateway")
    left = attachments(backend, id)
    if left:
        raise Refused("IncorrectState", f"{id} has non-deleted VPC Attachments: {', '.join(a.id for a in left)}.")


@around(EC2Response, "CreateTransitGatewayVpcAttachment")
def _(original, self):
    answer = original()
    made = answer.result["TransitGatewayVpcAttachment"]
    made.add_tags(self._parse_tag_specification().get("transit-gateway-attachment", {}))
    return answer


TransitGatewayAttachment.tags = property(lambda self: self.get_tags())


def described(original, self, *args, **kwargs):
    ids = kwargs.get("transit_gateways_attachment_ids")
    filters = kwargs.pop("filters", None)
    known(ids, self.transit_gateway_attachments.values(), *ATTACHMENT)
    return tagged(original(*args, filters=without_tags(filters), **kwargs), filters)


around(EC2Backend, "describe_transit_gateway_vpc_attachments")(described)
around(EC2Backend, "describe_transit_gateway_attachments")(described)


@around(EC2Backend, "describe_transit_gateway_vpc_attachments")
def _(original, self, *args, **kwargs):
    return [a for a in original(*args, **kwargs) if a.resource_type == "vpc"]


@before(EC2Response, "ModifyTransitGatewayVpcAttachment", "DeleteTransitGatewayVpcAttachment")
def _(self):
    id = self._get_param("TransitGatewayAttachmentId")
    known([id], self.ec2_backend.transit_gateway_attachments.values(), *ATTACHMENT)


@around(EC2Backend, "delete_transit_gateway_vpc_attachment")
def _(original, self, transit_gateway_attachment_id):
    for table in self.transit_gateways_route_tables.values():
        table.route_table_associations.pop(transit_gateway_attachment_id, None)
    return original(transit_gateway_attachment_id)


@around(EC2Backend, "get_all_transit_gateway_route_tables")
def _(original, self, transit_gateway_route_table_ids=None, filters=None):
    known(transit_gateway_route_table_ids, self.transit_gateways_route_tables.values(), *TABLE)
    return tagged(original(transit_gateway_route_table_ids, without_tags(filters)), filters)


def table(self):
    id = self._get_param("TransitGatewayRouteTableId")
    known([id], self.ec2_backend.transit_gateways_route_tables.values(), *TABLE)
    return self.ec2_backend.transit_gateways_route_tables[id]


@before(EC2Response, "DeleteTransitGatewayRouteTable")
def _(self):
    if table(self).route_table_associations:
        raise Refused("IncorrectState", f"{table(self).id} has associations.")


@before(EC2Response, "CreateTransitGatewayRoute")
def _(self):
    cidr = canonical(self._get_param("DestinationCidrBlock"))
    if cidr in table(self).routes:
        raise Refused("RouteAlreadyExists", f"The route identified by {cidr} already exists.")


@around(EC2Backend, "create_transit_gateway_route")
def _(original, self, transit_gateway_route_table_id, destination_cidr_block, *args, **kwargs):
    route = original(transit_gateway_route_table_id, canonical(destination_cidr_block), *args, **kwargs)
    attachment = route.get("transitGatewayAttachments")
    if isinstance(attachment, dict):
        names = {"resourceId": "ResourceId", "resourceType": "ResourceType", "transitGatewayAttachmentId": "TransitGatewayAttachmentId"}
        route["transitGatewayAttachments"] = [{names[name]: value for name, value in attachment.items()}]
    return route


@lacking(EC2Response, "ReplaceTransitGatewayRoute")
def replace_route(self):
    cidr = canonical(self._get_param("DestinationCidrBlock"))
    present(self, cidr)
    route = self.ec2_backend.create_transit_gateway_route(
        table(self).id, cidr, self._get_param("TransitGatewayAttachmentId"), bool(self._get_param("Blackhole"))
    )
    return ActionResult({"Route": route})


def present(self, cidr):
    if cidr not in table(self).routes:
        raise Refused("InvalidRoute.NotFound", f"Route {cidr} does not exist in {table(self).id}.")


@before(EC2Response, "DeleteTransitGatewayRoute")
def _(self):
    present(self, self._get_param("DestinationCidrBlock"))


@before(EC2Response, "AssociateTransitGatewayRouteTable")
def _(self):
    attachment = self._get_param("TransitGatewayAttachmentId")
    for other in self.ec2_backend.transit_gateways_route_tables.values():
        if attachment in other.route_table_associations:
            raise Refused("Resource.AlreadyAssociated", f"Transit Gateway Attachment {attachment} is already associated to a route table.")


@before(EC2Response, "DisassociateTransitGatewayRouteTable")
def _(self):
    """moto does not remember the association that an attachment is made with."""
    attachment, backend = self._get_param("TransitGatewayAttachmentId"), self.ec2_backend
    if attachment not in table(self).route_table_associations:
        raise Refused("InvalidAssociation.NotFound", f"{attachment} is not associated with {table(self).id}.")
    if attachment not in backend.transit_gateway_associations:
        made = TransitGatewayRelations(backend, attachment, table(self).id, state="associated")
        backend.transit_gateway_associations[attachment] = made


def associated(original, self, *args, **kwargs):
    answer = original(*args, **kwargs)
    attachment = self._get_param("TransitGatewayAttachmentId")
    for one in self.ec2_backend.transit_gateway_attachments.values():
        if one.id == attachment:
            tables = self.ec2_backend.transit_gateways_route_tables.values()
            one.transit_gateway_route_table = next((t for t in tables if attachment in t.route_table_associations), None)
    return answer


around(EC2Response, "AssociateTransitGatewayRouteTable")(associated)
around(EC2Response, "DisassociateTransitGatewayRouteTable")(associated)


def switched_on(gateway, which):
    return gateway.options.get(f"DefaultRouteTable{which}") == "enable"


@around(EC2Response, "DescribeTransitGateways")
@around(EC2Response, "CreateTransitGateway")
@around(EC2Response, "ModifyTransitGateway")
def _(original, self):
    """A gateway without default association or propagation names no table for it."""
    answer = original()
    one = answer.result.get("TransitGateway")
    for gateway in [one] if one else answer.result["TransitGateways"]:
        for which in ("Association", "Propagation"):
            id = gateway.default_route_table.id if switched_on(gateway, which) else None
            gateway.options[f"{which}DefaultRouteTableId"] = id
    return answer


@around(EC2Backend, "describe_transit_gateways")
def _(original, self, filters, transit_gateway_ids):
    return tagged(original(without_tags(filters), transit_gateway_ids), filters)


@around(EC2Backend, "delete_transit_gateway")
def _(original, self, transit_gateway_id):
    """Its own table goes with it."""
    gateway = original(transit_gateway_id)
    self.transit_gateways_route_tables.pop(gateway.default_route_table.id, None)
    return gateway


@around(EC2Backend, "modify_transit_gateway")
def _(original, self, transit_gateway_id, description=None, options=None):
    options = dict(options or {})
    known([transit_gateway_id], self.transit_gateways.values(), "InvalidTransitGatewayID.NotFound", "Transit Gateway")
    cidrs = self.transit_gateways[transit_gateway_id].options.get("TransitGatewayCidrBlocks") or []
    gone = options.pop("RemoveTransitGatewayCidrBlocks", [])
    cidrs = [cidr for cidr in cidrs if cidr not in gone] + options.pop("AddTransitGatewayCidrBlocks", [])
    return original(transit_gateway_id, description, {**options, "TransitGatewayCidrBlocks": cidrs})


@around(EC2Backend, "create_transit_gateway_vpc_attachment")
def _(original, self, *args, **kwargs):
    """An attachment is born with an association only where its gateway says so."""
    made = original(*args, **kwargs)
    gateway = self.transit_gateways[made.transit_gateway_id]
    if not switched_on(gateway, "Association"):
        gateway.default_route_table.route_table_associations.pop(made.id, None)
    return made


@around(EC2Backend, "search_transit_gateway_routes")
def _(original, self, transit_gateway_route_table_id, filters, max_results=None):
    known([transit_gateway_route_table_id], self.transit_gateways_route_tables.values(), *TABLE)
    return original(transit_gateway_route_table_id, filters)


def propagates(self):
    attachment = self._get_param("TransitGatewayAttachmentId")
    return any(one.transitGatewayAttachmentId == attachment for one in table(self).route_table_propagation)


@before(EC2Response, "EnableTransitGatewayRouteTablePropagation")
def _(self):
    attachment = self._get_param("TransitGatewayAttachmentId")
    if propagates(self):
        raise Refused("TransitGatewayRouteTablePropagation.Duplicate", f"{attachment} already propagates to {table(self).id}.")


@before(EC2Response, "DisableTransitGatewayRouteTablePropagation")
def _(self):
    attachment = self._get_param("TransitGatewayAttachmentId")
    if not propagates(self):
        raise Refused("TransitGatewayRouteTablePropagation.NotFound", f"{attachment} does not propagate to {table(self).id}.")
