//! Load balancers and target groups: one list shows all of them, without tags.

use provision_core::call::{Observed, Read, Scope};
use provision_core::id::ObjectId;
use provision_core::schema::Schema;
use provision_core::value::Value;

use super::tags;
use crate::table::reading::{Detail, Page, Reading, Request, parameters};
use crate::table::shown::{Seen, Shown};

/// Objects on a page: the API's own most, of all its lists
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>).
pub(crate) const PAGE: i64 = 400;

/// How the objects of a type are listed.
pub(crate) struct List {
    pub(crate) schema: &'static Schema,
    pub(crate) api: &'static str,
    /// The parameter that takes ids, which are ARNs.
    pub(crate) arns: &'static str,
    /// Where the answer holds the objects.
    pub(crate) objects: &'static str,
    /// What an object calls its id.
    pub(crate) arn: &'static str,
    pub(crate) observe: fn(Shown<'_>) -> Seen,
    pub(crate) details: &'static [Detail],
}

/// An object as a list shows it.
pub(crate) fn observed(schema: &Schema, arn: Option<&str>, seen: Seen) -> Option<Observed> {
    let id = ObjectId::new(arn?).ok()?;
    let Seen { readiness, mut fields } = seen;
    fields.insert("id".to_owned(), id.as_str().into());
    Some(Observed { id, mark: None, fields: schema.normal_form(fields), readiness })
}

impl Reading for List {
    fn request(&self, read: &Read) -> Result<Request, String> {
        let most = Some(PAGE.into());
        let (filter, most) = match &read.scope {
            // The list knows no tags: whose the objects are, their details show.
            Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) => (None, most),
            Scope::Id(id) => (Some((self.arns, id.as_str())), None),
            Scope::Key(key) => match (key.len(), key.get("name").and_then(Value::as_text)) {
                (1, Some(name)) => (Some(("Names", name)), None),
                _ => return Err(format!("{} looks for a `name` alone", self.api)),
            },
            Scope::Query(_) => return Err(format!("{} answers no lookups", self.api)),
            Scope::Detail { detail, .. } => return Err(format!("`{detail}` is no list")),
        };
        let (name, value) =
            filter.map_or((self.arns, None), |(name, value)| (name, Some(Value::List(vec![value.into()]))));
        let page = read.page.as_deref().map(Value::from);
        Ok(Request { api: self.api, parameters: parameters([(name, value), ("Marker", page), ("PageSize", most)]) })
    }

    fn page(&self, answer: Shown<'_>) -> Page {
        let object = |object: Shown<'_>| observed(self.schema, object.text(self.arn), (self.observe)(object));
        let objects = answer.list(self.objects).filter_map(object).collect();
        Page { objects, next: answer.text("NextMarker").map(str::to_owned) }
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn answers_what_stood_there(&self) -> Option<&'static Detail> {
        Some(&tags::TAGS)
    }

    fn details(&self) -> &'static [Detail] {
        self.details
    }
}
