//! `aws_security_group`: AWS refuses a second one of the name in a VPC.
//!
//! Rules are a field, and calls that set it: new ones are let in before old ones are shut out, so that what is allowed
//! before and after an update is allowed all the while.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::schema::Literal;
use provision_core::value::Tree;

use super::list::{List, PAGE};
use super::permission::{self, Peer, Rule as Permission, Rules, Source};
use super::rule::Rule;
use super::tags;
use super::vpc::VpcId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What AWS gives to a new group, in the form of [`Rule::all`] to `0.0.0.0/0`.
const ALL_OUTBOUND: Literal =
    Literal::List(&[Literal::Map(&[("cidr", Literal::Text("0.0.0.0/0")), ("protocol", Literal::Text("all"))])]);

/// A set of rules that say which traffic reaches and leaves the instances that have it.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// let office = b.put("office", SecurityGroup { vpc, description: "from the office" })
///     .ingress([Rule::tcp(22, cidr!("192.0.2.0/24"))]);
/// b.put("inside", SecurityGroup { vpc, description: "from the bastion" }).ingress([Rule::tcp_from(22, office)]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_security_group", version = 1, check = check)]
pub struct SecurityGroup {
    /// The VPC that the group belongs to.
    #[attr(replace)]
    pub vpc: VpcId,
    /// What the group is for.
    #[attr(replace)]
    pub description: String,
    /// Its name, unique in the VPC.
    #[attr(replace, name(max = 255))]
    pub name: String,
    /// What may come in; nothing else does.
    #[attr(set, default)]
    pub ingress: Vec<Rule>,
    /// What may go out; nothing else does. The default is what AWS gives to a new group: everything, over IPv4.
    #[attr(set, default = ALL_OUTBOUND)]
    pub egress: Vec<Rule>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: SecurityGroupId,
}

fn good_text(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    (1..=255).contains(&text.len()) && text.chars().all(good)
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    for field in ["description", "name"] {
        let Some(text) = inputs.text(field).filter(|text| !good_text(text)) else { continue };
        let rule = "write 1 to 255 of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*";
        problems.push((field, format!("AWS does not take `{}`: {rule}", text.escape_debug())));
    }
    if inputs.text("name").is_some_and(|name| name.starts_with("sg-")) {
        problems.push(("name", "AWS keeps names that start with `sg-` for itself; write another one".to_owned()));
    }
    problems
}

const AUTHORIZED: &str = "a second one is refused with InvalidPermission.Duplicate";
const REVOKED: &str = "a second one is refused with InvalidPermission.NotFound, or does nothing";

