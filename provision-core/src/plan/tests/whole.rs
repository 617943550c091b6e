//! Whole plans, of states that a run left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::support::{Toy, addr, id, target};
use crate::call::{Call, Effect, Observed, Readiness, Recovery, ServerTime, Wait};
use crate::check::{Ask, DesiredCheck};
use crate::desired::{Channel, Desired, DesiredBlock, DesiredDc, DesiredResource, Lifecycle, Location};
use crate::id::{BlockAddr, Generation, IntentNo, Nonce, ResourceAddr, Revision};
use crate::plan::{
    BlockInput, BlockPlan, Inputs, Missing, Mode, Outcome, Plan, Providers, Reason, Selection, World, action_graph,
    plan,
};
use crate::stream::event::{Intent, ObjectRecord};
use crate::stream::{BlockState, Health, ResourceState};
use crate::value::{Fields, OutputRef, Symbol, Tree, Value};

/// What a plan is made from, changed by each test.
struct Case {
    desired: Desired,
    recorded: BTreeMap<BlockAddr, BlockState>,
    world: World,
    selection: Selection,
    mode: Mode,
}

fn fields(place: &str) -> Fields {
    BTreeMap::from([("place".to_owned(), place.into())])
}

impl Case {
    /// Things at these addresses, all applied and as defined; `uses` says which names another one's id.
    fn of(things: &[&str], uses: &[(&str, &str)]) -> Self {
        let mut case = Self {
            desired: Desired {
                infra: "wix".parse().unwrap(),
                environments: vec!["prod".parse().unwrap()],
                dcs: BTreeMap::from([(
                    "dc".parse().unwrap(),
                    DesiredDc {
                        env: "prod".parse().unwrap(),
                        channel: Channel::Stable,
                        targets: BTreeMap::from([("toy".parse().unwrap(), target())]),
                    },
                )]),
                blocks: BTreeMap::new(),
                custom_checks: Default::default(),
                nevers: Vec::new(),
            },
            recorded: BTreeMap::new(),
            world: World::default(),
            selection: Selection::default(),
            mode: Mode::Apply,
        };
        for thing in things {
            let used = uses.iter().find(|(user, _)| user == thing).map(|(_, used)| addr(used));
            case.define(thing, used.as_ref());
            case.record(thing, used);
        }
        case
    }

    fn define(&mut self, at: &str, used: Option<&ResourceAddr>) {
        let at = addr(at);
        let mut inputs = BTreeMap::from([("place".to_owned(), "south".into())]);
        if let Some(used) = used {
            let id = OutputRef { resource: used.clone(), output: "id".to_owned() };
            inputs.insert("hint".to_owned(), Tree::Symbol(Symbol::Output(Box::new(id))));
        }
        let thing = DesiredResource {
            type_name: "toy_thing".parse().unwrap(),
            version: 1,
            provider: "toy".parse().unwrap(),
            inputs: inputs.into(),
            lifecycle: Lifecycle::default(),
            location: Location::default(),
        };
        let block = self.desired.blocks.entry(at.block).or_insert_with(|| DesiredBlock {
            function: "f".to_owned(),
            params: Value::Null,
            after: BTreeSet::new(),
            resources: BTreeMap::new(),
            outputs: Tree::Null,
            checks: BTreeMap::new(),
            lookups: BTreeMap::new(),
            crossings: BTreeMap::new(),
        });
        block.resources.insert(at.name, thing);
    }

    fn record(&mut self, at: &str, used: Option<ResourceAddr>) {
        let object = id(&format!("thing-{at}"));
        let mut fields = fields("south");
        fields.extend(used.iter().map(|used| ("hint".to_owned(), format!("thing-{used}").as_str().into())));
        let seen = Observed { id: object.clone(), mark: None, fields: fields.clone(), readiness: Readiness::Ready };
        self.world.saw(&target(), &"toy_thing".parse().unwrap(), seen);
        let record = ObjectRecord {
            type_name: "toy_thing".parse().unwrap(),
            version: 1,
            target: target(),
            id: object,
            mark: None,
            fields: fields.clone(),
            depends_on: used.into_iter().collect(),
        };
        let at = addr(at);
        let state =
            ResourceState { object: record, applied: Some(fields), made: IntentNo(0), maker: None, protected: false };
        let block = self.recorded.entry(at.block).or_default();
        block.env = Some("prod".parse().unwrap());
        block.channel = Some(Channel::Stable);
        block.defined = Some(Generation(1));
        block.resources.insert(at.name, state);
    }

