//! A table of the blocks of a run.

#[cfg(test)]
mod tests;

use console::truncate_str;
use provision_core::exec::BlockResult;

use super::style::{BOLD, DIM, GREEN, RED, YELLOW};
use super::words::{short, took};
use crate::report::{Account, BlockAccount, Counts};

/// Between two columns.
const GAP: usize = 2;
/// A reason stands in a column of its own where it fits or has so much room, else below its block.
const WIDE: usize = 40;
/// A reason has so many lines at the most.
const LINES: usize = 3;
/// How far a reason below its block is indented.
const INDENT: usize = 4;

/// The table: one row for each block that something was to be done in. Empty where that is only one.
pub(crate) fn lines(account: &Account, width: usize) -> Vec<String> {
    let told = |block: &&BlockAccount| block.report.result != BlockResult::Unchanged;
    let mut rows: Vec<Row> = account.blocks.iter().filter(told).map(Row::of).collect();
    // What went wrong stands last, so that it is on the screen when the run has ended.
    rows.sort_by_key(|row| severity(row.result));
    if rows.len() < 2 {
        return Vec::new();
    }
    let head = ["Block", "Result", "Time", "Changes"].map(str::to_owned);
    let widest = |column: usize| {
        rows.iter()
            .map(|row| &row.cells)
            .chain([&head])
            .filter_map(|cells| cells.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let [name, result, time, changes] = [0, 1, 2, 3].map(widest);
    // The name gives way where the terminal is narrow.
    let name = name.min(width.saturating_sub(result + time + changes + 3 * GAP).max(12));
    let used = name + result + time + changes + 4 * GAP;
    let room = width.saturating_sub(used);
    let beside = |reason: &String| room >= WIDE || reason.chars().count() <= room;
    let heads = rows.iter().filter_map(|row| row.reason.as_ref()).any(beside);
    let line = |cells: &[String; 4], paint: &dyn Fn(&str) -> String| {
        let [block, how, long, what] = cells;
        let block = short(block, name);
        let how = paint(&format!("{how:result$}"));
        format!("{block:name$}  {how}  {long:>time$}  {what:changes$}")
    };
    let mut lines = vec![bold(line(&head, &str::to_owned).trim_end(), if heads { "  Reason" } else { "" })];
    for row in &rows {
        let first = line(&row.cells, &|text| row.paint(text));
        match &row.reason {
            None => lines.push(first.trim_end().to_owned()),
            Some(reason) if beside(reason) => {
                let mut wrapped = wrapped(reason, room).into_iter();
                lines.push(format!("{first}  {}", wrapped.next().unwrap_or_default()));
                lines.extend(wrapped.map(|line| format!("{:used$}{line}", "")));
            }
            Some(reason) => {
                lines.push(first.trim_end().to_owned());
                let wrapped = wrapped(reason, width.saturating_sub(INDENT).max(20));
                lines.extend(wrapped.into_iter().map(|line| format!("{:INDENT$}{line}", "")));
            }
        }
    }
    let unchanged = account.blocks.len() - rows.len();
    if unchanged > 0 {
        lines.push(format!("{DIM}{unchanged} {} unchanged{DIM:#}", if unchanged == 1 { "block" } else { "blocks" }));
    }
    lines
}

fn bold(head: &str, reason: &str) -> String {
    format!("{BOLD}{head}{reason}{BOLD:#}")
}

struct Row {
    result: BlockResult,
    cells: [String; 4],
    reason: Option<String>,
}

impl Row {
    fn of(block: &BlockAccount) -> Self {
        let result = block.report.result;
        let time = block.took_ms().map(took).unwrap_or_default();
        let cells = [block.addr.to_string(), name(result).to_owned(), time, changes(block.counts())];
        // What a server says can hold line ends.
        let reason = block.report.reason.as_deref().filter(|_| result != BlockResult::Interrupted);
        let reason = reason.map(|reason| reason.replace(char::is_control, " "));
        let named = |cause: &String| reason.as_ref().is_some_and(|reason| reason.contains(cause.as_str()));
        let reason = match &block.report.cause {
            Some(cause) if !named(cause) => reason.map(|reason| format!("{cause}: {reason}")),
            Some(_) | None => reason,
        };
        Self { result, cells, reason }
    }

    fn paint(&self, text: &str) -> String {
        let style = match self.result {
            BlockResult::Succeeded => GREEN,
            BlockResult::Failed | BlockResult::Refused => RED,
            BlockResult::Skipped | BlockResult::Interrupted => YELLOW,
            BlockResult::Unchanged => DIM,
        };
        format!("{style}{text}{style:#}")
    }
}

/// The worse, the later.
fn severity(result: BlockResult) -> u8 {
    match result {
        BlockResult::Unchanged => 0,
        BlockResult::Succeeded => 1,
        BlockResult::Skipped => 2,
        BlockResult::Interrupted => 3,
        BlockResult::Refused => 4,
        BlockResult::Failed => 5,
    }
}

/// The result in a word.
fn name(result: BlockResult) -> &'static str {
    match result {
        BlockResult::Unchanged => "unchanged",
        BlockResult::Succeeded => "succeeded",
        BlockResult::Failed => "failed",
        BlockResult::Skipped => "skipped",
        BlockResult::Interrupted => "interrupted",
        BlockResult::Refused => "refused",
    }
}

fn changes(Counts { added, changed, destroyed, moved, adopted }: Counts) -> String {
    let marks = [("+", added), ("~", changed), ("-", destroyed)];
    let marks = marks.iter().filter(|(_, count)| *count > 0).map(|(mark, count)| format!("{mark}{count}"));
    let words = [(moved, "moved"), (adopted, "taken over")];
    let words = words.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    marks.chain(words).collect::<Vec<_>>().join(" ")
}

/// The text in lines of this width, cut where it is too long.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = textwrap::wrap(text, width).into_iter().map(|line| line.into_owned()).collect();
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            *last = truncate_str(&format!("{last} …"), width, " …").into_owned();
        }
    }
    lines
}
