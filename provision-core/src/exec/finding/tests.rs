//! Which object a resource gets.

use proptest::prelude::*;

use super::*;
use crate::desired::{Lifecycle, Location};
use crate::schema::{Field, Grain, Kind, Reads, Role};
use crate::value::{Exprs, Symbol, Tree};

const fn field(name: &'static str, on_change: OnChange) -> Field {
    Field { name, kind: Kind::Text, role: Role::Optional, on_change, grain: Grain::Whole, reads: Reads::Shown }
}

const SCHEMA: Schema = Schema {
    type_name: "aws_subnet",
    provider: "aws",
    version: 1,
    fields: &[
        field("vpc", OnChange::Replace),
        field("cidr", OnChange::Replace),
        field("note", OnChange::Update),
        Field { reads: Reads::Unread, ..field("script", OnChange::Replace) },
    ],
};

fn addr(name: &str) -> ResourceAddr {
    format!("dc.net.{name}").parse().unwrap()
}

/// A definition; a text that begins with `@` is a ref to the id of that resource.
fn desired(inputs: &[(&str, &str)]) -> DesiredResource {
    let expr = |text: &str| match text.strip_prefix('@') {
        Some(name) => {
            Tree::Symbol(Symbol::Output(Box::new(OutputRef { resource: addr(name), output: "id".to_owned() })))
        }
        None => text.into(),
    };
    DesiredResource {
        type_name: "aws_subnet".parse().unwrap(),
        version: 1,
        provider: "aws".parse().unwrap(),
        inputs: inputs.iter().map(|(field, text)| ((*field).to_owned(), expr(text))).collect::<Exprs>().into(),
        lifecycle: Lifecycle::default(),
        location: Location::default(),
    }
}

fn object(id: &str, fields: &[(&str, &str)]) -> Observed {
    Observed {
        id: id.parse().unwrap(),
        mark: None,
        fields: fields.iter().map(|(field, text)| ((*field).to_owned(), (*text).into())).collect(),
        readiness: Readiness::Ready,
    }
}

/// Each resource's inputs, all with the same candidates.
fn found(sought: &[(&str, DesiredResource)], candidates: &[Observed]) -> Found {
    let sought: Vec<Sought<'_>> = sought
        .iter()
        .map(|(name, desired)| Sought { addr: addr(name), desired, schema: &SCHEMA, candidates: candidates.to_vec() })
        .collect();
    match_objects(&sought, BTreeMap::new())
}

fn ids(found: &Found) -> Vec<(String, &str)> {
    found.matched.iter().map(|(addr, id)| (addr.name.to_string(), id.as_str())).collect()
}

#[test]
fn the_only_one_that_need_not_be_replaced_fits() {
    let candidates = [
        object("x-1", &[("cidr", "a"), ("note", "other")]),
        object("x-2", &[("cidr", "b")]),
        object("x-3", &[("cidr", "c")]),
        object("x-4", &[("cidr", "c")]),
    ];
    let sought = [
        ("one", desired(&[("cidr", "a"), ("note", "ours"), ("script", "unknown")])),
        ("none", desired(&[("cidr", "z")])),
        ("several", desired(&[("cidr", "c")])),
    ];
    let found = found(&sought, &candidates);
    assert_eq!(
        ids(&found),
        [("one".to_owned(), "x-1")],
        "a field that is updated does not count, nor one that no read shows"
    );
    assert!(matches!(found.unmatched[&addr("none")], Unmatched::None { .. }));
    let Unmatched::Several { ids, .. } = &found.unmatched[&addr("several")] else { panic!("{found:?}") };
    assert_eq!(ids.len(), 2);
}

#[test]
fn one_object_that_fits_two_resources_is_given_to_neither() {
    let found = found(&[("a", desired(&[])), ("b", desired(&[("cidr", "c")]))], &[object("x-1", &[("cidr", "c")])]);
    assert_eq!(ids(&found), []);
    let with = BTreeSet::from([addr("b")]);
    assert_eq!(found.unmatched[&addr("a")], Unmatched::Shared { id: "x-1".parse().unwrap(), with });
}

#[test]
fn refs_to_what_is_matched_too_tell_objects_apart() {
    let candidates = [
        object("x-1", &[("cidr", "outer")]),
        object("x-2", &[("cidr", "inner"), ("vpc", "x-1")]),
        object("x-3", &[("cidr", "inner"), ("vpc", "x-9")]),
    ];
    // By its name the user comes first.
    let sought =
        [("a-user", desired(&[("vpc", "@outer"), ("cidr", "inner")])), ("outer", desired(&[("cidr", "outer")]))];
    assert_eq!(ids(&found(&sought, &candidates)), [("a-user".to_owned(), "x-2"), ("outer".to_owned(), "x-1")]);
}

#[test]
fn refs_in_a_circle_end() {
    let sought = [("a", desired(&[("vpc", "@b")])), ("b", desired(&[("vpc", "@a")]))];
    assert_eq!(found(&sought, &[]).unmatched.len(), 2);
}

proptest! {
    /// Whatever is sought among whatever there is: each resource is told of once, and no object is given twice.
    #[test]
    fn no_object_is_given_to_two_resources(
        wanted in prop::collection::vec((prop::option::of(0..3_u8), prop::option::of(0..4_usize)), 1..6),
        there in prop::collection::vec((0..3_u8, prop::option::of(0..5_usize)), 0..6),
    ) {
        let candidates: Vec<Observed> = there.iter().enumerate().map(|(n, (cidr, vpc))| {
            let vpc = vpc.map(|vpc| format!("x-{vpc}"));
            let cidr = cidr.to_string();
            let fields: Vec<_> = [("cidr", cidr.as_str())].into_iter().chain(vpc.as_deref().map(|vpc| ("vpc", vpc))).collect();
            object(&format!("x-{n}"), &fields)
        }).collect();
        let sought: Vec<(String, DesiredResource)> = wanted.iter().enumerate().map(|(n, (cidr, uses))| {
            let cidr = cidr.map(|cidr| cidr.to_string());
            // Of those with a lower number, so that there is no circle.
            let uses = uses.filter(|used| *used < n).map(|used| format!("@r{used}"));
            let inputs: Vec<_> = cidr.as_deref().map(|cidr| ("cidr", cidr)).into_iter()
                .chain(uses.as_deref().map(|vpc| ("vpc", vpc))).collect();
            (format!("r{n}"), desired(&inputs))
        }).collect();
        let sought: Vec<(&str, DesiredResource)> = sought.iter().map(|(name, desired)| (name.as_str(), desired.clone())).collect();
        let found = found(&sought, &candidates);
        prop_assert_eq!(found.matched.len() + found.unmatched.len(), sought.len());
        let given: BTreeSet<&ObjectId> = found.matched.values().collect();
        prop_assert_eq!(given.len(), found.matched.len(), "{:?}", &found);
    }
}