    fn state(&mut self, at: &str) -> &mut ResourceState {
        let at = addr(at);
        self.recorded.get_mut(&at.block).unwrap().resources.get_mut(&at.name).unwrap()
    }

    fn life(&mut self, at: &str) -> &mut Lifecycle {
        let at = addr(at);
        &mut self.desired.blocks.get_mut(&at.block).unwrap().resources.get_mut(&at.name).unwrap().lifecycle
    }

    /// A set of the thing's hint was begun, and nobody knows whether it landed.
    fn leave_open(&mut self, at: &str) {
        let object = self.state(at).object.id.clone();
        let at = addr(at);
        let call = Call {
            api: "Set".to_owned(),
            type_name: "toy_thing".parse().unwrap(),
            request: Tree::Null,
            recovery: Recovery::Set,
            effect: Effect::Set { fields: Fields::new(), mark: None },
            wait: Wait::No,
        };
        let intent = Intent {
            number: IntentNo(7),
            resource: at.name,
            version: 1,
            target: target(),
            object: Some(object),
            mark: None,
            call,
            depends_on: BTreeSet::new(),
            stamp: ServerTime(0),
            last_instant: ServerTime(1),
        };
        self.recorded.get_mut(&at.block).unwrap().open.insert(IntentNo(7), intent);
    }

    fn select(&mut self, blocks: &[&str]) {
        self.selection.blocks = blocks.iter().map(|block| block.parse().unwrap()).collect();
    }

    fn plan(&self) -> Plan {
        let toy: Arc<dyn crate::provider::Provider> = Arc::new(Toy);
        let recorded = self.recorded.iter().map(|(addr, state)| (addr.clone(), BlockInput::Ok(state.clone())));
        let plan = plan(Inputs {
            desired: &self.desired,
            recorded: &recorded.collect(),
            world: &self.world,
            providers: &Providers::new([toy]),
            revision: &Revision::new("r").unwrap(),
            generation: Generation(2),
            nonce: Nonce([7; 16]),
            mode: self.mode,
            missing: Missing::DestroyOlder,
            selection: &self.selection,
            adoptions: &BTreeMap::new(),
            simulated: true,
        });
        action_graph(&plan).unwrap();
        plan
    }
}

fn refusals(plan: &Plan) -> Vec<String> {
    plan.refusals().map(|(block, problem)| format!("{block}: {problem}")).collect()
}

const NONE: [String; 0] = [];

#[test]
fn what_is_as_defined_is_left_alone() {
    let plan = Case::of(&["dc.a.one", "dc.b.two"], &[("dc.b.two", "dc.a.one")]).plan();
    assert!(plan.is_empty() && plan.notes.is_empty(), "{plan:?}");
}

/// A run was cut off between the answer to its last call and the entry that says that all is as defined.
#[test]
fn what_was_not_finished_is_something_to_do() {
    let mut case = Case::of(&["dc.a.one"], &[]);
    case.state("dc.a.one").applied = None;
    let plan = case.plan();
    let one = plan.resource(&addr("dc.a.one")).unwrap();
    assert!(one.acts() && one.applies() && !plan.is_empty());
    assert_eq!((&one.allowed, &one.reasons), (&[Outcome::NoOp].into(), &vec![Reason::NotFinished]));
}

