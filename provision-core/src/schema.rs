//! What a resource type declares about its fields, once: `#[resource]` writes it, planner and providers read it.

use crate::value::{Fields, Value};

/// A resource type.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # use toy::Network;
/// use provision_core::schema::{OnChange, Role};
///
/// let schema = Network::SCHEMA;
/// assert_eq!((schema.type_name, schema.version), ("toy_network", 1));
/// let cidr = schema.field("cidr").expect("it has one");
/// assert_eq!((cidr.role, cidr.on_change), (Role::Required, OnChange::Replace));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// The type's name: `aws_subnet`.
    pub type_name: &'static str,
    /// The provider that makes it: `aws`.
    pub provider: &'static str,
    /// Rises when fields change their meaning; older records are lifted, newer ones refused.
    pub version: u32,
    /// The fields, in the order of their definition.
    pub fields: &'static [Field],
}

/// A field of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name in definitions, plans and logs.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who gives it its value.
    pub role: Role,
    /// What a change of it does.
    pub on_change: OnChange,
    /// How two values of it are compared, and how their difference is shown.
    pub grain: Grain,
    /// Whether reads show it.
    pub reads: Reads,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// An IPv4 or IPv6 network.
    Net,
    /// The id of an object of that kind: `VpcId`.
    Id(&'static str),
    /// A list.
    List(&'static Self),
    /// Named texts.
    Map,
    /// A structure with fields of its own.
    Object,
}

/// Who gives a field its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The definition, always.
    Required,
    /// The definition, or this default: in both cases the field is ours.
    Default(Literal),
    /// The definition if it sets it; otherwise the server, and then the field is not ours.
    Optional,
    /// The definition if it sets it; otherwise the engine: a name that is unique where names are.
    Name {
        /// The longest name that the API takes.
        max: usize,
    },
    /// The same, of what no two regions of an account can have alike: the engine's name begins with the data centre's.
    GlobalName {
        /// The longest name that the API takes.
        max: usize,
    },
    /// The server: an output.
    Computed,
}

/// A default value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(&'static str),
    /// The empty list.
    EmptyList,
    /// The empty map.
    EmptyMap,
    /// A list.
    List(&'static [Self]),
    /// A map.
    Map(&'static [(&'static str, Self)]),
}

/// What a change of a field does to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// The object is updated in place.
    Update,
    /// The object is replaced by a new one.
    Replace,
    /// Nothing: it is computed, and an update of the object may change it, as each change of a launch template makes a
    /// later version of it: `#[attr(computed, moves)]`. What uses it is planned as not known until then; all other computed
    /// fields stay as they are for as long as the object exists.
    Moves,
}

/// How two values of a field are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// As a whole, in order.
    Whole,
    /// As a set: order and repetition do not matter.
    Set,
    /// Key by key.
    ByKey,
}

/// Whether reads show a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// They do.
    Shown,
    /// They do not, as those of an instance do not show its user data: `#[attr(unread)]`. It counts as what it was last
    /// set to, so it never drifts; of an object that is taken over it is taken to be as defined.
    Unread,
}

impl Literal {
    /// The value.
    pub fn value(self) -> Value {
        match self {
            Self::Bool(b) => b.into(),
            Self::Int(n) => n.into(),
            Self::Text(text) => text.into(),
            Self::EmptyList => Value::List(Vec::new()),
            Self::EmptyMap => Value::Map(Default::default()),
            Self::List(items) => Value::List(items.iter().map(|item| item.value()).collect()),
            Self::Map(entries) => {
                Value::Map(entries.iter().map(|(key, value)| ((*key).to_owned(), value.value())).collect())
            }
        }
    }
}

impl Schema {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field that the engine names, if there is one.
    pub fn name_field(&self) -> Option<(&'static Field, usize)> {
        self.fields.iter().find_map(|field| match field.role {
            Role::Name { max } | Role::GlobalName { max } => Some((field, max)),
            Role::Required | Role::Default(_) | Role::Optional | Role::Computed => None,
        })
    }

    /// Every field in its normal form, so that equal meaning gives equal trees.
    pub fn normal_form(&self, mut fields: Fields) -> Fields {
        for field in self.fields {
            if let Some(value) = fields.get_mut(field.name) {
                field.normalise(value);
            }
        }
        fields
    }
}

impl Field {
    /// What an object has in this field, in normal form: as a read shows it, or else as it is recorded.
    pub fn of(&self, observed: &Fields, recorded: &Fields) -> Option<Value> {
        let shown = match self.reads {
            Reads::Shown => observed.get(self.name),
            Reads::Unread => None,
        };
        let mut value = shown.or_else(|| recorded.get(self.name))?.clone();
        self.normalise(&mut value);
        Some(value)
    }

    /// Brings a value into its normal form: sets are sorted and hold each item once.
    pub fn normalise(&self, value: &mut Value) {
        match (self.grain, value) {
            (Grain::Set, Value::List(items)) => {
                items.sort();
                items.dedup();
            }
            (Grain::Set | Grain::Whole | Grain::ByKey, _) => {}
        }
    }
}
