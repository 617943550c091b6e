//! What counts as drift, and what does not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::*;
use crate::call::{Call, Effect, Mark, Observed, Readiness, Recovery, ServerTime, Wait};
use crate::desired::{DesiredBlock, DesiredResource, Lifecycle, Location};
use crate::id::{BlockAddr, Digest, Epoch, Generation, InfraId, IntentNo, ProviderName, Revision, Seq, TypeName};
use crate::plan::{BlockInput, Providers, World};
use crate::provider::{CannotCompile, Change, Provider};
use crate::schema::{Field, Grain, Kind, OnChange, Reads, Role, Schema};
use crate::stream::event::{Holder, Intent, ObjectRecord};
use crate::stream::{BlockState, Came, Deposed, Head, Heading, MovedOut, OpenClaim, PublicKey, ResourceState, Writer};
use crate::target::TargetId;
use crate::value::{Expr, Fields, Value};

/// The place of some entry.
fn head() -> Head {
    let key = PublicKey::try_from(format!("ed25519:{}", "ab".repeat(32))).unwrap();
    let heading = Heading {
        kind: "block".to_owned(),
        stream: "us-east.toys".to_owned(),
        infra: InfraId::new("toys").unwrap(),
        writer: Writer { key, name: "alice".to_owned() },
        revision: Revision::new("abc").unwrap(),
        generation: Generation(1),
        claim: None,
    };
    Head { seq: Seq(3), hash: Digest::of(b"3"), heading: Arc::new(heading) }
}

const fn field(name: &'static str, role: Role, grain: Grain) -> Field {
    Field { name, kind: Kind::Text, role, on_change: OnChange::Update, grain, reads: Reads::Shown }
}

static TOY: Schema = Schema {
    type_name: "toy_thing",
    provider: "toy",
    version: 1,
    fields: &[
        field("size", Role::Required, Grain::Whole),
        field("names", Role::Optional, Grain::Set),
        field("hint", Role::Optional, Grain::Whole),
        Field { reads: Reads::Unread, ..field("script", Role::Optional, Grain::Whole) },
        field("address", Role::Computed, Grain::Whole),
    ],
};

static TOYS: &[&Schema] = &[&TOY];

struct Toy;

impl Provider for Toy {
    fn name(&self) -> ProviderName {
        "toy".parse().unwrap()
    }
    fn schemas(&self) -> &'static [&'static Schema] {
        TOYS
    }
    fn compile(&self, _: &TypeName, _: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        Ok(Vec::new())
    }
    fn identity_key(&self, _: &TypeName) -> &'static [&'static str] {
        &[]
    }
}

fn target() -> TargetId {
    TargetId { provider: "toy".parse().unwrap(), account: "1".to_owned(), region: "r".to_owned() }
}

fn fields(json: &str) -> Fields {
    serde_json::from_str(json).unwrap()
}

fn toy() -> TypeName {
    "toy_thing".parse().unwrap()
}

fn mark(incarnation: char) -> Mark {
    Mark {
        infra: "wix".parse().unwrap(),
        address: "dc.b.one".parse().unwrap(),
        incarnation: incarnation.to_string().repeat(32).parse().unwrap(),
    }
}

fn record(given: &str) -> ObjectRecord {
    ObjectRecord {
        type_name: toy(),
        version: 1,
        target: target(),
        id: "thing-1".parse().unwrap(),
        mark: Some(mark('a')),
        fields: fields(given),
        depends_on: BTreeSet::new(),
    }
}

fn intent(effect: Effect) -> Intent {
    Intent {
        number: IntentNo(9),
        resource: "one".parse().unwrap(),
        version: 1,
        target: target(),
        object: Some("thing-1".parse().unwrap()),
        mark: None,
        call: Call {
            api: "SetThing".to_owned(),
            type_name: toy(),
            request: Value::Null,
            recovery: Recovery::Set,
            effect,
            wait: Wait::No,
        },
        depends_on: BTreeSet::new(),
        stamp: ServerTime(1),
        last_instant: ServerTime(2),
    }
}

