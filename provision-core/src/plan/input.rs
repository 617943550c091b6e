//! What a plan is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::call::{Mark, Observed, Readiness, ServerTime};
use crate::desired::Desired;
use crate::desired::Finding;
use crate::id::{
    BlockAddr, DcName, EnvName, Generation, Nonce, ObjectId, ProviderName, ResourceAddr, Revision, TypeName,
};
use crate::lookup::{Looked, Query};
use crate::provider::Provider;
use crate::reach::{Never, Question, Reach, Step, Unanswered, Verdict};
use crate::schema::{Reads, Schema};
use crate::stream::BlockState;
use crate::target::TargetId;

/// Everything that a plan depends on.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// What the code asks for.
    pub desired: &'a Desired,
    /// What each block's log says, or why it can't be read.
    pub recorded: &'a BTreeMap<BlockAddr, BlockInput>,
    /// What the clouds hold.
    pub world: &'a World,
    /// The pure halves.
    pub providers: &'a Providers,
    /// What the code was built from.
    pub revision: &'a Revision,
    /// The run's generation.
    pub generation: Generation,
    /// Makes this plan different from every other.
    pub nonce: Nonce,
    /// What the plan is for.
    pub mode: Mode,
    /// What happens to blocks that have left the code.
    pub missing: Missing,
    /// The blocks that the plan is about.
    pub selection: &'a Selection,
    /// The objects that are to become a resource's, for [`Mode::Adopt`].
    pub adoptions: &'a BTreeMap<ResourceAddr, ObjectId>,
    /// Whether all of this is simulated.
    pub simulated: bool,
}

/// What a block's log says, or why it can't be read: then nothing in the block may be called.
pub type BlockInput = Result<BlockState, String>;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// To bring everything to its definition.
    Apply,
    /// To delete everything.
    Destroy,
    /// To take over objects that are there, and nothing else.
    Adopt,
}

/// Which blocks a plan is about: those that every part names. An empty part names all. Nothing selects a part of a block.
///
/// ```
/// use provision_core::plan::Selection;
///
/// let west = Selection { envs: ["prod".parse()?].into(), dcs: ["west".parse()?].into(), ..Selection::default() };
/// assert!(west.names(&"west.web".parse()?, Some(&"prod".parse()?)));
/// assert!(!west.names(&"east.web".parse()?, Some(&"prod".parse()?)), "it lies in another data centre");
/// # Ok::<(), provision_core::id::BadName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Their environments.
    pub envs: BTreeSet<EnvName>,
    /// Their data centres.
    pub dcs: BTreeSet<DcName>,
    /// The blocks.
    pub blocks: BTreeSet<BlockAddr>,
}

impl Selection {
    /// Whether it names all blocks.
    pub fn is_all(&self) -> bool {
        self.envs.is_empty() && self.dcs.is_empty() && self.blocks.is_empty()
    }

    /// Whether it names the block, which lies in this environment.
    pub fn names(&self, block: &BlockAddr, env: Option<&EnvName>) -> bool {
        (self.envs.is_empty() || env.is_some_and(|env| self.envs.contains(env)))
            && (self.dcs.is_empty() || self.dcs.contains(&block.dc))
            && (self.blocks.is_empty() || self.blocks.contains(block))
    }
}

/// What happens to blocks that have left the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// A block whose last generation is lower than the run's is destroyed.
    DestroyOlder,
    /// They are kept: the run has no generation of its own, so its code may be an older one.
    Keep,
}

/// Something for each type of a target.
type OfTypes<T> = BTreeMap<TargetId, BTreeMap<TypeName, T>>;

fn of_type<'a, T>(all: &'a OfTypes<T>, target: &TargetId, type_name: &TypeName) -> Option<&'a T> {
    all.get(target)?.get(type_name)
}

/// What the clouds hold, as far as reads have shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct World {
    objects: OfTypes<BTreeMap<ObjectId, Observed>>,
    absent: OfTypes<BTreeSet<ObjectId>>,
    unread: OfTypes<String>,
    settled: BTreeMap<TargetId, ServerTime>,
    looked: BTreeMap<Query, Looked>,
}

