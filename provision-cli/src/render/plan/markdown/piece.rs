//! Pieces of Markdown that stand alone: none is ever cut in the middle.

use super::super::value::safe;

/// A piece, without the empty lines around it.
pub(super) struct Piece(String);

impl Piece {
    /// Markdown of ours.
    pub(super) fn text(text: String) -> Self {
        Self(text)
    }

    /// Lines of a code block.
    pub(super) fn fence(lines: &[String]) -> Self {
        Self(fence(lines))
    }

    /// Lines of a code block under a summary of ours that is clicked on. GitHub reads Markdown within a tag only after an
    /// empty line.
    pub(super) fn details(summary: &str, lines: &[String]) -> Self {
        Self(format!("<details><summary>{summary}</summary>\n\n{}\n\n</details>", fence(lines)))
    }
}

/// Pieces below each other, with an empty line between two, as many as there is room for.
pub(super) struct Page {
    text: String,
    limit: usize,
}

/// There is no room for a piece.
#[derive(Debug)]
pub(super) struct TooLong;

impl Page {
    /// A page of at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit }
    }

    /// Adds a piece, or leaves the page as it is.
    pub(super) fn push(&mut self, Piece(piece): Piece) -> Result<(), TooLong> {
        let between = if self.text.is_empty() { "" } else { "\n" };
        if piece.is_empty() {
            return Ok(());
        }
        if self.text.len() + between.len() + piece.len() + 1 > self.limit {
            return Err(TooLong);
        }
        self.text.push_str(between);
        self.text.push_str(&piece);
        self.text.push('\n');
        Ok(())
    }

    pub(super) fn text(self) -> String {
        self.text
    }
}

/// A code block in which GitHub colours lines by their first character.
fn fence(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| safe(line)).collect();
    let ticks = "`".repeat(lines.iter().map(|line| longest_run(line)).max().unwrap_or_default().max(2) + 1);
    format!("{ticks}diff\n{}\n{ticks}", lines.join("\n"))
}

/// Code within a line, of a text in one line that is not empty.
pub(super) fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

/// How many backticks stand in a row at most.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
