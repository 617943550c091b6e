//! What must hold of every history, whatever went wrong and however many processes took part: computed from what was
//! sent, what came to stand and what the cloud executed, never from what a run says of itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use provision_core::call::{Answer, Effect, Sending};
use provision_core::desired::Desired;
use provision_core::id::{BlockAddr, CheckName, Generation, ObjectId, ResourceAddr, Token};
use provision_core::plan::{Mode, Moved, Outcome, Plan, ResourcePlan};
use provision_core::sim::Held;

use crate::fault::What;
use crate::oracle::Wrong;
use crate::trace::{Did, Step, Stood, Trace, events};

/// A history, and what has to be known to judge it.
pub struct History<'a> {
    /// What happened.
    pub trace: &'a Trace,
    /// What the cloud held before.
    pub before: &'a [Held],
    /// What the code of each process says.
    pub codes: &'a BTreeMap<u32, Arc<Desired>>,
    /// What each process planned.
    pub plans: &'a BTreeMap<u32, Arc<Plan>>,
    /// How long leases last, in milliseconds.
    pub lease_ms: u64,
    /// How far a call's stamp may be from the cloud's clock, in milliseconds.
    pub stamp_ms: u64,
    /// How far ahead the wall clock of a process was when it began.
    pub ahead_ms: &'a BTreeMap<u32, i64>,
}

