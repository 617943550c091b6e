//! What fields take: values and refs, erased as they enter.

use std::collections::BTreeMap;

use super::block::{Added, Resource};
use super::cidr::Cidr;
use super::refs::{Is, RawRef, Ref, SameDc};
use crate::schema::{Kind, Literal};
use crate::value::Tree;

/// An erased value, in which a [`Hole`] stands for what is not known or not right.
pub type Input = Tree<Hole>;

/// What stands in an [`Input`] in place of a value: an output, a text with outputs, or a problem.
#[derive(Debug, Clone)]
pub struct Hole(pub(crate) Filling);

#[derive(Debug, Clone)]
pub(crate) enum Filling {
    Output(RawRef),
    Text(Vec<Part>),
    Problem(String),
}

#[derive(Debug, Clone)]
pub(crate) enum Part {
    Literal(String),
    Output(RawRef),
    Problem(String),
}

impl Input {
    /// A value that cannot be: a finding where it is used. Says what is wrong, and what would be right.
    pub fn problem(problem: impl Into<String>) -> Self {
        Self::Symbol(Hole(Filling::Problem(problem.into())))
    }

    pub(crate) fn output(raw: RawRef) -> Self {
        Self::Symbol(Hole(Filling::Output(raw)))
    }

    /// Calls `f` with every output in it.
    pub(crate) fn each_output(&self, f: &mut impl FnMut(RawRef)) {
        self.each_symbol(&mut |hole| match &hole.0 {
            Filling::Output(raw) => f(*raw),
            Filling::Text(parts) => parts.iter().for_each(|part| {
                if let Part::Output(raw) = part {
                    f(*raw);
                }
            }),
            Filling::Problem(_) => {}
        });
    }

    /// Every problem in it.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.each_symbol(&mut |hole| match &hole.0 {
            Filling::Problem(problem) => found.push(problem.clone()),
            Filling::Text(parts) => found.extend(parts.iter().filter_map(|part| match part {
                Part::Problem(problem) => Some(problem.clone()),
                Part::Literal(_) | Part::Output(_) => None,
            })),
            Filling::Output(_) => {}
        });
        found
    }
}

/// What a field of kind `Kind` takes in a block of data centre `D`.
#[diagnostic::on_unimplemented(message = "expected a `{Kind}`, found `{Self}`", label = "a `{Kind}` belongs here")]
pub trait IntoInput<Kind, D> {
    /// The erased value.
    fn into_input(self) -> Input;
}

/// A type that stands for what a field holds.
pub trait FieldKind {
    /// As the schema has it.
    const KIND: Kind;
}

/// A type that has an empty value, for `#[attr(default)]`.
#[diagnostic::on_unimplemented(message = "`{Self}` has no default of its own", note = "write `default = ..`")]
pub trait DefaultKind: FieldKind {
    /// Its empty value.
    const EMPTY: Literal;
}

/// Named texts, like the tags of a resource: `[("team", "infra")]`.
pub type Tags = BTreeMap<String, String>;

macro_rules! kinds {
    ($($kind:ty => $schema:expr),* $(,)?) => { $(
        impl FieldKind for $kind {
            const KIND: Kind = $schema;
        }
    )* };
}
kinds!(bool => Kind::Bool, i64 => Kind::Int, String => Kind::Text, Cidr => Kind::Net, Tags => Kind::Map);

impl<K: FieldKind> FieldKind for Vec<K> {
    const KIND: Kind = Kind::List(&K::KIND);
}

impl<K: FieldKind> DefaultKind for Vec<K> {
    const EMPTY: Literal = Literal::EmptyList;
}

impl DefaultKind for Tags {
    const EMPTY: Literal = Literal::EmptyMap;
}

macro_rules! plain {
    ($($from:ty => $kind:ty),* $(,)?) => { $(
        impl<D> IntoInput<$kind, D> for $from {
            fn into_input(self) -> Input {
                self.into()
            }
        }
    )* };
}
plain!(bool => bool, &str => String, String => String, i64 => i64);

