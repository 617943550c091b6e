//! Who may take an object over.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::support::{Toy, addr, code, id, target, thing};
use crate::call::{Call, Effect, Mark, Observed, Readiness, Recovery, ServerTime, Wait};
use crate::desired::{Desired, Lifecycle};
use crate::id::{Generation, IntentNo, Nonce, Revision};
use crate::plan::{BlockInput, Inputs, Missing, Mode, Outcome, Plan, Providers, Reason, Selection, World, plan};
use crate::provider::Provider;
use crate::stream::event::{Intent, ObjectRecord};
use crate::stream::{BlockState, ResourceState};
use crate::target::TargetId;
use crate::value::{Expr, Fields, OutputRef, Symbol, Tree};

/// Two blocks with one thing each.
fn desired() -> Desired {
    desired_with([("place".to_owned(), "south".into())])
}

fn desired_with<const N: usize>(inputs: [(String, Expr); N]) -> Desired {
    let thing = || thing(BTreeMap::from(inputs.clone()), Lifecycle::default());
    code([(addr("dc.a.one"), thing()), (addr("dc.b.one"), thing())])
}

/// The mark of what `dc.b.one` makes.
fn mark() -> Mark {
    Mark {
        infra: "wix".parse().unwrap(),
        address: addr("dc.b.one"),
        incarnation: "0123456789abcdef0123456789abcdef".parse().unwrap(),
    }
}

/// A run was cut off while it made something with that mark.
fn making() -> Intent {
    let call = Call {
        api: "Make".to_owned(),
        type_name: "toy_thing".parse().unwrap(),
        request: Tree::Null,
        recovery: Recovery::Tag,
        effect: Effect::Create { fields: Fields::new(), computed: Vec::new(), mark: Some(mark()) },
        wait: Wait::No,
    };
    Intent {
        number: IntentNo(1),
        resource: "one".parse().unwrap(),
        version: 1,
        target: target(),
        object: None,
        mark: Some(mark()),
        call,
        depends_on: Default::default(),
        stamp: ServerTime(0),
        last_instant: ServerTime(1),
    }
}

/// The plan in which `dc.a.one` takes over an object with the mark, where the log of `dc.b` says this.
fn adopting(log: BlockInput) -> Plan {
    adopting_as(&desired(), log)
}

fn adopting_as(desired: &Desired, log: BlockInput) -> Plan {
    adopting_these(desired, log, &["dc.a"], &["dc.a.one"])
}

/// The same, of a plan about these blocks, in which these resources take the object over.
fn adopting_these(desired: &Desired, log: BlockInput, selected: &[&str], by: &[&str]) -> Plan {
    adopting_marked(desired, log, selected, by, Some(mark()))
}

fn adopting_marked(desired: &Desired, log: BlockInput, selected: &[&str], by: &[&str], mark: Option<Mark>) -> Plan {
    let mut world = World::default();
    let object = Observed {
        id: id("thing-1"),
        mark,
        fields: BTreeMap::from([("place".to_owned(), "south".into())]),
        readiness: Readiness::Ready,
    };
    world.saw(&target(), &"toy_thing".parse().unwrap(), object);
    let toy: Arc<dyn Provider> = Arc::new(Toy);
    plan(Inputs {
        desired,
        recorded: &BTreeMap::from([("dc.b".parse().unwrap(), log)]),
        world: &world,
        providers: &Providers::new([toy]),
        revision: &Revision::new("r").unwrap(),
        generation: Generation(1),
        nonce: Nonce([7; 16]),
        mode: Mode::Adopt,
        missing: Missing::Keep,
        selection: &Selection {
            blocks: selected.iter().map(|block| block.parse().unwrap()).collect(),
            ..Selection::default()
        },
        adoptions: &by.iter().map(|by| (addr(by), id("thing-1"))).collect(),
        simulated: true,
    })
}

#[test]
fn what_only_carries_a_mark_is_taken_over() {
    let plan = adopting(Ok(BlockState::default()));
    assert!(plan.resource(&addr("dc.a.one")).unwrap().allowed.contains(&Outcome::Adopt), "{plan:?}");
}

fn refusals(plan: &Plan) -> Vec<String> {
    plan.refusals().map(|(block, problem)| format!("{block}: {problem}")).collect()
}

