//! What becomes of a field, as lines: of maps, lists and long texts only what differs.

use std::collections::BTreeSet;

use provision_core::value::{Expr, Exprs, Tree};
use similar::{Algorithm, ChangeTag, TextDiff, capture_diff_slices};

use super::value;

/// How many lines one field takes.
const MOST_LINES: usize = 40;
/// How many unchanged lines of a text are shown around what changes.
const CONTEXT: usize = 2;
/// Longer lists and texts are not aligned: that would take long, and nobody reads it.
const MOST_ALIGNED: usize = 1_000;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// This is there afterwards.
    Add,
    /// This is different afterwards.
    Change,
    /// This is no longer there afterwards.
    Remove,
    /// This is the value of something new.
    New,
    /// This stays, and stands around what does not.
    Context,
    /// Nothing of these: why, or how much there is besides.
    None,
}

/// A line of a plan, without colours. Whoever prints it makes it safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// How far it is indented, in steps.
    pub(crate) depth: usize,
    /// What it says.
    pub(crate) sign: Sign,
    /// Its text.
    pub(crate) text: String,
    /// What follows it and stands back: `(forces a new object)`.
    pub(crate) aside: String,
}

impl Line {
    pub(crate) fn new(depth: usize, sign: Sign, text: impl Into<String>) -> Self {
        Self { depth, sign, text: text.into(), aside: String::new() }
    }
}

/// The fields of something new: those that hold something, one below the other.
pub(crate) fn fields(fields: &Exprs, width: usize) -> Vec<Line> {
    let shown: Vec<(String, &Expr)> = fields
        .iter()
        .filter(|(_, value)| !value::is_empty(value))
        .map(|(field, value)| (value::name(field), value))
        .collect();
    let column = shown.iter().map(|(field, _)| field.chars().count()).max().unwrap_or_default();
    shown.into_iter().flat_map(|(field, value)| new(&field, column, value, width)).collect()
}

/// A value of something new, on one line if it fits.
fn new(field: &str, column: usize, value: &Expr, width: usize) -> Vec<Line> {
    let line = |depth, text: String| Line::new(depth, Sign::New, text);
    let space = width.saturating_sub(column + 2);
    if let Some(text) = value::as_text(value).filter(|text| text.trim_end().contains('\n')) {
        let mut lines: Vec<Line> = text.lines().map(|text| line(1, value::shortened(text, width))).collect();
        limit(&mut lines);
        lines.insert(0, line(0, format!("{field:column$}  ({} lines)", text.lines().count())));
        return lines;
    }
    let short = value::line(value, space);
    let mut lines = match value {
        Tree::List(items) if short.chars().count() > space && !items.is_empty() => {
            items.iter().map(|item| line(1, value::line(item, width))).collect()
        }
        Tree::Map(map) if short.chars().count() > space && !map.is_empty() => map
            .iter()
            .map(|(key, item)| line(1, format!("{}: {}", value::name(key), value::line(item, width))))
            .collect(),
        Tree::List(_) | Tree::Map(_) | Tree::Null | Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) | Tree::Symbol(_) => {
            return vec![line(0, format!("{field:column$}  {short}"))];
        }
    };
    limit(&mut lines);
    lines.insert(0, line(0, field.to_owned()));
    lines
}

/// What becomes of a field. The first line names it.
pub(crate) fn change(field: &str, from: &Expr, to: &Expr, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    differ(&mut lines, 0, &value::name(field), from, to, width);
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(Line::new(1, Sign::None, format!("… {more} more lines")));
    }
    lines
}

fn limit(lines: &mut Vec<Line>) {
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(Line::new(1, Sign::None, format!("… {more} more")));
    }
}

