//! Objects that are there already, and become ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use provision_core::call::Mark;
use provision_core::desired::Desired;
use provision_core::exec::{ActionReport, ActionResult};
use provision_core::id::{ObjectId, ResourceAddr};
use provision_core::plan::Mode;
use provision_core::sim::{Held, Tamper};
use provision_core::value::{Fields, OutputRef};

use super::{VPC, defined, instant, res, story};
use crate::fault::{Fault, Rival, What};
use crate::infra::{Kind, Res};
use crate::process::{Job, Outcome, Process};
use crate::sim::{Faults, Stuck};
use crate::story::{Story, unbroken};

const NETWORK: [Res; 2] = [res(VPC, 0), res(Kind::Subnet, 1)];

/// An instance with user data, which reads do not show.
const fn scripted(uid: u8) -> Res {
    Res { range: 1, ..res(Kind::Instance, uid) }
}

fn after() -> Arc<Desired> {
    defined(&[&NETWORK, &[res(Kind::Group, 2), res(Kind::Group, 3), scripted(4)]])
}

/// Objects as these resources define them, made by somebody else.
fn made_by_others(story: &mut Story, names: &[&str], mark: Option<&Mark>) -> BTreeMap<ResourceAddr, ObjectId> {
    let code = story.first.desired.clone();
    let ours: BTreeMap<ResourceAddr, Held> =
        story.world.objects().into_iter().filter_map(|held| Some((held.mark.clone()?.address, held))).collect();
    let target = ours.values().next().unwrap().target.clone();
    let mut made: BTreeMap<ResourceAddr, ObjectId> = BTreeMap::new();
    for name in names {
        let addr: ResourceAddr = format!("us-test.c101.{name}").parse().unwrap();
        let desired = &code.blocks[&addr.block].resources[&addr.name];
        let id = |output: &OutputRef| {
            let id = made.get(&output.resource).or_else(|| Some(&ours.get(&output.resource)?.id))?;
            (output.output == "id").then(|| id.as_str().into())
        };
        let known = desired.inputs.iter().map(|(field, value)| (field.clone(), value.resolve(&id).unwrap()));
        let mut fields: Fields = known.collect();
        if desired.type_name.as_str() == "aws_security_group" {
            fields.insert("name".to_owned(), format!("made-{name}").into());
        }
        let create = Tamper::Create {
            target: target.clone(),
            type_name: desired.type_name.clone(),
            fields,
            mark: mark.cloned(),
            name: Some(format!("made-{name}")),
        };
        let now = provision_core::call::ServerTime(crate::world::EPOCH_MS + story.world.ms);
        made.insert(addr, story.world.cloud.tamper(now, &create).unwrap().unwrap());
    }
    story.world.pass_to(story.world.ms + 60_000);
    story.before = story.world.objects();
    made
}

fn adopting(name: &'static str) -> Story {
    let mut story = story(name, instant(), Some(defined(&[&NETWORK])), after(), Mode::Adopt);
    story.undisturbed = true;
    story
}

/// Two groups and an instance that somebody else has made become a block's.
pub fn adopt() -> Story {
    let mut story = adopting("adopt");
    let made = made_by_others(&mut story, &["group-2", "group-3", "instance-4"], None);
    (story.first.adoptions, story.then.adoptions) = (made.clone(), made);
    story
}

/// What cannot be adopted: the run is refused, or plans nothing.
fn is_refused(story: &Story, adoptions: BTreeMap<ResourceAddr, ObjectId>) -> Result<(), String> {
    let mut sim = story.sim(story.world.clone());
    let number = sim.start(Job { adoptions: adoptions.clone(), ..story.first.clone() }, false);
    sim.run().map_err(|Stuck(why)| why)?;
    let process = sim.process(number).ok_or("no such process")?;
    let refused = process.plan.as_ref().is_some_and(|plan| plan.refusals().next().is_some());
    match process.outcome() {
        Some(Outcome::Nothing) if refused => Ok(()),
        other => Err(format!("it was adopted: {adoptions:?}: {other:?}")),
    }
}

/// What is another resource's is not adopted.
pub(crate) fn nothing_is_adopted_twice() -> Result<(), String> {
    let story = unbroken(adopt).with_fresh_memory();
    let mut sim = story.sim(story.world.clone());
    let [two, three]: [ResourceAddr; 2] =
        ["us-test.c101.group-2", "us-test.c101.group-3"].map(|addr| addr.parse().unwrap());
    let id = story.first.adoptions[&two].clone();
    let one = BTreeMap::from([(two, id.clone())]);
    sim.start(Job { adoptions: one, ..story.first.clone() }, false);
    sim.run().map_err(|Stuck(why)| why)?;
    let world = std::mem::replace(&mut sim.world, instant());
    is_refused(&Story { world, ..story }, BTreeMap::from([(three, id)]))
}

/// Of two runs that take one object over into two blocks, wherever the second one begins, at least one does not.
pub(crate) fn nothing_is_adopted_twice_at_once() -> Result<(), String> {
    let code = defined(&[&[res(VPC, 0)], &[res(Kind::Group, 2)], &[res(Kind::Group, 3)]]);
    let mut story = unbroken(|| story("adopt at once", instant(), Some(defined(&[&[res(VPC, 0)]])), code, Mode::Adopt));
    let made = made_by_others(&mut story, &["group-2"], None);
    let story = story.with_fresh_memory();
    let id = made.values().next().ok_or("nothing was made")?.clone();
    let job =
        |addr: &str| Job { adoptions: BTreeMap::from([(addr.parse().unwrap(), id.clone())]), ..story.first.clone() };
    let (one, two) = (job("us-test.c101.group-2"), job("us-test.x102.group-3"));
    let mut alone = 0;
    for action in 0.. {
        let mut sim = story.sim(story.world.clone());
        sim.rivals = (Some(two.clone()), None);
        let first = sim.world.started + 1;
        sim.faults = Faults::Listed(vec![Fault { process: first, action, what: What::Rival(Rival::Same) }]);
        sim.start(one.clone(), false);
        sim.run().map_err(|Stuck(why)| why)?;
        let adopted = |process: &&Process| {
            let did = |action: &ActionReport| action.result == ActionResult::Done;
            matches!(process.outcome(), Some(Outcome::Ran(report)) if report.actions.iter().any(did))
        };
        let adopted = sim.processes.iter().filter(adopted).count();
        alone += usize::from(adopted == 1);
        if adopted > 1 {
            return Err(format!("{id} has two owners; the second run began at action {action}"));
        }
        if sim.processes.len() == 1 {
            break;
        }
    }
    if alone < 2 { Err("no run took it over beside another one".to_owned()) } else { Ok(()) }
}

/// What carries another infrastructure's mark is not adopted.
pub(crate) fn what_is_anothers_is_not_adopted() -> Result<(), String> {
    let mut story = unbroken(|| adopting("adopt")).with_fresh_memory();
    let mark = Mark {
        infra: "another".parse().unwrap(),
        address: "dc.net.main".parse().unwrap(),
        incarnation: "0123456789abcdef".parse().unwrap(),
    };
    let made = made_by_others(&mut story, &["group-2"], Some(&mark));
    is_refused(&story, made)
}
