//! What the log remembers of requests that were repeated.

use super::folds::{create, done, failed, folded, id, intent, name, set, vpc};
use crate::call::{Effect, Recovery, ServerTime};
use crate::id::IntentNo;
use crate::stream::event::{BlockEvent, Landed};
use crate::stream::{Arriving, BlockState, Illegal};
use crate::value::Fields;

fn repeated(number: u64, object: Option<&str>) -> BlockEvent {
    match done(number, object) {
        BlockEvent::Done { intent, id, outputs, how: _ } => {
            BlockEvent::Done { intent, id, outputs, how: Landed::Repeated }
        }
        other => other,
    }
}

fn gone(object: &str) -> BlockEvent {
    BlockEvent::Gone { resource: name("main"), id: id(object) }
}

/// A set of a kind that is repeated.
fn sets(number: u64, effect: Effect) -> BlockEvent {
    let mut event = intent(number, "main", Some("vpc-1"), effect);
    if let BlockEvent::Intent(intent) = &mut event {
        intent.call.recovery = Recovery::Set;
    }
    event
}

fn set_of(field: &str) -> Effect {
    Effect::Set { fields: Fields::from([(field.to_owned(), true.into())]), mark: None }
}

fn open(state: &BlockState) -> Vec<u64> {
    state.open.keys().map(|number| number.0).collect()
}

#[test]
fn a_repeated_create_is_open_again_when_its_object_is_gone() {
    let events = [intent(1, "main", None, create()), repeated(1, Some("vpc-1"))];
    let state = folded(&events).unwrap();
    let arrival = state.create_arriving(&vpc("vpc-1")).unwrap();
    assert_eq!((arrival.what, arrival.intent.last_instant), (Arriving::Create, ServerTime(20)));

    let state = folded(&[&events[..], &[gone("vpc-1")]].concat()).unwrap();
    assert_eq!((open(&state), state.arriving.len()), (vec![1], 0));
    let again = [&events[..], &[gone("vpc-1"), repeated(1, Some("vpc-2"))]].concat();
    assert_eq!(folded(&again).unwrap().resources[&name("main")].object.id, id("vpc-2"));

    let once = [intent(1, "main", None, create()), done(1, Some("vpc-1")), gone("vpc-1")];
    assert_eq!(open(&folded(&once).unwrap()), [] as [u64; 0]);
}

#[test]
fn a_copy_of_what_was_replaced_does_not_take_its_successors_place() {
    let events = [
        intent(1, "main", None, create()),
        repeated(1, Some("vpc-1")),
        intent(2, "main", None, create()),
        BlockEvent::Deposed { resource: name("main"), id: id("vpc-1") },
        done(2, Some("vpc-2")),
        gone("vpc-1"),
        repeated(1, Some("vpc-3")),
    ];
    let state = folded(&events).unwrap();
    assert_eq!(state.resources[&name("main")].object.id, id("vpc-2"));
    assert_eq!(state.deposed.keys().collect::<Vec<_>>(), [&vpc("vpc-3")]);
    assert!(state.create_arriving(&vpc("vpc-3")).is_some(), "it may arrive yet again");

    let successor = [
        intent(1, "main", None, create()),
        done(1, Some("vpc-1")),
        intent(2, "main", None, create()),
        done(2, Some("vpc-2")),
    ];
    assert_eq!(failed(&successor), Illegal::HasObject(name("main")));
}

#[test]
fn a_repeated_set_holds_back_sets_of_its_fields_alone() {
    let made = [intent(1, "main", None, create()), done(1, Some("vpc-1"))];
    let state = folded(&[&made[..], &[sets(2, set()), repeated(2, None)]].concat()).unwrap();
    let until = |effect: &Effect| state.sets_arriving(&vpc("vpc-1"), effect.fields().unwrap());
    assert_eq!(until(&set_of("dns")), Some(ServerTime(20)));
    assert_eq!(until(&set_of("zone")), None);
    assert_eq!(state.sets_arriving(&vpc("vpc-2"), &Fields::from([("dns".to_owned(), true.into())])), None);
    let answered = folded(&[&made[..], &[sets(2, set()), done(2, None)]].concat()).unwrap();
    assert_eq!(answered.arriving.len(), 0);
    let removed = [
        &made[..],
        &[sets(2, set()), repeated(2, None)],
        &[intent(3, "main", Some("vpc-1"), Effect::Remove), done(3, None)],
    ];
    assert_eq!(
        folded(&removed.concat()).unwrap().arriving.values().map(|a| a.intent.number).collect::<Vec<_>>(),
        [] as [IntentNo; 0]
    );
}