apis! { aws_sdk_ec2 ec2;
    CreateSecurityGroup: Name, "takes no token; a name taken in the VPC is InvalidGroup.Duplicate";
        (VpcId, GroupName, Description, TagSpecifications) -> (GroupId);
    AuthorizeSecurityGroupIngress: Set, AUTHORIZED; (GroupId, IpPermissions) -> ();
    AuthorizeSecurityGroupEgress: Set, AUTHORIZED; (GroupId, IpPermissions) -> ();
    RevokeSecurityGroupIngress: Set, REVOKED; (GroupId, IpPermissions) -> ();
    RevokeSecurityGroupEgress: Set, REVOKED; (GroupId, IpPermissions) -> ();
    DeleteSecurityGroup: Remove, "ids are never used again; the call names the id, not the name"; (GroupId) -> ();
    DescribeSecurityGroups: Read, ""; (GroupIds, Filters, NextToken, MaxResults) -> (SecurityGroups, NextToken);
}
shapes! { aws_sdk_ec2;
    both IpRange(CidrIp);
    both Ipv6Range(CidrIpv6);
    both UserIdGroupPair(GroupId);
    both PrefixListId(PrefixListId);
    both IpPermission(IpProtocol, FromPort, ToPort, IpRanges, Ipv6Ranges, UserIdGroupPairs, PrefixListIds);
    shown SecurityGroup(GroupId, VpcId, GroupName, Description, IpPermissions, IpPermissionsEgress, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: SecurityGroup::SCHEMA,
    identity_key: &["vpc", "name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateSecurityGroup", id: &["GroupId"], outputs: &[] }],
    reading: &List {
        schema: SecurityGroup::SCHEMA,
        api: "DescribeSecurityGroups",
        ids: "GroupIds",
        filters: "Filters",
        most: PAGE,
        objects: &["SecurityGroups"],
        id: "GroupId",
        keys: &[("vpc", "vpc-id"), ("name", "group-name"), ("description", "description")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","name":"zk","description":"ZooKeeper","tags":{},
            "ingress":[{"protocol":"tcp","from_port":2181,"to_port":2181,"cidr":"10.0.0.0/8"},
                       {"protocol":"tcp","from_port":2888,"to_port":3888,"group":"self"}],
            "egress":[{"protocol":"tcp","from_port":443,"to_port":443,"cidr":"0.0.0.0/0"}]}"#,
        changes: &[
            r#"{"ingress":[],"egress":[]}"#,
            r#"{"ingress":[{"protocol":"tcp","from_port":2181,"to_port":2181,"cidr":"10.0.0.0/8"},
                           {"protocol":"all","group":"sg-9"}]}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// A direction, with its field and its two calls.
struct Direction {
    field: &'static str,
    authorize: &'static str,
    revoke: &'static str,
}

const INGRESS: Direction =
    Direction { field: "ingress", authorize: "AuthorizeSecurityGroupIngress", revoke: "RevokeSecurityGroupIngress" };
const EGRESS: Direction =
    Direction { field: "egress", authorize: "AuthorizeSecurityGroupEgress", revoke: "RevokeSecurityGroupEgress" };

/// How many rules go into one call.
///
/// EC2 does a call's rules together or not at all, and refuses them all if it has one of them already. In a group that
/// this very change made, that can only be the answer to a call that landed before; in one that stood there it can also
/// be somebody else's rule. With one rule to a call, "already so" is exact.
#[derive(Clone, Copy)]
enum Grouping {
    Together,
    OneByOne,
}

impl Direction {
    fn rules(&self, fields: Given<'_>, source: Source) -> Result<Rules, String> {
        permission::parse(fields.list(self.field)?, source)
            .map_err(|problem| format!("the field `{}`: {problem}", self.field))
    }

    fn request(id: &Part, rules: &[&Permission]) -> Part {
        let permissions = rules.iter().map(|rule| rule.permission(id)).collect();
        parts([("GroupId", id.clone()), ("IpPermissions", Tree::List(permissions))])
    }

    fn change(&self, calls: &mut Calls, id: &Part, have: &Rules, want: &Rules, grouping: Grouping) {
        let mut now = have.clone();
        for rules in grouping.chunks(&want.difference(have).collect::<Vec<_>>()) {
            now.extend(rules.iter().map(|&rule| rule.clone()));
            calls.set(self.authorize, Self::request(id, rules), field(self.field, permission::value(&now)));
        }
        for rules in grouping.chunks(&have.difference(want).collect::<Vec<_>>()) {
            now.retain(|rule| !rules.contains(&rule));
            calls.set(self.revoke, Self::request(id, rules), field(self.field, permission::value(&now)));
        }
    }
}

impl Grouping {
    fn chunks<'a, 'r>(self, rules: &'a [&'r Permission]) -> std::slice::Chunks<'a, &'r Permission> {
        match self {
            Self::Together => rules.chunks(rules.len().max(1)),
            Self::OneByOne => rules.chunks(1),
        }
    }
}

