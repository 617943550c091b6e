"""Instances and launch templates."""

from moto.core.types import Base64EncodedString
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses import EC2Response
from moto.iam.models import iam_backends

from .tools import ActionResult, Refused, around, before, known, lacking


@before(EC2Response, "RunInstances")
def _(self):
    group = self._get_param("Placement.GroupName") or (self._get_param("Placement", {}) or {}).get("GroupName")
    if group and group not in getattr(self.ec2_backend, "placement_groups", {}):
        raise Refused("InvalidPlacementGroup.Unknown", f"The Placement Group '{group}' is unknown.")
    key = self._get_param("KeyName")
    if key and key not in self.ec2_backend.key_pairs:
        raise Refused("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")


@before(EC2Response, "RunInstances", "AssociateIamInstanceProfile", "ReplaceIamInstanceProfileAssociation")
def _(self):
    """A profile that does not exist, or not yet, is a wrong value to EC2."""
    given = self._get_param("IamInstanceProfile", {}) or {}
    profiles = iam_backends[self.current_account][self.partition].instance_profiles.values()
    for field in ("Name", "Arn"):
        if given.get(field) and all(given[field] not in (profile.name, profile.arn) for profile in profiles):
            where = f"iamInstanceProfile.{field.lower()}"
            raise Refused("InvalidParameterValue", f"Value ({given[field]}) for parameter {where} is invalid. Invalid IAM Instance Profile {field.lower()}")


@around(EC2Response, "RunInstances")
def _(original, self):
    answer = original()
    for instance in answer.result.instances:
        instance.disable_api_termination = bool(self._get_param("DisableApiTermination"))
        instance._placement_group = self._get_param("Placement.GroupName")
        if instance._placement_group:
            instance.placement.group_name = instance._placement_group
    return answer


@before(EC2Response, "ModifyInstanceAttribute")
def _(self):
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    if any(self._get_param(name) for name in ("InstanceType", "UserData", "EbsOptimized")) and instance.state != "stopped":
        raise Refused("IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state.")


def monitored(state, word):
    def call(self):
        found = [self.ec2_backend.get_instance(id) for id in self._get_param("InstanceIds", [])]
        for instance in found:
            instance.monitoring_state = state
        return ActionResult({"InstanceMonitorings": [{"InstanceId": i.id, "Monitoring": {"State": word}} for i in found]})

    return call


lacking(EC2Response, "MonitorInstances")(monitored("enabled", "pending"))
lacking(EC2Response, "UnmonitorInstances")(monitored("disabled", "disabling"))


# Those that it has now, not those that it was made with.
LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, tags: None)


@lacking(EC2Response, "ModifyInstanceCreditSpecification")
def modify_credits(self):
    """Reads that show them are not there either: nobody can tell."""
    ids = [spec["InstanceId"] for spec in self._get_param("InstanceCreditSpecifications", [])]
    for id in ids:
        self.ec2_backend.get_instance(id)
    done = [{"InstanceId": id} for id in ids]
    return ActionResult({"SuccessfulInstanceCreditSpecifications": done, "UnsuccessfulInstanceCreditSpecifications": []})


@around(LaunchTemplate, "create_version")
def _(original, self, data, *args, **kwargs):
    """Later versions start instances as the first one does."""
    if isinstance(data.get("UserData"), str):
        data["UserData"] = Base64EncodedString(data["UserData"])
    return original(data, *args, **kwargs)


@around(EC2Backend, "create_launch_template")
def _(original, self, name, description, template_data, tag_spec, *args, **kwargs):
    """The template's own tags are not those of what is started from it."""
    given = template_data.get("TagSpecifications")
    if given is not None:
        template_data["TagSpecifications"] = [spec for spec in given if spec.get("ResourceType") != "launch-template"]
        if not template_data["TagSpecifications"]:
            del template_data["TagSpecifications"]
    return original(name, description, template_data, tag_spec, *args, **kwargs)


@around(EC2Response, "CreateLaunchTemplateVersion")
def _(original, self):
    source = self._get_param("SourceVersion")
    answer = original()
    if source:
        id, name = self._get_param("LaunchTemplateId"), self._get_param("LaunchTemplateName")
        backend = self.ec2_backend
        template = backend.get_launch_template(id) if id else backend.get_launch_template_by_name(name)
        made = template.versions[-1]
        made.data = {**template.get_version(source).data, **made.data}
        answer.result["LaunchTemplateVersion"]["LaunchTemplateData"] = made.data
    return answer


@before(EC2Response, "DescribeLaunchTemplates")
def _(self):
    ids = self._get_param("LaunchTemplateIds", [])
    known(ids, self.ec2_backend.launch_templates.values(), "InvalidLaunchTemplateId.NotFound", "launch template ID")


@lacking(EC2Response, "DeleteLaunchTemplateVersions")
def delete_versions(self):
    id, name = self._get_param("LaunchTemplateId"), self._get_param("LaunchTemplateName")
    backend = self.ec2_backend
    template = backend.get_launch_template(id) if id else backend.get_launch_template_by_name(name)
    done, failed = [], []
    for number in (int(version) for version in self._get_param("Versions", [])):
        row = {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "VersionNumber": number}
        if number == template.default_version_number or all(version.number != number for version in template.versions):
            what = "launchTemplateVersionDoesNotExist" if number != template.default_version_number else "unexpectedError"
            failed.append({**row, "ResponseError": {"Code": what, "Message": "It is the default version, or not there."}})
        else:
            template.versions = [version for version in template.versions if version.number != number]
            done.append(row)
    key = "SuccessfullyDeletedLaunchTemplateVersions"
    return ActionResult({key: done, f"Uns{key[1:]}": failed})
