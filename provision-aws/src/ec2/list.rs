//! EC2's `Describe…` calls: by id or by filters, in pages, with the tags in the answer.

use provision_core::call::{Observed, Read, Scope};
use provision_core::id::ObjectId;
use provision_core::schema::Schema;
use provision_core::value::{Fields, Value};

use super::tags::{self, Tags};
use crate::table::Path;
use crate::table::reading::{Detail, Page, Reading, Request, parameters};
use crate::table::shown::{Seen, Shown};

/// How the objects of a type are listed.
pub(crate) struct List {
    pub(crate) schema: &'static Schema,
    pub(crate) api: &'static str,
    /// The parameter that takes ids.
    pub(crate) ids: &'static str,
    /// What the parameter that takes filters is called: `Filters`, but for `DescribeNatGateways`.
    pub(crate) filters: &'static str,
    /// How many objects come in a page: the API's own most. EC2 takes no such number together with ids. `None` where the
    /// answer is never in pages.
    pub(crate) most: Option<i64>,
    /// Where the answer holds the objects: lists within lists.
    pub(crate) objects: Path,
    /// What an object calls its id.
    pub(crate) id: &'static str,
    /// Fields that can be looked for, with EC2's name of the filter.
    pub(crate) keys: &'static [(&'static str, &'static str)],
    /// The object, unless it is one that is listed and gone.
    pub(crate) observe: fn(Shown<'_>) -> Option<Seen>,
    pub(crate) details: &'static [Detail],
}

/// Objects on a page of most of EC2's lists.
pub(crate) const PAGE: Option<i64> = Some(1000);

/// A filter for exactly this value: EC2 takes `*` and `?` for wildcards.
pub(crate) fn filter(name: &str, value: &str) -> Value {
    let mut exact = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            exact.push('\\');
        }
        exact.push(c);
    }
    parameters([("Name", Some(name.into())), ("Values", Some(Value::List(vec![exact.into()])))])
}

/// A filter for what is like a pattern, in which `*` stands for anything and `?` for one character.
pub(crate) fn pattern(name: &str, pattern: &str) -> Value {
    parameters([("Name", Some(name.into())), ("Values", Some(Value::List(vec![pattern.into()])))])
}

fn tag_filters(tags: &Tags) -> Value {
    Value::List(tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), value)).collect())
}

fn key_filters(key: &Fields, known: &[(&str, &str)]) -> Result<Value, String> {
    let filters = key.iter().map(|(field, value)| {
        let name = known.iter().find(|(name, _)| name == field).map(|(_, filter)| *filter);
        let name = name.ok_or_else(|| format!("EC2 cannot look for `{field}`"))?;
        value.as_text().map(|text| filter(name, text)).ok_or_else(|| format!("the key `{field}` is a text"))
    });
    Ok(Value::List(filters.collect::<Result<_, String>>()?))
}

impl Reading for List {
    fn request(&self, read: &Read) -> Result<Request, String> {
        let (ids, filters) = match &read.scope {
            Scope::Marked(infra) => {
                (None, Some(Value::List(vec![filter(&format!("tag:{}", tags::INFRA), infra.as_str())])))
            }
            Scope::Id(id) => (Some(Value::List(vec![id.as_str().into()])), None),
            Scope::Mark(mark) => (None, Some(tag_filters(&tags::of_mark(mark)))),
            Scope::Key(key) => (None, Some(key_filters(key, self.keys)?)),
            Scope::Tagged(tags) => (None, Some(tag_filters(tags))),
            Scope::Detail { detail, .. } => return Err(format!("`{detail}` is no list")),
            Scope::Query(_) => return Err(format!("this build cannot look up {}", read.type_name)),
        };
        let most = self.most.filter(|_| ids.is_none()).map(Value::from);
        let page = read.page.as_deref().map(Value::from);
        let parameters =
            parameters([(self.ids, ids), (self.filters, filters), ("NextToken", page), ("MaxResults", most)]);
        Ok(Request { api: self.api, parameters })
    }

    fn page(&self, answer: Shown<'_>) -> Page {
        let (first, rest) = self.objects.split_first().map_or(("", &[][..]), |(first, rest)| (*first, rest));
        let mut objects: Vec<Shown<'_>> = answer.list(first).collect();
        for name in rest {
            objects = objects.iter().flat_map(|outer| outer.list(name)).collect();
        }
        let objects = objects.into_iter().filter_map(|object| self.observed(object)).collect();
        Page { objects, next: answer.text("NextToken").map(str::to_owned) }
    }

    fn page_size(&self) -> Option<i64> {
        self.most
    }

    fn details(&self) -> &'static [Detail] {
        self.details
    }
}

impl List {
    fn observed(&self, object: Shown<'_>) -> Option<Observed> {
        let id = ObjectId::new(object.text(self.id)?).ok()?;
        let Seen { readiness, mut fields } = (self.observe)(object)?;
        let (mark, users) = tags::read(object.pairs("Tags"));
        fields.insert("id".to_owned(), id.as_str().into());
        fields.insert("tags".to_owned(), users);
        Some(Observed { id, mark, fields: self.schema.normal_form(fields), readiness })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::subnet;

    fn request(scope: Scope) -> Result<Request, String> {
        subnet::ROW.reading.request(&Read { type_name: "aws_subnet".parse().unwrap(), scope, page: None })
    }

    #[test]
    fn a_name_with_wildcards_finds_only_itself() {
        let values = filter("group-name", r"a*b?c\d");
        assert_eq!(values.as_map().unwrap()["Values"], Value::List(vec![r"a\*b\?c\\d".into()]));
    }

    #[test]
    fn tags_are_looked_for_by_key_and_exact_value() {
        let asked = request(Scope::Tagged(Tags::from([("team".to_owned(), "a*".to_owned())]))).unwrap();
        assert_eq!(
            serde_json::to_string(&asked.parameters).unwrap(),
            r#"{"Filters":[{"Name":"tag:team","Values":["a\\*"]}],"MaxResults":1000}"#
        );
    }

    #[test]
    fn a_key_that_ec2_cannot_look_for_is_an_error_and_not_everything() {
        assert!(request(Scope::Key(Fields::from([("public_ip".to_owned(), true.into())]))).is_err());
    }
}
