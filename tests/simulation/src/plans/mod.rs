//! The plans whose every single fault and every pair of faults is tried.

pub mod adoption;
pub mod large;
pub mod moved;
pub(crate) mod sealed;
pub mod stages;

use std::sync::Arc;
use std::time::Duration;

pub use moved::move_between_blocks;
use provision_aws::provider::Aws;
use provision_core::call::{Call, Recovery};
use provision_core::desired::Desired;
use provision_core::id::{ProviderName, TypeName};
use provision_core::plan::{Mode, Providers};
use provision_core::provider::{CannotCompile, Change, Provider};
use provision_core::schema::Schema;
use provision_core::sim::SimConfig;

use crate::infra::{BlockSpec, DcSpec, Kind, Res, Spec};
use crate::process::Job;
use crate::story::Story;
use crate::world::World;

const OLD: u64 = 1;
const NEW: u64 = 2;

const fn res(kind: Kind, uid: u8) -> Res {
    Res { kind, uid, range: 0, zone: 0, flag: true, tag: 1, picks: [0; 3] }
}

fn blocks(blocks: &[&[Res]]) -> Vec<BlockSpec> {
    (100..).zip(blocks).map(|(uid, resources)| BlockSpec { uid, resources: resources.to_vec() }).collect()
}

fn defined(all: &[&[Res]]) -> Arc<Desired> {
    let dcs = vec![DcSpec { name: "us-test", env: "staging", blocks: blocks(all) }];
    Arc::new(Spec { dcs, next: 99, moved: Vec::new() }.desired())
}

fn world(config: SimConfig) -> World {
    World::new(config)
}

fn instant() -> World {
    world(SimConfig::instant(7))
}

/// Objects take a while to be ready and gone: a short one, since each look is one more place for a fault.
fn slow() -> World {
    world(SimConfig { latency_percent: 15, ..SimConfig::instant(7) })
}

/// Objects are seen late, by reads and by calls.
fn late() -> World {
    world(SimConfig { lag: Duration::from_secs(1), lag_calls: true, ..SimConfig::instant(7) })
}

fn story(name: &'static str, world: World, before: Option<Arc<Desired>>, after: Arc<Desired>, mode: Mode) -> Story {
    let before = before.map(|before| Job::new(before, Mode::Apply, OLD));
    Story::new(name, world, before.as_ref(), Job::new(after, mode, NEW))
}

/// Plans of three to five actions, for every pair of faults.
pub fn small() -> Vec<fn() -> Story> {
    vec![create, create_then_less, create_instances, update, replace_across_blocks, moved::move_between_blocks]
}

/// Plans in worlds that are less simple, for every single fault.
pub fn special() -> Vec<fn() -> Story> {
    vec![
        a_block_leaves,
        replace_with_its_users,
        delete_within_a_block,
        delete_across_blocks,
        create_seen_late,
        create_seen_late_from_elsewhere,
        create_by_another_clock,
        create_then_destroy,
        create_with_short_tokens,
        create_with_a_clock_ahead,
        create_and_wait_long,
        update_then_back,
        adoption::adopt,
        stages::stages,
        stages::stages_of_updates,
        stages::resume_stages,
        resume_create,
        resume_update,
        resume_replace,
        resume_delete,
        moved::resume_move,
        moved::resume_old_ones_first,
        moved::rename,
        moved::old_ones_first,
        moved::create_then_move,
        moved::update_then_move,
        moved::move_then_back,
        moved::move_then_destroy,
        moved::swap,
        moved::old_ones_first_by_wish,
    ]
}

const VPC: Kind = Kind::Vpc;

fn network() -> [Res; 2] {
    [res(VPC, 0), res(Kind::Subnet, 1)]
}

/// Three creates in two blocks: found again by tag, natural key and name; all of several calls.
pub fn create() -> Story {
    story("create", instant(), None, defined(&[&network(), &[res(Kind::Group, 2)]]), Mode::Apply)
}

/// The same where objects are seen late, finished at once.
pub fn create_seen_late() -> Story {
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("create, seen late", late(), None, all, Mode::Apply)
}

/// The same, finished from another machine when the lease has ended.
pub fn create_seen_late_from_elsewhere() -> Story {
    let mut story = create_seen_late().on_another_host();
    story.name = "create, seen late from elsewhere";
    story
}

/// Creates beside a store whose clock is far behind, finished from another machine.
pub fn create_by_another_clock() -> Story {
    let mut world = instant();
    world.store_skew_ms = -100_000;
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("create by another clock", world, None, all, Mode::Apply).on_another_host()
}

/// The same; what was begun is then destroyed by newer code.
pub fn create_then_destroy() -> Story {
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("", instant(), None, all.clone(), Mode::Apply).then("create, then destroy", &all, Mode::Destroy)
}

/// The same in one block; newer code, which comes before it is finished or right after, has the network alone.
pub fn create_then_less() -> Story {
    let [vpc, subnet] = network();
    let all = defined(&[&[vpc, subnet, res(Kind::Group, 2)]]);
    let less = defined(&[&[vpc]]);
    story("", instant(), None, all, Mode::Apply).then("create, then less", &less, Mode::Apply)
}

