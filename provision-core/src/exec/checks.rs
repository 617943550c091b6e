//! The gate of a block: what waits for it goes on once its health checks have passed.

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use std::time::Duration;

use super::context::{ActionError, Exec};
use super::report::CheckReport;
use crate::check::{DesiredCheck, ReadyCheck};
use crate::id::{BlockAddr, CheckName, ObjectId, TypeName};
use crate::mutant::{self, Mutant};
use crate::plan::{BlockPlan, Mode};
use crate::progress::{CheckResult, Progress};
use crate::stream::event::BlockEvent;
use crate::stream::{Checked, Health};
use crate::target::TargetId;

impl Exec {
    /// Whether the block has checks that count in this run.
    pub(super) fn has_checks(&self, block: &BlockAddr) -> bool {
        let defined = self.desired.blocks.get(block).is_some_and(|definition| !definition.checks.is_empty());
        defined && self.plan.mode == Mode::Apply
    }

    /// Whether its checks are asked in any case.
    pub(super) fn checks_due(&self, block: &BlockAddr) -> bool {
        matches!(self.plan.blocks.get(block), Some(BlockPlan::Planned(change)) if !change.checks_due.is_empty())
    }

    /// Asks every check of the block until each has passed or its time is over, all at once. What they told stands in the
    /// run's stream before it counts.
    pub(super) async fn ask_checks(&self, block: &BlockAddr) -> Result<Vec<CheckReport>, ActionError> {
        let definition = self.desired.blocks.get(block);
        let definition = definition.ok_or_else(|| ActionError::Bug(format!("{block} is not in the code")))?;
        let asking: FuturesUnordered<_> =
            definition.checks.iter().map(|(name, check)| self.ask_check(block, name, check)).collect();
        let mut reports: Vec<CheckReport> = asking.collect().await;
        reports.sort_by(|a, b| a.check.cmp(&b.check));
        for report in &reports {
            if report.result != CheckResult::Interrupted {
                let CheckReport { block, check, result, simulated, began_ms: _, ended_ms: _ } = report.clone();
                self.run.checked(Checked { block, check, result, simulated }).await?;
            }
        }
        let passed = reports.iter().all(|report| report.result == CheckResult::Passed);
        if let Some(claim) = self.claims.get(block).filter(|_| passed)
            && claim.state().health == Health::Untold
        {
            claim.append(vec![BlockEvent::Healthy {}]).await?;
        }
        Ok(reports)
    }

    async fn ask_check(&self, block: &BlockAddr, name: &CheckName, check: &DesiredCheck) -> CheckReport {
        let began = self.io.now();
        let mut simulated = false;
        let result = match self.until_it_passes(block, name, check, &mut simulated).await {
            Ok(()) => CheckResult::Passed,
            Err(Unhealthy::Interrupted) => CheckResult::Interrupted,
            Err(Unhealthy::Because(reason)) => CheckResult::Failed { reason },
        };
        let now = self.io.now();
        self.io.emit(Progress::Checked {
            block: block.clone(),
            check: name.clone(),
            result: result.clone(),
            simulated,
            took_ms: now.boot_ms.saturating_sub(began.boot_ms),
        });
        CheckReport {
            block: block.clone(),
            check: name.clone(),
            result,
            simulated,
            began_ms: began.wall_ms,
            ended_ms: now.wall_ms,
        }
    }

    async fn until_it_passes(
        &self,
        block: &BlockAddr,
        name: &CheckName,
        check: &DesiredCheck,
        simulated: &mut bool,
    ) -> Result<(), Unhealthy> {
        let ready = self.ready_check(block, name, check).map_err(Unhealthy::Because)?;
        let tell = |what: String| self.io.emit(Progress::Checking { block: block.clone(), check: name.clone(), what });
        tell(ready.ask.shown());
        let began = self.io.now().boot_ms;
        let (mut in_a_row, mut told) = (0, None);
        loop {
            // Who lost the lease says nothing more about the block.
            self.lease.check(self.io.now()).map_err(|lapsed| Unhealthy::Because(lapsed.to_string()))?;
            let answer = self.io.check(ready.clone()).await;
            *simulated = answer.simulated;
            let result = match answer.result {
                // What a simulated cloud says counts among simulated things alone.
                Ok(()) if answer.simulated && !self.simulated && !mutant::on(Mutant::SimulatedCheckCounts) => {
                    return Err(Unhealthy::Because(
                        "a simulated cloud answered, and this run is not simulated".to_owned(),
                    ));
                }
                Err(_) if mutant::on(Mutant::FailedCheckPasses) => Ok(()),
                result => result,
            };
            let wrong = match result {
                Ok(()) => {
                    in_a_row += 1;
                    if in_a_row >= check.passes || mutant::on(Mutant::OnePassIsEnough) {
                        return Ok(());
                    }
                    None
                }
                Err(reason) => {
                    in_a_row = 0;
                    if told.as_ref() != Some(&reason) {
                        tell(reason.clone());
                        told = Some(reason.clone());
                    }
                    Some(reason)
                }
            };
            let waited = self.io.now().boot_ms.saturating_sub(began);
            if waited.saturating_add(check.every_ms) > check.within_ms {
                let within = Duration::from_millis(check.within_ms).as_secs_f64();
                let reason =
                    wrong.unwrap_or_else(|| format!("it passed {in_a_row} times of {} in a row", check.passes));
                return Err(Unhealthy::Because(format!("{reason} ({}, for {within} s)", ready.ask.shown())));
            }
            self.pause(Duration::from_millis(check.every_ms)).await.map_err(|_| Unhealthy::Interrupted)?;
        }
    }

    /// The check with everything known, and the objects that it is about.
    fn ready_check(&self, block: &BlockAddr, name: &CheckName, check: &DesiredCheck) -> Result<ReadyCheck, String> {
        let resolve = |open: &crate::value::Expr| open.resolve(&|output| self.output(output));
        let ask = check.ask.try_map(resolve).map_err(|output| format!("the output {output} is not known"))?;
        let mut used = check.depends_on();
        if used.is_empty() {
            let own = self.desired.blocks.get(block).into_iter().flat_map(|definition| definition.resources.keys());
            used = own.map(|name| block.resource(name.clone())).collect();
        }
        let objects = used.iter().filter_map(|addr| self.object_of(addr)).collect();
        Ok(ReadyCheck { block: block.clone(), check: name.clone(), ask, objects })
    }

    fn object_of(&self, addr: &crate::id::ResourceAddr) -> Option<(TargetId, TypeName, ObjectId)> {
        let of = |object: &crate::stream::event::ObjectRecord| {
            (object.target.clone(), object.type_name.clone(), object.id.clone())
        };
        match self.claims.get(&addr.block) {
            Some(claim) => claim.state().resources.get(&addr.name).map(|state| of(&state.object)),
            None => self.unclaimed.get(addr).cloned(),
        }
    }
}

/// Why a check did not pass.
enum Unhealthy {
    Interrupted,
    Because(String),
}
