//! Tags: the user's, and the three that are our mark. All services have the same; the calls that set them differ.

use std::collections::BTreeMap;

use provision_core::call::Mark;
use provision_core::id::ObjectId;
use provision_core::value::{Fields, Tree, Value};

use crate::table::calls::{Calls, Given, Part, Update, parts};

/// The tag that holds the infrastructure's name.
pub(crate) const INFRA: &str = "provision:infra";
/// The tag that holds the resource's address.
pub(crate) const ADDRESS: &str = "provision:address";
/// The tag that tells which create made the object.
pub(crate) const INCARNATION: &str = "provision:incarnation";

/// What begins so is the mark's, not the user's.
const OURS: &str = "provision:";
/// What begins so, in any case, is AWS' own, does not count and cannot be set.
const AWS: &str = "aws:";
/// "Each resource can have up to 50 user created tags", keys of 128 and values of 256 characters:
/// <https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html>.
const MAX_TAGS: usize = 50;
const MARK_TAGS: usize = 3;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tags that are a mark.
pub(crate) fn of_mark(mark: &Mark) -> Tags {
    BTreeMap::from([
        (INFRA.to_owned(), mark.infra.to_string()),
        (ADDRESS.to_owned(), mark.address.to_string()),
        (INCARNATION.to_owned(), mark.incarnation.to_string()),
    ])
}

/// The mark among an object's tags, and the user's tags.
///
/// What is incomplete or malformed is no mark of ours: somebody else wrote it.
pub(crate) fn read(tags: Tags) -> (Option<Mark>, Value) {
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

/// The user's tags of a definition, for the services that take less than EC2 does: "letters, numbers, spaces representable
/// in UTF-8, and the following characters: _ . : / = + - @", without spaces at the ends
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-tags.html>).
pub(crate) fn desired_plain(fields: Given<'_>) -> Result<Tags, String> {
    let tags = desired(fields)?;
    for (key, value) in &tags {
        for (part, text) in [("key", key), ("value", value)] {
            let bad = |c: &char| !(c.is_alphanumeric() || *c == ' ' || "_.:/=+-@".contains(*c));
            if let Some(c) = text.chars().find(bad) {
                let c = c.escape_debug();
                return Err(format!(
                    "the {part} of the tag `{key}` has `{c}`; write letters, digits, spaces and _.:/=+-@"
                ));
            }
            if text.trim() != text {
                return Err(format!("the {part} of the tag `{key}` begins or ends with a space"));
            }
        }
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

/// The user's tags with those of the mark.
pub(crate) fn with_mark(users: &Tags, mark: &Mark) -> Tags {
    let mut all = of_mark(mark);
    all.extend(users.clone());
    all
}

/// Tags as a list of `Key` and `Value`, as most calls take them.
pub(crate) fn list(tags: &Tags) -> Part {
    let pair = |(key, value): (&String, &String)| parts([("Key", key.clone().into()), ("Value", value.clone().into())]);
    Tree::List(tags.iter().map(pair).collect())
}

/// Tags as the field of an object.
pub(crate) fn value(tags: &Tags) -> Value {
    Value::Map(tags.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect())
}

/// An operation, and a request of it.
type Request = (&'static str, Part);

/// How a service is told the tags of an object that is there.
pub(crate) struct Tagging {
    /// The user's tags of a definition, if the service takes them.
    pub(crate) desired: fn(Given<'_>) -> Result<Tags, String>,
    /// Adds tags, or overwrites those of the same keys; leaves the others.
    pub(crate) set: fn(&ObjectId, &Tags) -> Request,
    /// Takes the tags with these keys away.
    pub(crate) remove: fn(&ObjectId, &[&str]) -> Request,
}

impl Tagging {
    /// The calls that bring an object's tags to the desired ones, and set the mark again if that is asked for.
    pub(crate) fn update(&self, calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
        let have = have(update.observed);
        let want = if update.changes("tags") { (self.desired)(update.desired)? } else { have.clone() };
        let differs = |(key, value): &(&String, &String)| have.get(*key) != Some(*value);
        let set: Tags = want.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect();
        let gone: Vec<&str> = have.keys().filter(|key| !want.contains_key(*key)).map(String::as_str).collect();

        // New ones first, so that no policy that looks at a tag sees a gap; but not past the limit.
        let mut both = have.clone();
        both.extend(set.clone());
        let delete_first = both.len() > MAX_TAGS - MARK_TAGS;
        let mut kept = have.clone();
        kept.retain(|key, _| want.contains_key(key));

        let delete = |calls: &mut Calls, left: &Tags| {
            if !gone.is_empty() {
                let (api, request) = (self.remove)(update.id, &gone);
                calls.set(api, request, tags_field(left));
            }
        };
        if delete_first {
            delete(calls, &kept);
        }
        if !set.is_empty() || update.mark.is_some() {
            let mut all = update.mark.map(of_mark).unwrap_or_default();
            all.extend(set.clone());
            let (api, request) = (self.set)(update.id, &all);
            let fields = match (set.is_empty(), delete_first) {
                (true, _) => Fields::new(),
                (false, true) => tags_field(&want),
                (false, false) => tags_field(&both),
            };
            calls.set_mark(api, request, fields, update.mark);
        }
        if !delete_first {
            delete(calls, &want);
        }
        Ok(())
    }
}

fn tags_field(tags: &Tags) -> Fields {
    BTreeMap::from([("tags".to_owned(), value(tags))])
}

/// The user's tags of an object, as far as they are texts.
pub(crate) fn have(observed: Given<'_>) -> Tags {
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

    #[test]
    fn most_services_take_fewer_characters_than_ec2() {
        let plain = |value: &str| {
            let map = Value::Map(BTreeMap::from([("k".to_owned(), value.into())]));
            desired_plain(Given(&fields([("tags", map)])))
        };
        assert!(plain("größe 1.2:3/4=5+6-7@8_9").is_ok());
        assert!(plain("a*").unwrap_err().contains("has `*`"));
        assert!(plain(" a").unwrap_err().contains("with a space"));
    }
}
