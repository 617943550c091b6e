//! Tags of groups: each says whether the instances that the group starts get it. The mark is the group's alone.

use std::collections::BTreeMap;

use provision_core::call::Mark;
use provision_core::value::{Fields, Tree, Value};

use crate::table::calls::{Calls, Given, Part, Update, field, parts};
use crate::table::shown::Shown;
use crate::tags as plain;

/// The field with the tags of the group alone.
pub(super) const OWN: &str = "tags";
/// The field with those that its instances get, too.
pub(super) const PASSED_ON: &str = "instance_tags";

/// 50, of which our mark takes three: <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html>.
const MOST: usize = 47;

/// Values by key, and whether instances get them.
type Tags = BTreeMap<String, (String, bool)>;

/// The user's tags of a definition, if AWS takes them.
fn desired(fields: Given<'_>) -> Result<Tags, String> {
    let mut all = Tags::new();
    for (name, passed_on) in [(OWN, false), (PASSED_ON, true)] {
        let of = field("tags", fields.get(name).cloned().unwrap_or_default());
        for (key, value) in plain::desired(Given(&of))? {
            if all.insert(key.clone(), (value, passed_on)).is_some() {
                return Err(format!("the tag `{key}` stands in `{OWN}` and in `{PASSED_ON}`; AWS keeps one of them"));
            }
        }
    }
    if all.len() > MOST {
        return Err(format!("{} tags; write {MOST} at most, in `{OWN}` and `{PASSED_ON}` together", all.len()));
    }
    Ok(all)
}

/// The user's tags of an object, as far as they are texts.
fn have(observed: Given<'_>) -> Tags {
    let of = |name: &'static str, passed_on: bool| {
        let map = observed.get(name).and_then(Value::as_map).into_iter().flatten();
        map.filter_map(move |(key, value)| Some((key.clone(), (value.as_text()?.to_owned(), passed_on))))
    };
    of(OWN, false).chain(of(PASSED_ON, true)).collect()
}

fn fields(tags: &Tags) -> Fields {
    let of = |passed_on: bool| {
        let of = tags.iter().filter(|(_, (_, passed))| *passed == passed_on);
        Value::Map(of.map(|(key, (value, _))| (key.clone(), value.as_str().into())).collect())
    };
    Fields::from([(OWN.to_owned(), of(false)), (PASSED_ON.to_owned(), of(true))])
}

fn mark_tags(mark: &Mark) -> Tags {
    plain::of_mark(mark).into_iter().map(|(key, value)| (key, (value, false))).collect()
}

/// Tags as Auto Scaling's calls take them.
fn list(group: &str, tags: &Tags) -> Part {
    let one = |(key, (value, passed_on)): (&String, &(String, bool))| {
        parts([
            ("ResourceId", group.into()),
            ("ResourceType", "auto-scaling-group".into()),
            ("Key", key.as_str().into()),
            ("Value", value.as_str().into()),
            ("PropagateAtLaunch", (*passed_on).into()),
        ])
    };
    Tree::List(tags.iter().map(one).collect())
}

/// The `Tags` of a create, and the user's tags as fields.
pub(super) fn of_new(group: &str, definition: Given<'_>, mark: &Mark) -> Result<(Part, Fields), String> {
    let users = desired(definition)?;
    let mut all = mark_tags(mark);
    all.extend(users.clone());
    Ok((list(group, &all), fields(&users)))
}

/// The calls that bring a group's tags to the desired ones, and set the mark again if that is asked for.
pub(super) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let have = have(update.observed);
    let changes = update.changes(OWN) || update.changes(PASSED_ON);
    let want = if changes { desired(update.desired)? } else { have.clone() };
    let set: Tags = want.clone().into_iter().filter(|(key, value)| have.get(key) != Some(value)).collect();
    let gone: Tags = have.clone().into_iter().filter(|(key, _)| !want.contains_key(key)).collect();
    let group = update.id.as_str();

    // New ones first, so that nobody who looks at a tag sees a gap; but not past the limit.
    let mut both = have.clone();
    both.extend(set.clone());
    let delete_first = both.len() > MOST;
    let kept: Tags = have.into_iter().filter(|(key, _)| want.contains_key(key)).collect();
    let delete = |calls: &mut Calls, left: &Tags| {
        if !gone.is_empty() {
            calls.set("autoscaling:DeleteTags", parts([("Tags", list(group, &gone))]), fields(left));
        }
    };
    if delete_first {
        delete(calls, &kept);
    }
    if !set.is_empty() || update.mark.is_some() {
        let mut all = update.mark.map(mark_tags).unwrap_or_default();
        all.extend(set.clone());
        let after = match (set.is_empty(), delete_first) {
            (true, _) => Fields::new(),
            (false, true) => fields(&want),
            (false, false) => fields(&both),
        };
        calls.set_mark("CreateOrUpdateTags", parts([("Tags", list(group, &all))]), after, update.mark);
    }
    if !delete_first {
        delete(calls, &want);
    }
    Ok(())
}

/// The mark of a group, and the user's tags as fields.
pub(super) fn read(group: Shown<'_>) -> (Option<Mark>, Fields) {
    let of = |passed_on: bool| {
        let of = group.list("Tags").filter(move |tag| tag.bool("PropagateAtLaunch").unwrap_or(false) == passed_on);
        of.filter_map(|tag| Some((tag.text("Key")?.to_owned(), tag.text("Value").unwrap_or_default().to_owned())))
            .collect()
    };
    let (mark, own) = plain::read(of(false));
    let (_, passed_on) = plain::read(of(true));
    (mark, Fields::from([(OWN.to_owned(), own), (PASSED_ON.to_owned(), passed_on)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::mark;

    /// Instances that carried it would be taken for resources of ours.
    #[test]
    fn the_mark_is_not_passed_on() {
        let definition: Fields = serde_json::from_str(r#"{"tags":{"team":"a"},"instance_tags":{"tier":"1"}}"#).unwrap();
        let (list, users) = of_new("workers", Given(&definition), &mark()).unwrap();
        assert_eq!(users, definition);
        let answer: Value =
            serde_json::from_str(&format!(r#"{{"Tags":{}}}"#, serde_json::to_string(&list).unwrap())).unwrap();
        let passed_on = Shown(Some(&answer)).list("Tags").filter(|tag| tag.bool("PropagateAtLaunch") == Some(true));
        assert_eq!(passed_on.filter_map(|tag| tag.text("Key")).collect::<Vec<_>>(), ["tier"]);
        assert_eq!(read(Shown(Some(&answer))), (Some(mark()), definition));
    }

    #[test]
    fn a_tag_is_passed_on_or_not() {
        let definition: Fields = serde_json::from_str(r#"{"tags":{"team":"a"},"instance_tags":{"team":"a"}}"#).unwrap();
        assert!(desired(Given(&definition)).unwrap_err().contains("AWS keeps one of them"));
    }
}
