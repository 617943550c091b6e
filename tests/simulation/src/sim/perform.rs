//! What an action does to the world, and what its process is told.

use std::sync::Arc;
use std::time::Duration;

use provision_core::call::{Answer, ReadAnswer, Refusal};
use provision_core::machine::{Action, ActionId, Event, GetAnswer, HolderState, ListAnswer, PutAnswer, Verified};
use provision_core::stream::event::Holder;

use super::events::{Delays, Due, Sim, Timer};
use crate::fault::What;
use crate::trace::Did;
use crate::world::{Flight, Request};

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Sim {
    /// Performs an action; its event and how much later it is told, unless the process died or is told otherwise.
    pub(super) fn perform(
        &mut self,
        index: usize,
        id: ActionId,
        action: Action,
        fault: Option<What>,
    ) -> Option<(Event, u64)> {
        let cut = || "the connection was cut".to_owned();
        let read_delay = self.read_delay(&action);
        let world = &mut self.world;
        let fails = fault == Some(What::Fail);
        Some(match action {
            Action::Put { key, bytes } => {
                let request = Request::Put { key: key.0, bytes: bytes.into() };
                return self.mutate(index, id, request, fault);
            }
            Action::Call { target, sending } => {
                let request = Request::Call { target, sending: Arc::new(*sending) };
                return self.mutate(index, id, request, fault);
            }
            Action::PutHint { key, bytes } => {
                world.overwrite(key.0, bytes);
                (Event::Put(PutAnswer::Done), 0)
            }
            Action::Get { .. } if fails => (Event::Get(GetAnswer::Failed(cut())), 0),
            Action::Get { key } => (Event::Get(world.get(key.0)), read_delay),
            Action::List { .. } if fails => (Event::List(ListAnswer::Failed(cut())), 0),
            Action::List { prefix, after } => {
                let listed = world.list(&prefix, after.as_deref(), fault == Some(What::Hide));
                (Event::List(listed), read_delay)
            }
            Action::Verify { .. } if fails => (Event::Verify(Verified::No { problem: cut() }), 0),
            Action::Verify { target } => {
                world.note(Did::Look(format!("verify {target}")));
                (Event::Verify(Verified::Yes { bounds: world.cloud.config().bounds() }), read_delay)
            }
            Action::Read { .. } if fails => (Event::Read(ReadAnswer::Failed { refusal: None, reason: cut() }), 0),
            Action::Read { .. } if fault == Some(What::Throttle) => (Event::Read(ReadAnswer::Throttled), 0),
            Action::Read { target, read } => {
                (Event::Read(world.read(&target, read, fault == Some(What::Hide))), read_delay)
            }
            Action::Check { check } => {
                let answer = world.check(&check, fails);
                world.note(Did::Check { check, answer: answer.clone() });
                (Event::Check(answer), read_delay)
            }
            Action::ProbeHolder { holder } => {
                world.note(Did::Look(format!("probes whether {} lives", holder.name)));
                (Event::Holder(self.probe(index, &holder)), 0)
            }
            Action::Sleep { .. } | Action::Emit(_) => (Event::Woke, 0),
        })
    }

    fn read_delay(&mut self, action: &Action) -> u64 {
        match (&mut self.chance.delays, action) {
            (Delays::None, _) => 0,
            (Delays::Drawn(dice, most), _) => dice.below(*most + 1),
            (Delays::Modelled, Action::Read { read, .. }) => millis(self.world.cloud.config().latency().read(read)),
            (Delays::Modelled, _) => 0,
        }
    }

    /// How long a call or a put takes there and back.
    fn delays(&mut self, request: &Request) -> (u64, u64) {
        match (&mut self.chance.delays, request) {
            (Delays::None, _) | (Delays::Modelled, Request::Put { .. }) => (0, 0),
            (Delays::Drawn(dice, most), _) => (dice.below(*most + 1), dice.below(*most + 1)),
            (Delays::Modelled, Request::Call { sending, .. }) => {
                (millis(self.world.cloud.config().latency().call(sending)), 0)
            }
        }
    }

    /// A process sees those of its own machine alone.
    fn probe(&self, index: usize, holder: &Holder) -> HolderState {
        if holder.boot_id != format!("boot-{}", self.processes[index].job.host) {
            HolderState::Unknown
        } else if self.world.dead.contains(&holder.pid) {
            HolderState::Dead
        } else {
            HolderState::Alive
        }
    }

    /// A call or a put.
    fn mutate(&mut self, index: usize, id: ActionId, request: Request, fault: Option<What>) -> Option<(Event, u64)> {
        let run = self.world.run;
        let unknown = match &request {
            Request::Call { .. } => Event::Call(Answer::Unknown { reason: "the connection was cut".to_owned() }),
            Request::Put { .. } => Event::Put(PutAnswer::Unknown("the connection was cut".to_owned())),
        };
        let (there, back) = self.delays(&request);
        // When it lands, unless it is performed at once; whether its sender is told.
        let (lands, told) = match fault {
            None if there + back == 0 => (None, true),
            None => (Some(there), true),
            Some(What::LoseRequest) => {
                self.sent(&request, &unknown);
                return Some((unknown, 0));
            }
            Some(What::LoseAnswer) => (Some(0), false),
            Some(What::Late { ms } | What::KillLate { ms }) => (Some(ms), false),
            Some(What::Slow { .. }) => (Some(0), true),
            Some(What::Throttle) => {
                let message = "too many calls: slow down".to_owned();
                let code = "RequestLimitExceeded".to_owned();
                let server_time = Some(self.world.server_now());
                let refused = Event::Call(Answer::Refused { refusal: Refusal::Throttled, code, message, server_time });
                self.sent(&request, &refused);
                return Some((refused, 0));
            }
            Some(_) => (None, true),
        };
        let Some(lands) = lands else {
            let event = match request {
                Request::Call { target, sending } => {
                    let answer = self.world.execute(&target, &sending);
                    self.world.note(Did::Call { target, sending, answer: answer.clone() });
                    Event::Call(answer)
                }
                Request::Put { key, bytes } => {
                    let answer = self.world.put(&key, &bytes);
                    let whole = self.world.whole(&bytes);
                    self.world.note(Did::Put { key, whole, answer: answer.clone() });
                    Event::Put(answer)
                }
            };
            return Some((event, 0));
        };
        self.sent(&request, &unknown);
        let back = if let Some(What::Slow { ms }) = fault { ms } else { back };
        self.world.send(lands, Flight { run, request, tell: told.then_some((id, back)) });
        if lands == 0 {
            // At once, but for what landed before at the same time.
            self.deliver_landings();
        }
        match fault {
            Some(What::KillLate { .. }) => {
                self.die(index);
                None
            }
            _ if told => None,
            _ => Some((unknown, 0)),
        }
    }

    fn deliver_landings(&mut self) {
        while self.world.next_landing().is_some_and(|at| at <= self.world.ms) {
            if let Some((run, id, later, event)) = self.world.land() {
                let process = self.processes.iter().position(|process| process.number == run);
                if let Some(process) = process {
                    self.arm(later, Timer { process, planned: true, what: Due::Tell(id, event) });
                }
            }
        }
    }

    /// What its sender is told at once.
    fn sent(&mut self, request: &Request, told: &Event) {
        let did = match (request.clone(), told.clone()) {
            (Request::Call { target, sending }, Event::Call(answer)) => Did::Call { target, sending, answer },
            (Request::Put { key, bytes }, Event::Put(answer)) => {
                Did::Put { key, whole: self.world.whole(&bytes), answer }
            }
            (Request::Call { .. } | Request::Put { .. }, _) => return,
        };
        self.world.note(did);
    }
}
