//! `aws_security_group`: AWS refuses a second one of the name in a VPC.
//!
//! Rules are a field, and calls that set it: new ones are let in before old ones are shut out, so that what is allowed
//! before and after an update is allowed all the while.

use provision_core::call::{Mark, Recovery, Wait};
use provision_core::id::ObjectId;
use provision_core::value::Tree;

use crate::request::{Calls, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::rule::{self, Rule, Rules, Source};
use crate::tags;

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
        rule::parse(fields.list(self.field)?, source)
            .map_err(|problem| format!("the field `{}`: {problem}", self.field))
    }

    fn request(id: &Part, rules: &[&Rule]) -> Part {
        let permissions = rules.iter().map(|rule| rule.permission(id)).collect();
        parts([("GroupId", id.clone()), ("IpPermissions", Tree::List(permissions))])
    }

    fn change(&self, calls: &mut Calls, id: &Part, have: &Rules, want: &Rules, grouping: Grouping) {
        let mut now = have.clone();
        for rules in grouping.chunks(&want.difference(have).collect::<Vec<_>>()) {
            now.extend(rules.iter().map(|&rule| rule.clone()));
            calls.set(self.authorize, Self::request(id, rules), field(self.field, rule::value(&now)));
        }
        for rules in grouping.chunks(&have.difference(want).collect::<Vec<_>>()) {
            now.retain(|rule| !rules.contains(&rule));
            calls.set(self.revoke, Self::request(id, rules), field(self.field, rule::value(&now)));
        }
    }
}

impl Grouping {
    fn chunks<'a, 'r>(self, rules: &'a [&'r Rule]) -> std::slice::Chunks<'a, &'r Rule> {
        match self {
            Self::Together => rules.chunks(rules.len().max(1)),
            Self::OneByOne => rules.chunks(1),
        }
    }
}

fn check_text(name: &str, text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.is_empty() || text.len() > 255 || !text.chars().all(allowed) {
        return Err(format!(
            "the field `{name}`: AWS takes 1 to 255 of a-z, A-Z, 0-9, spaces and ._-:/()#,@[]+=&;{{}}!$*"
        ));
    }
    Ok(())
}

pub(crate) fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
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
    let egress_of_new = Rules::from([Rule::default_egress()]);
    let mut fields = field("vpc", vpc);
    fields.extend(field("name", name));
    fields.extend(field("description", description));
    fields.extend(field(INGRESS.field, rule::value(&Rules::new())));
    fields.extend(field(EGRESS.field, rule::value(&egress_of_new)));
    fields.extend(field("tags", users));
    let request = parts([
        ("VpcId", vpc.into()),
        ("GroupName", name.into()),
        ("Description", description.into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark };
    calls.create("CreateSecurityGroup", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    INGRESS.change(calls, &own_id(), &Rules::new(), &ingress, Grouping::Together);
    EGRESS.change(calls, &own_id(), &egress_of_new, &egress, Grouping::Together);
    Ok(())
}

pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
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

pub(crate) fn delete(calls: &mut Calls, id: &ObjectId) {
    calls.remove("DeleteSecurityGroup", parts([("GroupId", known_id(id))]), Wait::No);
}