/// A block `dc.b` with one object `one`, and a cloud that holds it as it was applied.
struct Case {
    state: BlockState,
    observed: Option<Observed>,
    world: World,
    unusable: BTreeMap<TargetId, String>,
    providers: Providers,
    more: BTreeMap<BlockAddr, BlockInput>,
}

impl Case {
    fn new() -> Self {
        let applied = r#"{"size":"small","names":["a","b"]}"#;
        let resource = ResourceState {
            object: record(applied),
            applied: Some(fields(applied)),
            made: IntentNo(1),
            maker: Some("ab".repeat(16).parse().unwrap()),
            protected: false,
        };
        let state = BlockState {
            head: Some(head()),
            env: Some("prod".parse().unwrap()),
            resources: BTreeMap::from([("one".parse().unwrap(), resource)]),
            ..BlockState::default()
        };
        let observed = Observed {
            id: "thing-1".parse().unwrap(),
            mark: Some(mark('a')),
            fields: fields(applied),
            readiness: Readiness::Ready,
        };
        Self {
            state,
            observed: Some(observed),
            world: World::default(),
            unusable: BTreeMap::new(),
            providers: Providers::new([Arc::new(Toy) as Arc<dyn Provider>]),
            more: BTreeMap::new(),
        }
    }

    fn is(mut self, given: &str) -> Self {
        self.observed.as_mut().unwrap().fields = fields(given);
        self
    }

    fn resource(&mut self) -> &mut ResourceState {
        self.state.resources.values_mut().next().unwrap()
    }

    fn report(mut self) -> DriftReport {
        if let Some(observed) = self.observed {
            self.world.saw(&target(), &toy(), observed);
        }
        let mut recorded = self.more;
        recorded.insert("dc.b".parse().unwrap(), Ok(self.state));
        let report = drift(DriftInputs {
            infra: &InfraId::new("wix").unwrap(),
            recorded: &recorded,
            world: &self.world,
            providers: &self.providers,
            asked: &BTreeSet::from([(target(), toy())]),
            unusable: &self.unusable,
        });
        // What is said can be read again.
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<DriftReport>(&json).unwrap(), report, "{json}");
        report
    }

    fn dc(self) -> DcDrift {
        self.report().dcs.remove(&"dc".parse().unwrap()).unwrap()
    }
}

/// `field: applied -> observed` for the only object.
fn drifted(dc: &DcDrift) -> Vec<String> {
    let shown = |value: &Value| serde_json::to_string(value).unwrap();
    let fields = dc.drifted.values().flat_map(|drifted| &drifted.fields);
    fields
        .map(|field| {
            let is = field.observed.as_ref().map_or_else(|| "nothing".to_owned(), shown);
            format!("{}: {} -> {is}", field.field, shown(&field.applied))
        })
        .collect()
}

fn unfinished(dc: &DcDrift) -> Vec<String> {
    dc.unfinished.iter().map(|unfinished| serde_json::to_string(unfinished).unwrap()).collect()
}

