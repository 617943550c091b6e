//! Runs, as text and as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use provision_core::history::{Deed, Did};
use provision_core::id::{BlockAddr, CheckName, Generation, Revision, RunId};
use provision_core::machine::HolderState;
use provision_core::progress::CheckResult;
use provision_core::stream::event::RunOutcome;
use provision_core::stream::{Checked, RunState};
use serde::Serialize;

use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::{plain, time};

/// What is known of a run. All its times are the store's.
#[derive(Debug, Serialize)]
pub(crate) struct RunView {
    id: RunId,
    /// Its first characters: enough to tell runs apart for a person.
    short: String,
    status: Status,
    started: String,
    started_ms: u64,
    /// When its last entry was written: its end, or the last sign of life of a run that has none.
    last_sign: String,
    last_sign_ms: u64,
    who: String,
    revision: Revision,
    generation: Generation,
    simulated: bool,
    /// How long its lease lasts after each sign of life, in milliseconds.
    lease_ms: u64,
    blocks: BTreeSet<BlockAddr>,
    /// How often another process went on with it.
    resumed: usize,
    /// What health checks told, in order.
    checks: Vec<CheckView>,
}

/// What a health check told.
#[derive(Debug, Serialize)]
struct CheckView {
    block: BlockAddr,
    check: CheckName,
    passed: bool,
    reason: Option<String>,
    simulated: bool,
}

impl CheckView {
    fn of(checked: &Checked) -> Self {
        let Checked { block, check, result, simulated } = checked;
        let reason = match result {
            CheckResult::Passed => None,
            CheckResult::Failed { reason } => Some(reason.clone()),
            CheckResult::Interrupted => Some("interrupted".to_owned()),
        };
        Self { block: block.clone(), check: check.clone(), passed: reason.is_none(), reason, simulated: *simulated }
    }

    fn line(&self) -> String {
        let by = if self.simulated { " (simulated)" } else { "" };
        match &self.reason {
            None => format!("  check {}: {GREEN}passed{GREEN:#}{by}", self.check),
            Some(reason) => format!("  check {}: {RED}failed{RED:#}{by}: {}", self.check, plain(reason)),
        }
    }
}

/// How a run ended, or what is known where it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    /// Everything that was planned was done.
    Succeeded,
    /// Something failed.
    Failed,
    /// It was interrupted.
    Interrupted,
    /// Nothing was called.
    Refused,
    /// Its process runs on this machine.
    Running,
    /// It has no end, and its process is not on this machine any more.
    ProcessGone,
    /// It has no end, and whether it still runs cannot be seen from here.
    NoEnd,
}

impl RunView {
    /// `None` for a stream without a start.
    pub(crate) fn of(id: &RunId, state: &RunState, process: HolderState) -> Option<Self> {
        let start = state.started.as_ref()?;
        let status = match (state.ended, process) {
            (Some(RunOutcome::Succeeded), _) => Status::Succeeded,
            (Some(RunOutcome::Failed), _) => Status::Failed,
            (Some(RunOutcome::Interrupted), _) => Status::Interrupted,
            (Some(RunOutcome::Refused), _) => Status::Refused,
            (None, HolderState::Alive) => Status::Running,
            (None, HolderState::Dead) => Status::ProcessGone,
            (None, HolderState::Unknown) => Status::NoEnd,
        };
        Some(Self {
            id: id.clone(),
            short: id.short().to_owned(),
            status,
            started: time(state.began_ms),
            started_ms: state.began_ms,
            last_sign: time(state.modified_ms),
            last_sign_ms: state.modified_ms,
            who: start.holder.name.clone(),
            revision: start.revision.clone(),
            generation: start.generation,
            simulated: start.simulated,
            lease_ms: start.lease_ms,
            blocks: start.blocks.clone(),
            resumed: state.resumed.len(),
            checks: state.checks.iter().map(CheckView::of).collect(),
        })
    }

    /// How it ended, and how long it took.
    fn how(&self) -> String {
        let took = duration(self.last_sign_ms.saturating_sub(self.started_ms));
        let ended = |style: anstyle::Style, word: &str| format!("{style}{word}{style:#} after {took}");
        match self.status {
            Status::Succeeded => ended(GREEN, "succeeded"),
            Status::Failed => ended(RED, "failed"),
            Status::Interrupted => ended(YELLOW, "interrupted"),
            Status::Refused => ended(YELLOW, "refused"),
            Status::Running => format!("{GREEN}running{GREEN:#}"),
            Status::ProcessGone => format!("{RED}died?{RED:#} its process is gone"),
            Status::NoEnd => format!("{YELLOW}no end{YELLOW:#}"),
        }
    }

