//! Which calls we make, and how each is recovered when its answer is lost: a public table, tested against EC2's own
//! model (`tools/ec2-facts.json`, an extract of botocore's) and against what the pure half compiles.

/// How a call is recovered, without the call's own values: see [`provision_core::call::Recovery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The API honours an idempotency token.
    Token,
    /// The API refuses a second object of the name.
    Name,
    /// Only the mark, set in the create call, tells.
    Tag,
    /// The API refuses a second object with these values.
    NaturalKey,
    /// Idempotent, recognised by reading back.
    Set,
    /// A removal by id.
    Remove,
}

/// One call and its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The operation, as EC2's reference names it.
    pub api: &'static str,
    /// How it is recovered.
    pub class: Class,
    /// Why that is so.
    pub reason: &'static str,
}

const fn row(api: &'static str, class: Class, reason: &'static str) -> Row {
    Row { api, class, reason }
}

const RULES_AUTHORIZED: &str = "a second one is refused with InvalidPermission.Duplicate";
const RULES_REVOKED: &str = "a second one is refused with InvalidPermission.NotFound, or does nothing";

/// Every mutating call of this provider.
pub static TABLE: &[Row] = &[
    row("CreateVpc", Class::Tag, "takes no token; two VPCs may have one range and one name"),
    row("CreateSubnet", Class::NaturalKey, "takes no token; a range taken in the VPC is InvalidSubnet.Conflict"),
    row("CreateSecurityGroup", Class::Name, "takes no token; a name taken in the VPC is InvalidGroup.Duplicate"),
    row("RunInstances", Class::Token, "ClientToken, valid for 24 hours at least after the instance terminated"),
    row("ModifyVpcAttribute", Class::Set, "sets an attribute to a value"),
    row("ModifySubnetAttribute", Class::Set, "sets an attribute to a value"),
    row("ModifyInstanceAttribute", Class::Set, "sets the whole list of groups"),
    row("AuthorizeSecurityGroupIngress", Class::Set, RULES_AUTHORIZED),
    row("AuthorizeSecurityGroupEgress", Class::Set, RULES_AUTHORIZED),
    row("RevokeSecurityGroupIngress", Class::Set, RULES_REVOKED),
    row("RevokeSecurityGroupEgress", Class::Set, RULES_REVOKED),
    row("CreateTags", Class::Set, "adds or overwrites the tags that it names"),
    row("DeleteTags", Class::Set, "removes the tags that it names, and does nothing where there are none"),
    row("DeleteVpc", Class::Remove, "ids are never used again"),
    row("DeleteSubnet", Class::Remove, "ids are never used again"),
    row("DeleteSecurityGroup", Class::Remove, "ids are never used again; the call names the id, not the name"),
    row("TerminateInstances", Class::Remove, "ids are never used again; idempotent by EC2's documentation"),
];
