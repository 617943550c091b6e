//! What third parties change is found and repaired, each time anew.

use std::collections::BTreeMap;

use provision_core::plan::Mode;
use provision_core::sim::{Held, Tamper};
use simulation::infra::Kind;
use simulation::lab::Lab;
use simulation::oracle;

use crate::samples::one_of_each;

fn find(held: &[Held], type_name: &str) -> Held {
    held.iter().find(|held| held.type_name.as_str() == type_name).unwrap().clone()
}

fn repaired_twice(what: &str, type_name: &str, tamper: impl Fn(&Held) -> Tamper) {
    let (desired, mut lab) = (one_of_each().desired(), Lab::new());
    let ran = lab.apply(&desired);
    assert!(ran.is_good(), "{ran:?}\n{}", lab.world.trace.table());
    let mut tokens = lab.world.trace.tokens();
    let mut digests = Vec::new();
    for _ in 0..2 {
        lab.world.tamper(&tamper(&find(&lab.world.objects(), type_name)));
        let made = lab.world.trace.steps.len();
        let plan = lab.plan(&desired, Mode::Apply).plan;
        assert!(!plan.is_empty(), "{what}: not seen");
        digests.push(plan.digest());
        let ran = lab.apply(&desired);
        assert!(ran.is_good(), "{what}: {ran:?}\n{}", lab.world.trace.table());
        oracle::is_as_defined(&desired, &lab.world.objects()).unwrap();
        assert!(lab.plan(&desired, Mode::Apply).plan.is_empty(), "{what}: not repaired");
        let mut repair = lab.world.trace.clone();
        repair.steps.drain(..made);
        let new = repair.tokens();
        assert!(tokens.is_disjoint(&new), "{what}: a token was used again");
        tokens.extend(new);
    }
    assert_ne!(digests[0], digests[1], "{what}: two plans with one digest");
}

#[test]
fn the_same_drift_is_repaired_twice() {
    let set = |field: &'static str, value: &'static str| {
        move |held: &Held| Tamper::Set {
            id: held.id.clone(),
            fields: BTreeMap::from([(field.to_owned(), value.into())]),
        }
    };
    repaired_twice("an instance is gone", "aws_instance", |held| Tamper::Remove { id: held.id.clone() });
    repaired_twice("an instance is another size", "aws_instance", set("instance_type", "t3.large"));
    repaired_twice("a subnet's attribute", "aws_subnet", |held| Tamper::Set {
        id: held.id.clone(),
        fields: BTreeMap::from([("public_ip".to_owned(), false.into())]),
    });
    repaired_twice("a description", "aws_security_group", set("description", "mine"));
    for kind in ["aws_vpc", "aws_subnet", "aws_security_group", "aws_instance"] {
        repaired_twice("a mark is gone", kind, |held| Tamper::Mark { id: held.id.clone(), mark: None });
    }
}

#[test]
fn an_object_that_only_carries_our_mark_is_shown_and_left_alone() {
    let (desired, mut lab) = (one_of_each().desired(), Lab::new());
    let ran = lab.apply(&desired);
    assert!(ran.is_good(), "{ran:?}\n{}", lab.world.trace.table());
    let ours = find(&lab.world.objects(), "aws_vpc");
    let mut mark = ours.mark.clone().unwrap();
    mark.incarnation = "0123456789abcdef0123456789abcdef".parse().unwrap();
    let fields = ours.fields.iter().filter(|(name, _)| *name != "id");
    lab.world.tamper(&Tamper::Create {
        target: ours.target.clone(),
        type_name: ours.type_name.clone(),
        fields: fields.map(|(name, value)| (name.clone(), value.clone())).collect(),
        mark: Some(mark),
        name: None,
    });
    let plan = lab.plan(&desired, Mode::Apply).plan;
    assert!(plan.is_empty() && plan.notes.len() == 1, "{plan:#?}");
    assert_eq!(one_of_each().dcs[0].blocks[0].resources[0].kind, Kind::Vpc);
    assert!(lab.destroy(&desired).is_good());
    assert_eq!(lab.world.objects().len(), 1);
}
