//! `aws_network_acl`: found again by its mark alone. Entries and subnets are fields, and calls that set them.
//!
//! A subnet always has an ACL: it gets another one by a replacement of its association, whose id each replacement makes
//! anew, and which is therefore looked up right before the call. A subnet that leaves goes back to the VPC's default ACL.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::prelude::*;
use provision_core::value::Value;

use super::acl_entry::{self, AclEntry, Entries, Entry};
use super::list::{List, PAGE};
use super::subnet::SubnetId;
use super::tags;
use super::vpc::VpcId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, look, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A list of what enters and leaves subnets, packet by packet. What no entry lets through does not pass.
///
/// Subnets that no list has are in the VPC's default one, which lets everything through.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>, private: Ref<SubnetId, D>) {
/// b.put("private", NetworkAcl { vpc })
///     .subnets([private])
///     .ingress([AclEntry::allow(100).all(cidr!("10.0.0.0/8"))])
///     .egress([AclEntry::allow(100).all(cidr!("10.0.0.0/8"))]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_network_acl", version = 1)]
pub struct NetworkAcl {
    /// The VPC that it belongs to.
    #[attr(replace)]
    pub vpc: VpcId,
    /// The subnets that it is for.
    #[attr(set, default)]
    pub subnets: Vec<SubnetId>,
    /// What may come in.
    #[attr(set, default)]
    pub ingress: Vec<AclEntry>,
    /// What may go out.
    #[attr(set, default)]
    pub egress: Vec<AclEntry>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: NetworkAclId,
}

