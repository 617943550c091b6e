//! A plan as text: grouped by data centre and block, unchanged resources only counted.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anstyle::Style;
use provision_core::id::DcName;
use provision_core::plan::{BlockChange, Plan};

use super::counts::Counts;
use super::diff::{Line, Sign};
use super::value::safe;
use super::view::{self, BlockView, ResourceView};
use super::words::{self, Mark};
use crate::render::style::{BOLD, DIM, GREEN, RED, YELLOW};

/// A plan with more lines says first what it comes to, not only last.
const LONG: usize = 40;
/// How far the lines of a resource are indented.
const INDENT: usize = 8;
/// How far each step goes.
const STEP: usize = 4;

/// The whole text, for a terminal so many columns wide. Lines of values may be longer where they can't be broken.
pub(crate) fn text(plan: &Plan, columns: usize) -> String {
    let mut out = String::new();
    let mut last_dc: Option<&DcName> = None;
    let mut marks = BTreeSet::new();
    for block in view::blocks(plan).filter(|block| !block.resources.is_empty()) {
        if last_dc != Some(&block.addr.dc) {
            last_dc = Some(&block.addr.dc);
            data_centre(&mut out, &block.addr.dc, block.change);
        }
        marks.extend(block.resources.iter().map(|resource| resource.mark));
        self::block(&mut out, plan, &block, columns);
    }
    if let Some((heading, lookups)) = words::lookups(plan) {
        push(&mut out, 0, &format!("{BOLD}{heading}{BOLD:#}"));
        for (found, asked) in &lookups {
            push(&mut out, 2, found);
            push(&mut out, 6, &format!("{DIM}{asked}{DIM:#}"));
        }
        out.push('\n');
    }
    for note in &plan.notes {
        push(&mut out, 0, &format!("{YELLOW}note:{YELLOW:#} {}", safe(&words::note(note))));
    }
    if !plan.notes.is_empty() {
        out.push('\n');
    }
    let summary = summary(plan);
    if out.lines().count() > LONG {
        out.insert_str(0, &format!("{summary}\n\n"));
    }
    let legends = marks.into_iter().filter_map(Mark::legend).map(str::to_owned);
    let about: Vec<String> =
        legends.chain(words::selection(plan)).chain(words::mode(plan).map(str::to_owned)).collect();
    for about in &about {
        push(&mut out, 0, &format!("{DIM}{about}{DIM:#}"));
    }
    if !about.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary);
    out
}

/// What a plan file holds, in a line: which plan, of what.
pub(crate) fn title(plan: &Plan) -> String {
    let simulated = if plan.simulated { ", simulated" } else { "" };
    let run = plan.run_id();
    format!(
        "{BOLD}Plan {} of {}{BOLD:#}  {DIM}generation {}, revision {}{simulated}{DIM:#}",
        run.short(),
        plan.infra,
        plan.generation,
        plan.revision
    )
}

/// `Plan: N to add, N to change, N to destroy.`, or that there is nothing to do.
pub(crate) fn summary(plan: &Plan) -> String {
    if !plan.is_empty() || Counts::of(plan).moved > 0 {
        return format!("{BOLD}Plan:{BOLD:#} {}.", Counts::of(plan).text());
    }
    if plan.refusals().next().is_some() {
        "Nothing to do in the blocks that can be planned.".to_owned()
    } else {
        let (what, why) = words::nothing_to_do(plan);
        format!("{GREEN}{what}{GREEN:#} {why}")
    }
}

fn push(out: &mut String, indent: usize, line: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{:indent$}{line}", "").unwrap_or_default();
}

fn data_centre(out: &mut String, dc: &DcName, change: &BlockChange) {
    let targets: Vec<String> = change.targets.values().map(ToString::to_string).collect();
    let targets = safe(&targets.join(", "));
    push(out, 0, &format!("{BOLD}{dc}{BOLD:#}  {DIM}{}, {targets}{DIM:#}", change.env));
    out.push('\n');
}

fn block(out: &mut String, plan: &Plan, block: &BlockView<'_>, columns: usize) {
    let left = if block.left { "  (no longer in the code)" } else { "" };
    push(out, 2, &format!("{BOLD}{}{BOLD:#}{left}", block.addr.block));
    for resource in &block.resources {
        self::resource(out, resource, columns);
    }
    if block.quiet > 0 {
        push(out, 4, &format!("{DIM}{} unchanged{DIM:#}", block.quiet));
    }
    if super::is_checked(plan, block.change) {
        let checks: Vec<String> = block.change.checks.iter().map(ToString::to_string).collect();
        push(out, 4, &format!("{DIM}then checked: {}{DIM:#}", checks.join(", ")));
    }
    out.push('\n');
}

fn resource(out: &mut String, resource: &ResourceView<'_>, columns: usize) {
    let style = match resource.mark {
        Mark::Create => GREEN,
        Mark::Update | Mark::CreateFirst | Mark::DeleteFirst => YELLOW,
        Mark::Delete => RED,
        Mark::Move | Mark::Adopt | Mark::Stay => DIM,
    };
    let (what, how) = resource.heading();
    let mark = resource.mark.text();
    let heading = format!("{style}{mark}{style:#} {}  {DIM}{}{DIM:#}", resource.addr.name, safe(&what));
    let width =
        4 + [mark, resource.addr.name.as_str(), &what, &how].map(|part| part.chars().count() + 2).iter().sum::<usize>();
    if how.is_empty() {
        push(out, 4, &heading);
    } else if width <= columns {
        push(out, 4, &format!("{heading}  {DIM}{how}{DIM:#}"));
    } else {
        push(out, 4, &heading);
        push(out, INDENT, &format!("{DIM}{how}{DIM:#}"));
    }
    for line in resource.lines(columns.saturating_sub(INDENT + 2).max(LONG)) {
        push(out, INDENT + STEP * line.depth, &self::line(&line));
    }
}

fn line(line: &Line) -> String {
    let (mark, style) = match line.sign {
        Sign::Add => ("+ ", GREEN),
        Sign::Change => ("~ ", YELLOW),
        Sign::Remove => ("- ", RED),
        Sign::Context => ("  ", Style::new()),
        Sign::New | Sign::None => ("", Style::new()),
    };
    let text = safe(&line.text);
    let aside = if line.aside.is_empty() { String::new() } else { format!("  {YELLOW}{}{YELLOW:#}", line.aside) };
    format!("{style}{mark}{style:#}{text}{aside}").trim_end().to_owned()
}