    /// Since when nothing was heard of it, where that says something. The store's clock cannot be read, only what it
    /// wrote; so nobody can tell from here how long ago that was.
    fn silent(&self) -> Option<String> {
        match self.status {
            Status::ProcessGone | Status::NoEnd => Some(format!("no sign of life since {}", self.last_sign)),
            Status::Succeeded | Status::Failed | Status::Interrupted | Status::Refused | Status::Running => None,
        }
    }

    fn made_of(&self) -> String {
        let simulated = if self.simulated { ", simulated" } else { "" };
        format!("generation {}, revision {}, by {}{simulated}", self.generation, self.revision, plain(&self.who))
    }
}

impl fmt::Display for RunView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blocks = counted(self.blocks.len(), "block");
        writeln!(f, "{BOLD}{}{BOLD:#}  {}  {}", self.short, self.started, self.how())?;
        if let Some(silent) = self.silent() {
            writeln!(f, "          {silent}")?;
        }
        write!(f, "          {DIM}{blocks}, {}{DIM:#}", self.made_of())
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `6.1 s`, `3 min 20 s`, `2 h 5 min`.
fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..60 => format!("{seconds}.{} s", ms % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// Prints runs in the order in which they come.
pub(crate) fn list(runs: &[RunView], count: usize) {
    runs.iter().for_each(|run| super::line(&run.to_string()));
    if count == 0 {
        super::line(&format!("{DIM}No runs yet.{DIM:#}"));
    } else if runs.len() < count {
        super::line(&format!("{DIM}{} of {count} runs; --limit N shows more{DIM:#}", runs.len()));
    }
}

/// Prints a run, and what it did.
pub(crate) fn show(run: &RunView, deeds: &BTreeMap<BlockAddr, Result<Vec<Deed>, String>>) {
    show_lines(run, deeds).iter().for_each(|line| super::line(line));
}

fn show_lines(run: &RunView, deeds: &BTreeMap<BlockAddr, Result<Vec<Deed>, String>>) -> Vec<String> {
    let mut lines = vec![
        format!("{BOLD}run {}{BOLD:#}", run.id),
        format!("  {}", run.how()),
        format!("  started {} by the store's clock", run.started),
    ];
    lines.extend(run.silent().map(|silent| format!("  {silent}")));
    lines.push(format!("  {}", run.made_of()));
    if run.resumed > 0 {
        lines.push(format!("  resumed {}", counted(run.resumed, "time")));
    }
    lines.push(String::new());
    for (block, deeds) in deeds {
        lines.push(format!("{BOLD}{block}{BOLD:#}"));
        match deeds {
            Ok(deeds) if deeds.is_empty() => lines.push(format!("  {DIM}nothing{DIM:#}")),
            Ok(deeds) => lines.extend(deeds.iter().map(|deed| format!("  {}: {}", deed.resource, words(&deed.did)))),
            Err(_) => lines.push(format!("  {RED}its log can't be used{RED:#}")),
        }
        lines.extend(run.checks.iter().filter(|check| check.block == *block).map(CheckView::line));
    }
    // Of blocks that were asked because others wait for them.
    let others = run.checks.iter().filter(|check| !deeds.contains_key(&check.block));
    lines.extend(others.map(|check| format!("{BOLD}{}{BOLD:#}\n{}", check.block, check.line())));
    lines
}

fn words(did: &Did) -> String {
    let object = |type_name, id: &Option<_>| match id {
        Some(id) => format!("{type_name} {id}"),
        None => format!("a {type_name}"),
    };
    match did {
        Did::Created { type_name, id } => format!("{GREEN}created{GREEN:#} {}", object(type_name, id)),
        Did::Updated { type_name, id, fields } => {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let what = if fields.is_empty() { "its mark".to_owned() } else { fields.join(", ") };
            format!("{YELLOW}updated{YELLOW:#} {what} of {}", object(type_name, id))
        }
        Did::Deleted { type_name, id } => format!("{RED}deleted{RED:#} {}", object(type_name, id)),
        Did::Failed { api, code, message } => {
            format!("{RED}failed:{RED:#} {} was refused: {}: {}", plain(api), plain(code), plain(message))
        }
        Did::DidNotLand { api } => format!("{} did not land", plain(api)),
        Did::LeftOpen { api } => format!("{YELLOW}left open:{YELLOW:#} whether {} landed", plain(api)),
        Did::Deposed { id } => format!("{id} set aside, to be deleted"),
        Did::FoundGone { id } => format!("found {id} to be gone"),
        Did::MovedOut { to } => format!("moved to {to}"),
        Did::MovedIn { from } => format!("moved here from {from}"),
        Did::Adopted { type_name, id } => format!("took over {type_name} {id} as it was"),
    }
}

/// Runs as JSON.
#[derive(Serialize)]
pub(crate) struct List<'a> {
    format_version: &'static str,
    runs: &'a [RunView],
    /// How many there are in all.
    count: usize,
    /// Streams that can't be used, and why.
    damaged: &'a [String],
}