apis! { aws_sdk_ec2 ec2;
    CreateNetworkAcl: Tag, "ClientToken, of which AWS names no term; two ACLs of a VPC differ in nothing";
        (VpcId, ClientToken, TagSpecifications) -> (NetworkAcl);
    CreateNetworkAclEntry: Set, "a second one is refused with NetworkAclEntryAlreadyExists; read back before it is repeated";
        (NetworkAclId, RuleNumber, Egress, RuleAction, Protocol, CidrBlock, Ipv6CidrBlock, PortRange,
         IcmpTypeCode) -> ();
    ReplaceNetworkAclEntry: Set, "sets what the entry of a number says";
        (NetworkAclId, RuleNumber, Egress, RuleAction, Protocol, CidrBlock, Ipv6CidrBlock, PortRange,
         IcmpTypeCode) -> ();
    DeleteNetworkAclEntry: Set, "a second one is refused with InvalidNetworkAclEntry.NotFound",
        ["InvalidNetworkAclEntry.NotFound" => AlreadySo]; (NetworkAclId, RuleNumber, Egress) -> ();
    ReplaceNetworkAclAssociation: Set, "replaces an association that is looked up right before; one that is replaced is no more";
        (AssociationId, NetworkAclId) -> ();
    DeleteNetworkAcl: Remove, "ids are never used again"; (NetworkAclId) -> ();
    DescribeNetworkAcls: Read, ""; (NetworkAclIds, Filters, NextToken, MaxResults) -> (NetworkAcls, NextToken);
}
shapes! { aws_sdk_ec2;
    text RuleAction;
    both PortRange(From, To);
    both IcmpTypeCode(Type as r#type, Code);
    shown NetworkAclEntry(RuleNumber, Egress, RuleAction, Protocol, CidrBlock, Ipv6CidrBlock, PortRange,
        IcmpTypeCode);
    shown NetworkAclAssociation(NetworkAclAssociationId, NetworkAclId, SubnetId);
    shown NetworkAcl(NetworkAclId, VpcId, IsDefault, Associations, Entries, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: NetworkAcl::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateNetworkAcl", id: &["NetworkAcl", "NetworkAclId"], outputs: &[] }],
    reading: &List {
        schema: NetworkAcl::SCHEMA,
        api: "DescribeNetworkAcls",
        ids: "NetworkAclIds",
        filters: "Filters",
        most: PAGE,
        objects: &["NetworkAcls"],
        id: "NetworkAclId",
        keys: &[("vpc", "vpc-id")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","subnets":["subnet-1","subnet-2"],"tags":{},
            "ingress":[{"number":100,"action":"allow","protocol":"tcp","from_port":443,"to_port":443,"cidr":"0.0.0.0/0"},
                       {"number":200,"action":"deny","protocol":"icmp","from_port":-1,"to_port":-1,"cidr":"0.0.0.0/0"}],
            "egress":[{"number":100,"action":"allow","protocol":"all","cidr":"0.0.0.0/0"}]}"#,
        changes: &[
            r#"{"subnets":["subnet-2","subnet-3"]}"#,
            r#"{"ingress":[{"number":100,"action":"allow","protocol":"tcp","from_port":80,"to_port":443,"cidr":"10.0.0.0/8"},
                           {"number":300,"action":"allow","protocol":"all","cidr":"::/0"}]}"#,
            r#"{"egress":[]}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// A direction: its field, and whether it is the way out.
const DIRECTIONS: [(&str, bool); 2] = [("ingress", false), ("egress", true)];

/// The look-up of a subnet's association, which a replacement needs; that of a subnet which leaves only while it is in this ACL.
/// [`DEFAULT`] finds the ACL that it goes to.
const ASSOCIATION: &str = "aws_subnet_acl";
/// The look-up of a VPC's default ACL.
const DEFAULT: &str = "aws_default_acl";

fn wanted(desired: Given<'_>, field: &str) -> Result<Entries, String> {
    let entries = acl_entry::of_field(field, desired.list(field)?)?;
    acl_entry::check(field, &entries)?;
    Ok(entries)
}

/// What is new comes before what goes, so that nothing that may pass before and after is stopped in between.
fn set_entries(calls: &mut Calls, id: &Part, (field, egress): (&str, bool), have: &Entries, want: &Entries) {
    let request = |number: i64, entry: Option<&Entry>| {
        let acl = ("NetworkAclId".to_owned(), id.clone());
        let short = || vec![("RuleNumber", number.into()), ("Egress", egress.into())];
        let parts = entry.map_or_else(short, |entry| entry.parts(number, egress));
        Part::Map(parts.into_iter().map(|(name, part)| (name.to_owned(), part)).chain([acl]).collect())
    };
    let mut now = have.clone();
    for (number, entry) in want {
        let api = match now.insert(*number, entry.clone()) {
            Some(same) if same == *entry => continue,
            Some(_) => "ReplaceNetworkAclEntry",
            None => "CreateNetworkAclEntry",
        };
        calls.set(api, request(*number, Some(entry)), acl_entry::fields(field, &now));
    }
    for number in have.keys().filter(|number| !want.contains_key(number)) {
        now.remove(number);
        calls.set("DeleteNetworkAclEntry", request(*number, None), acl_entry::fields(field, &now));
    }
}

fn subnets<'a>(fields: Given<'a>) -> Result<BTreeSet<&'a str>, String> {
    Ok(fields.texts("subnets")?.into_iter().collect())
}

fn replace(calls: &mut Calls, association: Part, acl: Part, now: &BTreeSet<&str>) {
    let request = parts([("AssociationId", association), ("NetworkAclId", acl)]);
    calls.set("ReplaceNetworkAclAssociation", request, field("subnets", now.iter().copied().collect::<Vec<_>>()));
}

fn take(calls: &mut Calls, id: &Part, have: &BTreeSet<&str>, want: &BTreeSet<&str>) {
    let mut now = have.clone();
    for &subnet in want.difference(have) {
        now.insert(subnet);
        replace(calls, look(ASSOCIATION, [("subnet", subnet.into())], "association"), id.clone(), &now);
    }
}

/// Subnets that leave go back to the default ACL, unless another one has taken them meanwhile.
fn give_back(calls: &mut Calls, id: &str, vpc: &str, have: &BTreeSet<&str>, want: &BTreeSet<&str>) {
    let mut now: BTreeSet<&str> = have.union(want).copied().collect();
    for &subnet in have.difference(want) {
        now.remove(subnet);
        let association = look(ASSOCIATION, [("subnet", subnet.into()), ("acl", id.into())], "association");
        replace(calls, association, look(DEFAULT, [("vpc", vpc.into())], "id"), &now);
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, subnets) = (desired.text("vpc")?, subnets(desired)?);
    let entries = DIRECTIONS.map(|direction| Ok((direction, wanted(desired, direction.0)?)));
    let entries = entries.into_iter().collect::<Result<Vec<_>, String>>()?;
    let (specification, users) = tags::specification("network-acl", desired, mark)?;
    let mut fields = field("vpc", vpc);
    for name in ["subnets", "ingress", "egress"] {
        fields.extend(field(name, Value::List(Vec::new())));
    }
    fields.extend(field("tags", users));
    let request = parts([
        ("VpcId", vpc.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateNetworkAcl", request, Recovery::Tag, new, Wait::No);
    for (direction, entries) in &entries {
        set_entries(calls, &own_id(), *direction, &BTreeMap::new(), entries);
    }
    // Subnets come last: until the entries are there, nothing passes.
    take(calls, &own_id(), &BTreeSet::new(), &subnets);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["subnets", "ingress", "egress", "tags"])?;
    let id = known_id(update.id);
    for direction in DIRECTIONS.into_iter().filter(|(field, _)| update.changes(field)) {
        let have = acl_entry::of_field(direction.0, update.observed.list(direction.0)?)?;
        set_entries(calls, &id, direction, &have, &wanted(update.desired, direction.0)?);
    }
    if update.changes("subnets") {
        let (have, want) = (subnets(update.observed)?, subnets(update.desired)?);
        take(calls, &id, &have, &want);
        give_back(calls, update.id.as_str(), update.desired.text("vpc")?, &have, &want);
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let subnets = delete.last("subnets").and_then(Value::as_list).unwrap_or_default();
    let have: BTreeSet<&str> = subnets.iter().filter_map(Value::as_text).collect();
    if let Some(vpc) = delete.last("vpc").and_then(Value::as_text) {
        give_back(calls, delete.id.as_str(), vpc, &have, &BTreeSet::new());
    }
    calls.remove("DeleteNetworkAcl", parts([("NetworkAclId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(acl: Shown<'_>) -> Option<Seen> {
    let subnets = acl.list("Associations").filter_map(|it| it.text("SubnetId")).map(Value::from).collect();
    let mut seen =
        Seen::new(Readiness::Ready).with("vpc", acl.text("VpcId")).with("subnets", Some(Value::List(subnets)));
    for (name, egress) in DIRECTIONS {
        seen.fields.extend(acl_entry::fields(name, &acl_entry::observed(acl, egress)));
    }
    Some(seen)
}

#[cfg(test)]
mod tests {
    use provision_core::provider::{Change, Provider as _};
    use provision_core::schema::Role;
    use provision_core::value::Fields;

    use super::*;
    use crate::tests::mark;

    fn fields(json: &str) -> Fields {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_new_comes_before_what_goes() {
        let (have, mut want) = (fields(ROW.examples.whole), fields(ROW.examples.whole));
        want.extend(fields(ROW.examples.changes[0]));
        want.extend(fields(ROW.examples.changes[1]));
        let id = "acl-1".parse().unwrap();
        let (observed, desired, changed) = (Given(&have), Given(&want), &["subnets", "ingress"]);
        let mut calls = Calls::new(&ROW.schema.type_name.parse().unwrap());
        update(&mut calls, &Update { id: &id, observed, carries: None, desired, changed, mark: None }).unwrap();
        let apis: Vec<String> = calls.done().into_iter().map(|call| call.api).collect();
        let entries = ["ReplaceNetworkAclEntry", "CreateNetworkAclEntry", "DeleteNetworkAclEntry"];
        assert_eq!(apis, [&entries[..], &["ReplaceNetworkAclAssociation"; 2]].concat());
    }

    #[test]
    fn what_is_looked_up_is_a_field_of_a_data_source() {
        let desired = fields(ROW.examples.whole);
        let (type_name, id) = (ROW.schema.type_name.parse().unwrap(), "acl-1".parse().unwrap());
        let mut calls = Aws.compile(&type_name, &Change::Create { desired: &desired, mark: &mark() }).unwrap();
        calls.extend(Aws.compile(&type_name, &Change::Delete { id: &id, recorded: &desired, observed: None }).unwrap());
        let looks: BTreeSet<_> = calls.iter().flat_map(|call| call.looks()).collect();
        assert_eq!(looks.len(), 2 + 2 + 1, "two subnets come, two go, to one default ACL");
        for look in looks {
            let source = Aws.data_sources().iter().find(|source| source.type_name == look.source.as_str()).unwrap();
            let role = |name: &str| source.field(name).map(|field| field.role);
            assert!(look.query.keys().all(|name| matches!(role(name), Some(Role::Required | Role::Optional))));
            assert_eq!(role(&look.field), Some(Role::Computed), "{look:?}");
        }
    }
}