#[test]
fn what_never_will_be_ready_is_told_in_every_plan() {
    let mut case = Case::of(&["dc.a.one"], &[]);
    let why = "it is stopped".to_owned();
    let broken = Observed {
        id: id("thing-dc.a.one"),
        mark: None,
        fields: fields("south"),
        readiness: Readiness::Failed(why.clone()),
    };
    case.world.saw(&target(), &"toy_thing".parse().unwrap(), broken);
    let plan = case.plan();
    let one = plan.resource(&addr("dc.a.one")).unwrap();
    assert!(one.applies() && !plan.is_empty());
    assert_eq!(one.reasons, [Reason::Broken { why }]);
}

#[test]
fn checks_are_due_until_they_have_passed() {
    let mut case = Case::of(&["dc.a.one", "dc.b.two"], &[]);
    let ask = Ask::Tcp { address: "web.internal:22".into() };
    let check = DesiredCheck { ask, every_ms: 1_000, passes: 1, within_ms: 2_000, location: Location::default() };
    case.desired.blocks.get_mut(&"dc.a".parse().unwrap()).unwrap().checks.insert("alive".parse().unwrap(), check);
    assert!(case.plan().is_empty());
    for block in case.recorded.values_mut() {
        block.health = Health::Untold;
    }
    let plan = case.plan();
    assert!(!plan.is_empty());
    assert_eq!(plan.touched(), ["dc.a".parse().unwrap()].into(), "what has no checks has nothing due");
    assert_eq!(plan.notes.len(), 1, "{:?}", plan.notes);
    case.mode = Mode::Destroy;
    assert!(case.plan().notes.is_empty(), "what goes is not asked");
}

#[test]
fn a_protected_object_with_an_open_call_stays() {
    let mut case = Case::of(&["dc.a.one", "dc.a.two"], &[]);
    case.state("dc.a.one").protected = true;
    case.leave_open("dc.a.one");
    case.desired.blocks.get_mut(&"dc.a".parse().unwrap()).unwrap().resources.remove(&addr("dc.a.one").name);
    for mode in [Mode::Apply, Mode::Destroy] {
        case.mode = mode;
        let plan = case.plan();
        let one = plan.resource(&addr("dc.a.one")).unwrap();
        assert_eq!(one.allowed, [Outcome::NoOp].into());
        assert!(one.retire.is_empty() && one.acts(), "its call is found out about: {one:?}");
        let graph = format!("{:?}", action_graph(&plan).unwrap());
        assert!(graph.contains("Retire(ResourceAddr"), "by an action: {graph}");
    }
}

/// Code that renames something, while a run is about other blocks.
#[test]
fn a_move_between_blocks_that_are_not_selected_is_no_matter() {
    let mut case = Case::of(&["dc.a.one", "dc.b.two", "dc.c.three"], &[("dc.c.three", "dc.b.two")]);
    case.desired.blocks.get_mut(&"dc.a".parse().unwrap()).unwrap().resources.clear();
    case.define("dc.b.new", None);
    case.life("dc.b.new").moved_from.push(addr("dc.a.one"));

    case.select(&["dc.c"]);
    let plan = case.plan();
    assert!(plan.is_empty(), "{plan:?}");
    assert_eq!(refusals(&plan), NONE);

    for selected in ["dc.a", "dc.b"] {
        case.select(&[selected]);
        let missing = if selected == "dc.a" { "dc.b" } else { "dc.a" };
        let problem =
            format!("{selected}: dc.b.new moves from dc.a.one, and {missing} is not selected: select both blocks");
        assert_eq!(refusals(&case.plan()), [problem]);
    }
    case.select(&["dc.a", "dc.b"]);
    assert_eq!(refusals(&case.plan()), NONE);
}

