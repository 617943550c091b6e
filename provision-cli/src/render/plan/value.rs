//! Values and texts as a person reads them: short, on one line where that fits, and harmless.
//!
//! They come from definitions, logs and clouds. Nothing in them may reach a terminal as a control sequence, or end a line.

use std::fmt::Write as _;

use provision_core::value::{Expr, OutputRef, Piece, Symbol, Tree};

/// How many characters of a text are shown.
const MOST_OF_A_TEXT: usize = 200;
/// How many characters before the first difference of two long texts are shown.
const BEFORE_A_DIFFERENCE: usize = 20;

/// The text with everything escaped that is not printable: control characters, line ends, marks that change the
/// direction of writing. What is safe already stays as it is.
pub(crate) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(['"', '\'', '\\']) {
        let last = part.chars().next_back().filter(|c| matches!(c, '"' | '\'' | '\\'));
        let plain = last.map_or(part, |last| part.strip_suffix(last).unwrap_or(part));
        out.extend(plain.escape_debug());
        out.extend(last);
    }
    out
}

/// At most so many characters of a text, and a mark where there are more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A text in quotes, the end of a long one left out.
pub(crate) fn quoted(text: &str) -> String {
    quoted_within(text, MOST_OF_A_TEXT)
}

fn quoted_within(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{:?}… ({} characters)", text.get(..end).unwrap_or_default(), text.chars().count()),
        None => format!("{text:?}"),
    }
}

/// Two texts in quotes, so that what is shown of long ones differs where they do.
pub(crate) fn quoted_pair(from: &str, to: &str) -> (String, String) {
    if from.chars().count().max(to.chars().count()) <= MOST_OF_A_TEXT {
        return (quoted(from), quoted(to));
    }
    let same = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count();
    let skipped = same.saturating_sub(BEFORE_A_DIFFERENCE);
    let shown = |text: &str| {
        let start = text.char_indices().nth(skipped).map_or(text.len(), |(start, _)| start);
        let rest = quoted_within(text.get(start..).unwrap_or_default(), MOST_OF_A_TEXT);
        if skipped > 0 { format!("…{rest}") } else { rest }
    };
    (shown(from), shown(to))
}

/// What stands for an output that is not known yet.
fn later(output: &OutputRef) -> String {
    format!("(known after apply: {} of {})", safe(&output.output), output.resource)
}

/// What stands for an output of a lookup, where no plan says what it found.
fn looked_up(output: &OutputRef) -> String {
    format!("(looked up: {} of {})", safe(&output.output), output.resource)
}

/// The text of a value that is one, with what is not known yet named in it.
pub(crate) fn as_text(value: &Expr) -> Option<String> {
    match value {
        Tree::Text(text) => Some(text.clone()),
        Tree::Symbol(Symbol::Text(pieces)) => Some(
            pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Literal(text) => text.clone(),
                    Piece::Output(output) => later(output),
                    Piece::Found(output) => looked_up(output),
                })
                .collect(),
        ),
        Tree::Null
        | Tree::Bool(_)
        | Tree::Int(_)
        | Tree::List(_)
        | Tree::Map(_)
        | Tree::Symbol(Symbol::Output(_) | Symbol::Found(_)) => None,
    }
}

/// A value on one line of at most about so many characters; what is not known yet says where it comes from.
pub(crate) fn line(value: &Expr, most: usize) -> String {
    let mut out = String::new();
    write(&mut out, value, most);
    shortened(&out, most.max(MOST_OF_A_TEXT * 2))
}

/// Stops once there is more than can be shown.
fn write(out: &mut String, value: &Expr, most: usize) {
    match value {
        Tree::Null => out.push_str("(not set)"),
        // Writing to a string cannot fail.
        Tree::Bool(b) => write!(out, "{b}").unwrap_or_default(),
        Tree::Int(n) => write!(out, "{n}").unwrap_or_default(),
        Tree::Text(text) => out.push_str(&quoted(text)),
        Tree::List(list) => {
            out.push('[');
            separated(out, list.iter(), most, |out, item| write(out, item, most));
            out.push(']');
        }
        Tree::Map(map) => {
            out.push('{');
            separated(out, map.iter(), most, |out, (key, item)| {
                out.push_str(&format!("{}: ", name(key)));
                write(out, item, most);
            });
            out.push('}');
        }
        Tree::Symbol(Symbol::Output(output)) => out.push_str(&later(output)),
        Tree::Symbol(Symbol::Found(output)) => out.push_str(&looked_up(output)),
        Tree::Symbol(Symbol::Text(_)) => out.push_str(&quoted(&as_text(value).unwrap_or_default())),
    }
}

fn separated<T>(
    out: &mut String,
    mut items: impl ExactSizeIterator<Item = T>,
    most: usize,
    mut each: impl FnMut(&mut String, T),
) {
    let mut first = true;
    while out.len() <= most.max(MOST_OF_A_TEXT * 2) {
        let Some(item) = items.next() else { return };
        if !std::mem::replace(&mut first, false) {
            out.push_str(", ");
        }
        each(out, item);
    }
    if items.len() > 0 {
        out.push_str(&format!(", … {} more", items.len()));
    }
}

/// A key of a map, in quotes where it needs them.
pub(crate) fn name(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    if !key.is_empty() && key.len() <= 80 && key.chars().all(plain) { key.to_owned() } else { quoted(key) }
}

/// Whether there is nothing in it that a reader of a new resource needs to see.
pub(crate) fn is_empty(value: &Expr) -> bool {
    match value {
        Tree::Null => true,
        Tree::List(list) => list.is_empty(),
        Tree::Map(map) => map.is_empty(),
        Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) | Tree::Symbol(_) => false,
    }
}