/// Creates whose tokens are forgotten by the API before a request that was sent can no longer arrive.
pub fn create_with_short_tokens() -> Story {
    let story = create_instances_in("create with short tokens", instant());
    let providers = Providers::new([Arc::new(ShortTokens) as Arc<dyn Provider>]);
    let job = |job: &Job| Job { providers: providers.clone(), ..job.clone() };
    Story { first: job(&story.first), then: job(&story.then), ..story }
}

/// Creates by a runner whose clock is ahead, as far as the cloud allows: its calls are good for longer.
pub fn create_with_a_clock_ahead() -> Story {
    let mut story = create();
    story.name = "create with a clock ahead";
    story.first.wall_skew_ms = 2_000;
    story.then.wall_skew_ms = 2_000;
    story
}

/// Two instances, one after the other, that take so long that the lease is renewed several times.
pub fn create_and_wait_long() -> Story {
    create_instances_in("create and wait long", world(SimConfig { latency_percent: 900, ..SimConfig::instant(7) }))
}

/// An update; newer code, which comes before it is finished or right after, takes it back.
pub fn update_then_back() -> Story {
    let back = defined(&[&network(), &[res(Kind::Group, 2)]]);
    update().then("update, then back", &back, Mode::Apply)
}

/// AWS, were its tokens good for a second.
struct ShortTokens;

impl Provider for ShortTokens {
    fn name(&self) -> ProviderName {
        Aws.name()
    }

    fn schemas(&self) -> &'static [&'static Schema] {
        Aws.schemas()
    }

    fn compile(&self, type_name: &TypeName, change: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        let mut calls = Aws.compile(type_name, change)?;
        for call in &mut calls {
            if let Recovery::Token { term_seconds, .. } = &mut call.recovery {
                *term_seconds = 1;
            }
        }
        Ok(calls)
    }

    fn identity_key(&self, type_name: &TypeName) -> &'static [&'static str] {
        Aws.identity_key(type_name)
    }
}

/// Two instances, created with tokens and waited for, one of which uses the other; and an update.
pub fn create_instances() -> Story {
    create_instances_in("create instances", slow())
}

fn create_instances_in(name: &'static str, world: World) -> Story {
    let [vpc, subnet] = network();
    let (group, one, two) = (res(Kind::Group, 2), res(Kind::Instance, 3), Res { range: 2, ..res(Kind::Instance, 4) });
    let before = defined(&[&[vpc, subnet, group]]);
    let vpc = Res { flag: false, ..vpc };
    let after = defined(&[&[vpc, subnet, group, one, two]]);
    story(name, world, Some(before), after, Mode::Apply)
}

/// Three updates in two blocks, of one call each or of two.
pub fn update() -> Story {
    let all = |flag, tag| {
        let [vpc, subnet] = network();
        let (vpc, subnet) = (Res { flag, ..vpc }, Res { tag, ..subnet });
        defined(&[&[vpc, subnet], &[Res { flag, ..res(Kind::Group, 2) }]])
    };
    story("update", instant(), Some(all(true, 1)), all(false, 2), Mode::Apply).on_another_host()
}

/// An instance is replaced and so is its user: both new ones first, then both old ones go.
pub fn replace_with_its_users() -> Story {
    let all = |zone| {
        let (one, two) = (Res { zone, ..res(Kind::Instance, 3) }, Res { range: 2, ..res(Kind::Instance, 4) });
        let [vpc, subnet] = network();
        defined(&[&[vpc, subnet, res(Kind::Group, 2), one, two]])
    };
    story("replace with its users", instant(), Some(all(0)), all(1), Mode::Apply)
}

/// A group is replaced, its user in another block updated, then the old group goes.
pub fn replace_across_blocks() -> Story {
    let all = |zone| {
        let [vpc, subnet] = network();
        defined(&[&[vpc, subnet, Res { zone, ..res(Kind::Group, 2) }], &[res(Kind::Instance, 3)]])
    };
    story("replace across blocks", instant(), Some(all(0)), all(1), Mode::Apply).on_another_host()
}

/// The sealed plan of [`create`].
pub fn resume_create() -> Story {
    create().resumed("resume: create")
}

/// The sealed plan of [`update`].
pub fn resume_update() -> Story {
    update().resumed("resume: update")
}

/// The sealed plan of [`replace_across_blocks`].
pub fn resume_replace() -> Story {
    replace_across_blocks().resumed("resume: replace across blocks")
}

/// The sealed plan of [`delete_within_a_block`].
pub fn resume_delete() -> Story {
    delete_within_a_block().resumed("resume: delete within a block")
}

/// Two instances and their group leave one block.
pub fn delete_within_a_block() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[&[vpc, subnet, res(Kind::Group, 2), res(Kind::Instance, 3), res(Kind::Instance, 4)]]);
    let after = defined(&[&[vpc, subnet]]);
    story("delete within a block", slow(), Some(before), after, Mode::Apply).on_another_host()
}

/// Everything is destroyed, block after block.
pub fn delete_across_blocks() -> Story {
    let all = defined(&[&network(), &[res(Kind::Group, 2)]]);
    story("delete across blocks", instant(), Some(all.clone()), all, Mode::Destroy)
}

/// A block leaves the code while another one changes.
pub fn a_block_leaves() -> Story {
    let [vpc, subnet] = network();
    let before = defined(&[&[vpc, subnet], &[res(Kind::Group, 2), res(Kind::Instance, 3)]]);
    let after = defined(&[&[Res { flag: false, ..vpc }, subnet]]);
    story("a block leaves", instant(), Some(before), after, Mode::Apply)
}
