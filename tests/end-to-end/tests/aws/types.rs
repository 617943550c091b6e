//! Every type of the provider, through the real SDK: created, read back without a difference, updated, replaced, found again
//! after lost answers, adopted, destroyed.
//!
//! `E2E_FAMILY=nat` tries one family alone.
#![expect(clippy::disallowed_methods, reason = "tests measure time")]

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use end_to_end::World;
use end_to_end::pool::{and_more, each, say};
use end_to_end::types::{FAMILIES, Family, adopted_and_destroyed, lived};
use provision_aws::Aws;
use provision_core::provider::Provider as _;
use provision_core::schema::{Field, OnChange, Role};

const BINARY: &str = env!("CARGO_BIN_EXE_e2e-provision");
const WORLDS: usize = 3;
/// How long what takes its time takes: it is waited for.
const SETTLING: Duration = Duration::from_millis(300);

enum Case {
    Lives(&'static Family),
    IsFoundAndAdopted(&'static Family),
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lives(family) => write!(f, "{} lives", family.name),
            Self::IsFoundAndAdopted(family) => write!(f, "{} is found again and adopted", family.name),
        }
    }
}

#[tokio::test]
async fn every_family_of_types_lives_its_life() {
    let Some(first) = World::start(BINARY).await else { return };
    let began = Instant::now();
    let only = std::env::var("E2E_FAMILY").ok();
    let families = FAMILIES.iter().filter(|family| only.as_deref().is_none_or(|only| only == family.name));
    let cases: Vec<_> = families.flat_map(|family| [Case::Lives(family), Case::IsFoundAndAdopted(family)]).collect();
    let worlds = and_more(first, BINARY, WORLDS.min(cases.len())).await;
    let done = each(&worlds, cases, async |world, case| {
        let began = Instant::now();
        match case {
            Case::Lives(family) => {
                world.aws.set_settling(SETTLING);
                let updated = lived(&world.aws, family).await;
                (began.elapsed(), world.aws.calls(), updated)
            }
            Case::IsFoundAndAdopted(family) => {
                adopted_and_destroyed(&world.aws, family).await;
                (began.elapsed(), world.aws.calls(), BTreeSet::new())
            }
        }
    })
    .await;
    let (mut called, mut updated) = (BTreeSet::new(), BTreeSet::new());
    for (case, (took, calls, fields)) in &done {
        say(&format!("{case}: {took:.1?}, {} calls", calls.len()));
        let good = calls.iter().filter(|call| call.result.is_some_and(|status| status < 300));
        called.extend(good.map(|call| call.action.as_str()));
        updated.extend(fields.iter().map(String::as_str));
    }
    say(&format!("{} families in {:.0?}", done.len() / 2, began.elapsed()));
    if only.is_none() {
        let apis = provision_aws::apis().map(|api| api.name.rsplit(':').next().unwrap_or(api.name));
        let never: BTreeSet<_> = apis.filter(|api| !called.contains(api)).collect();
        assert_eq!(never, BTreeSet::from(NEVER_CALLED), "a family calls each operation, or it is said why none does");
        // A line for each type: so that a new field which nobody has tried is seen.
        let in_place = |field: &&Field| field.on_change == OnChange::Update && field.role != Role::Computed;
        let lines = Aws.schemas().iter().filter_map(|schema| {
            let fields = schema.fields.iter().filter(in_place).map(|field| field.name);
            let never = fields.filter(|field| !updated.contains(format!("{}.{field}", schema.type_name).as_str()));
            let never: Vec<_> = never.collect();
            (!never.is_empty()).then(|| format!("{}: {}", schema.type_name, never.join(", ")))
        });
        insta::assert_snapshot!("fields_that_no_family_updates", lines.collect::<Vec<_>>().join("\n"));
    }
}

/// Operations that no family calls so that they do something.
const NEVER_CALLED: [&str; 3] = [
    // There is one to end only where a run was cut off while it waited.
    "CancelInstanceRefresh",
    // Lookups: `lookups.rs`.
    "DescribeImages",
    "ListHostedZonesByName",
];

#[test]
fn every_type_is_in_a_family() {
    let tested: BTreeSet<_> = FAMILIES.iter().flat_map(|family| family.types.iter().copied()).collect();
    let all: BTreeSet<_> = Aws.schemas().iter().map(|schema| schema.type_name).collect();
    assert_eq!(tested, all, "a family of `src/types` has each type in its `types`");
}