/// Runs as JSON.
pub(crate) fn list_json<'a>(runs: &'a [RunView], count: usize, damaged: &'a [String]) -> List<'a> {
    List { format_version: super::FORMAT_VERSION, runs, count, damaged }
}

/// A run as JSON.
#[derive(Serialize)]
pub(crate) struct Show<'a> {
    format_version: &'static str,
    #[serde(flatten)]
    run: &'a RunView,
    /// What it did in each block.
    did: BTreeMap<&'a BlockAddr, &'a [Deed]>,
    /// Logs that can't be used, and why.
    damaged: BTreeMap<&'a BlockAddr, &'a str>,
}

/// A run as JSON.
pub(crate) fn show_json<'a>(run: &'a RunView, deeds: &'a BTreeMap<BlockAddr, Result<Vec<Deed>, String>>) -> Show<'a> {
    let did = deeds.iter().filter_map(|(block, deeds)| Some((block, deeds.as_ref().ok()?.as_slice())));
    let damaged = deeds.iter().filter_map(|(block, deeds)| Some((block, deeds.as_ref().err()?.as_str())));
    Show { format_version: super::FORMAT_VERSION, run, did: did.collect(), damaged: damaged.collect() }
}

#[cfg(test)]
mod tests {
    use provision_core::id::Digest;
    use provision_core::stream::RunStart;
    use provision_core::stream::event::Holder;

    use super::*;

    fn view(ended: Option<RunOutcome>, process: HolderState) -> RunView {
        let holder = Holder {
            name: "ann@host\u{1b}[2J".to_owned(),
            boot_id: "b".to_owned(),
            pid_namespace: "p".to_owned(),
            pid: 1,
            start_time: 1,
            since: "now".to_owned(),
        };
        let start = RunStart {
            holder,
            lease_ms: 30_000,
            plan: Digest::of(b"plan"),
            revision: "abc123".parse().unwrap(),
            generation: Generation(7),
            blocks: BTreeSet::from(["dc.net".parse().unwrap()]),
            simulated: true,
        };
        let (began_ms, modified_ms) = (1_767_225_599_999, 1_767_225_799_999);
        let state = RunState {
            head: None,
            began_ms,
            modified_ms,
            started: Some(start),
            ended,
            resumed: Vec::new(),
            checks: Vec::new(),
        };
        RunView::of(&"ab".repeat(16).parse().unwrap(), &state, process).unwrap()
    }

    #[test]
    fn a_run_without_an_end_is_not_called_dead() {
        let plain = |view: RunView| anstream::adapter::strip_str(&view.to_string()).to_string();
        insta::assert_snapshot!(plain(view(Some(RunOutcome::Failed), HolderState::Unknown)), @r"
        abababab  2025-12-31 23:59:59 UTC  failed after 3 min 20 s
                  1 block, generation 7, revision abc123, by ann@host\u{1b}[2J, simulated
        ");
        let text = |process| plain(view(None, process)).lines().take(2).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(text(HolderState::Unknown), @r"
        abababab  2025-12-31 23:59:59 UTC  no end
                  no sign of life since 2026-01-01 00:03:19 UTC
        ");
        insta::assert_snapshot!(text(HolderState::Dead), @r"
        abababab  2025-12-31 23:59:59 UTC  died? its process is gone
                  no sign of life since 2026-01-01 00:03:19 UTC
        ");
        assert!(text(HolderState::Alive).starts_with("abababab  2025-12-31 23:59:59 UTC  running\n"));
    }

    #[test]
    fn durations() {
        assert_eq!([0, 6_190, 200_000, 7_500_000].map(duration), ["0.0 s", "6.1 s", "3 min 20 s", "2 h 5 min"]);
    }
}