#[test]
fn one_object_does_not_become_two_resources() {
    let plan = adopting_these(&desired(), Ok(BlockState::default()), &[], &["dc.a.one", "dc.b.one"]);
    let both = "dc.a.one and dc.b.one are to take over thing-1: an object has one owner";
    assert_eq!(refusals(&plan), [format!("dc.a: {both}"), format!("dc.b: {both}")]);
}

/// A name is an id in one account and region alone, and two types can be about one object.
#[test]
fn an_id_that_is_recorded_elsewhere_is_another_objects() {
    let refused = |type_name: &str, account: &str| {
        let object = ObjectRecord {
            type_name: type_name.parse().unwrap(),
            version: 1,
            target: TargetId { account: account.to_owned(), ..target() },
            id: id("thing-1"),
            mark: None,
            fields: Fields::new(),
            depends_on: Default::default(),
        };
        let one = ResourceState { object, applied: None, made: IntentNo(1), maker: None, protected: false };
        let log =
            BlockState { resources: [("one".parse().unwrap(), one)].into_iter().collect(), ..BlockState::default() };
        refusals(&adopting_marked(&desired(), Ok(log), &["dc.a"], &["dc.a.one"], None))
    };
    let ours = target().account;
    assert_eq!(refused("toy_thing", "another"), [""; 0]);
    assert_eq!(refused("toy_other", &ours), [""; 0]);
    assert!(refused("toy_thing", &ours)[0].contains("thing-1 is the object of dc.b.one"));
}

#[test]
fn who_is_to_take_something_over_is_in_the_code_and_in_the_plan() {
    let refused =
        |selected: &[&str], by| refusals(&adopting_these(&desired(), Ok(BlockState::default()), selected, &[by]));
    let no = |by: &str| format!("{by} is to take over thing-1, and the code has no {by}");
    assert_eq!(refused(&[], "dc.a.two"), [format!("dc.a: {}", no("dc.a.two"))]);
    assert_eq!(refused(&[], "dc.x.one"), [format!("dc.x: {}", no("dc.x.one"))]);
    let outside = "dc.b: dc.b.one is to take over thing-1, and dc.b is not selected: select it";
    assert_eq!(refused(&["dc.a"], "dc.b.one"), [outside]);
}

#[test]
fn what_reads_do_not_show_is_taken_to_be_as_defined() {
    let inputs = [("place", "south"), ("script", "run")].map(|(field, value)| (field.to_owned(), value.into()));
    let plan = adopting_as(&desired_with(inputs), Ok(BlockState::default()));
    let resource = plan.resource(&addr("dc.a.one")).unwrap();
    let expected = [Reason::Adopted { id: id("thing-1") }, Reason::OnTrust { field: "script".to_owned() }];
    assert_eq!(resource.reasons, expected, "and nothing differs");
    assert_eq!(resource.before.as_ref().unwrap().get("script"), Some(&"run".into()), "nor for who reads the plan");
}

/// Else the other one's id would not be known yet, and the next plan would replace what was taken over.
#[test]
fn what_reads_do_not_show_and_names_another_comes_after_that() {
    let other = OutputRef { resource: addr("dc.b.one"), output: "id".to_owned() };
    let inputs = [("place", "south".into()), ("script", Tree::Symbol(Symbol::Output(Box::new(other))))];
    let code = desired_with(inputs.map(|(field, value)| (field.to_owned(), value)));
    let plan = adopting_as(&code, Ok(BlockState::default()));
    assert_eq!(plan.resource(&addr("dc.a.one")).unwrap().uses, [addr("dc.b.one")]);
}

#[test]
fn what_an_open_call_or_a_damaged_log_may_own_is_not() {
    let open = BlockState { open: [(IntentNo(1), making())].into_iter().collect(), ..BlockState::default() };
    for (log, why) in [(Ok(open), "was cut off while it made it"), (Err("damaged".to_owned()), "can't be read")] {
        let plan = adopting(log);
        let refused: Vec<_> = plan.refusals().collect();
        assert!(matches!(refused.as_slice(), [(_, problem)] if problem.contains(why)), "{plan:?}");
    }
}
