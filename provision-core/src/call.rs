//! Calls as data: what a provider's pure half compiles a change into, and what its client half answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize};

use crate::id::{InfraId, ObjectId, ResourceAddr, Token, TypeName};
use crate::value::{Fields, Never, SymbolForm, Tree, Value};

/// The name of an operation, as the provider's own documents write it: `CreateVpc`.
pub type Api = String;

/// The mark that says whose an object is: set in the create call itself where the API can.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// The infrastructure.
    pub infra: InfraId,
    /// The resource.
    pub address: ResourceAddr,
    /// Which create of that resource made the object: no two intents share one.
    pub incarnation: Token,
}

/// A symbol in a call's request: what is known only when the call is about to be made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Own {
    /// The object's id, known once an earlier call of the same change answered.
    Id,
    /// A computed field of the object, likewise.
    Output(String),
    /// What another object says of itself right before the call.
    Look(Box<Look>),
}

/// A question about what is there, asked right before a call whose request needs the answer: the id of the association
/// that the call replaces, which each replacement makes anew. It is a read: it leaves no intent, and is repeated freely.
///
/// ```
/// use provision_core::call::{Look, Own};
/// use provision_core::value::{Fields, SymbolForm, Tree};
///
/// let query = Fields::from([("subnet".to_owned(), "subnet-1".into())]);
/// let look = Look { source: "aws_subnet_acl".parse()?, query, field: "association".to_owned() };
/// let request = Tree::Map([("AssociationId".to_owned(), Tree::Symbol(Own::Look(Box::new(look))))].into());
/// # let _: Tree<Own> = request;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {
    /// The data source that answers.
    pub source: TypeName,
    /// Its fields, as far as they are asked for: exactly one object must have them.
    pub query: Fields,
    /// Which of its fields stands in the request.
    pub field: String,
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = serde_json::to_string(&self.query).unwrap_or_default();
        write!(f, "`{}` of the {} with {query}", self.field, self.source)
    }
}

impl SymbolForm for Own {
    fn write<M: SerializeMap>(&self, out: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Id => out.serialize_entry("$own", "id"),
            Self::Output(name) => out.serialize_entry("$own", &format!("output:{name}")),
            Self::Look(look) => out.serialize_entry("$look", look),
        }
    }
    fn read(key: &str, body: serde_json::Value) -> Result<Self, String> {
        match (key, body.as_str()) {
            ("$look", _) => {
                serde_json::from_value(body).map(|look| Self::Look(Box::new(look))).map_err(|e| e.to_string())
            }
            ("$own", Some("id")) => Ok(Self::Id),
            ("$own", Some(text)) => text
                .strip_prefix("output:")
                .map(|name| Self::Output(name.to_owned()))
                .ok_or_else(|| format!("unknown output `{text}`")),
            _ => Err(format!("unknown symbol `{key}`")),
        }
    }
}

/// One request to a cloud's API, as the provider's pure half plans it.
///
/// `S` is [`Own`] as compiled and [`Never`] when it is about to be sent: a sent call holds nothing unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(serialize = "S: SymbolForm", deserialize = "S: SymbolForm"))]
pub struct Call<S = Own> {
    /// The operation.
    pub api: Api,
    /// The type of the object that it acts on.
    pub type_name: TypeName,
    /// The request's parameters, named as in the provider's documents.
    pub request: Tree<S>,
    /// How it is found out whether a call landed whose answer was lost.
    pub recovery: Recovery,
    /// What it does to the model of the object.
    pub effect: Effect,
    /// What has to be waited for after the answer.
    pub wait: Wait,
}

/// A call with nothing unknown in it.
pub type ReadyCall = Call<Never>;

/// How it is found out whether a call landed whose answer was lost. What has none of these is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Recovery {
    /// The API honours an idempotency token (already part of the request) for a term. A term that the request can
    /// outlive ([`token_outlasts_request`]) is as good as none: then only the mark tells.
    Token {
        /// The token.
        token: Token,
        /// How long the API promises to remember it.
        term_seconds: u64,
    },
    /// The API refuses a second object of the name; whether the one that exists is ours, its mark says.
    Name {
        /// The name.
        name: String,
    },
    /// Only the mark, which the create call itself sets, tells.
    Tag,
    /// The API refuses a second object with these values.
    NaturalKey {
        /// The fields that make the key.
        key: Fields,
    },
    /// Idempotent, and recognised by reading the fields back.
    Set,
    /// A removal by id: done when the object is gone.
    Remove,
}

