//! What network ACLs look up right before a call: which association a subnet has now, and which ACL is a VPC's default one.
//!
//! Authors have no use for them: a subnet's ACL is named where it is defined.

use provision_core::call::Observed;
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::value::{Fields, Value};

use super::list::filter;
use crate::Aws;
use crate::table::Source;
use crate::table::calls::{Given, field};
use crate::table::reading::{Request, detail, parameters};
use crate::table::shown::Shown;

/// The association of a subnet with the ACL that it has now. Each replacement makes another one.
#[data_source(cloud = Aws, kind = "aws_subnet_acl")]
pub struct SubnetAcl {
    /// The subnet.
    pub subnet: String,
    /// Only if this is its ACL.
    pub acl: Option<String>,
    /// The association's id: `aclassoc-…`.
    #[attr(computed)]
    pub association: String,
    /// The ACL's id.
    #[attr(computed)]
    pub id: SubnetAclId,
}

/// The ACL that subnets of a VPC have which no other one has.
#[data_source(cloud = Aws, kind = "aws_default_acl")]
pub struct DefaultAcl {
    /// The VPC.
    pub vpc: String,
    /// The ACL's id.
    #[attr(computed)]
    pub id: DefaultAclId,
}

pub(crate) static SUBNET_ACL: Source =
    Source { schema: SubnetAcl::SCHEMA, apis: &[], request: of_subnet, found: associations };
pub(crate) static DEFAULT_ACL: Source =
    Source { schema: DefaultAcl::SCHEMA, apis: &[], request: of_vpc, found: defaults };

fn acls<const N: usize>(filters: [(&str, &str); N]) -> Request {
    let filters = filters.into_iter().map(|(name, value)| filter(name, value)).collect();
    Request { api: "DescribeNetworkAcls", parameters: parameters([("Filters", Some(Value::List(filters)))]) }
}

fn of_subnet(query: Given<'_>) -> Result<Request, String> {
    Ok(acls([("association.subnet-id", query.text("subnet")?)]))
}

fn of_vpc(query: Given<'_>) -> Result<Request, String> {
    Ok(acls([("vpc-id", query.text("vpc")?), ("default", "true")]))
}

fn found(id: &str, fields: Fields) -> Option<Observed> {
    let mut fields = fields;
    fields.extend(field("id", id));
    Some(detail(&ObjectId::new(id).ok()?, fields))
}

fn associations(query: Given<'_>, answer: Shown<'_>) -> Vec<Observed> {
    let asked = |name: &str| query.0.get(name).and_then(Value::as_text);
    let all = answer.list("NetworkAcls").flat_map(|acl| acl.list("Associations"));
    let fits = all.filter(|it| {
        it.text("SubnetId") == asked("subnet") && asked("acl").is_none_or(|acl| it.text("NetworkAclId") == Some(acl))
    });
    fits.filter_map(|it| {
        let (acl, association) = (it.text("NetworkAclId")?, it.text("NetworkAclAssociationId")?);
        let mut fields = field("subnet", it.text("SubnetId")?);
        fields.extend(field("acl", acl));
        fields.extend(field("association", association));
        found(acl, fields)
    })
    .collect()
}

fn defaults(_query: Given<'_>, answer: Shown<'_>) -> Vec<Observed> {
    let defaults = answer.list("NetworkAcls").filter(|acl| acl.bool("IsDefault") == Some(true));
    defaults.filter_map(|acl| found(acl.text("NetworkAclId")?, field("vpc", acl.text("VpcId")?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ACL's other associations are in the same answer.
    #[test]
    fn only_the_association_of_the_subnet_is_found_and_only_in_the_acl_that_is_asked_for() {
        let answer: Value = serde_json::from_str(
            r#"{"NetworkAcls":[{"NetworkAclId":"acl-1","Associations":[
                {"NetworkAclAssociationId":"aclassoc-1","NetworkAclId":"acl-1","SubnetId":"subnet-1"},
                {"NetworkAclAssociationId":"aclassoc-2","NetworkAclId":"acl-1","SubnetId":"subnet-2"}]}]}"#,
        )
        .unwrap();
        let ask = |query: &str| {
            let query: Fields = serde_json::from_str(query).unwrap();
            let seen = associations(Given(&query), Shown(Some(&answer)));
            seen.iter().map(|one| one.fields["association"].as_text().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ask(r#"{"subnet":"subnet-2"}"#), ["aclassoc-2"]);
        assert_eq!(ask(r#"{"subnet":"subnet-2","acl":"acl-1"}"#), ["aclassoc-2"]);
        assert!(ask(r#"{"subnet":"subnet-2","acl":"acl-2"}"#).is_empty(), "another ACL took it");
    }
}
