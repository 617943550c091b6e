"""Load balancers and Auto Scaling groups."""

from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.elbv2 import models
from moto.elbv2.responses import ELBV2Response

from .tools import ActionResult, Refused, around, before


def params(self):
    """What a create was given, to be compared with what the next one of that name is given. Tags do not count."""
    return {name: value for name, value in self._get_params().items() if name != "Tags"}


def same(self, existing, duplicate, message):
    """A repeated create with the same settings is answered with what is there."""
    if existing is None:
        return False
    if getattr(existing, "_made_by", None) != params(self):
        raise Refused(duplicate, message)
    return True


@around(ELBV2Response, "CreateLoadBalancer")
def _(original, self):
    name, kind = self._get_param("Name"), self._get_param("Type") or "application"
    there = next((lb for lb in self.elbv2_backend.load_balancers.values() if lb.name == name), None)
    if same(self, there, "DuplicateLoadBalancerName", f"A load balancer with the same name '{name}' exists, but with different settings"):
        return ActionResult({"LoadBalancers": [there]})
    subnets = self._get_param("Subnets", []) or self._get_param("SubnetMappings", [])
    if kind == "application" and len(subnets) < 2:
        raise Refused("ValidationError", "At least two subnets in two different Availability Zones must be specified")
    answer = original()
    answer.result["LoadBalancers"][0]._made_by = params(self)
    return answer


@around(ELBV2Response, "CreateTargetGroup")
def _(original, self):
    name = self._get_param("Name")
    there = next((group for group in self.elbv2_backend.target_groups.values() if group.name == name), None)
    if same(self, there, "DuplicateTargetGroupName", f"A target group with the same name '{name}' exists, but with different settings"):
        return ActionResult({"TargetGroups": [there]})
    answer = original()
    answer.result["TargetGroups"][0]._made_by = params(self)
    return answer


@around(ELBV2Response, "CreateListener")
def _(original, self):
    balancer = self.elbv2_backend.load_balancers.get(self._get_param("LoadBalancerArn"))
    port = str(self._get_param("Port"))
    there = next((one for one in (balancer.listeners.values() if balancer else []) if str(one.port) == port), None)
    if same(self, there, "DuplicateListener", "A listener already exists on this port for this load balancer"):
        return ActionResult({"Listeners": [there]})
    answer = original()
    answer.result["Listeners"][0]._made_by = params(self)
    return answer