/// Whether an API that remembers a token for `term` still knows it when any copy of a request with it arrives.
///
/// A request can arrive as long as the server's clock is within `bound` of its stamp, in either direction. So the first
/// copy that arrives and the last one are at most two bounds apart, whichever was sent first; a token that is forgotten
/// before then makes a second object.
pub fn token_outlasts_request(term: Duration, bound: Duration) -> bool {
    term >= bound.saturating_mul(2)
}

/// What a call does to the model of its object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// An object comes to be.
    Create {
        /// Its fields, as far as the request and the API's defaults determine them.
        fields: Fields,
        /// The computed fields that the answer, or a read after it, will hold.
        computed: Vec<String>,
        /// The mark, if the call sets it.
        mark: Option<Mark>,
    },
    /// Fields of the object take these values; `Null` unsets. A map replaces the whole map.
    Set {
        /// The fields.
        fields: Fields,
        /// The mark, if the call sets it.
        mark: Option<Mark>,
    },
    /// The object goes.
    Remove,
}

/// What has to be waited for after a call was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Nothing.
    No,
    /// The object is ready for use: the readiness procedure runs, with this deadline in seconds.
    Ready(u32),
    /// The object is gone, with this deadline in seconds.
    Gone(u32),
}

/// A time of a server's clock, in milliseconds since 1970. Never compared with a runner's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServerTime(pub u64);

impl ServerTime {
    /// This time and a duration later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// So much earlier.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// What an endpoint guarantees; both bounds belong to the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// A call is refused once the server's clock is this far past the call's stamp.
    pub stamp: Duration,
    /// An object can be invisible to reads for this long after the call that made it.
    pub visibility: Duration,
}

/// A call on its way, with what was fixed at the lease check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sending {
    /// The call.
    pub call: ReadyCall,
    /// The object that it acts on; `None` for creates.
    pub object: Option<ObjectId>,
    /// The stamp that the request is signed with: the runner's wall clock at the lease check.
    pub stamp: ServerTime,
    /// The last instant: the server refuses the call after it.
    pub last_instant: ServerTime,
}

/// What came back for a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The server did it.
    Done {
        /// The id, if the call created an object.
        id: Option<ObjectId>,
        /// Computed fields that the answer holds.
        outputs: Fields,
        /// The server's clock.
        server_time: Option<ServerTime>,
    },
    /// The server definitely did not do it.
    Refused {
        /// What the refusal means.
        refusal: Refusal,
        /// The API's own code.
        code: String,
        /// The API's own words.
        message: String,
        /// The server's clock.
        server_time: Option<ServerTime>,
    },
    /// It may have happened or may still happen: no answer, a cut answer, a 5xx.
    Unknown {
        /// What was seen instead of an answer.
        reason: String,
    },
}

/// What a refusal means for the executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Too many calls: try again, slower.
    Throttled,
    /// The stamp is past the bound, or the credential has ended: try again with a new stamp.
    Expired,
    /// A thing that the call refers to, or the object itself, is not there (or not visible yet).
    NotFound,
    /// Name or natural key is taken: look whose it is.
    Exists,
    /// The state that the call asks for is there already.
    AlreadySo,
    /// The object is in use by others: try again, for a while.
    InUse,
    /// The token was used with other parameters: it landed, look again.
    TokenMismatch,
    /// Missing or insufficient credentials.
    Denied,
    /// The request is wrong: no repetition helps.
    Invalid,
}

