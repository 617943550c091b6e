//! How the objects of a type are read: which request asks for them, and what its answer means.

use std::collections::BTreeSet;

use provision_core::call::{Observed, Read, Readiness, Scope};
use provision_core::id::{InfraId, ObjectId};
use provision_core::provider;
use provision_core::value::{Fields, Value};

use super::shown::Shown;

/// How the objects of a type are read.
pub(crate) trait Reading: Sync {
    /// The request for a page.
    ///
    /// # Errors
    /// What the API cannot look for.
    fn request(&self, read: &Read) -> Result<Request, String>;

    /// What its answer holds. A list whose answers say less than that has [`Self::page_of`] in its place.
    fn page(&self, _answer: Shown<'_>) -> Page {
        Page { objects: Vec::new(), next: None }
    }

    /// What its answer holds, for lists that are walked: which page comes next, the read tells as well.
    fn page_of(&self, _read: &Read, answer: Shown<'_>) -> Page {
        self.page(answer)
    }

    /// What is known of a new object, its id above all, where that does not stand in the answer of its create as it is.
    fn made(&self, _request: Shown<'_>, _answer: Shown<'_>) -> Fields {
        Fields::new()
    }

    /// Which lists show all that are ours.
    fn lists(&self, infra: &InfraId, _recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        vec![Scope::Marked(infra.clone())]
    }

    /// How many objects come in a page; `None` where the answer comes whole.
    #[allow(dead_code, reason = "only the document of the types tells it")]
    fn page_size(&self) -> Option<i64>;

    /// What a list is asked for, where one does not show all: a page size then counts for each of them.
    fn per(&self) -> Option<&'static str> {
        None
    }

    /// The detail that shows the mark, where a create is also answered with an object that stood there before: of what such
    /// a create answers, the mark is looked at before it counts as ours.
    fn answers_what_stood_there(&self) -> Option<&'static Detail> {
        None
    }

    /// What the list does not show.
    fn details(&self) -> &'static [Detail] {
        &[]
    }

    /// The request for a page of a detail.
    ///
    /// # Errors
    /// A page that is none of this detail's.
    fn detail_request(&self, detail: &Detail, objects: &[ObjectId], _page: Option<&str>) -> Result<Request, String> {
        Ok((detail.request)(objects))
    }

    /// What the answer to that request holds; most details have one page.
    fn detail_page(&self, detail: &Detail, objects: &[ObjectId], _page: Option<&str>, answer: Shown<'_>) -> Page {
        Page { objects: (detail.seen)(objects, answer), next: None }
    }
}

/// A request that changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    /// The operation.
    pub(crate) api: &'static str,
    /// Its parameters.
    pub(crate) parameters: Value,
}

/// A page of objects.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Observed>,
    pub(crate) next: Option<String>,
}

/// What a list does not show of its objects, and another request does.
pub(crate) struct Detail {
    /// Its name, and how many objects one request takes.
    pub(crate) of: provider::Detail,
    pub(crate) request: fn(&[ObjectId]) -> Request,
    /// What the answer shows of each object that was asked about. One that is not in it is gone.
    pub(crate) seen: DetailSeen,
}

/// What an answer shows of the objects that were asked about: see [`detail`].
pub(crate) type DetailSeen = fn(&[ObjectId], Shown<'_>) -> Vec<Observed>;

/// What a detail shows of an object: fields alone. Where tags are among it, the caller adds the mark.
pub(crate) fn detail(id: &ObjectId, fields: Fields) -> Observed {
    Observed { id: id.clone(), mark: None, fields, readiness: Readiness::Ready }
}

/// Named parameters, without those that are not given.
pub(crate) fn parameters<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}