/// Whether an object is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence<'a> {
    /// It is.
    Present(&'a Observed),
    /// It is not, by more than one read.
    Absent,
    /// No read has answered.
    Unknown(Option<&'a str>),
}

impl World {
    /// Adds what came of a query.
    pub fn looked_up(&mut self, query: Query, looked: Looked) {
        self.looked.insert(query, looked);
    }

    /// What came of a query; `None` where it was not asked.
    pub fn looked(&self, query: &Query) -> Option<&Looked> {
        self.looked.get(query)
    }

    /// Adds what a read showed.
    pub fn saw(&mut self, target: &TargetId, type_name: &TypeName, observed: Observed) {
        let types = self.objects.entry(target.clone()).or_default();
        types.entry(type_name.clone()).or_default().insert(observed.id.clone(), observed);
    }

    /// Notes that an object is not there: only after the visibility bound, and never from one read.
    pub fn saw_absent(&mut self, target: &TargetId, type_name: &TypeName, id: &ObjectId) {
        let types = self.absent.entry(target.clone()).or_default();
        types.entry(type_name.clone()).or_default().insert(id.clone());
    }

    /// Notes that a sweep could not be completed.
    pub fn unread(&mut self, target: &TargetId, type_name: &TypeName, why: String) {
        self.unread.entry(target.clone()).or_default().insert(type_name.clone(), why);
    }

    /// Whether an object is there. One that is on its way out counts as absent.
    pub fn presence(&self, target: &TargetId, type_name: &TypeName, id: &ObjectId) -> Presence<'_> {
        if let Some(observed) = of_type(&self.objects, target, type_name).and_then(|objects| objects.get(id)) {
            return match observed.readiness {
                Readiness::Going => Presence::Absent,
                Readiness::Ready | Readiness::Pending | Readiness::Failed(_) => Presence::Present(observed),
            };
        }
        if of_type(&self.absent, target, type_name).is_some_and(|absent| absent.contains(id)) {
            return Presence::Absent;
        }
        Presence::Unknown(self.unread_reason(target, type_name))
    }

    /// Notes that all reads of the target show what calls have done whose last instant was before this.
    pub fn settle(&mut self, target: &TargetId, before: ServerTime) {
        let settled = self.settled.entry(target.clone()).or_insert(before);
        *settled = before.min(*settled);
    }

    /// Up to which last instant reads of the target show what calls have done; `None` where no read has said when it was.
    pub fn settled(&self, target: &TargetId) -> Option<ServerTime> {
        self.settled.get(target).copied()
    }

    /// Why a sweep of the type could not be completed.
    pub fn unread_reason(&self, target: &TargetId, type_name: &TypeName) -> Option<&str> {
        of_type(&self.unread, target, type_name).map(String::as_str)
    }

    /// All objects that carry a mark and are not on their way out.
    pub fn marked(&self) -> impl Iterator<Item = (&TargetId, &TypeName, &Observed, &Mark)> {
        let types = self.objects.iter().flat_map(|(target, types)| types.iter().map(move |of| (target, of)));
        types.flat_map(|(target, (type_name, objects))| {
            objects.values().filter_map(move |observed| {
                let mark = observed.mark.as_ref()?;
                (observed.readiness != Readiness::Going).then_some((target, type_name, observed, mark))
            })
        })
    }
}

/// The pure halves that this build has.
#[derive(Clone, Default)]
pub struct Providers {
    by_name: BTreeMap<ProviderName, Arc<dyn Provider>>,
}

impl Providers {
    /// The given ones.
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        Self { by_name: providers.into_iter().map(|provider| (provider.name(), provider)).collect() }
    }

    /// The provider of that name.
    pub fn get(&self, name: &ProviderName) -> Option<&Arc<dyn Provider>> {
        self.by_name.get(name)
    }

    /// Whether traffic gets from one place to another.
    ///
    /// # Errors
    /// Places that are none, or that no provider knows.
    pub fn reach(&self, desired: &Desired, question: &Question) -> Result<Reach, Unanswered> {
        let mut answers = self.by_name.values().filter_map(|provider| provider.reach(desired, question));
        let nobody = || Unanswered::Nobody { reason: "no provider knows these places".to_owned() };
        answers.next().unwrap_or_else(|| Err(nobody()))
    }

    /// What must never be, and is not ruled out by what is written.
    pub fn violations(&self, desired: &Desired) -> Vec<Finding> {
        let violated = desired.nevers.iter().filter_map(|Never { question, location }| {
            let problem = match self.reach(desired, question) {
                Ok(Reach { verdict: Verdict::No, .. }) => return None,
                Ok(Reach { verdict, steps }) => {
                    let steps: String =
                        steps.iter().map(|Step { verdict, because }| format!("\n  {verdict:<4}{because}")).collect();
                    let may = if verdict == Verdict::May { "may get there" } else { "gets there" };
                    format!("what must never get there {may}; one of these has to say no:{steps}")
                }
                Err(unanswered) => unanswered.to_string(),
            };
            Some(Finding { location: location.clone(), subject: format!("never {question}"), problem })
        });
        violated.collect()
    }

    /// What the providers advise against, in the order of its places.
    pub fn advice(&self, desired: &Desired) -> Vec<Finding> {
        let mut advice: Vec<Finding> = self.by_name.values().flat_map(|provider| provider.advice(desired)).collect();
        advice.sort();
        advice
    }

    /// The fields that reads do not show, by type: what a simulated cloud is not to show either.
    pub fn unread(&self) -> BTreeMap<TypeName, BTreeSet<String>> {
        let schemas = self.by_name.values().flat_map(|provider| provider.schemas());
        let unread = schemas.filter_map(|schema| {
            let fields = schema.fields.iter().filter(|field| field.reads == Reads::Unread);
            let fields: BTreeSet<String> = fields.map(|field| field.name.to_owned()).collect();
            Some((schema.type_name.parse().ok()?, fields)).filter(|(_, fields)| !fields.is_empty())
        });
        unread.collect()
    }

    /// The data sources, by type: what a simulated cloud makes something up of.
    pub fn data_sources(&self) -> BTreeMap<TypeName, &'static Schema> {
        let schemas = self.by_name.values().flat_map(|provider| provider.data_sources());
        schemas.filter_map(|schema| Some((schema.type_name.parse().ok()?, *schema))).collect()
    }

    /// The schema of a data source.
    pub fn data_source(&self, provider: &ProviderName, type_name: &TypeName) -> Option<&'static Schema> {
        let provider = self.by_name.get(provider)?;
        provider.data_sources().iter().find(|schema| schema.type_name == type_name.as_str()).copied()
    }

    /// The schema of a type.
    pub fn schema(&self, provider: &ProviderName, type_name: &TypeName) -> Option<&'static Schema> {
        let provider = self.by_name.get(provider)?;
        provider.schemas().iter().find(|schema| schema.type_name == type_name.as_str()).copied()
    }
}