impl<D> IntoInput<String, D> for &String {
    fn into_input(self) -> Input {
        self.as_str().into()
    }
}

impl<D> IntoInput<Self, D> for Cidr {
    fn into_input(self) -> Input {
        self.problem().map_or_else(|| self.to_string().into(), Input::problem)
    }
}

/// Would let a text stand for a network; nothing implements it, so that its message is shown.
#[diagnostic::on_unimplemented(message = "a string is not a CIDR", label = "write `cidr!(\"10.1.0.0/16\")`")]
pub trait TextAsCidr<D> {}

impl<'a, D> IntoInput<Cidr, D> for &'a str
where
    &'a str: TextAsCidr<D>,
{
    fn into_input(self) -> Input {
        self.into()
    }
}

impl<K, D, G: Is<K>, O: SameDc<D>> IntoInput<K, D> for Ref<G, O> {
    fn into_input(self) -> Input {
        Input::output(self.raw)
    }
}

impl<K, D, G: Is<K>, O: SameDc<D>> IntoInput<K, D> for &Ref<G, O> {
    fn into_input(self) -> Input {
        Input::output(self.raw)
    }
}

impl<K, D, R: Resource, O: SameDc<D>> IntoInput<K, D> for Added<'_, R, O>
where
    R::Id: Is<K>,
{
    fn into_input(self) -> Input {
        Input::output(self.id().raw)
    }
}

impl<K, D, T: IntoInput<K, D>, const N: usize> IntoInput<Vec<K>, D> for [T; N] {
    fn into_input(self) -> Input {
        Input::List(self.into_iter().map(IntoInput::into_input).collect())
    }
}

impl<K, D, T: IntoInput<K, D>> IntoInput<Vec<K>, D> for Vec<T> {
    fn into_input(self) -> Input {
        Input::List(self.into_iter().map(IntoInput::into_input).collect())
    }
}

impl<K, D, T: IntoInput<K, D> + Clone> IntoInput<Vec<K>, D> for &[T] {
    fn into_input(self) -> Input {
        Input::List(self.iter().cloned().map(IntoInput::into_input).collect())
    }
}

impl<K, D, T: IntoInput<K, D> + Clone> IntoInput<Vec<K>, D> for &Vec<T> {
    fn into_input(self) -> Input {
        self.as_slice().into_input()
    }
}

impl<K, D, T: IntoInput<K, D> + Clone, const N: usize> IntoInput<Vec<K>, D> for &[T; N] {
    fn into_input(self) -> Input {
        self.as_slice().into_input()
    }
}

fn named_texts<D, N: Into<String>, V: IntoInput<String, D>>(pairs: impl IntoIterator<Item = (N, V)>) -> Input {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        let name = name.into();
        let value = if map.contains_key(&name) {
            Input::problem(format!("the key `{}` stands twice", name.escape_debug()))
        } else {
            value.into_input()
        };
        map.insert(name, value);
    }
    Input::Map(map)
}

impl<D, N: Into<String>, V: IntoInput<String, D>, const LEN: usize> IntoInput<Tags, D> for [(N, V); LEN] {
    fn into_input(self) -> Input {
        named_texts(self)
    }
}

impl<D> IntoInput<Tags, D> for &[(&str, &str)] {
    fn into_input(self) -> Input {
        named_texts::<D, _, _>(self.iter().copied())
    }
}

impl<D, N: Into<String>, V: IntoInput<String, D>> IntoInput<Tags, D> for Vec<(N, V)> {
    fn into_input(self) -> Input {
        named_texts(self)
    }
}

impl<D, N: Into<String>, V: IntoInput<String, D>> IntoInput<Tags, D> for BTreeMap<N, V> {
    fn into_input(self) -> Input {
        named_texts(self)
    }
}
