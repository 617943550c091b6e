//! Building blocks of the pure half: reading fields, writing request trees, collecting calls.

use std::collections::BTreeMap;

use provision_core::call::{Call, Effect, Look, Mark, Own, Recovery, Wait};
use provision_core::id::{ObjectId, TypeName};
use provision_core::value::{Fields, Tree, Value};

/// A part of a request.
pub(crate) type Part = Tree<Own>;

/// A structure of a request.
pub(crate) fn parts<const N: usize>(entries: [(&str, Part); N]) -> Part {
    Tree::Map(entries.into_iter().map(|(name, part)| (name.to_owned(), part)).collect())
}

/// A structure of a request, without the parts that are not given.
pub(crate) fn named<const N: usize>(entries: [(&str, Option<Part>); N]) -> Part {
    Tree::Map(entries.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part?))).collect())
}

/// The object's own id, once its create answered.
pub(crate) fn own_id() -> Part {
    Tree::Symbol(Own::Id)
}

/// What a data source answers right before the call is made.
pub(crate) fn look<const N: usize>(source: &str, query: [(&str, Value); N], field: &str) -> Part {
    // A type's name by construction: the tests ask for each.
    let source = source.parse().unwrap_or_else(|bad| unreachable!("{bad}"));
    let query = query.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Tree::Symbol(Own::Look(Box::new(Look { source, query, field: field.to_owned() })))
}

/// The id of an object that exists.
pub(crate) fn known_id(id: &ObjectId) -> Part {
    id.as_str().into()
}

/// A boolean as EC2's attribute calls take it.
pub(crate) fn boolean(value: bool) -> Part {
    parts([("Value", value.into())])
}

/// One field, as an effect's `fields`.
pub(crate) fn field(name: &str, value: impl Into<Value>) -> Fields {
    BTreeMap::from([(name.to_owned(), value.into())])
}

/// The resource's fields, read with messages for what is not as the schema says.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a>(pub(crate) &'a Fields);

impl<'a> Given<'a> {
    /// A field that is set.
    pub(crate) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(self, name: &str) -> Result<&'a str, String> {
        self.optional_text(name)?.ok_or_else(|| format!("the field `{name}` is not set; it is required"))
    }

    pub(crate) fn optional_text(self, name: &str) -> Result<Option<&'a str>, String> {
        self.get(name).map(|value| value.as_text().ok_or_else(|| format!("the field `{name}` is a text"))).transpose()
    }

    pub(crate) fn bool_or(self, name: &str, default: bool) -> Result<bool, String> {
        self.get(name)
            .map_or(Ok(default), |value| value.as_bool().ok_or_else(|| format!("the field `{name}` is true or false")))
    }

    pub(crate) fn int(self, name: &str) -> Result<i64, String> {
        self.optional_int(name)?.ok_or_else(|| format!("the field `{name}` is not set; it is required"))
    }

    pub(crate) fn optional_int(self, name: &str) -> Result<Option<i64>, String> {
        self.get(name)
            .map(|value| value.as_int().ok_or_else(|| format!("the field `{name}` is a whole number")))
            .transpose()
    }

    pub(crate) fn list(self, name: &str) -> Result<&'a [Value], String> {
        self.get(name).map_or(Ok(&[]), |value| value.as_list().ok_or_else(|| format!("the field `{name}` is a list")))
    }

    pub(crate) fn texts(self, name: &str) -> Result<Vec<&'a str>, String> {
        let items = self.list(name)?.iter();
        items.map(|item| item.as_text().ok_or_else(|| format!("the field `{name}` is a list of texts"))).collect()
    }

    /// An IPv4 network that AWS takes for a VPC or a subnet, in the form that it answers with.
    pub(crate) fn network(self, name: &str) -> Result<&'a str, String> {
        let text = self.text(name)?;
        let network = canonical_cidr(text).map_err(|problem| format!("the field `{name}`: {problem}"))?;
        match network {
            ipnet::IpNet::V4(v4) if (16..=28).contains(&v4.prefix_len()) => Ok(text),
            _ => Err(format!("the field `{name}`: AWS takes IPv4 networks from /16 to /28 here, not `{text}`")),
        }
    }
}

