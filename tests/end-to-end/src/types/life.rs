//! What every family goes through.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use provision_aws::{Aws, Class};
use provision_core::dsl::Infrastructure;
use provision_core::embed::PlanRequest;
use provision_core::exec::{ActionResult, Binding, Prepared, RunReport};
use provision_core::id::{ObjectId, ResourceAddr};
use provision_core::plan::{Mode, Outcome, Plan};
use provision_core::progress::Verb;
use provision_core::provider::Provider as _;
use provision_core::schema::{Field, OnChange, Role};
use provision_core::stream::event::RunOutcome;
use testbed::aws::{AwsServer, Fault, Rule};
use tokio::time::timeout;

use super::{Family, Stage};
use crate::engine::State;

/// How long any run may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The objects that a state records, by the resources that they are of.
type Objects = BTreeMap<ResourceAddr, (String, ObjectId)>;
/// What the server holds, by kind.
type Held = BTreeMap<String, BTreeSet<String>>;

/// A family on a server, with a state.
struct Life<'a> {
    family: &'a Family,
    aws: &'a AwsServer,
    state: State,
    /// What was there before.
    before: Held,
}

/// Created, read back without a difference, updated, replaced, destroyed. The fields that were updated: `aws_vpc.tags`.
///
/// # Panics
/// Where anything is otherwise.
pub async fn lived(aws: &AwsServer, family: &Family) -> BTreeSet<String> {
    let life = Life { family, aws, state: State::new(aws), before: aws.held().await };
    life.apply(Stage::Created, &[Verb::Create]).await;
    let created = life.settled(Stage::Created).await;
    let made: BTreeSet<_> = created.values().map(|(of, _)| of.as_str()).collect();
    for of in family.types {
        assert!(made.contains(of), "{} makes no {of}", family.name);
    }

    let mut fields = life.apply(Stage::Updated, &[Verb::Update]).await;
    let updated = life.settled(Stage::Updated).await;
    assert_eq!(updated, created, "{}: an update keeps every object", family.name);
    for of in family.types.iter().filter(|of| has(of, OnChange::Update)) {
        let of_it = |field: &String| field.split('.').next() == Some(*of);
        assert!(fields.iter().any(of_it), "{} updates no {of}, only {fields:?}", family.name);
    }

    fields.extend(life.apply(Stage::Replaced, &[Verb::Create, Verb::Update, Verb::Replace, Verb::Delete]).await);
    let replaced = life.settled(Stage::Replaced).await;
    let others: BTreeSet<_> = replaced.iter().filter(|(addr, object)| updated.get(addr) != Some(object)).collect();
    for of in family.types.iter().filter(|of| has(of, OnChange::Replace)) {
        let is_other = others.iter().any(|(_, (other, _))| other == of);
        let kept = family.kept.iter().any(|(kept, _)| kept == of);
        assert_ne!(is_other, kept, "{}: {of} is replaced, or there is a reason why it is not", family.name);
    }
    life.destroyed(Stage::Replaced).await;
    fields
}

/// Created with the first answer of every creating call lost, then adopted by another state, then destroyed by that.
///
/// # Panics
/// Where anything is otherwise.
pub async fn adopted_and_destroyed(aws: &AwsServer, family: &Family) {
    let mut life = Life { family, aws, state: State::new(aws), before: aws.held().await };
    let rules: Vec<_> = creates().map(|api| (api, aws.add_rule(Rule::new(api, Fault::LoseAnswer)))).collect();
    let report = life.run(Stage::Created, PlanRequest::default()).await.1;
    if report.outcome != RunOutcome::Succeeded {
        let (_, again) = life.run(Stage::Created, PlanRequest::default()).await;
        life.went_well(&again, "after lost answers");
    }
    let lost: Vec<_> = rules.iter().filter(|(_, rule)| rule.hits() > 0).map(|(api, _)| *api).collect();
    assert!(!lost.is_empty(), "{}: no answer was lost", family.name);
    aws.clear_rules();
    let created = life.settled(Stage::Created).await;

    life.state = State::new(aws);
    let theirs = ids(&created);
    let (_, report) = life.run(Stage::Created, PlanRequest::adopt(theirs.clone())).await;
    life.went_well(&report, "adopting");
    life.apply(Stage::Created, &[Verb::Update]).await;
    let adopted = life.settled(Stage::Created).await;
    assert_eq!(ids(&adopted), theirs, "{}", family.name);
    life.destroyed(Stage::Created).await;
}

