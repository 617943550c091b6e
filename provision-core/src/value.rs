//! Value trees: the erased form of what a resource's fields hold.
//!
//! [`Value`] is fully known. [`Expr`] may also hold refs to outputs that are known only after apply. The two are one
//! type with a different symbol, so that a resolved tree cannot hold a ref: its symbol has no values.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::id::ResourceAddr;

/// A symbol that cannot exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Never {}

/// A tree of values whose leaves may be symbols of type `S`.
///
/// ```
/// use provision_core::value::{Expr, OutputRef, Value};
///
/// // As a definition has it: the id of another resource is not known yet.
/// let expr: Expr = serde_json::from_str(r##"{"subnet":{"$ref":"us-east.net.a#id"},"size":3}"##)?;
/// let subnet = OutputRef { resource: "us-east.net.a".parse()?, output: "id".to_owned() };
/// assert_eq!(expr.outputs(), [&subnet]);
/// assert_eq!(expr.resolve(&|_| None), Err(subnet));
///
/// // And once it is.
/// let value: Value = expr.resolve(&|_| Some("subnet-1".into())).expect("all is known");
/// let fields = value.as_map().expect("a map");
/// assert_eq!((fields["subnet"].as_text(), fields["size"].as_int()), (Some("subnet-1"), Some(3)));
/// assert_eq!(value.canonical(), br#"{"size":3,"subnet":"subnet-1"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Tree<S> {
    /// Not set.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text, also the text form of ids and CIDRs.
    Text(String),
    /// A list; whether its order matters is declared on the field.
    List(Vec<Self>),
    /// Named values.
    Map(BTreeMap<String, Self>),
    /// Something that is not known yet.
    Symbol(S),
}

/// A value that is fully known.
pub type Value = Tree<Never>;

/// A value that may depend on outputs of other resources.
pub type Expr = Tree<Symbol>;

/// A resource's fields by name, fully known.
pub type Fields = BTreeMap<String, Value>;

/// A resource's fields by name, as written in the definition.
pub type Exprs = BTreeMap<String, Expr>;

/// An output of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputRef {
    /// Whose output.
    pub resource: ResourceAddr,
    /// Which field of it.
    pub output: String,
}

/// What is not known when a definition is written: before apply, or before the plan is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symbol {
    /// The output of a resource itself. Apart from the value, most of which are none and would all be as large.
    Output(Box<OutputRef>),
    /// An output of what a lookup found: known once the plan is made. The address is the lookup's, and no resource has it.
    Found(Box<OutputRef>),
    /// Text with outputs in it.
    Text(Vec<Piece>),
}

/// A part of a text with refs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Piece {
    /// Known text.
    Literal(String),
    /// The text form of a resource's output.
    Output(OutputRef),
    /// The text form of an output of what a lookup found.
    Found(OutputRef),
}

impl fmt::Display for OutputRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resource.fmt(f)?;
        f.write_str("#")?;
        f.write_str(&self.output)
    }
}

impl<S> Tree<S> {
    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The list, if this is one.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The number, if this is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    /// Whether this is [`Tree::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Replaces every symbol by the tree that `f` gives for it.
    ///
    /// # Errors
    /// The first error of `f`.
    pub fn try_map<T, E>(&self, f: &mut impl FnMut(&S) -> Result<Tree<T>, E>) -> Result<Tree<T>, E> {
        Ok(match self {
            Self::Null => Tree::Null,
            Self::Bool(b) => Tree::Bool(*b),
            Self::Int(n) => Tree::Int(*n),
            Self::Text(text) => Tree::Text(text.clone()),
            Self::List(list) => Tree::List(list.iter().map(|item| item.try_map(f)).collect::<Result<_, E>>()?),
            Self::Map(map) => {
                Tree::Map(map.iter().map(|(k, v)| Ok((k.clone(), v.try_map(f)?))).collect::<Result<_, E>>()?)
            }
            Self::Symbol(symbol) => f(symbol)?,
        })
    }

    /// Whether something in it is not known yet.
    pub fn has_symbols(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Text(_) => false,
            Self::List(list) => list.iter().any(Self::has_symbols),
            Self::Map(map) => map.values().any(Self::has_symbols),
            Self::Symbol(_) => true,
        }
    }

    /// Calls `f` with every symbol, depth first.
    pub fn each_symbol(&self, f: &mut impl FnMut(&S)) {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Text(_) => {}
            Self::List(list) => list.iter().for_each(|item| item.each_symbol(f)),
            Self::Map(map) => map.values().for_each(|item| item.each_symbol(f)),
            Self::Symbol(symbol) => f(symbol),
        }
    }
}