impl History<'_> {
    /// All of it.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn holds(&self) -> Wrong {
        intents_come_first(self.trace)?;
        tokens_are_used_once(self.trace)?;
        entries_are_immutable(self.trace)?;
        what_is_applied_is_ready(self.trace)?;
        self.one_process_writes_a_run()?;
        self.takeovers_are_right()?;
        self.claims_come_first()?;
        self.gates_hold()?;
        self.no_effect_after_the_lease()?;
        self.effects_are_ours_and_planned()
    }

    /// A plan has one run, and one process at a time writes it: its own stream, and what it holds. Another one goes on with it
    /// only by an entry that says so, and holds a block only by a claim of its own.
    fn one_process_writes_a_run(&self) -> Wrong {
        let mut writers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut blocks: BTreeMap<&str, u32> = BTreeMap::new();
        for stood in self.trace.stood() {
            let Some(run) = run_of(&stood) else { continue };
            let of_run = stood.key.starts_with("v1/run/");
            let (holders, stream, takes) = match stood.key.rsplit_once('/') {
                Some((block, _)) if !of_run => (&mut blocks, block, contains(stood.bytes, b"\"event\":\"claimed\"")),
                _ => (&mut writers, run, contains(stood.bytes, b"\"event\":\"resumed\"")),
            };
            let writer = holders.entry(stream).or_insert(stood.run);
            if *writer != stood.run && !takes {
                return Err(format!("#{writer} and #{} both write {stream}", stood.run));
            }
            *writer = stood.run;
        }
        Ok(())
    }

    /// A claim or a run is taken over only from a run that has ended, from a dead process, or after the lease.
    fn takeovers_are_right(&self) -> Wrong {
        let mut holders: BTreeMap<&str, (&str, u32)> = BTreeMap::new();
        let mut signs: BTreeMap<&str, Sign> = BTreeMap::new();
        let mut gone: BTreeSet<u32> = BTreeSet::new();
        for step in &self.trace.steps {
            if let Did::Died | Did::Ended { .. } = step.did {
                gone.insert(step.run);
            }
            let Some(stood) = stood(step) else { continue };
            let Some(run) = run_of(&stood) else { continue };
            if stood.key.starts_with("v1/run/") {
                let ended = contains(stood.bytes, b"\"event\":\"ended\"");
                let fresh = Sign { ms: stood.ms, ended, lapsed: false, writer: stood.run };
                if let (Some(why), Some(before)) = (took_over(stood.bytes), signs.get(run)) {
                    self.is_right(&why, before, gone.contains(&before.writer), &stood, run)?;
                    signs.insert(run, fresh);
                    continue;
                }
                let before = signs.get(run).unwrap_or(&fresh);
                let lapsed = before.lapsed || stood.ms >= before.ms + self.lease_ms;
                signs.insert(run, Sign { lapsed, ..fresh });
                continue;
            }
            let block = stood.key.rsplit_once('/').map_or("", |(block, _)| block);
            let before = holders.insert(block, (run, stood.run));
            if !contains(stood.bytes, b"\"event\":\"claimed\"") {
                if before.is_some_and(|(holder, _)| holder != run) {
                    return Err(format!("#{} writes to {block} after it was superseded", stood.run));
                }
                continue;
            }
            let (Some(why), Some((holder, process))) = (took_over(stood.bytes), before) else { continue };
            let Some(sign) = signs.get(holder) else { return Err(format!("nobody knows run {holder}")) };
            if holder == run {
                // Who goes on with a run has its blocks as well.
                if process == stood.run || sign.writer != stood.run {
                    return Err(format!("#{} takes {block} over from its own run, which it did not resume", stood.run));
                }
                continue;
            }
            // Who resumed its run may live: nothing of it is in a block before a claim of its own.
            self.is_right(&why, sign, gone.contains(&process), &stood, block)?;
        }
        Ok(())
    }

    fn is_right(&self, why: &str, sign: &Sign, holder_is_gone: bool, stood: &Stood<'_>, what: &str) -> Wrong {
        let right = match why {
            "run_ended" => sign.ended,
            "holder_dead" => holder_is_gone,
            "lease_expired" => sign.ended || sign.lapsed || stood.ms >= sign.ms + self.lease_ms,
            _ => false,
        };
        let since = stood.ms.saturating_sub(sign.ms);
        if right {
            Ok(())
        } else {
            Err(format!("#{} takes {what} over ({why}), {since} ms after a sign of life", stood.run))
        }
    }

    /// No call of a run takes effect once the lease has lapsed and no stamp that was fixed before is good.
    fn no_effect_after_the_lease(&self) -> Wrong {
        let mut sent: BTreeMap<(&str, u32), u64> = BTreeMap::new();
        let mut renewed: BTreeMap<u32, (u64, Option<u64>)> = BTreeMap::new();
        let mut ahead: BTreeMap<u32, i64> = self.ahead_ms.clone();
        for step in &self.trace.steps {
            match &step.did {
                Did::Put { key, .. } if key.starts_with("v1/run/") => {
                    sent.entry((key, step.run)).or_insert(step.ms);
                }
                Did::Fault(What::Jump { ms }) => *ahead.entry(step.run).or_default() += ms,
                _ => {}
            }
            if let Some(stood) = stood(step).filter(|stood| stood.key.starts_with("v1/run/")) {
                let at = sent.get(&(stood.key, step.run)).copied().unwrap_or(step.ms);
                let (last, lapsed) = renewed.entry(step.run).or_insert((at, None));
                if lapsed.is_none() && at > *last + self.lease_ms {
                    *lapsed = Some(*last + self.lease_ms);
                }
                *last = at;
            }
            let Some((sending, _)) = effect(step) else { continue };
            let Some((last, lapsed)) = renewed.get(&step.run) else {
                return Err(format!("#{} calls {} outside of a run", step.run, sending.call.api));
            };
            // A clock that is ahead makes stamps that are good for longer.
            let ahead = u64::try_from(ahead.get(&step.run).copied().unwrap_or(0)).unwrap_or(0);
            let until = lapsed.unwrap_or(*last + self.lease_ms) + self.stamp_ms + ahead.min(self.stamp_ms);
            if step.ms > until {
                let late = step.ms - until;
                return Err(format!(
                    "{} of #{} takes effect {late} ms after its last instant",
                    sending.call.api, step.run
                ));
            }
        }
        Ok(())
    }

    /// No process calls anything before it has claimed every block that its plan may change.
    fn claims_come_first(&self) -> Wrong {
        let mut claimed: BTreeSet<(u32, &str)> = BTreeSet::new();
        let mut called: BTreeSet<u32> = BTreeSet::new();
        for step in &self.trace.steps {
            if let Some(stood) = stood(step).filter(|stood| contains(stood.bytes, b"\"event\":\"claimed\"")) {
                claimed.extend(block_of(stood.key).map(|block| (stood.run, block)));
            }
            let Did::Call { sending, .. } = &step.did else { continue };
            if let (true, Some(plan)) = (called.insert(step.run), self.plans.get(&step.run))
                && let Some(first) =
                    plan.touched().iter().find(|block| !claimed.contains(&(step.run, block.to_string().as_str())))
            {
                return Err(format!("#{} calls {} before it has claimed {first}", step.run, sending.call.api));
            }
        }
        Ok(())
    }

    /// Nothing is made or changed in a block before the checks of all that it waits for have passed, in the same process, as
    /// often in a row as they have to; nothing at all is called in an environment before those of the earlier ones have.
    fn gates_hold(&self) -> Wrong {
        let mut passed: BTreeMap<(u32, &BlockAddr, &CheckName), u32> = BTreeMap::new();
        for step in &self.trace.steps {
            let Some(code) = self.codes.get(&step.run) else { continue };
            if let Did::Check { check, answer } = &step.did {
                let in_a_row = passed.entry((step.run, &check.block, &check.check)).or_default();
                *in_a_row = if answer.result.is_ok() { *in_a_row + 1 } else { 0 };
            }
            let (Did::Call { sending, .. }, Some(plan)) = (&step.did, self.plans.get(&step.run)) else { continue };
            let removes = matches!(sending.call.effect, Effect::Remove);
            let made = match &sending.call.effect {
                Effect::Create { mark: Some(mark), .. } => Some(mark.address.clone()),
                _ => sending.object.as_ref().and_then(|id| has(plan, id)),
            };
            let Some(block) = made.map(|addr| addr.block) else { continue };
            let env = |block: &BlockAddr| {
                let env = &code.dcs.get(&block.dc)?.env;
                code.environments.iter().position(|other| other == env)
            };
            for (other, definition) in &code.blocks {
                let waits = !removes && waits_for(code, &block, other) || env(other) < env(&block);
                for (name, check) in definition.checks.iter().filter(|_| waits && plan.mode == Mode::Apply) {
                    let times = passed.get(&(step.run, other, name)).copied().unwrap_or(0);
                    if times < check.passes {
                        return Err(format!(
                            "#{} calls {} in {block} before {name} of {other} has passed {} times",
                            step.run, sending.call.api, check.passes
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Every call changes an object that we made, as the plan of its process allows, and no newer code has had the block.
    fn effects_are_ours_and_planned(&self) -> Wrong {
        let mut ours: BTreeMap<String, ResourceAddr> = BTreeMap::new();
        for held in self.before {
            if let Some(mark) = &held.mark {
                ours.insert(held.id.to_string(), mark.address.clone());
            }
        }
        let mut generations: BTreeMap<String, Generation> = BTreeMap::new();
        // What was sent before newer code had the block, and lands later, is waited for by that.
        let mut sent: BTreeMap<*const Sending, BTreeMap<String, Generation>> = BTreeMap::new();
        for step in &self.trace.steps {
            if let Some(stood) = stood(step)
                && let Some(block) = block_of(stood.key)
            {
                let generation = generation_of(stood.bytes);
                let last = generations.entry(block.to_owned()).or_default();
                if generation < *last {
                    return Err(format!("#{} writes to {block} with generation {generation} after {last}", step.run));
                }
                *last = generation;
            }
            if let Did::Call { sending, answer: Answer::Unknown { .. }, .. } = &step.did {
                sent.entry(Arc::as_ptr(sending)).or_insert_with(|| generations.clone());
            }
            let Some((sending, answer)) = effect(step) else { continue };
            let api = &sending.call.api;
            let addr = match (&sending.call.effect, &sending.object, answer) {
                (Effect::Create { mark: Some(mark), .. }, _, Answer::Done { id: Some(id), .. }) => {
                    ours.insert(id.to_string(), mark.address.clone());
                    mark.address.clone()
                }
                (_, Some(id), _) => match ours.get(id.as_str()) {
                    Some(addr) => addr.clone(),
                    None => return Err(format!("{api} of #{} acts on {id}, which we did not make", step.run)),
                },
                (_, None, _) => return Err(format!("{api} of #{} acts on nothing that carries our mark", step.run)),
            };
            let Some(plan) = self.plans.get(&step.run) else {
                return Err(format!("{api} of #{} without a plan", step.run));
            };
            // An object that changes its address carries the old one in its mark until that is set. What names only the
            // mark is of the resource that is moved from there, or of that which has the address now.
            let addr = match (sending.object.as_ref().and_then(|id| has(plan, id)), goes_to(plan, &addr)) {
                (Some(known), _) => known,
                (None, Some(to)) if !allows(plan, &addr, sending) => to,
                (None, _) => addr,
            };
            let block = addr.block.to_string();
            let known = sent.get(&std::ptr::from_ref(sending)).unwrap_or(&generations);
            if known.get(&block).is_some_and(|last| plan.generation < *last) {
                return Err(format!("{api} of #{} has an older generation than the last of {block}", step.run));
            }
            if !allows(plan, &addr, sending) {
                return Err(format!("{api} of #{} on {addr} is outside of its plan", step.run));
            }
        }
        Ok(())
    }
}

/// Whether a block waits for another one, directly or not.
fn waits_for(code: &Desired, block: &BlockAddr, other: &BlockAddr) -> bool {
    code.blocks.get(block).is_some_and(|definition| {
        definition.after.iter().any(|before| before == other || waits_for(code, before, other))
    })
}

/// The address that an object has when everything has moved as planned.
fn has(plan: &Plan, id: &ObjectId) -> Option<ResourceAddr> {
    let goes = |resource: &ResourcePlan| matches!(resource.moved, Some(Moved::Out { .. }));
    let of = |resource: &ResourcePlan| {
        resource.existing.as_ref().is_some_and(|existing| existing.id == *id)
            || resource.retire.iter().any(|due| due.id == *id)
    };
    plan.resources().find(|(_, resource)| of(resource) && !goes(resource)).map(|(addr, _)| addr)
}

/// Where the plan moves what an open call of this address may have made.
fn goes_to(plan: &Plan, addr: &ResourceAddr) -> Option<ResourceAddr> {
    let comes = Some(Moved::In { from: addr.clone() });
    plan.resources().find(|(_, resource)| resource.moved == comes).map(|(to, _)| to)
}

fn allows(plan: &Plan, addr: &ResourceAddr, sending: &Sending) -> bool {
    let Some(resource) = plan.resource(addr) else { return false };
    let any = |outcomes: &[Outcome]| outcomes.iter().any(|outcome| resource.allowed.contains(outcome));
    match &sending.call.effect {
        Effect::Create { .. } => any(&[Outcome::Create, Outcome::Replace]),
        Effect::Set { .. } => any(&[Outcome::Create, Outcome::Replace, Outcome::Update]),
        Effect::Remove => {
            let listed = |id| resource.retire.iter().any(|due| due.id == id);
            any(&[Outcome::Delete, Outcome::Replace]) || sending.object.clone().is_some_and(listed)
        }
    }
}

/// The last sign of life of a run.
struct Sign {
    ms: u64,
    /// Whether it was its end.
    ended: bool,
    /// Whether its lease had lapsed: nothing brings it back, also not a renewal by a process whose clocks stood still.
    lapsed: bool,
    /// Whose it was.
    writer: u32,
}

/// Why an entry takes something over, if it does.
fn took_over(bytes: &[u8]) -> Option<String> {
    events(bytes).first().and_then(|event| event["took_over"].as_str()).map(str::to_owned)
}

/// The entry that came to stand at a step.
fn stood(step: &Step) -> Option<Stood<'_>> {
    match &step.did {
        Did::Put { key, whole, answer: provision_core::machine::PutAnswer::Done }
        | Did::PutLanded { key, whole, answer: provision_core::machine::PutAnswer::Done } => {
            Some(Stood { ms: step.ms, run: step.run, key, bytes: whole })
        }
        _ => None,
    }
}

/// The call that the cloud executed at a step.
fn effect(step: &Step) -> Option<(&Sending, &Answer)> {
    match &step.did {
        Did::Call { sending, answer: answer @ Answer::Done { .. }, .. }
        | Did::Landed { sending, answer: answer @ Answer::Done { .. } } => Some((sending, answer)),
        _ => None,
    }
}

/// The block whose stream has this key.
fn block_of(key: &str) -> Option<&str> {
    key.strip_prefix("v1/block/")?.split('/').next()
}

/// The run that an entry belongs to: of its own stream, or under whose claim it stands.
fn run_of<'a>(stood: &Stood<'a>) -> Option<&'a str> {
    if let Some(rest) = stood.key.strip_prefix("v1/run/") {
        return rest.split('/').next();
    }
    let rest = after(stood.bytes, b"\"claim\":{\"run\":\"")?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&rest[..end]).ok()
}

fn generation_of(bytes: &[u8]) -> Generation {
    let digits = after(bytes, b"\"generation\":").unwrap_or_default();
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    Generation(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn after<'a>(bytes: &'a [u8], what: &[u8]) -> Option<&'a [u8]> {
    let at = position(bytes, what)?;
    bytes.get(at + what.len()..)
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    position(bytes, what).is_some()
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, what)
}

/// Every call was sent while an entry stood that holds its intent: the whole call, its object, stamp and last instant.
///
/// # Errors
/// The first call that was not.
pub fn intents_come_first(trace: &Trace) -> Wrong {
    let mut standing: Vec<&[u8]> = Vec::new();
    for step in &trace.steps {
        if let Some(stood) = stood(step).filter(|stood| stood.key.starts_with("v1/block/")) {
            standing.push(stood.bytes);
        }
        let Did::Call { sending, .. } = &step.did else { continue };
        let object = serde_json::to_string(&sending.object).unwrap();
        let call = format!(",\"call\":{},", serde_json::to_string(&sending.call).unwrap());
        let times = format!("\"stamp\":{},\"last_instant\":{}}}", sending.stamp.0, sending.last_instant.0);
        let holds = |entry: &&&[u8]| {
            let Some(at) = position(entry, call.as_bytes()) else { return false };
            let (head, tail) = entry.split_at(at);
            let head = &head[head.len().saturating_sub(2000)..];
            contains(tail, times.as_bytes()) && contains(head, format!("\"object\":{object}").as_bytes())
        };
        if standing.iter().rev().find(holds).is_none() {
            return Err(format!("{} of #{} was sent before its intent was durable", sending.call.api, step.run));
        }
    }
    Ok(())
}

/// No two creates share an incarnation: what is sent again is the same request with the same stamp.
///
/// # Errors
/// The first one that is used again.
pub fn tokens_are_used_once(trace: &Trace) -> Wrong {
    let mut used: BTreeMap<Token, &Sending> = BTreeMap::new();
    for called in trace.calls() {
        let Effect::Create { mark: Some(mark), .. } = &called.sending.call.effect else { continue };
        let first = used.entry(mark.incarnation.clone()).or_insert(called.sending);
        if *first != called.sending {
            return Err(format!("{} uses the token {} again", called.sending.call.api, mark.incarnation));
        }
    }
    Ok(())
}

fn entries_are_immutable(trace: &Trace) -> Wrong {
    for did in trace.did() {
        if let Did::Hint { key, overwrote: true } = did
            && !key.starts_with("v1/hint/")
        {
            return Err(format!("{key} was overwritten"));
        }
    }
    Ok(())
}

fn what_is_applied_is_ready(trace: &Trace) -> Wrong {
    for step in &trace.steps {
        if let Did::NotReady(which) = &step.did {
            return Err(format!("#{} calls {which:?} applied, which is not ready", step.run));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plans;
    use crate::sim::Stuck;

    /// An oracle that cannot be wrong proves nothing.
    #[test]
    fn a_call_before_a_claim_is_noticed() {
        let story = plans::create();
        let mut sim = story.sim(story.world.clone());
        sim.start(story.first.clone(), false);
        sim.run().map_err(|Stuck(why)| why).unwrap();
        assert_eq!(story.holds(&sim), Ok(()));
        let claims = |step: &Step| stood(step).is_some_and(|stood| stood.key.starts_with("v1/block/us-test.c101/"));
        let claim = sim.world.trace.steps.iter().position(claims).unwrap();
        sim.world.trace.steps.remove(claim);
        let wrong = story.holds(&sim).unwrap_err();
        assert!(wrong.contains("before it has claimed us-test.c101"), "{wrong}");
    }
}