impl Life<'_> {
    fn infra(&self, stage: Stage) -> Infrastructure {
        let infra = Infrastructure::new("end-to-end");
        (self.family.define)(&infra, stage);
        infra
    }

    /// A plan without refusals.
    async fn plan(&self, stage: Stage, request: &PlanRequest) -> Prepared {
        let engine = self.state.engine(self.infra(stage));
        let prepared = engine.plan(request).finish().await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{} {stage:?}: {error}", self.family.name));
        let refused: Vec<_> = prepared.plan.refusals().collect();
        assert!(refused.is_empty(), "{} {stage:?}: {refused:#?}{}", self.family.name, self.unsupported());
        prepared
    }

    /// A plan and its run.
    async fn run(&self, stage: Stage, request: PlanRequest) -> (Plan, RunReport) {
        let plan = self.plan(stage, &request).await.plan;
        let engine = self.state.engine(self.infra(stage));
        let mut run = engine.apply(plan.clone(), Binding::Ceiling);
        let mut told = Vec::new();
        let ended = timeout(PATIENCE, async {
            while let Some(event) = run.next_event().await {
                told.push(event);
            }
        });
        if ended.await.is_err() {
            let last = &told[told.len().saturating_sub(8)..];
            panic!(
                "{} {stage:?}: the run did not end within {PATIENCE:?}: {last:#?}{}",
                self.family.name,
                self.unsupported()
            );
        }
        let report = run.finish().await;
        (plan, report.unwrap_or_else(|error| panic!("{} {stage:?}: {error}", self.family.name)))
    }

    /// Applies, which does only this. The fields that were updated.
    async fn apply(&self, stage: Stage, may: &[Verb]) -> BTreeSet<String> {
        let (plan, report) = self.run(stage, PlanRequest::default()).await;
        self.went_well(&report, &format!("{stage:?}"));
        let others: Vec<_> = report.actions.iter().filter(|action| !may.contains(&action.verb)).collect();
        assert!(others.is_empty(), "{} {stage:?}: only {may:?} was meant: {}", self.family.name, shown(&plan));
        let done = report.actions.iter().filter(|action| action.result == ActionResult::Done);
        let updated = done.filter(|action| action.verb == Verb::Update);
        let planned = updated.filter_map(|action| plan.resource(&action.resource));
        let fields = planned.flat_map(|it| it.fields.iter().map(|field| format!("{}.{field}", it.type_name)));
        fields.collect()
    }

    /// There is nothing to do, and what is recorded is what is there.
    async fn settled(&self, stage: Stage) -> Objects {
        let Prepared { plan, recorded, world: _ } = self.plan(stage, &PlanRequest::default()).await;
        assert!(plan.is_empty(), "{} {stage:?}: there is still something to do: {}", self.family.name, shown(&plan));
        let mut objects = Objects::new();
        for (block, state) in recorded {
            let state = state.unwrap_or_else(|error| panic!("{block}: {error}"));
            assert!(state.open.is_empty() && state.deposed.is_empty(), "{block}: {state:#?}");
            objects.extend(state.resources.into_iter().map(|(name, resource)| {
                (block.resource(name), (resource.object.type_name.to_string(), resource.object.id))
            }));
        }
        self.holds(&objects, &format!("{stage:?}")).await;
        objects
    }

    /// The server holds exactly these, and what was there before.
    async fn holds(&self, objects: &Objects, when: &str) {
        let mut expected = self.before.clone();
        for (of, id) in objects.values().filter(|(of, _)| !WITHOUT_OBJECTS.contains(&of.as_str())) {
            expected.entry(of.trim_start_matches("aws_").to_owned()).or_default().insert(id.to_string());
        }
        let held = self.aws.held().await;
        let kinds: BTreeSet<_> = held.keys().chain(expected.keys()).collect();
        let of = |what: &Held, kind: &String| what.get(kind).cloned().unwrap_or_default();
        let differ = kinds.into_iter().map(|kind| (kind, of(&held, kind), of(&expected, kind)));
        let differ: Vec<_> = differ.filter(|(_, held, expected)| held != expected).collect();
        assert!(differ.is_empty(), "{} {when}: kind, held, recorded: {differ:#?}", self.family.name);
    }

    async fn destroyed(&self, stage: Stage) {
        let (_, report) = self.run(stage, PlanRequest::of(Mode::Destroy)).await;
        self.went_well(&report, "destroying");
        self.holds(&Objects::new(), "destroyed").await;
    }

    fn went_well(&self, report: &RunReport, what: &str) {
        let failed = report.actions.iter().filter(|action| matches!(action.result, ActionResult::Failed { .. }));
        let failed: Vec<_> = failed.collect();
        let well = report.outcome == RunOutcome::Succeeded && report.problems.is_empty();
        let (name, problems) = (self.family.name, &report.problems);
        assert!(well, "{name}, {what}: {failed:#?} {problems:?}{}", self.unsupported());
    }

    /// What the server says to calls that it lacks.
    fn unsupported(&self) -> String {
        let calls = self.aws.calls();
        let refused = calls.iter().filter(|call| call.result.is_some_and(|status| status >= 400));
        let refused: Vec<_> =
            refused.map(|call| format!("\n  {} {:?} {:?}", call.action, call.result, call.params)).collect();
        let log = self.aws.log_tail();
        let mut raised = log.lines().filter(|line| line.split(':').next().is_some_and(|name| name.ends_with("Error")));
        let (last, raised) = (refused.len().saturating_sub(5), raised.next_back().unwrap_or_default());
        format!("\nrefused:{}\nraised last: {raised}", refused[last..].concat())
    }
}

