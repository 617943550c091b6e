# How far a plan reaches, as a number, and whether that is little enough to need nobody's approval. Its form is that of the
# policy in the Terraform tutorial of Open Policy Agent's documentation (openpolicyagent.org/docs/terraform, "Write the OPA
# policy to check the plan"): weights by type and action, `score`, `authz`. It knows nothing of provision: whoever has one
# for Terraform changes the types.
package terraform.analysis

import rego.v1

import input as tfplan

blast_radius := 30

weights := {
	"aws_vpc": {"delete": 100, "create": 10, "update": 5},
	"aws_subnet": {"delete": 50, "create": 5, "update": 2},
	"aws_security_group": {"delete": 20, "create": 12, "update": 1},
}

default authz := false

authz if {
	score < blast_radius
	not touches_instances
}

score := sum([points |
	some change in tfplan.resource_changes
	some action in change.change.actions
	points := weights[change.type][action]
])

touches_instances if {
	some change in tfplan.resource_changes
	change.type == "aws_instance"
	change.change.actions != ["no-op"]
}

# What such policies often ask besides: attributes of what will be there, and why something is replaced.
deny contains sprintf("%s is open to the world", [change.address]) if {
	some change in tfplan.resource_changes
	some rule in change.change.after.ingress
	rule.cidr == "0.0.0.0/0"
}

deny contains sprintf("%s has no VPC", [change.address]) if {
	some change in tfplan.resource_changes
	change.type == "aws_security_group"
	"create" in change.change.actions
	not change.change.after.vpc
	not change.change.after_unknown.vpc
}

replaced contains change.address if {
	some change in tfplan.resource_changes
	change.action_reason == "replace_because_cannot_update"
	["description"] in change.change.replace_paths
}
