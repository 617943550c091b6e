//! The first look at a store.

use super::world::{PutFault, World, infra};
use crate::id::{InfraId, Nonce};
use crate::stream::{StoreError, StoreUse, enter_store, look_at_store};

fn enter(world: &mut World) -> Result<(), StoreError> {
    world.run(|io| async move { enter_store(&io, &infra(), false, Nonce([9; 16])).await })
}

#[test]
fn a_fresh_store_is_probed_once_and_marked() {
    let mut world = World::new();
    assert_eq!(world.run(|io| async move { look_at_store(&io, &infra()).await }), Ok(StoreUse::Nothing));
    assert!(world.objects.is_empty(), "looking writes nothing");
    assert_eq!(enter(&mut world), Ok(()));
    assert_eq!(world.objects.len(), 2);
    assert_eq!(world.run(|io| async move { look_at_store(&io, &infra()).await }), Ok(StoreUse::Real));
    world.puts = 0;
    assert_eq!(enter(&mut world), Ok(()));
    assert_eq!(world.puts, 1);
}

#[test]
fn a_store_that_overwrites_is_refused_at_first_use_and_later() {
    let mut world = World::new();
    world.faults = Box::new(|_| PutFault::Overwrite);
    assert!(matches!(enter(&mut world), Err(StoreError::NoPutIfAbsent(_))));
    let mut world = World::new();
    enter(&mut world).unwrap();
    let before = world.objects.clone();
    world.faults = Box::new(|_| PutFault::Overwrite);
    assert!(matches!(enter(&mut world), Err(StoreError::NoPutIfAbsent(_))));
    assert_eq!(world.objects, before, "the second probe harms nothing");
}

#[test]
fn lost_answers_do_not_make_a_store_look_bad() {
    for fault in [PutFault::LostAnswer, PutFault::LostRequest, PutFault::Late] {
        for at in 0..5 {
            let mut world = World::new();
            let mut n = 0;
            world.faults = Box::new(move |_| {
                n += 1;
                if n == at + 1 { fault } else { PutFault::None }
            });
            assert_eq!(enter(&mut world), Ok(()), "{fault:?} of put {at}");
            assert_eq!(enter(&mut world), Ok(()), "{fault:?} of put {at}");
        }
    }
}

#[test]
fn another_infrastructures_store_is_refused() {
    let mut world = World::new();
    enter(&mut world).unwrap();
    let before = world.objects.clone();
    let other = || InfraId::new("other").unwrap();
    let error =
        world.run(move |io| async move { enter_store(&io, &other(), false, Nonce([1; 16])).await }).unwrap_err();
    assert!(error.to_string().contains("belongs to infrastructure `wix`, and this is `other`"), "{error}");
    assert!(world.run(move |io| async move { look_at_store(&io, &other()).await }).is_err());
    assert_eq!(world.objects, before);
}

#[test]
fn a_newer_or_damaged_marker_is_refused() {
    let mut world = World::new();
    world.objects.insert("v1/meta/infra".to_owned(), (br#"{"layout":2,"infra":"wix","new":1}"#.to_vec(), 0));
    assert_eq!(enter(&mut world), Err(StoreError::NewerLayout(2)));
    for bad in ["", "{}", r#"{"layout":1,"infra":"wix","infra":"wix"}"#, r#"{"layout":1,"infra":"a/b"}"#] {
        world.objects.insert("v1/meta/infra".to_owned(), (bad.into(), 0));
        assert!(matches!(enter(&mut world), Err(StoreError::Damaged(_))), "{bad}");
    }
}

#[test]
fn simulated_and_real_runs_share_no_store() {
    for simulated in [false, true] {
        let mut world = World::new();
        let enter = |simulated| move |io| async move { enter_store(&io, &infra(), simulated, Nonce([9; 16])).await };
        assert_eq!(world.run(enter(simulated)), Ok(()));
        assert_eq!(world.run(enter(simulated)), Ok(()));
        let refused = if simulated { StoreError::Simulated } else { StoreError::NotSimulated };
        assert_eq!(world.run(enter(!simulated)), Err(refused));
    }
}
