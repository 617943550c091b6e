//! `run list` and `run show`: past and present runs, from the store alone.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use provision_core::dsl::Infrastructure;
use provision_core::exec::RunError;
use provision_core::history::{Deed, deeds};
use provision_core::id::{BlockAddr, InfraId, RunId};
use provision_core::machine::{HolderState, Io};
use provision_core::stream::{ReadError, list_runs, read_block_logs, read_run, read_runs};

use crate::cli::{Cli, RunVerb};
use crate::error::CliError;
use crate::render::runs::RunView;
use crate::{Exit, render, store};

pub(crate) async fn run(cli: &Cli, verb: &RunVerb, infrastructure: fn() -> Infrastructure) -> Result<Exit, CliError> {
    let infra = infrastructure().name()?;
    match verb {
        RunVerb::List { limit, json } => list(cli, infra, *limit, *json).await,
        RunVerb::Show { run, json } => show(cli, infra, run, *json).await,
    }
}

async fn list(cli: &Cli, infra: InfraId, limit: u32, json: bool) -> Result<Exit, CliError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let read = store::read(cli, infra, move |io, infra| async move { newest(&io, &infra, limit).await });
    let Newest { runs, count, damaged } = read.await?;
    if json {
        render::json(&render::runs::list_json(&runs, count, &damaged));
    } else {
        render::runs::list(&runs, count);
    }
    for problem in &damaged {
        render::error(problem);
    }
    Ok(if damaged.is_empty() { Exit::Ok } else { Exit::Failed })
}

struct Newest {
    runs: Vec<RunView>,
    /// Of how many.
    count: usize,
    damaged: Vec<String>,
}

async fn newest(io: &Io, infra: &InfraId, limit: usize) -> Result<Newest, RunError> {
    let ids = list_runs(io).await?;
    let (mut states, mut damaged) = (Vec::new(), Vec::new());
    for (id, read) in read_runs(io, infra, ids).await {
        match read {
            // Without a start there is a name and nothing else.
            Ok(state) => states.extend(state.started.is_some().then_some((id, state))),
            Err(error @ ReadError::Store { .. }) => return Err(error.into()),
            Err(error) => damaged.push(error.to_string()),
        }
    }
    states.sort_by_cached_key(|(id, state)| (Reverse(state.began_ms), id.clone()));
    let count = states.len();
    let mut runs = Vec::new();
    for (id, state) in states.into_iter().take(limit) {
        let process = match (&state.started, state.ended) {
            (Some(start), None) => io.probe_holder(start.holder.clone()).await,
            (Some(_) | None, _) => HolderState::Unknown,
        };
        runs.extend(RunView::of(&id, &state, process));
    }
    Ok(Newest { runs, count, damaged })
}

/// What a run did in each of its blocks, or why a block's log can't be used.
type Deeds = BTreeMap<BlockAddr, Result<Vec<Deed>, String>>;

async fn show(cli: &Cli, infra: InfraId, given: &str, json: bool) -> Result<Exit, CliError> {
    let is_hex = !given.is_empty() && given.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hex {
        return Err(CliError::NoRunId(render::plain(given)));
    }
    let prefix = given.to_owned();
    let read = store::read(cli, infra, move |io, infra| async move {
        let ids = list_runs(&io).await?;
        let matching: Vec<RunId> = ids.into_iter().filter(|id| id.as_str().starts_with(&prefix)).collect();
        match matching.as_slice() {
            [run] => Ok(Ok(told(&io, &infra, run).await?)),
            others => Ok(Err(others.to_vec())),
        }
    });
    let told = read.await?.map_err(|matching| {
        let among = matching.iter().map(|run| run.as_str().chars().take(16).collect()).collect::<Vec<String>>();
        let given = given.to_owned();
        if among.is_empty() { CliError::NoRun(given) } else { CliError::ManyRuns { given, among } }
    })?;
    let Some((view, deeds)) = told else { return Err(CliError::NoRun(given.to_owned())) };
    if json {
        render::json(&render::runs::show_json(&view, &deeds));
    } else {
        render::runs::show(&view, &deeds);
    }
    let mut exit = Exit::Ok;
    for (block, problem) in deeds.iter().filter_map(|(block, deeds)| Some((block, deeds.as_ref().err()?))) {
        render::error(&format!("{block}: {problem}"));
        exit = Exit::Failed;
    }
    Ok(exit)
}

async fn told(io: &Io, infra: &InfraId, run: &RunId) -> Result<Option<(RunView, Deeds)>, RunError> {
    let state = read_run(io, infra, run).await?;
    let Some(start) = &state.started else { return Ok(None) };
    let process = match state.ended {
        None => io.probe_holder(start.holder.clone()).await,
        Some(_) => HolderState::Unknown,
    };
    let mut done = Deeds::new();
    for (block, read) in read_block_logs(io, infra, start.blocks.iter().cloned()).await {
        let did = match read {
            Ok(entries) => Ok(deeds(&entries, run)),
            Err(error @ ReadError::Store { .. }) => return Err(error.into()),
            Err(error) => Err(error.to_string()),
        };
        done.insert(block, did);
    }
    Ok(RunView::of(run, &state, process).map(|view| (view, done)))
}