impl Value {
    /// The same tree as one that may hold symbols of type `S`.
    pub fn widen<S>(&self) -> Tree<S> {
        match self.try_map::<S, std::convert::Infallible>(&mut |never| match *never {}) {
            Ok(tree) => tree,
            Err(never) => match never {},
        }
    }

    /// The same, without a copy of what is in it.
    pub(crate) fn into_wide<S>(self) -> Tree<S> {
        match self {
            Self::Null => Tree::Null,
            Self::Bool(b) => Tree::Bool(b),
            Self::Int(n) => Tree::Int(n),
            Self::Text(text) => Tree::Text(text),
            Self::List(list) => Tree::List(list.into_iter().map(Self::into_wide).collect()),
            Self::Map(map) => Tree::Map(map.into_iter().map(|(key, value)| (key, value.into_wide())).collect()),
            Self::Symbol(never) => match never {},
        }
    }

    /// The bytes that digests are made of: JSON with sorted keys.
    pub fn canonical(&self) -> Vec<u8> {
        // Writing a tree of strings, numbers, lists and maps with string keys to memory cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Expr {
    /// The value, once `known` knows every output in it, of resources and of what lookups found (no address is both); the
    /// first output that it does not know otherwise.
    ///
    /// # Errors
    /// The ref that `known` has no value for.
    pub fn resolve(&self, known: &impl Fn(&OutputRef) -> Option<Value>) -> Result<Value, OutputRef> {
        let get = |output: &OutputRef| known(output).ok_or_else(|| output.clone());
        self.try_map(&mut |symbol| match symbol {
            Symbol::Output(output) | Symbol::Found(output) => get(output),
            Symbol::Text(pieces) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Literal(literal) => text.push_str(literal),
                        Piece::Output(output) | Piece::Found(output) => text.push_str(&get(output)?.to_plain_text()),
                    }
                }
                Ok(Value::Text(text))
            }
        })
    }

    /// Every output of a resource that this value depends on.
    pub fn outputs(&self) -> Vec<&OutputRef> {
        let mut out = Vec::new();
        self.each_ref(&mut |output, of| match of {
            RefOf::Resource => out.push(output),
            RefOf::Lookup => {}
        });
        out
    }

    /// Every output of what a lookup found that this value depends on.
    pub fn found(&self) -> Vec<&OutputRef> {
        let mut out = Vec::new();
        self.each_ref(&mut |output, of| match of {
            RefOf::Lookup => out.push(output),
            RefOf::Resource => {}
        });
        out
    }

    fn each_ref<'a>(&'a self, f: &mut impl FnMut(&'a OutputRef, RefOf)) {
        match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Text(_) => {}
            Self::List(list) => list.iter().for_each(|item| item.each_ref(f)),
            Self::Map(map) => map.values().for_each(|item| item.each_ref(f)),
            Self::Symbol(Symbol::Output(output)) => f(output, RefOf::Resource),
            Self::Symbol(Symbol::Found(output)) => f(output, RefOf::Lookup),
            Self::Symbol(Symbol::Text(pieces)) => pieces.iter().for_each(|piece| match piece {
                Piece::Literal(_) => {}
                Piece::Output(output) => f(output, RefOf::Resource),
                Piece::Found(output) => f(output, RefOf::Lookup),
            }),
        }
    }
}

/// Whose output a ref names.
enum RefOf {
    Resource,
    Lookup,
}

impl Value {
    /// How the value reads inside a text: texts as they are, everything else as JSON.
    pub fn to_plain_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => String::from_utf8_lossy(&other.canonical()).into_owned(),
        }
    }
}

