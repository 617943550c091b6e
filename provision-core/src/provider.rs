//! The two halves of a provider.
//!
//! The *pure half* ([`Provider`]) compiles a change into calls: data, which can be recorded, planned on and executed by
//! the simulated cloud. The *client half* ([`Client`]) sends one call or one read and returns its answer: no loop,
//! retry, wait or clock in it. Order, intents, retries, waits, lease checks and limits are the executor's.

use std::collections::BTreeSet;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::call::{Answer, Api, Bounds, Call, Mark, Observed, Read, ReadAnswer, Scope, Sending};
use crate::desired::{Desired, Finding};
use crate::id::{InfraId, ObjectId, ProviderName, Token, TypeName};
use crate::reach::{Question, Reach, Unanswered};
use crate::schema::Schema;
use crate::target::TargetId;
use crate::value::Fields;

/// A change of one object, all of it known.
#[derive(Debug, Clone)]
pub enum Change<'a> {
    /// A new object.
    Create {
        /// All fields that are ours, the engine's name included.
        desired: &'a Fields,
        /// The mark to set in the create call; its incarnation is the token where the API takes one.
        mark: &'a Mark,
    },
    /// An object is brought to the desired fields.
    Update {
        /// Its id.
        id: &'a ObjectId,
        /// What it is now: the pre-image.
        observed: &'a Observed,
        /// All fields that are ours.
        desired: &'a Fields,
        /// The names of those that differ.
        changed: &'a [&'static str],
        /// The mark, if it has to be set again.
        mark: Option<&'a Mark>,
    },
    /// An object goes.
    Delete {
        /// Its id.
        id: &'a ObjectId,
        /// Its fields as last recorded.
        recorded: &'a Fields,
        /// What it was when it was last seen: the pre-image.
        observed: Option<&'a Observed>,
    },
}

/// What lists of a type do not show, and another read does: tags, above all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// Its name, for [`Scope::Detail`].
    pub name: &'static str,
    /// How many objects one read takes.
    pub batch: usize,
    /// When it is asked for.
    pub asked: Asked,
}

/// When a [`Detail`] is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Of all objects that a list shows.
    Always,
    /// Of an object in whose record one of these fields is set: what nobody set is nobody's difference, and not worth a
    /// read. Where it is not asked for, what is recorded counts. None of them is computed.
    Set(&'static [&'static str]),
    /// Of an object that a change waits for until it is ready: how what goes on there goes, and whether it failed.
    Waiting,
}

