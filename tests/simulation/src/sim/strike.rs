//! What goes wrong before and at an action.

use provision_core::machine::Action;

use super::events::{Due, Faults, Sim, Timer};
use crate::fault::{Fault, Frozen, Kind, Rival, What};
use crate::process::State;

impl Sim {
    /// What goes wrong before and at an action.
    pub(super) fn faults_at(&mut self, number: u32, position: usize, kind: Kind) -> (Vec<What>, Option<What>) {
        match &mut self.faults {
            Faults::Listed(faults) => {
                let here = || faults.iter().filter(|fault| fault.process == number && fault.action == position);
                let before = here().map(|fault| fault.what).filter(|what| what.is_before()).collect();
                (before, here().map(|fault| fault.what).find(|what| !what.is_before()))
            }
            Faults::Drawn { dice, per_mille, struck } => {
                let fresh = self.processes.iter().any(|process| process.number == number && process.struck == 0);
                if !fresh || !dice.per_mille(*per_mille) {
                    return (Vec::new(), None);
                }
                let what = crate::random::draw(dice, kind);
                struck.push(Fault { process: number, action: position, what });
                if what.is_before() { (vec![what], None) } else { (Vec::new(), Some(what)) }
            }
        }
    }

    /// Something befalls a process; false if its action has to wait.
    pub(super) fn strike(&mut self, index: usize, what: What, action: &Action) -> bool {
        let now = self.world.ms;
        match what {
            What::Pause { ms, frozen } => {
                let lost = match frozen {
                    Frozen::None => (0, 0),
                    Frozen::Boot => (ms, 0),
                    Frozen::Wall => (0, ms),
                    Frozen::Both => (ms, ms),
                };
                self.processes[index].state = State::Paused { until: now + ms, lost };
                self.arm(ms, Timer { process: index, planned: false, what: Due::Resume });
                false
            }
            What::Jump { ms } => {
                self.processes[index].jump(ms);
                true
            }
            What::Interrupt => {
                let process = &mut self.processes[index];
                let asked = process.machine.interrupt(process.now(now));
                self.take_in(index, asked);
                false
            }
            What::Drift(drift) => {
                let about = match action {
                    Action::Call { target, sending } => Some((target, &**sending)),
                    _ => None,
                };
                self.world.drift(drift, about);
                true
            }
            What::Rival(rival) => {
                self.rival(index, rival);
                false
            }
            What::Kill
            | What::KillLate { .. }
            | What::LoseRequest
            | What::LoseAnswer
            | What::Late { .. }
            | What::Slow { .. }
            | What::Throttle
            | What::Fail
            | What::Hide => true,
        }
    }

    fn rival(&mut self, index: usize, rival: Rival) {
        let acting = self.world.run;
        match (rival, self.rivals.clone(), self.processes[index].plan.clone()) {
            (Rival::Same, (Some(job), _), _) | (Rival::Older, (_, Some(job)), _) => drop(self.start(job, false)),
            (Rival::Twin, _, Some(plan)) => {
                let job = self.processes[index].job.clone();
                self.start_approved(job, plan);
            }
            (Rival::Same | Rival::Older | Rival::Twin, ..) => {}
        }
        self.world.run = acting;
    }
}
