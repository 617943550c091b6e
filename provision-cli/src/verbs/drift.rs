//! `drift`: what was applied against what is there. Reads, and changes nothing.

use provision_core::drift::Verdict;
use provision_core::dsl::Infrastructure;
use provision_core::embed::Task;
use provision_core::exec::{DriftSpec, Settings, look_for_drift};
use provision_core::machine::Memory;

use crate::cli::{Cli, DriftArgs};
use crate::error::CliError;
use crate::render::progress::Watcher;
use crate::setup::{self, Opening};
use crate::{Exit, clouds, render, signals};

pub(crate) async fn run(cli: &Cli, args: &DriftArgs, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    let code = infrastructure();
    let infra = code.name()?;
    // Findings are no concern of drift; the targets of the blocks that were applied stand in their logs.
    let dcs = code.finish().map(|desired| desired.dcs).unwrap_or_default();
    let spec = DriftSpec {
        infra,
        targets: dcs.into_values().flat_map(|dc| dc.targets.into_values()).collect(),
        providers: clouds::providers(),
        read_attempts: Settings::default().read_attempts,
    };
    let world = setup::world(cli, &Default::default(), Opening::Look).await?;
    let looking = Task::start(Memory::default(), world, |io| async move { look_for_drift(&io, &spec).await });
    // Nothing but the report may stand on standard output where a program reads it.
    let report = if args.json {
        signals::unless_interrupted(looking.finish()).await
    } else {
        let mut watcher = Watcher::new(None, false);
        signals::unless_interrupted(watcher.watch(looking)).await
    };
    let report = report??;
    if args.json {
        render::json(&report);
    } else {
        render::drift::show(&report);
    }
    Ok(match report.verdict() {
        Verdict::None => Exit::Ok,
        Verdict::Drift => Exit::Changes,
        Verdict::NotKnown => Exit::Failed,
    })
}