fn ids(objects: &Objects) -> BTreeMap<ResourceAddr, ObjectId> {
    objects.iter().map(|(addr, (_, id))| (addr.clone(), id.clone())).collect()
}

/// Types that are ways to set something on another one's object.
const WITHOUT_OBJECTS: [&str; 2] = ["aws_vpc_peering_connection_accepter", "aws_iam_role_policy_attachment"];

/// The operations that make something.
fn creates() -> impl Iterator<Item = &'static str> {
    let makes = |class| match class {
        Class::Token | Class::Name | Class::Tag | Class::NaturalKey => true,
        Class::Set | Class::Remove | Class::Read => false,
    };
    let apis = provision_aws::apis().filter(move |api| makes(api.class));
    // One that another service has the name of too is written `service:Name`.
    apis.map(|api| api.name.rsplit(':').next().unwrap_or(api.name))
}

/// Whether a type has fields of the definition's whose change does this.
fn has(of: &str, on_change: OnChange) -> bool {
    let schema = Aws.schemas().iter().find(|schema| schema.type_name == of);
    let fields: &[Field] = schema.unwrap_or_else(|| panic!("there is no type {of}")).fields;
    fields.iter().any(|field| field.on_change == on_change && field.role != Role::Computed)
}

/// What a plan would do, short.
fn shown(plan: &Plan) -> String {
    let acts = plan.resources().filter(|(_, resource)| resource.acts());
    let lines = acts.map(|(addr, resource)| {
        let outcomes: Vec<_> = resource.allowed.iter().map(Outcome::to_string).collect();
        format!("\n  {addr} ({}): {} {:#?}", resource.type_name, outcomes.join(" or "), resource.reasons)
    });
    lines.collect()
}