/// The network, if the text is the form in which AWS answers it: what it changes on its own would be drift forever.
pub(crate) fn canonical_cidr(text: &str) -> Result<ipnet::IpNet, String> {
    let network: ipnet::IpNet = text.parse().map_err(|_| format!("`{text}` is not a network; write `10.0.0.0/16`"))?;
    let canonical = network.trunc().to_string();
    if canonical == text {
        Ok(network)
    } else {
        Err(format!("`{text}` has bits outside its prefix; write `{canonical}`"))
    }
}

/// What an update starts from.
pub(crate) struct Update<'a> {
    pub(crate) id: &'a ObjectId,
    pub(crate) observed: Given<'a>,
    /// The mark that it carries: what replaces all tags at once writes it again.
    pub(crate) carries: Option<&'a Mark>,
    pub(crate) desired: Given<'a>,
    pub(crate) changed: &'a [&'static str],
    pub(crate) mark: Option<&'a Mark>,
}

impl Update<'_> {
    pub(crate) fn changes(&self, name: &str) -> bool {
        self.changed.contains(&name)
    }

    /// Refuses changes of fields that the API cannot change in place: such a plan has a bug, or an older schema.
    pub(crate) fn only(&self, in_place: &[&str]) -> Result<(), String> {
        match self.changed.iter().find(|name| !in_place.contains(name)) {
            Some(name) => Err(format!("`{name}` cannot change in place; the object has to be replaced")),
            None => Ok(()),
        }
    }
}

/// What a delete starts from.
pub(crate) struct Delete<'a> {
    pub(crate) id: &'a ObjectId,
    /// Its fields as last recorded.
    pub(crate) recorded: Given<'a>,
    observed: Option<&'a Fields>,
}

impl<'a> Delete<'a> {
    pub(crate) fn new(id: &'a ObjectId, recorded: &'a Fields, observed: Option<&'a Fields>) -> Self {
        Self { id, recorded: Given(recorded), observed }
    }

    /// A field as it was last seen, or else as it is recorded.
    pub(crate) fn last(&self, name: &str) -> Option<&'a Value> {
        self.observed.and_then(|observed| observed.get(name)).or_else(|| self.recorded.get(name))
    }
}

/// The calls of one change, in order.
pub(crate) struct Calls {
    type_name: TypeName,
    calls: Vec<Call>,
}

impl Calls {
    pub(crate) fn new(type_name: &TypeName) -> Self {
        Self { type_name: type_name.clone(), calls: Vec::new() }
    }

    pub(crate) fn done(self) -> Vec<Call> {
        self.calls
    }

    fn push(&mut self, api: &str, request: Part, recovery: Recovery, effect: Effect, wait: Wait) {
        let type_name = self.type_name.clone();
        self.calls.push(Call { api: api.to_owned(), type_name, request, recovery, effect, wait });
    }

    pub(crate) fn create(&mut self, api: &str, request: Part, recovery: Recovery, new: New<'_>, wait: Wait) {
        let computed = new.computed.iter().map(|&name| name.to_owned()).collect();
        self.push(
            api,
            request,
            recovery,
            Effect::Create { fields: new.fields, computed, mark: new.mark.cloned() },
            wait,
        );
    }

    pub(crate) fn set(&mut self, api: &str, request: Part, fields: Fields) {
        self.push(api, request, Recovery::Set, Effect::Set { fields, mark: None }, Wait::No);
    }

    /// A set after which the object is changing for a while, and is waited for.
    pub(crate) fn set_and_wait(&mut self, api: &str, request: Part, fields: Fields, wait: Wait) {
        self.push(api, request, Recovery::Set, Effect::Set { fields, mark: None }, wait);
    }

    pub(crate) fn set_mark(&mut self, api: &str, request: Part, fields: Fields, mark: Option<&Mark>) {
        self.push(api, request, Recovery::Set, Effect::Set { fields, mark: mark.cloned() }, Wait::No);
    }

    pub(crate) fn remove(&mut self, api: &str, request: Part, wait: Wait) {
        self.push(api, request, Recovery::Remove, Effect::Remove, wait);
    }
}

/// What a create makes.
pub(crate) struct New<'a> {
    pub(crate) fields: Fields,
    pub(crate) computed: &'a [&'a str],
    /// The mark, unless the API's objects can carry none: then a natural key tells.
    pub(crate) mark: Option<&'a Mark>,
}