impl<S> From<&str> for Tree<S> {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<S> From<String> for Tree<S> {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<S> From<bool> for Tree<S> {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl<S> From<i64> for Tree<S> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl<S, T: Into<Self>> From<Vec<T>> for Tree<S> {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<S> From<BTreeMap<String, Self>> for Tree<S> {
    fn from(map: BTreeMap<String, Self>) -> Self {
        Self::Map(map)
    }
}

/// How a symbol stands in JSON: as an object with one key that starts with a single `$`.
///
/// Keys of maps that start with `$` are written with a second `$`, so that data is never taken for a symbol.
pub trait SymbolForm: Sized {
    /// Writes the key and the body.
    ///
    /// # Errors
    /// Those of what is written to.
    fn write<M: SerializeMap>(&self, out: &mut M) -> Result<(), M::Error>;
    /// The symbol, or why there is none.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(key: &str, body: serde_json::Value) -> Result<Self, String>;
}

impl SymbolForm for Never {
    fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {
        match *self {}
    }
    fn read(key: &str, _: serde_json::Value) -> Result<Self, String> {
        Err(format!("`{key}` stands for something unknown, where everything must be known"))
    }
}

fn read_output(body: serde_json::Value) -> Result<OutputRef, String> {
    let serde_json::Value::String(text) = body else { return Err("a ref is a text".to_owned()) };
    let (resource, output) = text.split_once('#').ok_or("a ref has the form `<dc>.<block>.<resource>#<output>`")?;
    Ok(OutputRef {
        resource: resource.parse().map_err(|bad: crate::id::BadName| bad.to_string())?,
        output: output.to_owned(),
    })
}

/// Written as it reads, without a text of its own: plans digest thousands of refs.
struct Shown<'a>(&'a OutputRef);

impl Serialize for Shown<'_> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        serializer.collect_str(self.0)
    }
}

impl SymbolForm for Symbol {
    fn write<M: SerializeMap>(&self, out: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Output(output) => out.serialize_entry("$ref", &Shown(output)),
            Self::Found(output) => out.serialize_entry("$found", &Shown(output)),
            Self::Text(pieces) => {
                let pieces = pieces.iter().map(|piece| match piece {
                    Piece::Literal(text) => text.clone().into(),
                    Piece::Output(output) => serde_json::json!({ "$ref": output.to_string() }),
                    Piece::Found(output) => serde_json::json!({ "$found": output.to_string() }),
                });
                out.serialize_entry("$text", &pieces.collect::<Vec<serde_json::Value>>())
            }
        }
    }

    fn read(key: &str, body: serde_json::Value) -> Result<Self, String> {
        match (key, body) {
            ("$ref", body) => read_output(body).map(|output| Self::Output(Box::new(output))),
            ("$found", body) => read_output(body).map(|output| Self::Found(Box::new(output))),
            ("$text", serde_json::Value::Array(pieces)) => {
                let pieces = pieces.into_iter().map(|piece| match piece {
                    serde_json::Value::String(text) => Ok(Piece::Literal(text)),
                    serde_json::Value::Object(mut map) if map.len() == 1 => match map.remove("$found") {
                        Some(found) => read_output(found).map(Piece::Found),
                        None => read_output(map.remove("$ref").unwrap_or_default()).map(Piece::Output),
                    },
                    _ => Err("a piece of a text is a text or a ref".to_owned()),
                });
                pieces.collect::<Result<_, _>>().map(Self::Text)
            }
            (key, _) => Err(format!("unknown symbol `{key}`")),
        }
    }
}

impl<S: SymbolForm> Serialize for Tree<S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(n) => serializer.serialize_i64(*n),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(list) => serializer.collect_seq(list),
            Self::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    if key.starts_with('$') {
                        out.serialize_entry(&format!("${key}"), value)?;
                    } else {
                        out.serialize_entry(key, value)?;
                    }
                }
                out.end()
            }
            Self::Symbol(symbol) => {
                let mut out = serializer.serialize_map(Some(1))?;
                symbol.write(&mut out)?;
                out.end()
            }
        }
    }
}

struct TreeVisitor<S>(std::marker::PhantomData<S>);

impl<'de, S: SymbolForm> Visitor<'de> for TreeVisitor<S> {
    type Value = Tree<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value: null, a boolean, a whole number, a text, a list or a map")
    }
    fn visit_unit<E>(self) -> Result<Tree<S>, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<Tree<S>, E> {
        Ok(Tree::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<Tree<S>, E> {
        Ok(Tree::Int(n))
    }
    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Tree<S>, E> {
        i64::try_from(n).map(Tree::Int).map_err(|_| E::custom("a number above the range of 64 bits with sign"))
    }
    fn visit_str<E>(self, text: &str) -> Result<Tree<S>, E> {
        Ok(Tree::Text(text.to_owned()))
    }
    fn visit_string<E>(self, text: String) -> Result<Tree<S>, E> {
        Ok(Tree::Text(text))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree<S>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Tree<S>, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<String>()? {
            let key = match key.strip_prefix('$') {
                Some(rest) if rest.starts_with('$') => rest.to_owned(),
                Some(_) => {
                    let body = access.next_value()?;
                    if !map.is_empty() || access.next_key::<String>()?.is_some() {
                        return Err(A::Error::custom(format!("`{key}` stands alone in its object")));
                    }
                    return S::read(&key, body).map(Tree::Symbol).map_err(A::Error::custom);
                }
                None => key,
            };
            let value = access.next_value()?;
            if map.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
        }
        Ok(Tree::Map(map))
    }
}

impl<'de, S: SymbolForm> Deserialize<'de> for Tree<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests;
