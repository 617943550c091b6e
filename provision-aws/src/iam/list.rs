//! IAM's lists: below a path, without tags; one object by name shows them.

use provision_core::call::{Mark, Observed, Read, Scope};
use provision_core::id::{InfraId, ObjectId};
use provision_core::schema::Schema;
use provision_core::value::{Fields, Value};

use crate::table::reading::{Detail, Page, Reading, Request, parameters};
use crate::table::shown::{Seen, Shown};
use crate::tags;

/// Where IAM has the objects of an infrastructure whose definition names no path: so they can be listed by themselves.
pub(crate) fn path(infra: &InfraId) -> String {
    format!("/provision/{infra}/")
}

/// The path that a definition asks for, or else the infrastructure's.
pub(crate) fn path_of_new(path: Option<&str>, mark: &Mark) -> String {
    path.map_or_else(|| self::path(&mark.infra), str::to_owned)
}

/// What is wrong with a path: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.
pub(crate) fn path_problem(path: &str) -> Option<String> {
    let good = path.starts_with('/') && path.ends_with('/') && path.len() <= 512;
    let good = good && path.bytes().all(|b| b.is_ascii_graphic());
    (!good).then(|| format!("`{}` is not a path: write `/`, or `/team/`", path.escape_debug()))
}

/// What is wrong with a name: "upper and lowercase alphanumeric characters with no spaces", and `_+=,.@-`.
pub(crate) fn name_problem(name: &str, most: usize) -> Option<String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let good = (1..=most).contains(&name.len()) && name.chars().all(good);
    (!good).then(|| format!("`{}` is not a name: write 1 to {most} of a-z, A-Z, 0-9 and _+=,.@-", name.escape_debug()))
}

/// How the objects of a type are listed.
pub(crate) struct List {
    pub(crate) schema: &'static Schema,
    pub(crate) list: &'static str,
    /// Where the list's answer has the objects.
    pub(crate) objects: &'static str,
    /// Parameters that the list needs beside path and page.
    pub(crate) also: &'static [(&'static str, &'static str)],
    /// Shows one.
    pub(crate) get: &'static str,
    /// The parameter of `get` that names it, and what the object calls it.
    pub(crate) id: (&'static str, &'static str),
    /// Where its answer has the object.
    pub(crate) object: &'static str,
    /// How one is found by its name.
    pub(crate) by_name: ByName,
    /// What lists show, too.
    pub(crate) observe: fn(Shown<'_>) -> Seen,
    /// What only `get` shows, beside the tags.
    pub(crate) whole: fn(Shown<'_>, Seen) -> Seen,
    pub(crate) details: &'static [Detail],
}

/// How an object is found by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByName {
    /// `get` takes it.
    Shown,
    /// `get` takes an ARN: the list is gone through.
    Listed,
}

/// The most that IAM's lists take as `MaxItems`.
pub(crate) const PAGE: i64 = 1000;

/// The next page, if the answer says that there is one.
pub(crate) fn next(answer: Shown<'_>) -> Option<String> {
    answer.bool("IsTruncated").filter(|more| *more).and_then(|_| answer.text("Marker")).map(str::to_owned)
}

impl List {
    /// The request for one object.
    pub(crate) fn one(&self, id: &str) -> Request {
        Request { api: self.get, parameters: parameters([(self.id.0, Some(id.into()))]) }
    }

    /// What the answer to [`Self::one`] shows.
    pub(crate) fn seen(&self, answer: Shown<'_>) -> Option<Observed> {
        let object = answer.at(self.object);
        let (mark, users) = tags::read(object.pairs("Tags"));
        let seen = (self.whole)(object, (self.observe)(object)).with("tags", Some(users));
        self.observed(object, seen, mark)
    }

    /// What a list shows: no tags.
    fn listed(&self, object: Shown<'_>) -> Option<Observed> {
        self.observed(object, (self.observe)(object), None)
    }

    fn observed(&self, object: Shown<'_>, seen: Seen, mark: Option<Mark>) -> Option<Observed> {
        let id = ObjectId::new(object.text(self.id.1)?).ok()?;
        let Seen { readiness, mut fields } = seen;
        fields.insert("id".to_owned(), id.as_str().into());
        Some(Observed { id, mark, fields: self.schema.normal_form(fields), readiness })
    }

    fn name<'a>(&self, key: &'a Fields) -> Result<&'a str, String> {
        let mut fields = key.iter();
        match (fields.next().map(|(field, value)| (field.as_str(), value.as_text())), fields.next()) {
            (Some(("name", Some(name))), None) => Ok(name),
            _ => Err(format!("IAM looks for the `name` of an {}, and for nothing else", self.schema.type_name)),
        }
    }
}

impl Reading for List {
    /// Objects for which the definition names a path are not among the infrastructure's; they are found by their names.
    fn request(&self, read: &Read) -> Result<Request, String> {
        let below = match &read.scope {
            Scope::Id(id) => return Ok(self.one(id.as_str())),
            Scope::Key(key) => match (self.name(key)?, self.by_name) {
                (name, ByName::Shown) => return Ok(self.one(name)),
                (_, ByName::Listed) => "/".to_owned(),
            },
            Scope::Marked(infra) | Scope::Mark(Mark { infra, .. }) => path(infra),
            Scope::Tagged(_) => "/".to_owned(),
            Scope::Detail { detail, .. } => return Err(format!("`{detail}` is no list")),
            Scope::Query(_) => return Err(format!("{} is no data source", read.type_name)),
        };
        let mut all = vec![("PathPrefix", Value::from(below)), ("MaxItems", PAGE.into())];
        all.extend(self.also.iter().map(|&(name, value)| (name, value.into())));
        all.extend(read.page.as_deref().map(|page| ("Marker", page.into())));
        let all = all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Ok(Request { api: self.list, parameters: Value::Map(all) })
    }

    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        let listed = || answer.list(self.objects).filter_map(|object| self.listed(object));
        let one = || Page { objects: self.seen(answer).into_iter().collect(), next: None };
        match (&read.scope, self.by_name) {
            (Scope::Id(_), _) | (Scope::Key(_), ByName::Shown) => one(),
            (Scope::Key(key), ByName::Listed) => {
                let of_key = |found: &Observed| key.iter().all(|(name, value)| found.fields.get(name) == Some(value));
                Page { objects: listed().filter(of_key).collect(), next: next(answer) }
            }
            (Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) | Scope::Detail { .. } | Scope::Query(_), _) => {
                Page { objects: listed().collect(), next: next(answer) }
            }
        }
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn details(&self) -> &'static [Detail] {
        self.details
    }
}
