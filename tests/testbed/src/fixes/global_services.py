"""IAM, Route 53, S3."""

import copy
import functools
import json
from xml.etree import ElementTree

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy
from moto.iam.responses import IamResponse
from moto.route53.models import Route53Backend
from moto.route53.responses import Route53
from moto.s3.exceptions import MissingBucket
from moto.s3.models import PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response

from .tools import ActionResult, Refused, around, before, lacking


@before(IAMBackend, "create_role")
def _(self, *args, **kwargs):
    """Names that differ only in case are the same."""
    name = kwargs.get("role_name") or args[0]
    for role in self.roles.values():
        if role.name != name and role.name.lower() == name.lower():
            raise Refused("EntityAlreadyExists", f"Role with name {name} already exists.")


@functools.cache
def policies_of_aws():
    return json.loads(aws_managed_policies_data)


@before(IAMBackend, "attach_role_policy", "get_policy")
def _(self, policy_arn, *args, **kwargs):
    """AWS' own policies, one at a time: all 1,200 cost every account a second."""
    name = policy_arn.rsplit("/", 1)[-1]
    if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies and name in policies_of_aws():
        policy = AWSManagedPolicy.from_data(name, self.account_id, self.region_name, policies_of_aws()[name])
        if policy.arn == policy_arn:
            self.managed_policies[policy.arn] = policy


@before(IAMBackend, "remove_role_from_instance_profile")
def _(self, profile_name, role_name):
    profile = self.get_instance_profile(profile_name)
    if all(role.name != role_name for role in profile.roles):
        raise Refused("NoSuchEntity", f"Role {role_name} is not in instance profile {profile_name}.")


@around(ManagedPolicy, "attach_to")
def _(original, self, obj):
    """What is attached is attached once."""
    if self.arn not in obj.managed_policies:
        original(obj)


@before(IAMBackend, "delete_policy")
def _(self, policy_arn):
    if self.get_policy(policy_arn).attachment_count:
        raise Refused("DeleteConflict", "Cannot delete a policy attached to entities.")


@lacking(IamResponse, "ListInstanceProfileTags")
def profile_tags(self):
    profile = self.backend.get_instance_profile(self._get_param("InstanceProfileName"))
    tags = profile.tags if isinstance(profile.tags, list) else [{"Key": k, "Value": v} for k, v in (profile.tags or {}).items()]
    return ActionResult({"Tags": tags, "IsTruncated": False})


@around(Route53Backend, "create_hosted_zone")
def _(original, self, name, private_zone, caller_reference=None, vpcid=None, vpcregion=None, *args, **kwargs):
    for zone in self.zones.values():
        if caller_reference and zone.caller_reference == caller_reference:
            raise Refused("HostedZoneAlreadyExists", f"A hosted zone has already been created with the specified caller reference: {caller_reference}")
        if private_zone and zone.name.rstrip(".") == name.rstrip(".") and any(vpc["vpc_id"] == vpcid if "vpc_id" in vpc else vpc.get("VPCId") == vpcid for vpc in zone.vpcs):
            raise Refused("ConflictingDomainExists", f"The VPC {vpcid} is already associated with a zone of the name {name}")
    return original(name, private_zone, caller_reference, vpcid, vpcregion, *args, **kwargs)


@before(Route53, "ListTagsForResources")
def _(self):
    ids = self._get_param("ResourceIds", [])
    if len(ids) > 10:
        raise Refused("InvalidInput", f"1 validation error detected: Value at 'resourceIds' failed to satisfy constraint: {len(ids)} is more than 10")


def absolute(name):
    return name if name.endswith(".") else f"{name}."


def key(record):
    get = record.get if isinstance(record, dict) else lambda at: getattr(record, {"Name": "name", "Type": "type", "SetIdentifier": "set_identifier"}[at], None)
    return absolute(get("Name")).lower().replace("\\052", "*"), get("Type"), get("SetIdentifier") or None


def contents(record):
    """What a record says, of the request's form or moto's."""
    if isinstance(record, dict):
        values = sorted(one["Value"] if isinstance(one, dict) else one for one in record.get("ResourceRecords") or [])
        alias, ttl, weight = record.get("AliasTarget"), record.get("TTL"), record.get("Weight")
    else:
        raw = record.resource_records or []
        values = sorted(one["Value"] if isinstance(one, dict) else one for one in raw)
        alias, ttl, weight = record.alias_target, record.ttl, record.weight
    dns = absolute(alias["DNSName"]).lower() if alias else None
    return values, dns, None if dns or ttl is None else int(ttl), None if weight is None else int(weight)