fn check_text(name: &str, text: &str) -> Result<(), String> {
    if good_text(text) {
        return Ok(());
    }
    Err(format!("the field `{name}`: AWS takes 1 to 255 of a-z, A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{{}}!$*"))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, name, description) = (desired.text("vpc")?, desired.text("name")?, desired.text("description")?);
    check_text("name", name)?;
    check_text("description", description)?;
    if name.starts_with("sg-") || name.eq_ignore_ascii_case("default") {
        return Err(format!(
            "the field `name`: AWS keeps `default` and what begins with `sg-` for itself, not `{name}`"
        ));
    }
    let (ingress, egress) = (INGRESS.rules(desired, Source::Definition)?, EGRESS.rules(desired, Source::Definition)?);
    let (specification, users) = tags::specification("security-group", desired, mark)?;
    let egress_of_new = Rules::from([Permission::default_egress()]);
    let mut fields = field("vpc", vpc);
    fields.extend(field("name", name));
    fields.extend(field("description", description));
    fields.extend(field(INGRESS.field, permission::value(&Rules::new())));
    fields.extend(field(EGRESS.field, permission::value(&egress_of_new)));
    fields.extend(field("tags", users));
    let request = parts([
        ("VpcId", vpc.into()),
        ("GroupName", name.into()),
        ("Description", description.into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateSecurityGroup", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    INGRESS.change(calls, &own_id(), &Rules::new(), &ingress, Grouping::Together);
    EGRESS.change(calls, &own_id(), &egress_of_new, &egress, Grouping::Together);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[INGRESS.field, EGRESS.field, "tags"])?;
    for direction in [INGRESS, EGRESS] {
        if update.changes(direction.field) {
            let (have, want) = (
                direction.rules(update.observed, Source::Cloud)?,
                direction.rules(update.desired, Source::Definition)?,
            );
            direction.change(calls, &known_id(update.id), &have, &want, Grouping::OneByOne);
        }
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteSecurityGroup", parts([("GroupId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(group: Shown<'_>) -> Option<Seen> {
    let own = group.text("GroupId").unwrap_or_default();
    let seen = Seen::new(Readiness::Ready)
        .with("vpc", group.text("VpcId"))
        .with("name", group.text("GroupName"))
        .with("description", group.text("Description"))
        .with("ingress", Some(permission::value(&observed(group, "IpPermissions", own))))
        .with("egress", Some(permission::value(&observed(group, "IpPermissionsEgress", own))));
    Some(seen)
}

/// EC2 gathers all sources of one protocol and port range; a rule of ours has one.
fn observed(group: Shown<'_>, direction: &str, own: &str) -> Rules {
    let mut rules = Rules::new();
    for permission in group.list(direction) {
        let all = |list: &str, name: &'static str| permission.list(list).filter_map(move |item| item.text(name));
        let group = |id: &str| if id == own { Peer::Own } else { Peer::Group(id.to_owned()) };
        let peers =
            all("IpRanges", "CidrIp").chain(all("Ipv6Ranges", "CidrIpv6")).map(|cidr| Peer::Cidr(cidr.to_owned()));
        let peers = peers.chain(all("UserIdGroupPairs", "GroupId").map(group));
        let peers = peers.chain(all("PrefixListIds", "PrefixListId").map(|list| Peer::PrefixList(list.to_owned())));
        let protocol = permission.text("IpProtocol").unwrap_or_default();
        let ports = (permission.int("FromPort"), permission.int("ToPort"));
        rules.extend(peers.map(|peer| Permission::observed(protocol, ports, peer)));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use provision_core::value::Value;

    #[test]
    fn rules_are_taken_apart_and_stand_in_normal_form() {
        let answer: Value = serde_json::from_str(
            r#"{"GroupId":"sg-1","IpPermissions":[{"IpProtocol":"tcp","FromPort":22,"ToPort":22,
                "IpRanges":[{"CidrIp":"10.0.0.0/8"}],"UserIdGroupPairs":[{"GroupId":"sg-1"},{"GroupId":"sg-2"}]}],
                "IpPermissionsEgress":[{"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]}]}"#,
        )
        .unwrap();
        let fields = observe(Shown(Some(&answer))).unwrap().fields;
        assert_eq!(
            serde_json::to_string(&fields["ingress"]).unwrap(),
            r#"[{"cidr":"10.0.0.0/8","from_port":22,"protocol":"tcp","to_port":22},"#.to_owned()
                + r#"{"from_port":22,"group":"self","protocol":"tcp","to_port":22},"#
                + r#"{"from_port":22,"group":"sg-2","protocol":"tcp","to_port":22}]"#
        );
        assert_eq!(serde_json::to_string(&fields["egress"]).unwrap(), r#"[{"cidr":"0.0.0.0/0","protocol":"all"}]"#);
    }
}
