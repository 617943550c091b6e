//! A comment on a plan so large that even its blocks do not fit: as many lines as do, what is destroyed first.

use provision_core::plan::Plan;

use super::super::value::safe;
use super::piece::{Page, Piece, longest_run};
use super::{
    LIMIT, about, block_lines, destroyed, destroyed_heading, destroyed_line, left_out, notes, refusals,
    refused_heading, title,
};

/// What the sentences about what is left out take, with the empty lines and fences between the pieces.
const RESERVE: usize = 2_000;
/// What is kept for blocks that can't be planned, however much is destroyed.
const FOR_REFUSALS: usize = 4_000;

pub(super) fn squeezed(plan: &Plan) -> String {
    let (title, about) = (title(plan), about(plan));
    let mut left = LIMIT.saturating_sub(title.len() + about.len() + RESERVE);
    let refused = refusals(plan);
    let destroyed: Vec<String> = destroyed(plan).map(|resource| destroyed_line(&resource)).collect();
    let kept = refused.iter().map(|line| line.len() + 1).sum::<usize>().min(FOR_REFUSALS);
    left = left.saturating_sub(kept);
    let (some_destroyed, more_destroyed) = fitting(&destroyed, &mut left);
    left += kept;
    let (some_refused, more_refused) = fitting(&refused, &mut left);
    let (some_blocks, more_blocks) = fitting(&block_lines(plan), &mut left);
    let (some_notes, more_notes) = fitting(&notes(plan), &mut left);

    let mut pieces = vec![Piece::text(title), Piece::text(about)];
    let mut section = |heading: String, lines: &[String]| {
        if !lines.is_empty() {
            pieces.extend([Piece::text(heading), Piece::fence(lines)]);
        }
    };
    section(refused_heading(refused.len()), &some_refused);
    section(destroyed_heading(destroyed.len()), &some_destroyed);
    section("### Notes".to_owned(), &some_notes);
    pieces.push(Piece::text(some_blocks.join("\n")));
    let more = [
        (more_destroyed, "that are destroyed or replaced"),
        (more_refused, "blocks that can't be planned"),
        (more_blocks, "blocks"),
        (more_notes, "notes"),
    ];
    let more = more.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let what: Vec<String> =
        ["what stays as it is".to_owned(), "the resources of each block".to_owned()].into_iter().chain(more).collect();
    pieces.push(Piece::text(left_out(&what.join(", "))));
    let mut page = Page::new(LIMIT);
    for piece in pieces {
        // There is room for all of them: that is how many lines were taken.
        page.push(piece).unwrap_or_default();
    }
    page.text()
}

/// As many lines from the first one on as there is room for, and how many more there are.
fn fitting(lines: &[String], left: &mut usize) -> (Vec<String>, usize) {
    let mut some = Vec::new();
    let mut ticks = 0;
    for line in lines {
        // In a fence it is made safe, and both ends of the fence are longer than the longest run of backticks in it.
        let line = safe(line);
        let longer = longest_run(&line).saturating_sub(ticks);
        let size = line.len() + 1 + 2 * longer;
        if size > *left {
            break;
        }
        *left -= size;
        ticks += longer;
        some.push(line);
    }
    let more = lines.len() - some.len();
    (some, more)
}