@before(ELBV2Response, "DeleteLoadBalancer")
def _(self):
    balancer = self.elbv2_backend.load_balancers.get(self._get_param("LoadBalancerArn"))
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        raise Refused("OperationNotPermitted", f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled")


@before(ELBV2Response, "DescribeTags")
def _(self):
    arns, backend = self._get_param("ResourceArns", []), self.elbv2_backend
    if len(arns) > 20:
        raise Refused("ValidationError", f"The number of resource ARNs ({len(arns)}) exceeds the limit of 20")
    for arn in arns:
        backend._get_resource_by_arn(arn)


@around(ELBV2Response, "DeleteTargetGroup")
def _(original, self):
    if self._get_param("TargetGroupArn") not in self.elbv2_backend.target_groups:
        return ActionResult({})
    return original()


@before(ELBV2Response, "DeleteRule")
def _(self):
    arn = self._get_param("RuleArn")
    listeners = [l for lb in self.elbv2_backend.load_balancers.values() for l in lb.listeners.values()]
    if all(rule.arn != arn for listener in listeners for rule in listener.rules.values()):
        raise Refused("RuleNotFound", f"One or more rules not found: {arn}")


@before(AutoScalingResponse, "CreateAutoScalingGroup", "UpdateAutoScalingGroup")
def _(self):
    name, there = self._get_param("AutoScalingGroupName"), self.autoscaling_backend.autoscaling_groups
    group = there.get(name)
    least, most, wanted = (self._get_int_param(at) for at in ("MinSize", "MaxSize", "DesiredCapacity"))
    most = group.max_size if most is None and group else most
    least = group.min_size if least is None and group else least
    if wanted is not None and ((most is not None and wanted > most) or (least is not None and wanted < least)):
        raise Refused("ValidationError", f"Desired capacity:{wanted} must be between the specified min size:{least} and max size:{most}")


def exists(name):
    return Refused("AlreadyExists", f"AutoScalingGroup by this name already exists - A group with the name {name} already exists")


@before(AutoScalingBackend, "create_auto_scaling_group")
def _(self, *args, **kwargs):
    name = kwargs.get("name") or args[0]
    if name in self.autoscaling_groups:
        raise exists(name)


@before(AutoScalingResponse, "DeleteAutoScalingGroup")
def _(self):
    group = self.autoscaling_backend.autoscaling_groups.get(self._get_param("AutoScalingGroupName"))
    if group and group.instance_states and not self._get_bool_param("ForceDelete", False):
        raise Refused("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")


@around(InstanceState, "__init__")
def _(original, self, *args, **kwargs):
    """An instance keeps the version that it was started from."""
    original(*args, **kwargs)
    group = self.auto_scaling_group
    template = group.ec2_launch_template if group else None
    self._version = template.get_version(group.launch_template_version).number if template else None


def template_of(self):
    group = self.auto_scaling_group
    if group is None or group.ec2_launch_template is None:
        return None
    template = group.ec2_launch_template
    return {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name, "Version": str(self._version)}


InstanceState.launch_template = property(template_of)


@around(AutoScalingBackend, "terminate_instance")
def _(original, self, instance_id, should_decrement):
    groups = [g for g in self.autoscaling_groups.values() if any(s.instance.id == instance_id for s in g.instance_states)]
    answer = original(instance_id, should_decrement)
    forget(self, groups, {instance_id})
    return answer


@around(FakeAutoScalingGroup, "set_desired_capacity")
def _(original, self, *args, **kwargs):
    had = {state.instance.id for state in getattr(self, "instance_states", [])}
    answer = original(*args, **kwargs)
    forget(self.autoscaling_backend, [self], had - {state.instance.id for state in self.instance_states})
    return answer


@around(AutoScalingBackend, "delete_auto_scaling_group")
def _(original, self, group_name):
    group = self.autoscaling_groups.get(group_name)
    had = {state.instance.id for state in group.instance_states} if group else set()
    answer = original(group_name)
    forget(self, [group] if group else [], had)
    return answer


def forget(backend, groups, instances):
    """Terminated instances leave the target groups of their group."""
    for group in groups:
        for arn in group.target_group_arns or []:
            target_group = backend.elbv2_backend.target_groups.get(arn)
            if target_group and instances:
                gone = [key for key, target in target_group.targets.items() if target.get("id", target.get("Id")) in instances]
                for key in gone:
                    del target_group.targets[key]


def settings(self):
    """What a group is given and moto keeps at its creation alone, or not at all."""
    group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
    numbers = {"DefaultCooldown": "default_cooldown", "DefaultInstanceWarmup": "default_instance_warmup",
               "MaxInstanceLifetime": "max_instance_lifetime"}  # fmt: skip
    for name, at in numbers.items():
        if self._get_param(name) is not None:
            setattr(group, at, self._get_int_param(name))
    others = {"TerminationPolicies": "termination_policies", "PlacementGroup": "placement_group",
              "InstanceMaintenancePolicy": "instance_maintenance_policy"}  # fmt: skip
    for name, at in others.items():
        if self._get_param(name):
            setattr(group, at, self._get_param(name))


@around(AutoScalingResponse, "CreateAutoScalingGroup")
@around(AutoScalingResponse, "UpdateAutoScalingGroup")
def _(original, self):
    answer = original()
    settings(self)
    return answer


# There is no ACM here: a listener takes the ARN of any certificate.
models.register_certificate = lambda **_: None
models.ELBv2Backend._certificate_exists = lambda *_, **__: True


@around(models.ELBv2Backend, "modify_listener")
def _(original, self, arn, *args, **kwargs):
    """Another default certificate leaves the others where they are."""
    listener = self.describe_listeners(None, [arn])[0]
    old, others = listener.certificate, list(listener.certificates or [])
    modified = original(arn, *args, **kwargs)
    if modified.certificate != old:
        new = modified.certificate
        modified.certificates = [new] + [one for one in others if one not in (old, new)]
    return modified


@before(AutoScalingBackend, "delete_auto_scaling_group")
def _(self, group_name):
    """A group that goes takes those with it that stay when it shrinks."""
    for state in self.autoscaling_groups[group_name].instance_states if group_name in self.autoscaling_groups else []:
        state.protected_from_scale_in = False
