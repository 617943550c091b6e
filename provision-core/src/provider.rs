//! The two halves of a provider.
//!
//! The *pure half* ([`Provider`]) compiles a change into calls: data, which can be recorded, planned on and executed by
//! the simulated cloud. The *client half* ([`Client`]) sends one call or one read and returns its answer: no loop,
//! retry, wait or clock in it. Order, intents, retries, waits, lease checks and limits are the executor's.

use async_trait::async_trait;
use thiserror::Error;

use crate::call::{Answer, Bounds, Call, Mark, Observed, Read, ReadAnswer, Sending};
use crate::id::{ObjectId, ProviderName, Token, TypeName};
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
    },
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
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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