fn differ(out: &mut Vec<Line>, depth: usize, name: &str, from: &Expr, to: &Expr, width: usize) {
    let heading = Line::new(depth, Sign::Change, name);
    match (from, to) {
        (Tree::Map(from), Tree::Map(to)) => {
            out.push(heading);
            maps(out, depth + 1, from, to, width);
        }
        (Tree::List(from), Tree::List(to)) => {
            out.push(heading);
            lists(out, depth + 1, from, to, width);
        }
        _ => {
            let texts = value::as_text(from).zip(value::as_text(to));
            let (was, is) = match &texts {
                Some((from, to)) if from.trim_end().contains('\n') || to.trim_end().contains('\n') => {
                    out.push(heading);
                    lines_of(out, depth + 1, from, to, width);
                    return;
                }
                Some((from, to)) => value::quoted_pair(from, to),
                None => (value::line(from, width), value::line(to, width)),
            };
            let line = format!("{name}  {was} -> {is}");
            if line.chars().count() + 2 * depth <= width {
                out.push(Line::new(depth, Sign::Change, line));
            } else {
                out.push(heading);
                out.push(Line::new(depth + 1, Sign::Remove, was));
                out.push(Line::new(depth + 1, Sign::Add, is));
            }
        }
    }
}

fn maps(out: &mut Vec<Line>, depth: usize, from: &Exprs, to: &Exprs, width: usize) {
    let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    let mut same = 0;
    for key in keys {
        let name = value::name(key);
        match (from.get(key), to.get(key)) {
            (Some(from), Some(to)) if from == to => same += 1,
            (Some(from), Some(to)) => differ(out, depth, &name, from, to, width),
            (Some(_), None) => out.push(Line::new(depth, Sign::Remove, name)),
            (None, to) => {
                let to = value::line(to.unwrap_or(&Tree::Null), width);
                out.push(Line::new(depth, Sign::Add, format!("{name} = {to}")));
            }
        }
    }
    unchanged(out, depth, same);
}

fn lists(out: &mut Vec<Line>, depth: usize, from: &[Expr], to: &[Expr], width: usize) {
    let item = |sign, value: &Expr| Line::new(depth, sign, value::line(value, width));
    let mut same = 0;
    if from.len().max(to.len()) > MOST_ALIGNED {
        let (was, is): (BTreeSet<&Expr>, BTreeSet<&Expr>) = (from.iter().collect(), to.iter().collect());
        out.extend(was.difference(&is).map(|gone| item(Sign::Remove, gone)));
        out.extend(is.difference(&was).map(|new| item(Sign::Add, new)));
        same = was.intersection(&is).count();
    } else {
        for op in capture_diff_slices(Algorithm::Myers, from, to) {
            for change in op.iter_changes(from, to) {
                match change.tag() {
                    ChangeTag::Equal => same += 1,
                    ChangeTag::Delete => out.push(item(Sign::Remove, change.value_ref())),
                    ChangeTag::Insert => out.push(item(Sign::Add, change.value_ref())),
                }
            }
        }
    }
    unchanged(out, depth, same);
}

fn unchanged(out: &mut Vec<Line>, depth: usize, same: usize) {
    if same > 0 {
        out.push(Line::new(depth, Sign::None, format!("({same} unchanged)")));
    }
}

/// The lines of two texts, as far as they differ.
fn lines_of(out: &mut Vec<Line>, depth: usize, from: &str, to: &str, width: usize) {
    let (was, is) = (from.lines().count(), to.lines().count());
    if was.max(is) > MOST_ALIGNED {
        out.push(Line::new(depth, Sign::Remove, format!("({was} lines)")));
        out.push(Line::new(depth, Sign::Add, format!("({is} lines)")));
        return;
    }
    let diff = TextDiff::from_lines(from, to);
    for (number, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            out.push(Line::new(depth, Sign::None, "…"));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => Sign::Context,
                ChangeTag::Delete => Sign::Remove,
                ChangeTag::Insert => Sign::Add,
            };
            let text = change.value().strip_suffix('\n').unwrap_or(change.value());
            let end = if change.missing_newline() { " (no line end)" } else { "" };
            let mut line = Line::new(depth, sign, value::shortened(text, width));
            line.aside = end.to_owned();
            out.push(line);
        }
    }
}
