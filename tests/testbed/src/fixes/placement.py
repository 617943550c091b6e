"""Placement groups, which moto lacks, and key pairs by id."""

from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2 import utils
from moto.ec2.responses import EC2Response
from moto.moto_api._internal import mock_random

from .tools import ActionResult, EmptyResult, Refused, around, lacking, matches, tagged


# Tags are set on ids that it knows.
utils.EC2_RESOURCE_TO_PREFIX["placement-group"] = "pg"
utils.EC2_PREFIX_TO_RESOURCE["pg"] = "placement-group"


class PlacementGroup(TaggedEC2Resource):
    def __init__(self, backend, name, strategy, partitions, spread, tags):
        self.ec2_backend, self.id = backend, f"pg-{mock_random.get_random_hex(17)}"
        self.group_id, self.group_name, self.strategy, self.state = self.id, name, strategy, "available"
        self.partition_count, self.spread_level = partitions, spread
        self.group_arn = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:placement-group/{name}"
        self.add_tags(tags)

    @property
    def tags(self):
        return self.get_tags()


def groups(self):
    backend = self.ec2_backend
    if not hasattr(backend, "placement_groups"):
        backend.placement_groups = {}
    return backend.placement_groups


@lacking(EC2Response, "CreatePlacementGroup")
def create(self):
    name, strategy = self._get_param("GroupName"), self._get_param("Strategy") or "cluster"
    if name in groups(self):
        raise Refused("InvalidPlacementGroup.Duplicate", f"The placement group '{name}' already exists.")
    partitions = self._get_int_param("PartitionCount") or (2 if strategy == "partition" else None)
    spread = self._get_param("SpreadLevel") or ("rack" if strategy == "spread" else None)
    tags = self._parse_tag_specification().get("placement-group", {})
    groups(self)[name] = PlacementGroup(self.ec2_backend, name, strategy, partitions, spread, tags)
    return ActionResult({"PlacementGroup": groups(self)[name]})


@lacking(EC2Response, "DescribePlacementGroups")
def describe(self):
    names, ids, filters = self._get_param("GroupNames", []), self._get_param("GroupIds", []), self._filters_from_querystring()
    found = list(groups(self).values())
    for name in names:
        if name not in groups(self):
            raise Refused("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    for id in ids:
        if all(group.id != id for group in found):
            raise Refused("InvalidPlacementGroup.Unknown", f"The Placement Group '{id}' is unknown.")
    found = [group for group in found if (not names or group.group_name in names) and (not ids or group.id in ids)]
    for name, at in {"group-name": "group_name", "strategy": "strategy", "state": "state"}.items():
        if name in filters:
            found = [group for group in found if any(matches(v, getattr(group, at)) for v in filters[name])]
    return ActionResult({"PlacementGroups": tagged(found, filters)})


@lacking(EC2Response, "DeletePlacementGroup")
def delete(self):
    name = self._get_param("GroupName")
    if name not in groups(self):
        raise Refused("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    live = [i for i in self.ec2_backend.all_instances() if i.state != "terminated"]
    if any(getattr(instance, "_placement_group", None) == name for instance in live):
        raise Refused("InvalidPlacementGroup.InUse", f"The placement group '{name}' is in use and may not be deleted.")
    del groups(self)[name]
    return EmptyResult()


def named(self):
    """A key pair's name, for its id."""
    id = self._get_param("KeyPairId")
    return next((pair.key_name for pair in self.ec2_backend.key_pairs.values() if pair.id == id), None)


@around(EC2Response, "DeleteKeyPair")
def _(original, self):
    if self._get_param("KeyName"):
        return original()
    pair = self.ec2_backend.delete_key_pair(named(self))
    return ActionResult({"Return": True, "KeyPairId": pair.id if pair else None})


@around(EC2Response, "DescribeKeyPairs")
def _(original, self):
    ids, answer = self._get_param("KeyPairIds", []), original()
    for id in ids:
        if all(pair.id != id for pair in self.ec2_backend.key_pairs.values()):
            raise Refused("InvalidKeyPair.NotFound", f"The key pair '{id}' does not exist")
    if ids:
        answer.result["KeyPairs"] = [pair for pair in answer.result["KeyPairs"] if pair.id in ids]
    return answer
