"""VPC peering: one connection that two accounts and regions see, each with tags of its own."""

import copy
import ipaddress

from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response

from .tools import around, known, tagged

FIELDS = {
    "vpc-peering-connection-id": lambda pcx: pcx.id,
    "status-code": lambda pcx: pcx._status.code,
    "requester-vpc-info.vpc-id": lambda pcx: pcx.vpc.id,
    "requester-vpc-info.owner-id": lambda pcx: pcx.vpc.owner_id,
    "requester-vpc-info.cidr-block": lambda pcx: pcx.vpc.cidr_block,
    "accepter-vpc-info.vpc-id": lambda pcx: pcx.peer_vpc.id,
    "accepter-vpc-info.owner-id": lambda pcx: pcx.peer_vpc.owner_id,
    "accepter-vpc-info.cidr-block": lambda pcx: pcx.peer_vpc.cidr_block,
}


@around(EC2Backend, "create_vpc_peering_connection")
def _(original, self, vpc, peer_vpc, *args, **kwargs):
    for pcx in self.vpc_pcxs.values():
        if (pcx.vpc.id, pcx.peer_vpc.id) == (vpc.id, peer_vpc.id) and pcx._status.code in ("pending-acceptance", "active"):
            return pcx
    pcx = original(vpc, peer_vpc, *args, **kwargs)
    if ipaddress.ip_network(vpc.cidr_block).overlaps(ipaddress.ip_network(peer_vpc.cidr_block)):
        pcx._status.code, pcx._status.message = "failed", "Failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
    return pcx


def seen_from(backend, pcx):
    seen = copy.copy(pcx)
    seen.ec2_backend = backend
    return seen


@around(EC2Response, "DescribeVpcPeeringConnections")
def _(original, self):
    backend, filters = self.ec2_backend, self._filters_from_querystring()
    ids = self._get_param("VpcPeeringConnectionIds", [])
    known(ids, backend.vpc_pcxs.values(), "InvalidVpcPeeringConnectionID.NotFound", "vpcPeeringConnection ID")
    answer = original()
    found = [seen_from(backend, pcx) for pcx in answer.result["VpcPeeringConnections"]]
    for name, field in FIELDS.items():
        if name in filters:
            found = [pcx for pcx in found if field(pcx) in filters[name]]
    answer.result["VpcPeeringConnections"] = tagged(found, filters)
    return answer