/// Nobody knows whether it has to be replaced: what uses it in a block that is not selected keeps it meanwhile.
#[test]
fn an_open_call_on_what_others_use_can_be_found_out() {
    let mut case = Case::of(&["dc.a.one", "dc.b.two"], &[("dc.b.two", "dc.a.one")]);
    case.leave_open("dc.a.one");
    case.select(&["dc.a"]);
    let plan = case.plan();
    assert_eq!(refusals(&plan), NONE);
    let one = plan.resource(&addr("dc.a.one")).unwrap();
    assert!(one.acts() && !one.allowed.contains(&Outcome::Replace), "{one:?}");

    case.select(&[]);
    assert!(case.plan().resource(&addr("dc.a.one")).unwrap().allowed.contains(&Outcome::Replace), "with its users");
    let BlockPlan::Planned(_) = &case.plan().blocks[&"dc.b".parse().unwrap()] else { panic!("its user is planned") };
}

/// An update of a thing makes a later edition of it: who uses that learns it only then, and nobody else waits for it.
#[test]
fn what_an_update_moves_is_not_known_before_it() {
    let mut case = Case::of(&["dc.net.a", "dc.net.b", "dc.net.c"], &[("dc.net.c", "dc.net.a")]);
    let edition = OutputRef { resource: addr("dc.net.a"), output: "edition".to_owned() };
    let b = addr("dc.net.b");
    let uses = |case: &mut Case| {
        let block = case.desired.blocks.get_mut(&b.block).unwrap();
        let inputs = Arc::make_mut(&mut block.resources.get_mut(&b.name).unwrap().inputs);
        inputs.insert("hint".to_owned(), Tree::Symbol(Symbol::Output(Box::new(edition.clone()))));
    };
    uses(&mut case);
    for (at, field, value) in [("dc.net.a", "edition", "first"), ("dc.net.b", "hint", "first")] {
        let at = addr(at);
        let state = case.recorded.get_mut(&at.block).unwrap().resources.get_mut(&at.name).unwrap();
        state.object.fields.insert(field.to_owned(), value.into());
        if field == "hint" {
            state.applied.as_mut().unwrap().insert(field.to_owned(), value.into());
        }
        state.object.depends_on.extend((field == "hint").then(|| addr("dc.net.a")));
        let seen = Observed {
            id: state.object.id.clone(),
            mark: None,
            fields: state.object.fields.clone(),
            readiness: Readiness::Ready,
        };
        case.world.saw(&target(), &"toy_thing".parse().unwrap(), seen);
    }
    let allowed = |plan: &Plan, at: &str| plan.resource(&addr(at)).unwrap().allowed.clone();
    assert_eq!(allowed(&case.plan(), "dc.net.b"), [Outcome::NoOp].into());

    let a = addr("dc.net.a");
    let block = case.desired.blocks.get_mut(&a.block).unwrap();
    let inputs = Arc::make_mut(&mut block.resources.get_mut(&a.name).unwrap().inputs);
    inputs.insert("size".to_owned(), "large".into());
    let plan = case.plan();
    assert_eq!(allowed(&plan, "dc.net.a"), [Outcome::Update].into());
    assert_eq!(allowed(&plan, "dc.net.b"), [Outcome::Update, Outcome::NoOp].into(), "it uses the edition");
    assert_eq!(allowed(&plan, "dc.net.c"), [Outcome::NoOp].into(), "it uses the id, which stays");
}

#[test]
fn what_is_shown_is_the_definition_with_what_is_known_filled_in() {
    let mut case = Case::of(&["dc.net.a", "dc.net.b"], &[("dc.net.b", "dc.net.a")]);
    let b = addr("dc.net.b");
    case.recorded.get_mut(&b.block).unwrap().resources.remove(&b.name);
    let after = |plan: &Plan| plan.resource(&b).unwrap().after.clone().unwrap();
    let shown = after(&case.plan());
    assert_eq!((&shown["hint"], &shown["place"]), (&"thing-dc.net.a".into(), &"south".into()));

    // A name is the engine's where the definition gives none.
    case.recorded.clear();
    let inputs = &mut case.desired.blocks.get_mut(&b.block).unwrap().resources.get_mut(&b.name).unwrap().inputs;
    Arc::make_mut(inputs).insert("name".to_owned(), "b".into());
    let inputs = inputs.clone();
    assert!(Arc::ptr_eq(&after(&case.plan()), &inputs), "nothing is known that the definition does not say");
}