/// A change that the provider cannot make: user error, not a bug.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{type_name}: {problem}")]
pub struct CannotCompile {
    /// The type.
    pub type_name: TypeName,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A request that counts against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rated<'a> {
    /// A call, by its operation.
    Call(&'a Api),
    /// A read of objects of a type.
    Read(&'a TypeName),
    /// A read of the [`Detail`] of that name, of objects of a type.
    Detail(&'a TypeName, &'a str),
}

/// What counts against one limit of an endpoint: requests of the same bucket slow each other down when they are throttled,
/// and no others.
///
/// ```
/// use provision_core::provider::RateBucket;
///
/// assert_eq!(RateBucket::default(), RateBucket::of(""), "the only bucket of an endpoint that has one limit");
/// assert_ne!(RateBucket::of("CreateVpc"), RateBucket::of("CreateSubnet"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct RateBucket(String);

impl RateBucket {
    /// The bucket of this name.
    pub fn of(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

/// The pure half: no network, clock, randomness or environment.
///
/// A provider of one type, and an infrastructure of it:
///
/// ```
#[doc = include_str!("../doc/toy.rs")]
/// ```
pub trait Provider: Send + Sync {
    /// The provider's name, as targets and schemas have it.
    fn name(&self) -> ProviderName;

    /// The types that it makes.
    fn schemas(&self) -> &'static [&'static Schema];

    /// The data sources that it answers: what can be looked up without being made. Their fields but the computed ones are a
    /// query; the client half answers it by [`Scope::Query`].
    fn data_sources(&self) -> &'static [&'static Schema] {
        &[]
    }

    /// The calls that make the change, in order. Empty when nothing has to be called.
    ///
    /// The first call of a create creates the object and carries the mark; every prefix of the calls leaves an object
    /// that the next plan can bring to its goal.
    ///
    /// # Errors
    /// What the definition asks for and the provider cannot do.
    fn compile(&self, type_name: &TypeName, change: &Change<'_>) -> Result<Vec<Call>, CannotCompile>;

    /// The fields that no two objects of the type can share: a name in its scope, or a natural key. While an object
    /// exists, a new one with the same values can't be made beside it.
    fn identity_key(&self, type_name: &TypeName) -> &'static [&'static str];

    /// Whether traffic gets from one place to another, as the definitions have it; `None` where this provider knows neither of
    /// them.
    ///
    /// # Errors
    /// A place that is none.
    fn reach(&self, _desired: &Desired, _question: &Question) -> Option<Result<Reach, Unanswered>> {
        None
    }

    /// What in the definitions is allowed, and probably not meant: networks that overlap, rules that are open to the world.
    fn advice(&self, _desired: &Desired) -> Vec<Finding> {
        Vec::new()
    }

    /// What the lists of the type do not show of its objects, and further reads do.
    fn details(&self, _type_name: &TypeName) -> &'static [Detail] {
        &[]
    }

    /// Which lists show all objects of the type that are ours. `recorded` are those that the logs know.
    ///
    /// Types whose objects can carry no mark are looked for where the recorded ones are: the records of the zones that some
    /// are in, instead of each by itself.
    fn lists(&self, _type_name: &TypeName, infra: &InfraId, _recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        vec![Scope::Marked(infra.clone())]
    }

    /// Against which of the endpoint's limits a request counts; all of them against one, unless this is written.
    ///
    /// Only how fast a run goes depends on it. Requests of one limit that are told apart find out about it each by itself;
    /// requests of two limits that are not told apart go as slowly as the lower one.
    fn rate_bucket(&self, _: Rated<'_>) -> RateBucket {
        RateBucket::default()
    }

    /// Lifts recorded fields of an older schema version.
    ///
    /// # Errors
    /// A version that this provider does not know.
    fn lift(&self, type_name: &TypeName, version: u32, fields: Fields) -> Result<Fields, CannotCompile> {
        match self.schemas().iter().find(|schema| schema.type_name == type_name.as_str()) {
            Some(schema) if schema.version == version => Ok(fields),
            Some(schema) => Err(CannotCompile {
                type_name: type_name.clone(),
                problem: format!("recorded with schema version {version}; this build knows version {}", schema.version),
            }),
            None => Err(CannotCompile {
                type_name: type_name.clone(),
                problem: "this build does not know the type".to_owned(),
            }),
        }
    }
}

/// The client half for one target.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use async_trait::async_trait;
/// use provision_core::call::{Answer, Bounds, Read, ReadAnswer, Refusal, Sending};
/// use provision_core::embed::{Engine, PlanRequest};
/// use provision_core::driver::World;
/// use provision_core::exec::Binding;
/// use provision_core::provider::{Client, ClientError};
/// use provision_core::stream::event::RunOutcome;
/// use provision_core::target::TargetId;
///
/// /// An endpoint at which nobody may do anything.
/// struct Locked;
///
/// #[async_trait]
/// impl Client for Locked {
///     fn bounds(&self) -> Bounds {
///         Bounds { stamp: Duration::from_secs(1), visibility: Duration::ZERO }
///     }
///     async fn verify(&self, _: &TargetId) -> Result<(), ClientError> {
///         Ok(())
///     }
///     async fn call(&self, sending: &Sending) -> Answer {
///         let (refusal, code, message) = (Refusal::Denied, "Denied".to_owned(), format!("no {}", sending.call.api));
///         Answer::Refused { refusal, code, message, server_time: None }
///     }
///     async fn read(&self, _: &Read) -> ReadAnswer {
///         ReadAnswer::Page { objects: Vec::new(), next: None, server_time: None }
///     }
/// }
///
/// # let engine = toy::engine(&toy::cloud());
/// let target = engine.desired.dcs[&"us-east".parse()?].targets[&"toy".parse()?].clone();
/// let clients = std::collections::BTreeMap::from([(target, Arc::new(Locked) as Arc<dyn Client>)]);
/// let world = World::new(engine.world.store.clone(), Arc::new(clients));
/// let engine = Engine { world, ..engine };
/// let plan = engine.plan(&PlanRequest::default()).finish().await?.plan;
/// assert_eq!(engine.apply(plan, Binding::Ceiling).finish().await?.outcome, RunOutcome::Failed);
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Client: Send + Sync {
    /// What the endpoint guarantees.
    fn bounds(&self) -> Bounds;

    /// Asks the endpoint who we are, and compares it with the target.
    ///
    /// # Errors
    /// Missing credentials, an unreachable endpoint, another account.
    async fn verify(&self, target: &TargetId) -> Result<(), ClientError>;

    /// Sends one call, once.
    async fn call(&self, sending: &Sending) -> Answer;

    /// Sends one read, once.
    async fn read(&self, read: &Read) -> ReadAnswer;
}

/// Why a target cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[error("target {target}: {problem}")]
pub struct ClientError {
    /// The target.
    pub target: TargetId,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// A token for a create: derived, never drawn.
pub fn token(nonce: &crate::id::Nonce, address: &crate::id::ResourceAddr, intent: crate::id::IntentNo) -> Token {
    let digits = nonce.derive(&["token", &address.to_string(), &intent.to_string()]);
    // 32 hex digits are a token by construction.
    Token::new(digits).unwrap_or_else(|bad| unreachable!("{bad}"))
}