/// Which objects a read asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All that carry the infrastructure's mark.
    Marked(InfraId),
    /// The one with this id.
    Id(ObjectId),
    /// Those that carry exactly this mark.
    Mark(Mark),
    /// Those whose fields have these values: a name or a natural key.
    Key(Fields),
    /// Those that carry all of these tags, whoever set them.
    Tagged(BTreeMap<String, String>),
    /// What a [`Detail`](crate::provider::Detail) of that name shows of these objects: only the fields, and the mark, that
    /// it is about, and [`Readiness::Ready`] unless it knows that an object is not. One that is not in the answer is gone.
    Detail {
        /// The detail's name.
        detail: String,
        /// Not more of them than its batch.
        objects: Vec<ObjectId>,
    },
    /// Those that a data source with these fields means, whoever made them: what each field says, its provider knows. The
    /// read's type is the data source's. Where the fields ask for one of many (the newest), only that one is answered.
    Query(Fields),
}

/// One read of one page.
///
/// What a page of [`Scope::Marked`], [`Scope::Mark`] and [`Scope::Tagged`] holds of a type with details may be more than was
/// asked for: which objects carry the tags is known when their details are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The type of the objects.
    pub type_name: TypeName,
    /// Which of them.
    pub scope: Scope,
    /// Which page; `None` for the first.
    pub page: Option<String>,
}

/// What came back for a read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReadAnswer {
    /// A page of objects. An object that is not there is not in it.
    Page {
        /// The objects.
        objects: Vec<Observed>,
        /// The next page, if there is one.
        next: Option<String>,
        /// The server's clock.
        server_time: Option<ServerTime>,
    },
    /// Too many calls: try again, slower.
    Throttled,
    /// Not answered: nothing is known.
    Failed {
        /// Whether to repeat it.
        refusal: Option<Refusal>,
        /// What was seen.
        reason: String,
    },
}

/// An object as a read shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Its id.
    pub id: ObjectId,
    /// Its mark, if it carries one.
    pub mark: Option<Mark>,
    /// All its fields that the schema knows, ours and the server's.
    pub fields: Fields,
    /// Whether it can be used.
    pub readiness: Readiness,
}

/// Whether an object can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet.
    Pending,
    /// It never will, for this reason.
    Failed(String),
    /// It is on its way out, or gone but still listed: for all purposes but waiting, absent.
    Going,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Throttled => "throttled",
            Self::Expired => "expired",
            Self::NotFound => "not found",
            Self::Exists => "exists already",
            Self::AlreadySo => "already so",
            Self::InUse => "in use",
            Self::TokenMismatch => "token used with other parameters",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
        })
    }
}

impl Call<Own> {
    /// What has to be looked up before the call is made.
    pub fn looks(&self) -> BTreeSet<Look> {
        let mut looks = BTreeSet::new();
        self.request.each_symbol(&mut |own| match own {
            Own::Look(look) => {
                looks.insert((**look).clone());
            }
            Own::Id | Own::Output(_) => {}
        });
        looks
    }

    /// The call with the object's own outputs, and what was looked up, filled in.
    ///
    /// # Errors
    /// What is not known.
    pub fn ready(
        &self,
        id: Option<&ObjectId>,
        outputs: &BTreeMap<String, Value>,
        looked: &BTreeMap<Look, Value>,
    ) -> Result<ReadyCall, Own> {
        let request = self.request.try_map(&mut |own| match own {
            Own::Id => id.map(|id| Value::Text(id.as_str().to_owned())).ok_or(Own::Id),
            Own::Output(name) => outputs.get(name).cloned().ok_or_else(|| own.clone()),
            Own::Look(look) => looked.get(&**look).cloned().ok_or_else(|| own.clone()),
        })?;
        Ok(Call {
            api: self.api.clone(),
            type_name: self.type_name.clone(),
            request,
            recovery: self.recovery.clone(),
            effect: self.effect.clone(),
            wait: self.wait,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_remembered_for_both_directions_of_the_stamp_bound() {
        let bound = Duration::from_mins(15);
        assert!(token_outlasts_request(bound * 2, bound), "at the edge the last copy still meets it");
        assert!(!token_outlasts_request(bound * 2 - Duration::from_millis(1), bound));
        assert!(!token_outlasts_request(bound, bound), "the server's clock may also be behind the stamp");
        assert!(!token_outlasts_request(Duration::MAX - Duration::from_nanos(1), Duration::MAX));
    }
}
