//! Tags: the user's, and the three that are our mark.
//!
//! EC2 takes tags in the create call itself (`TagSpecifications`), so an object of ours never exists without its mark.

use std::collections::BTreeMap;

use provision_core::call::Mark;
use provision_core::value::{Fields, Tree, Value};

use crate::request::{Calls, Given, Part, Update, known_id, parts};

/// The tag that holds the infrastructure's name.
pub const INFRA: &str = "provision:infra";
/// The tag that holds the resource's address.
pub const ADDRESS: &str = "provision:address";
/// The tag that tells which create made the object.
pub const INCARNATION: &str = "provision:incarnation";

/// What begins so is the mark's, not the user's.
const OURS: &str = "provision:";
/// What begins so, in any case, is AWS' own, does not count and cannot be set.
const AWS: &str = "aws:";
/// "Maximum number of tags per resource – 50": <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>.
const MAX_TAGS: usize = 50;
const MARK_TAGS: usize = 3;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// The tags that are a mark.
pub fn of_mark(mark: &Mark) -> Tags {
    BTreeMap::from([
        (INFRA.to_owned(), mark.infra.to_string()),
        (ADDRESS.to_owned(), mark.address.to_string()),
        (INCARNATION.to_owned(), mark.incarnation.to_string()),
    ])
}

/// The mark among an object's tags, and the user's tags.
///
/// What is incomplete or malformed is no mark of ours: somebody else wrote it.
pub fn read(tags: Tags) -> (Option<Mark>, Value) {
    let mark = || {
        Some(Mark {
            infra: tags.get(INFRA)?.parse().ok()?,
            address: tags.get(ADDRESS)?.parse().ok()?,
            incarnation: tags.get(INCARNATION)?.parse().ok()?,
        })
    };
    let mark = mark();
    let users = tags.into_iter().filter(|(key, _)| !key.starts_with(OURS) && !is_aws(key));
    (mark, Value::Map(users.map(|(key, value)| (key, value.into())).collect()))
}

fn is_aws(key: &str) -> bool {
    key.get(..AWS.len()).is_some_and(|start| start.eq_ignore_ascii_case(AWS))
}

/// The user's tags of a definition, if AWS takes them.
pub(crate) fn desired(fields: Given<'_>) -> Result<Tags, String> {
    let Some(value) = fields.0.get("tags").filter(|value| !value.is_null()) else { return Ok(Tags::new()) };
    let map = value.as_map().ok_or("the field `tags` is a map of texts")?;
    let mut tags = Tags::new();
    for (key, value) in map {
        let value = value.as_text().ok_or_else(|| format!("the value of the tag `{key}` is a text"))?;
        check(key, value)?;
        tags.insert(key.clone(), value.to_owned());
    }
    if tags.len() > MAX_TAGS - MARK_TAGS {
        let (given, most) = (tags.len(), MAX_TAGS - MARK_TAGS);
        return Err(format!(
            "{given} tags; AWS takes {MAX_TAGS}, of which {MARK_TAGS} are our mark: write {most} at most"
        ));
    }
    Ok(tags)
}

fn check(key: &str, value: &str) -> Result<(), String> {
    let problem = if key.is_empty() {
        "has no name".to_owned()
    } else if key.starts_with(OURS) {
        format!("begins with `{OURS}`, which only our own mark does")
    } else if is_aws(key) {
        format!("begins with `{AWS}`, which is AWS' own")
    } else if key.chars().count() > MAX_KEY {
        format!("is longer than {MAX_KEY} characters")
    } else if value.chars().count() > MAX_VALUE {
        format!("has a value of more than {MAX_VALUE} characters")
    } else {
        return Ok(());
    };
    Err(format!("the tag `{key}` {problem}"))
}

/// Tags as a list of key and value, as all of EC2's calls take them.
fn list(tags: &Tags) -> Part {
    let pair = |(key, value): (&String, &String)| parts([("Key", key.clone().into()), ("Value", value.clone().into())]);
    Tree::List(tags.iter().map(pair).collect())
}

fn value(tags: &Tags) -> Value {
    Value::Map(tags.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect())
}

/// The `TagSpecifications` of a create, and the user's tags as the object's field.
pub(crate) fn specification(kind: &str, fields: Given<'_>, mark: &Mark) -> Result<(Part, Value), String> {
    let users = desired(fields)?;
    let mut all = of_mark(mark);
    all.extend(users.clone());
    let specification = parts([("ResourceType", kind.into()), ("Tags", list(&all))]);
    Ok((Tree::List(vec![specification]), value(&users)))
}

