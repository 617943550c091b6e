//! The pure model of a cloud.

use super::config::{Rate, SimConfig};
use super::ids::is_id;
use super::model::{BadRecord, Model, Mutation, Record};
use super::rules::{Decision, Refused, Rules};
use super::throttle::Throttle;
use crate::call::{Answer, Read, Refusal, Sending, ServerTime};
use crate::id::BlockAddr;
use crate::target::TargetId;

/// A simulated cloud, all targets of it: a pure, deterministic model without clock, sleep or file.
///
/// # Guarantees
/// The same configuration and the same sequence of calls and times give the same answers. Every id of this cloud that
/// stands in the fields of an object is the id of an object that is there.
///
/// # Caveats
/// Time is what the caller says it is. Requests and answers are not lost in here: the driver that owns the actions
/// loses them.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// use provision_core::call::ServerTime;
/// use provision_core::sim::{SimCloud, SimConfig, Tamper};
/// use provision_core::target::TargetId;
/// use provision_core::value::Fields;
///
/// let mut cloud = SimCloud::new(SimConfig::instant(7));
/// let target = TargetId { provider: "toy".parse()?, account: "1".to_owned(), region: "lab".to_owned() };
/// let create = Tamper::Create {
///     target,
///     type_name: "toy_network".parse()?,
///     fields: Fields::from([("cidr".to_owned(), "10.0.0.0/16".into())]),
///     mark: None,
///     name: None,
/// };
/// let (now, later) = (ServerTime(1_000), ServerTime(2_000));
/// let id = cloud.tamper(now, &create)?.expect("it was created");
/// assert_eq!(cloud.objects(later)[0].id, id);
/// cloud.tamper(later, &Tamper::Remove { id })?;
/// assert!(cloud.objects(later).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SimCloud {
    config: SimConfig,
    pub(super) model: Model,
    throttle: Throttle,
}

impl SimCloud {
    /// An empty cloud.
    pub fn new(config: SimConfig) -> Self {
        Self { config, model: Model::default(), throttle: Throttle::default() }
    }

    /// From now on the checks of this block fail.
    pub fn make_unhealthy(&mut self, block: BlockAddr) {
        self.config.unhealthy.insert(block);
    }

    /// From now on each API of a target takes so many calls; `None`: any number.
    pub fn throttle(&mut self, rate: Option<Rate>) {
        self.config.throttle = rate;
    }

    /// How it behaves.
    pub fn config(&self) -> &SimConfig {
        &self.config
    }

    /// Executes a call, whoever's it is, by its effect and recovery class.
    pub fn call(&mut self, now: ServerTime, target: &TargetId, sending: &Sending) -> Answer {
        let Decision { did, answer } = self.decide(now, target, sending);
        match self.commit(now, did) {
            Ok(()) => answer,
            Err(bad) => Answer::Unknown { reason: format!("the simulated cloud contradicts itself: {bad}") },
        }
    }

    /// Whether the target lets a read through now. [`Self::read`] changes nothing, so whoever wants reads to be throttled
    /// asks here before each.
    pub fn admit_read(&mut self, now: ServerTime, target: &TargetId, read: &Read) -> bool {
        self.admit(now, target, &format!("Describe {}", read.type_name))
    }

    fn admit(&mut self, now: ServerTime, target: &TargetId, api: &str) -> bool {
        self.config.throttle.is_none_or(|rate| self.throttle.admit(rate, now, target, api))
    }

    /// Whether a text is an id that a simulated cloud made, be its object there or not.
    pub fn made_id(text: &str) -> bool {
        is_id(text)
    }

    /// What the call does, not done yet.
    pub(super) fn decide(&mut self, now: ServerTime, target: &TargetId, sending: &Sending) -> Decision {
        let api = &sending.call.api;
        if !self.admit(now, target, api) {
            let refused =
                Refused { refusal: Refusal::Throttled, message: format!("too many calls of {api}: slow down") };
            return Decision { did: None, answer: refused.answer(now) };
        }
        self.rules(now).decide(target, sending)
    }

    pub(super) fn rules(&self, now: ServerTime) -> Rules<'_> {
        Rules { config: &self.config, model: &self.model, now }
    }

    /// Takes in what a decision did.
    pub(super) fn commit(&mut self, now: ServerTime, did: Option<Mutation>) -> Result<(), BadRecord> {
        did.map_or(Ok(()), |did| self.model.apply(Record { at: now, did }))
    }

    /// The same behaviour with another seed: a file's seed is the one that it was begun with.
    pub(super) fn with_seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }
}
