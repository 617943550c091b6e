//! The live display: a line for each block that something goes on in, and one for the whole run.

use std::time::Duration;

use console::{measure_text_width, truncate_str};

use super::super::style::{BOLD, DIM, RED, YELLOW};
use super::super::words::{elapsed, short};
use super::block::Counts;
use super::{Board, failures};

const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// How long a frame is shown, in milliseconds.
const FRAME: u128 = 100;
/// Rows that stay free for what is printed above.
const FREE_ROWS: usize = 6;
/// An interrupted run waits no longer than that.
const DRAIN: Duration = Duration::from_secs(8);
/// With less room, what goes on is not worth its place.
const LEAST: usize = 8;
/// With less room, what that waits for is not.
const LEAST_WAIT: usize = 16;

pub(super) fn lines(board: &Board, now: Duration, width: usize, height: usize) -> Vec<String> {
    // A line that fills its row makes some terminals begin the next one.
    let width = width.saturating_sub(1).max(1);
    let mut running: Vec<_> =
        board.blocks.iter().filter_map(|(addr, block)| block.runs_since().map(|since| (since, addr, block))).collect();
    // The one that runs longest stays on top: a line moves up only when one above it is done.
    running.sort_by_key(|(since, addr, _)| (*since, *addr));
    let room = height.saturating_sub(FREE_ROWS).max(1);
    let shown = if running.len() > room { room - 1 } else { running.len() };
    let more = running.len() - shown;
    running.truncate(shown);
    let rows: Vec<Row> = running
        .iter()
        .map(|(since, addr, block)| {
            let Counts { ended, actions, failed, .. } = block.counts();
            Row {
                name: addr.to_string(),
                count: format!("{ended}/{actions}"),
                failed: failed > 0,
                now: block.now(),
                time: elapsed(now.saturating_sub(*since)),
            }
        })
        .collect();
    let mut lines = table(&rows, width);
    if more > 0 {
        let blocks = if more == 1 { "block" } else { "blocks" };
        lines.push(cut(&format!("  {DIM}… and {more} more {blocks}{DIM:#}"), width));
    }
    lines.push(total(board, now, width));
    lines
}

struct Row {
    name: String,
    count: String,
    failed: bool,
    now: (String, String),
    time: String,
}

/// Name, count, what goes on, time: aligned, and cut where there is too little room.
fn table(rows: &[Row], width: usize) -> Vec<String> {
    let widest = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or_default();
    let (count, time) = (widest(|row| &row.count), widest(|row| &row.time));
    let name = widest(|row| &row.name).min(width * 2 / 5);
    // Two columns before and between the parts.
    let left = width.saturating_sub(2 + name + 2 + count + 2 + 2 + time);
    let line = |row: &Row| {
        let style = if row.failed { RED } else { BOLD };
        let (shown, count) = (fit(&short(&row.name, name), name), format!("{:>count$}", row.count));
        let now = if left < LEAST { String::new() } else { fit(&doing(&row.now, left), left) };
        let gap = if left < LEAST { left } else { 0 };
        let time = format!("{:>1$}", row.time, time);
        cut(&format!("  {style}{shown}{style:#}  {count}  {now}{:gap$}  {DIM}{time}{DIM:#}", ""), width)
    };
    rows.iter().map(line).collect()
}

/// The last line: how far the whole run is, or what is done before it begins.
fn total(board: &Board, now: Duration, width: usize) -> String {
    let frame = FRAMES.get(usize::try_from(now.as_millis() / FRAME).unwrap_or_default() % FRAMES.len());
    let frame = frame.copied().unwrap_or_default();
    let begun = board.blocks.values().any(|block| block.counts().ended > 0 || block.runs_since().is_some());
    let (what, since) = match (board.interrupted, begun) {
        (Some(at), _) => {
            let left = (at + DRAIN).saturating_sub(now);
            let calls: usize = board.blocks.values().map(super::BlockNow::on_their_way).sum();
            let calls = if calls == 1 { "1 call".to_owned() } else { format!("{calls} calls") };
            (format!("{YELLOW}interrupted:{YELLOW:#} waiting for {calls}, {} at most", elapsed(left)), Duration::ZERO)
        }
        (None, true) => (progress(board), Duration::ZERO),
        (None, false) => (format!("{} …", board.phase.0), board.phase.1),
    };
    let time = elapsed(now.saturating_sub(since));
    let left = width.saturating_sub(2 + 2 + time.len());
    cut(&format!("{frame} {}  {DIM}{time}{DIM:#}", fit(&what, left)), width)
}

fn progress(board: &Board) -> String {
    let mut sum = Counts::default();
    let (mut over, mut all) = (0, 0);
    for block in board.blocks.values() {
        let Counts { ended, actions, failed, skipped } = block.counts();
        sum.ended += ended;
        sum.actions += actions;
        sum.failed += failed;
        sum.skipped += skipped;
        all += 1;
        over += usize::from(block.is_over());
    }
    let skipped = (sum.skipped > 0).then(|| format!("{YELLOW}{} not done{YELLOW:#}", sum.skipped));
    let parts = [
        Some(format!("{over}/{all} blocks")),
        Some(format!("{}/{} actions", sum.ended, sum.actions)),
        failures(sum.failed),
        skipped,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn cut(text: &str, width: usize) -> String {
    truncate_str(text, width, "…").into_owned()
}

fn doing((what, wait): &(String, String), room: usize) -> String {
    let left = room.saturating_sub(what.chars().count() + 2);
    if wait.is_empty() || left < LEAST_WAIT { what.clone() } else { format!("{what}: {wait}") }
}

/// Exactly so wide: cut, or filled with spaces.
fn fit(text: &str, width: usize) -> String {
    let text = cut(text, width);
    let gap = width.saturating_sub(measure_text_width(&text));
    format!("{text}{:gap$}", "")
}