/// The calls that bring an object's tags to the desired ones, and set the mark again if that is asked for.
pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let have = have(update.observed);
    let want = if update.changes("tags") { desired(update.desired)? } else { have.clone() };
    let set: Tags =
        want.iter().filter(|(key, value)| have.get(*key) != Some(value)).map(|(k, v)| (k.clone(), v.clone())).collect();
    let gone: Vec<&String> = have.keys().filter(|key| !want.contains_key(*key)).collect();

    // New ones first, so that no policy that looks at a tag sees a gap; but not past the limit.
    let mut both = have.clone();
    both.extend(set.clone());
    let delete_first = both.len() > MAX_TAGS - MARK_TAGS;
    let kept: Tags =
        have.iter().filter(|(key, _)| want.contains_key(*key)).map(|(k, v)| (k.clone(), v.clone())).collect();

    let delete = |calls: &mut Calls, left: &Tags| {
        if !gone.is_empty() {
            let keys = gone.iter().map(|&key| parts([("Key", key.clone().into())])).collect();
            let request = parts([("Resources", Tree::List(vec![known_id(update.id)])), ("Tags", Tree::List(keys))]);
            calls.set("DeleteTags", request, tags_field(left));
        }
    };
    if delete_first {
        delete(calls, &kept);
    }
    if !set.is_empty() || update.mark.is_some() {
        let mut all = update.mark.map(of_mark).unwrap_or_default();
        all.extend(set.clone());
        let request = parts([("Resources", Tree::List(vec![known_id(update.id)])), ("Tags", list(&all))]);
        let fields = match (set.is_empty(), delete_first) {
            (true, _) => Fields::new(),
            (false, true) => tags_field(&want),
            (false, false) => tags_field(&both),
        };
        calls.set_mark("CreateTags", request, fields, update.mark);
    }
    if !delete_first {
        delete(calls, &want);
    }
    Ok(())
}

fn tags_field(tags: &Tags) -> Fields {
    BTreeMap::from([("tags".to_owned(), value(tags))])
}

/// The user's tags of an object, as far as they are texts.
fn have(observed: Given<'_>) -> Tags {
    let map = observed.0.get("tags").and_then(Value::as_map);
    let texts = map.into_iter().flatten().filter_map(|(k, v)| v.as_text().map(|text| (k.clone(), text.to_owned())));
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{fields, mark};

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    #[test]
    fn a_mark_survives_its_tags_and_leaves_the_users_alone() {
        let mut all = of_mark(&mark());
        all.extend(tags(&[("team", "infra"), ("aws:autoscaling:groupName", "x"), ("AWS:y", "z")]));
        let (found, users) = read(all);
        assert_eq!(found, Some(mark()));
        assert_eq!(users, Value::Map(BTreeMap::from([("team".to_owned(), "infra".into())])));
    }

    #[test]
    fn what_is_no_whole_mark_is_not_ours() {
        for broken in [INFRA, ADDRESS, INCARNATION] {
            let mut all = of_mark(&mark());
            all.insert(broken.to_owned(), "Not/A/Name".to_owned());
            assert_eq!(read(all.clone()).0, None);
            all.remove(broken);
            assert_eq!(read(all).0, None);
        }
    }

    #[test]
    fn tags_that_aws_or_we_would_not_take_are_refused() {
        let refusal = |key: &str, value: &str| {
            let map = Value::Map(BTreeMap::from([(key.to_owned(), value.into())]));
            desired(Given(&fields([("tags", map)]))).unwrap_err()
        };
        assert!(refusal("provision:infra", "x").contains("only our own mark"));
        assert!(refusal("Aws:x", "x").contains("AWS' own"));
        assert!(refusal(&"k".repeat(129), "x").contains("longer than 128"));
        assert!(refusal("k", &"v".repeat(257)).contains("more than 256"));
        assert!(refusal("", "x").contains("no name"));
        let many = |n: usize| Value::Map((0..n).map(|i| (format!("k{i}"), "v".into())).collect());
        assert!(desired(Given(&fields([("tags", many(48))]))).unwrap_err().contains("write 47 at most"));
        assert!(desired(Given(&fields([("tags", many(47))]))).is_ok());
    }
}