#[test]
fn what_is_as_applied_is_no_drift_whatever_the_order_of_a_set_and_whatever_is_not_ours() {
    let report = Case::new().is(r#"{"size":"small","names":["b","a"],"hint":"server","address":"new"}"#).report();
    assert_eq!(report.verdict(), Verdict::None);
    let dc = report.dcs.values().next().unwrap();
    assert_eq!((dc.resources, dc.as_applied, dc.env.as_ref().unwrap().as_str()), (1, 1, "prod"));
    assert_eq!((dc.drifted.len(), dc.unfinished.len(), dc.unmanaged.len()), (0, 0, 0));
}

#[test]
fn fields_of_ours_that_differ_are_drift_in_normal_form() {
    let case = Case::new().is(r#"{"size":"large","names":["c","a"]}"#);
    let report = case.report();
    assert_eq!(report.verdict(), Verdict::Drift);
    let dc = report.dcs.values().next().unwrap();
    assert_eq!(drifted(dc), [r#"size: "small" -> "large""#, r#"names: ["a","b"] -> ["a","c"]"#]);
    assert_eq!((dc.resources, dc.as_applied), (1, 0));
    // A read that does not show a field says nothing about it, as for a plan.
    assert_eq!(Case::new().is(r#"{"size":"small"}"#).report().verdict(), Verdict::None);
}

#[test]
fn a_field_that_reads_do_not_show_cannot_drift() {
    let applied = r#"{"size":"small","script":"run"}"#;
    for shown in [r#"{"size":"small"}"#, r#"{"size":"small","script":"a client that shows it all the same"}"#] {
        let mut case = Case::new().is(shown);
        case.resource().applied = Some(fields(applied));
        case.resource().object.fields = fields(applied);
        assert_eq!(case.dc().as_applied, 1, "{shown}");
    }
}

#[test]
fn fields_that_the_definition_leaves_alone_are_no_drift() {
    let mut case = Case::new().is(r#"{"size":"large","names":["c"]}"#);
    let desired = DesiredResource {
        type_name: toy(),
        version: 1,
        provider: "toy".parse().unwrap(),
        inputs: Default::default(),
        lifecycle: Lifecycle { ignore_changes: BTreeSet::from(["size".to_owned()]), ..Lifecycle::default() },
        location: Location::default(),
    };
    case.state.definition = Some(Arc::new(DesiredBlock {
        function: "f".to_owned(),
        params: Value::Null,
        after: BTreeSet::new(),
        resources: BTreeMap::from([("one".parse().unwrap(), desired)]),
        outputs: Expr::Null,
        checks: BTreeMap::new(),
        lookups: BTreeMap::new(),
        crossings: BTreeMap::new(),
    }));
    assert_eq!(drifted(&case.dc()), [r#"names: ["a","b"] -> ["c"]"#]);
}

#[test]
fn a_mark_that_was_taken_off_is_drift() {
    let mut case = Case::new();
    case.observed.as_mut().unwrap().mark = None;
    let dc = case.dc();
    let drifted = dc.drifted.values().next().unwrap();
    assert_eq!((&drifted.mark.as_ref().unwrap().observed, drifted.fields.len()), (&None, 0));
}

#[test]
fn an_object_that_is_gone_is_missing_and_one_on_its_way_out_too() {
    let mut case = Case::new();
    case.observed = None;
    case.world.saw_absent(&target(), &toy(), &"thing-1".parse().unwrap());
    let report = case.report();
    assert_eq!(report.verdict(), Verdict::Drift);
    assert_eq!(report.dcs.values().next().unwrap().missing.len(), 1);

    let mut case = Case::new();
    case.observed.as_mut().unwrap().readiness = Readiness::Going;
    assert_eq!(case.dc().missing.len(), 1);
}

#[test]
fn what_cannot_be_read_is_never_counted_as_fine() {
    let mut case = Case::new();
    case.observed = None;
    case.world.unread(&target(), &toy(), "throttled all the time".to_owned());
    let report = case.report();
    assert_eq!((report.verdict(), report.unread.len()), (Verdict::NotKnown, 1));
    assert_eq!(report.dcs.values().next().unwrap().unknown.values().next().unwrap().why, "throttled all the time");

    let mut case = Case::new();
    case.observed = None;
    case.unusable.insert(target(), "other account".to_owned());
    let report = case.report();
    assert_eq!(report.unread, [Unread { target: target(), type_name: None, why: "other account".to_owned() }]);
    assert_eq!(report.dcs.values().next().unwrap().unknown.values().next().unwrap().why, "other account");

    let mut case = Case::new();
    case.providers = Providers::default();
    assert_eq!(case.dc().unknown.values().next().unwrap().why, "this build has no provider for toy_thing");

    let mut case = Case::new();
    case.resource().object.version = 7;
    assert!(case.dc().unknown.values().next().unwrap().why.contains("recorded with schema version 7"));
}

#[test]
fn what_a_run_of_ours_began_is_unfinished_and_no_drift() {
    // A call landed and was recorded, and the run died before the resource was as defined.
    let mut case = Case::new().is(r#"{"size":"large","names":["a","b"]}"#);
    case.resource().object.fields.insert("size".to_owned(), "large".into());
    let report = case.report();
    assert_eq!(report.verdict(), Verdict::None);
    let half = r#"{"block":"dc.b","unfinished":"half_applied","resource":"dc.b.one","fields":["size"]}"#;
    assert_eq!(unfinished(report.dcs.values().next().unwrap()), [half]);

    // A call landed and was not recorded; what somebody else did besides is drift all the same.
    let mut case = Case::new().is(r#"{"size":"large","names":["x"]}"#);
    let set = Effect::Set { fields: fields(r#"{"size":"large"}"#), mark: None };
    case.state.open.insert(IntentNo(9), intent(set));
    let dc = case.dc();
    assert_eq!(drifted(&dc), [r#"names: ["a","b"] -> ["x"]"#]);
    let open = r#"{"block":"dc.b","unfinished":"open_call","resource":"dc.b.one","api":"SetThing"}"#;
    assert_eq!(unfinished(&dc), [open, half]);

    // A removal of ours may have landed.
    let mut case = Case::new();
    case.observed = None;
    case.world.saw_absent(&target(), &toy(), &"thing-1".parse().unwrap());
    case.state.open.insert(IntentNo(9), intent(Effect::Remove));
    assert_eq!(case.report().verdict(), Verdict::None);

    // It was never as defined; the block is still claimed; a replaced object is to go.
    let mut case = Case::new();
    case.resource().applied = None;
    let holder = Holder {
        name: "ann@host".to_owned(),
        boot_id: "b".to_owned(),
        pid_namespace: "p".to_owned(),
        pid: 1,
        start_time: 1,
        since: "now".to_owned(),
    };
    case.state.claim = Some(OpenClaim { run: "ab".repeat(16).parse().unwrap(), epoch: Epoch(1), holder });
    let deposed = Deposed { resource: "one".parse().unwrap(), record: record("{}") };
    case.state.deposed.insert(deposed.record.typed_id(), deposed);
    let report = case.report();
    assert_eq!((report.verdict(), report.dcs.values().next().unwrap().unfinished.len()), (Verdict::None, 3));
}

#[test]
fn what_was_never_as_defined_drifts_from_what_its_calls_set() {
    let mut case = Case::new().is(r#"{"size":"large","names":["a","b"]}"#);
    case.resource().applied = None;
    let report = case.report();
    assert_eq!(report.verdict(), Verdict::Drift);
    let dc = report.dcs.values().next().unwrap();
    assert_eq!(drifted(dc), [r#"size: "small" -> "large""#]);
    let half = r#"{"block":"dc.b","unfinished":"half_applied","resource":"dc.b.one","fields":[]}"#;
    assert_eq!(unfinished(dc), [half]);
}

#[test]
fn an_object_that_has_failed_is_drift_with_the_reason() {
    let mut case = Case::new();
    case.observed.as_mut().unwrap().readiness = Readiness::Failed("the instance is stopped".to_owned());
    let report = case.report();
    assert_eq!(report.verdict(), Verdict::Drift);
    let dc = report.dcs.values().next().unwrap();
    assert_eq!(dc.drifted.values().next().unwrap().failed.as_deref(), Some("the instance is stopped"));
    assert_eq!(dc.as_applied, 0);
}

#[test]
fn what_is_on_its_way_is_unfinished_and_drifts_as_any_other() {
    let on_its_way = |size| {
        let mut case = Case::new().is(size);
        let state = std::mem::take(&mut case.state.resources).into_values().next().unwrap();
        let to = "dc.c.two".parse().unwrap();
        let moved = MovedOut { resource: "one".parse().unwrap(), to, epoch: Epoch(3), state };
        case.state.moved.insert(moved.state.object.typed_id(), moved);
        case
    };
    let report = on_its_way(r#"{"size":"small"}"#).report();
    assert_eq!(report.verdict(), Verdict::None, "{report:?}");
    let dc = report.dcs.values().next().unwrap();
    assert_eq!((dc.resources, dc.as_applied), (1, 0));
    let moving = r#"{"block":"dc.b","unfinished":"moving","resource":"dc.b.one","to":"dc.c.two","object":"#;
    assert!(matches!(unfinished(dc).as_slice(), [only] if only.starts_with(moving)), "{dc:?}");

    assert_eq!(drifted(&on_its_way(r#"{"size":"large"}"#).dc()), [r#"size: "small" -> "large""#]);

    // It has come: its own log knows it, and that it left counts no more.
    let mut case = on_its_way(r#"{"size":"small"}"#);
    let came = Came { resource: "two".parse().unwrap(), from: "dc.b.one".parse().unwrap(), epoch: Epoch(3) };
    let there = BlockState { came: [("toy_thing thing-1".parse().unwrap(), came)].into(), ..case.state.clone() };
    case.more.insert("dc.c".parse().unwrap(), Ok(BlockState { moved: BTreeMap::new(), ..there }));
    assert_eq!(case.dc().resources, 0);
}

#[test]
fn the_mark_of_what_was_moved_or_taken_over_is_due() {
    let carrying = |maker: bool, incarnation| {
        let mut case = Case::new();
        if !maker {
            case.resource().maker = None;
        }
        case.observed.as_mut().unwrap().mark = Some(Mark { address: "dc.a.old".parse().unwrap(), ..mark(incarnation) });
        case
    };
    let report = carrying(false, 'a').report();
    assert_eq!(report.verdict(), Verdict::None, "{report:?}");
    let due = r#"{"block":"dc.b","unfinished":"mark_due","resource":"dc.b.one","carries":"dc.a.old"}"#;
    assert_eq!(unfinished(report.dcs.values().next().unwrap()), [due]);
    assert_eq!(carrying(true, 'a').report().verdict(), Verdict::Drift, "no call of ours sets it so");
    assert_eq!(carrying(false, 'b').report().verdict(), Verdict::Drift, "it is another object's");
}

#[test]
fn objects_with_our_mark_that_no_log_knows_are_unmanaged() {
    let stray = |incarnation, id: &str, infra: &str, address: &str| Observed {
        id: id.parse().unwrap(),
        mark: Some(Mark { infra: infra.parse().unwrap(), address: address.parse().unwrap(), ..mark(incarnation) }),
        fields: Fields::new(),
        readiness: Readiness::Ready,
    };
    let mut case = Case::new();
    case.world.saw(&target(), &toy(), stray('b', "thing-2", "wix", "lost.b.one"));
    case.world.saw(&target(), &toy(), stray('c', "thing-3", "other", "dc.b.one"));
    // It may be the one of an open create, or one that a damaged log knows.
    let create = Effect::Create { fields: Fields::new(), computed: Vec::new(), mark: Some(mark('d')) };
    case.state.open.insert(IntentNo(9), Intent { object: None, mark: Some(mark('d')), ..intent(create) });
    case.world.saw(&target(), &toy(), stray('d', "thing-4", "wix", "dc.b.one"));
    case.more.insert("dc.broken".parse().unwrap(), Err("entry 3 was altered".to_owned()));
    case.world.saw(&target(), &toy(), stray('e', "thing-5", "wix", "dc.broken.one"));
    let report = case.report();
    let unmanaged: Vec<_> = report.dcs.values().flat_map(|dc| &dc.unmanaged).map(|it| it.object.id.as_str()).collect();
    assert_eq!(unmanaged, ["thing-2"]);
    let dc = &report.dcs[&"dc".parse().unwrap()];
    assert_eq!((dc.as_applied, dc.damaged.len()), (1, 1), "the other block is unharmed");
    assert_eq!(report.verdict(), Verdict::NotKnown);
}