@around(Route53Backend, "change_resource_record_sets")
def _(original, self, zoneid, change_list):
    """A batch is done whole or not at all."""
    zone = self.get_hosted_zone(zoneid)
    for change in change_list:
        change["ResourceRecordSet"]["Name"] = change["ResourceRecordSet"]["Name"].replace("\\052", "*")
    there = {key(record): contents(record) for record in zone.rrsets}
    for change in change_list:
        record, action = change["ResourceRecordSet"], change["Action"]
        name, kind, identifier = key(record)
        said = f"name='{name}', type='{kind}'" + (f", set-identifier='{identifier}'" if identifier else "")
        if action == "CREATE" and (name, kind, identifier) in there:
            raise Refused("InvalidChangeBatch", f"[Tried to create resource record set [{said}] but it already exists]")
        if action == "DELETE" and (name, kind, identifier) not in there:
            raise Refused("InvalidChangeBatch", f"[Tried to delete resource record set [{said}] but it was not found]")
        if action == "DELETE" and there[(name, kind, identifier)] != contents(record):
            raise Refused("InvalidChangeBatch", f"[Tried to delete resource record set [{said}] but the values provided do not match the current values]")
        if action == "DELETE":
            del there[(name, kind, identifier)]
        else:
            there[(name, kind, identifier)] = contents(record)
        if record.get("AliasTarget"):
            record["AliasTarget"]["DNSName"] = absolute(record["AliasTarget"]["DNSName"])
    doing = [dict(change, ResourceRecordSet=dict(change["ResourceRecordSet"])) for change in change_list]
    for change in doing:
        # moto's own checks go by what was once asked for, not by what is there.
        if change["Action"] == "DELETE":
            gone = key(change["ResourceRecordSet"])
            zone.rrsets = [record for record in zone.rrsets if key(record) != gone]
    return original(zoneid, [change for change in doing if change["Action"] != "DELETE"])


@around(Route53, "ListResourceRecordSets")
def _(original, self):
    """A page begins at a record, of several weighted ones at that of the identifier."""
    most = self._get_int_param("MaxItems", 300)
    start = (self._get_param("StartRecordName") or "").replace("\\052", "*")
    kind, identifier = self._get_param("StartRecordType"), self._get_param("StartRecordIdentifier")
    if kind and not start:
        return original()
    zone = self._get_param("HostedZoneId")
    found, *_ = self.backend.list_resource_record_sets(zone, start_type=kind, start_name=start, max_items=1_000_000)
    at = [key(record)[2] for record in found].index(identifier) if identifier in [key(record)[2] for record in found] else 0
    found = [copy.copy(record) for record in found[at if identifier else 0 :]]
    for record in found:
        if record.name.startswith("*"):
            record.name = record.name.replace("*", "\\052", 1)
    result = {"ResourceRecordSets": found[:most], "IsTruncated": len(found) > most, "MaxItems": most}
    if len(found) > most:
        name, kind, identifier = found[most].name, found[most].type, key(found[most])[2]
        result.update(NextRecordName=name, NextRecordType=kind, NextRecordIdentifier=identifier)
    return ActionResult(result)


@around(S3Backend, "create_bucket")
def _(original, self, *args, **kwargs):
    """Buckets of these days block public access."""
    bucket = original(*args, **kwargs)
    bucket.public_access_block = PublicAccessBlock("true", "true", "true", "true")
    return bucket


@around(S3Response, "_bucket_response_put")
def _(original, self, request, bucket_name, querystring):
    """New buckets have the tags of their create; of one that is there it changes none."""
    new = False
    if not querystring:
        try:
            self.backend.get_bucket(bucket_name)
        except MissingBucket:
            new = True
    answer = original(request, bucket_name, querystring)
    if new and self.body:
        local = lambda element: element.tag.rsplit("}", 1)[-1]
        tags = [tag for tag in ElementTree.fromstring(self.body).iter() if local(tag) == "Tag"]
        pairs = [{local(part): part.text or "" for part in tag} for tag in tags]
        if pairs:
            self.backend.put_bucket_tagging(bucket_name, {pair["Key"]: pair["Value"] for pair in pairs})
    return answer


@around(S3Response, "GetBucketVersioning")
def _(original, self):
    """The root has a name that SDKs look at."""
    status, headers, body = original()
    return status, headers, body.replace("GetBucketVersioningResponse", "VersioningConfiguration")
