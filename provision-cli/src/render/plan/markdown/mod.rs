//! A plan as GitHub-flavoured Markdown, for a review comment.
//!
//! # Guarantees
//! - At most [`LIMIT`] bytes, which is what GitHub takes of a comment, whatever the plan holds.
//! - The counts stand in the title. What is left out to stay within the limit is said, with how to see it; what is
//!   destroyed or replaced is left out last.
//! - Nothing that comes from a value, a log or a cloud can end a code block, open a tag or mention anybody: all of it
//!   stands in code blocks that are fenced with more backticks than it holds in a row, a line being a line.

mod piece;
mod squeezed;

use provision_core::plan::Plan;

use super::counts::Counts;
use super::diff::{Line, Sign};
use super::value::shortened;
use super::view::{self, BlockView, ResourceView};
use super::words::{self, Mark};
use piece::{Page, Piece, TooLong, code};

/// The longest comment that GitHub takes, in characters; ours is no longer in bytes either.
pub(crate) const LIMIT: usize = 65_536;
/// How wide the lines of values are.
const WIDTH: usize = 100;
/// How much of an object's id, and of a sentence, stands in a line.
const MOST: usize = 160;

/// How much of a plan is said. Each leaves out what the one before it does, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Everything that the text for a terminal says, and which blocks stay as they are.
    Everything,
    /// Not what stays as it is.
    Changes,
    /// Not the fields either.
    Resources,
    /// Of blocks only how much is done in each.
    Blocks,
}

impl Level {
    /// What is left out, in words.
    fn left_out(self, plan: &Plan) -> Option<String> {
        let looked_up = if plan.lookups.is_empty() { "" } else { ", what was looked up" };
        match self {
            Self::Everything => None,
            Self::Changes => Some("what stays as it is".to_owned()),
            Self::Resources => Some(format!("what stays as it is{looked_up}, and the fields of resources")),
            Self::Blocks => Some(format!("what stays as it is{looked_up}, and the resources of each block")),
        }
    }
}

/// The comment.
pub(crate) fn markdown(plan: &Plan) -> String {
    [Level::Everything, Level::Changes, Level::Resources, Level::Blocks]
        .into_iter()
        .find_map(|level| whole(plan, level).ok())
        .unwrap_or_else(|| squeezed::squeezed(plan))
}

/// All that a level says, if there is room for it.
fn whole(plan: &Plan, level: Level) -> Result<String, TooLong> {
    let mut page = Page::new(LIMIT);
    page.push(Piece::text(title(plan)))?;
    page.push(Piece::text(about(plan)))?;
    let refused = refusals(plan);
    if !refused.is_empty() {
        page.push(Piece::text(refused_heading(refused.len())))?;
        page.push(Piece::fence(&refused))?;
    }
    let destroyed: Vec<ResourceView<'_>> = destroyed(plan).collect();
    if !destroyed.is_empty() {
        page.push(Piece::text(destroyed_heading(destroyed.len())))?;
        let because = |resource| if level < Level::Blocks { because(resource) } else { None };
        let lines = destroyed.iter().flat_map(|resource| [Some(destroyed_line(resource)), because(resource)]);
        page.push(Piece::fence(&lines.flatten().collect::<Vec<_>>()))?;
    }
    match level {
        Level::Blocks => page.push(Piece::text(block_lines(plan).join("\n")))?,
        Level::Everything | Level::Changes | Level::Resources => {
            view::blocks(plan).filter_map(|view| block(&view, level)).try_for_each(|piece| page.push(piece))?;
        }
    }
    if level == Level::Everything {
        unchanged_blocks(plan).into_iter().try_for_each(|piece| page.push(piece))?;
    }
    if let (Some((heading, lookups)), Level::Everything | Level::Changes) = (words::lookups(plan), level) {
        page.push(Piece::text(format!("### {heading}")))?;
        let lines = lookups.iter().flat_map(|(found, asked)| [format!("  {found}"), format!("      {asked}")]);
        page.push(Piece::fence(&lines.collect::<Vec<_>>()))?;
    }
    let notes = notes(plan);
    if !notes.is_empty() {
        page.push(Piece::text("### Notes".to_owned()))?;
        page.push(Piece::fence(&notes))?;
    }
    level.left_out(plan).into_iter().try_for_each(|what| page.push(Piece::text(left_out(&what))))?;
    Ok(page.text())
}

/// The counts, always.
fn title(plan: &Plan) -> String {
    let refused = plan.refusals().count();
    let counts = Counts::of(plan);
    let more = if refused > 0 { format!(", {refused} {} refused", blocks(refused)) } else { String::new() };
    format!("## Plan: {}{more}", counts.text())
}

fn blocks(count: usize) -> &'static str {
    if count == 1 { "block" } else { "blocks" }
}

/// Which plan it is, and of what.
fn about(plan: &Plan) -> String {
    let environments: Vec<String> = plan.environments.iter().take(8).map(ToString::to_string).collect();
    let more = if plan.environments.len() > environments.len() { " → …" } else { "" };
    let simulated = if plan.simulated { ", in the simulated cloud" } else { "" };
    let mut lines = vec![format!(
        "{}, {}{more}{simulated}: generation {}, revision {}, plan {}",
        code(plan.infra.as_str()),
        environments.join(" → "),
        plan.generation,
        code(plan.revision.as_str()),
        code(plan.run_id().short()),
    )];
    lines.extend(words::selection(plan));
    lines.extend(words::mode(plan).map(str::to_owned));
    if plan.is_empty() && Counts::of(plan).moved == 0 {
        lines.push(if plan.refusals().next().is_some() {
            "Nothing to do in the blocks that can be planned.".to_owned()
        } else {
            let (what, why) = words::nothing_to_do(plan);
            format!("**{what}** {why}")
        });
    }
    lines.join("\n\n")
}

fn refused_heading(count: usize) -> String {
    format!(
        "### {count} {} can't be planned, so nothing in {} is touched",
        blocks(count),
        if count == 1 { "it" } else { "them" }
    )
}

fn refusals(plan: &Plan) -> Vec<String> {
    plan.refusals().map(|(block, problem)| format!("! {block}: {}", words::theirs(problem))).collect()
}

fn destroyed_heading(count: usize) -> String {
    format!("### ⚠️ Destroyed or replaced: {count}")
}

/// Every object that goes, or may go.
fn destroyed(plan: &Plan) -> impl Iterator<Item = ResourceView<'_>> {
    view::blocks(plan).flat_map(|block| block.resources).filter(|resource| resource.mark.destroys())
}

/// The line of one, with its whole address.
fn destroyed_line(resource: &ResourceView<'_>) -> String {
    heading(resource, &resource.addr.to_string())
}

fn because(resource: &ResourceView<'_>) -> Option<String> {
    let because = resource.because();
    (!because.is_empty()).then(|| format!("    {}", shortened(&because, MOST)))
}

/// The line of a resource. Its first character gives GitHub's colour: `-` red, `+` green, `!` orange.
fn heading(resource: &ResourceView<'_>, name: &str) -> String {
    let mark = resource.mark.text();
    let mark = match resource.mark {
        Mark::Create | Mark::Delete => mark.to_owned(),
        Mark::Update | Mark::CreateFirst | Mark::DeleteFirst => format!("! {mark}"),
        Mark::Move | Mark::Adopt | Mark::Stay => format!("  {mark}"),
    };
    let (what, how) = resource.heading();
    let how = if how.is_empty() { how } else { format!("  ({how})") };
    format!("{mark} {name}  {}{how}", shortened(&what, MOST))
}

/// A block with what changes in it, folded.
fn block(block: &BlockView<'_>, level: Level) -> Option<Piece> {
    if block.resources.is_empty() {
        return None;
    }
    let mut lines = Vec::new();
    for resource in &block.resources {
        lines.push(heading(resource, resource.addr.name.as_str()));
        if level < Level::Resources {
            lines.extend(resource.lines(WIDTH).iter().map(line));
        }
    }
    if level == Level::Everything && block.quiet > 0 {
        lines.push(format!("  {} unchanged", block.quiet));
    }
    let counts = Some(block.counts.short()).filter(|counts| !counts.is_empty());
    let left = block.left.then(|| "no longer in the code".to_owned());
    let said: Vec<String> = counts.into_iter().chain(left).collect();
    let said = if said.is_empty() { "something to finish".to_owned() } else { said.join(", ") };
    let summary = format!("{}: {said}", code_tag(&block.addr.to_string()));
    Some(Piece::details(&summary, &lines))
}

/// An address, which is of letters, digits, `-` and `.`.
fn code_tag(address: &str) -> String {
    format!("<code>{address}</code>")
}

fn line(line: &Line) -> String {
    let Line { depth, sign, text, aside } = line;
    let (colour, mark) = match sign {
        Sign::Add | Sign::New => ("+", ""),
        Sign::Change => ("!", "~ "),
        Sign::Remove => ("-", ""),
        Sign::Context | Sign::None => (" ", ""),
    };
    let aside = if aside.is_empty() { String::new() } else { format!("  {aside}") };
    format!("{colour} {:indent$}{mark}{text}{aside}", "", indent = 4 + 2 * depth)
}

/// A line for each block that something is done in.
fn block_lines(plan: &Plan) -> Vec<String> {
    view::blocks(plan)
        .filter(|block| !block.resources.is_empty())
        .map(|block| format!("- {}: {}", code_tag(&block.addr.to_string()), block.counts.short()))
        .collect()
}

fn unchanged_blocks(plan: &Plan) -> Option<Piece> {
    let quiet: Vec<String> = view::blocks(plan)
        .filter(|block| block.resources.is_empty())
        .map(|block| format!("  {}", block.addr))
        .collect();
    let summary = format!("{} {} unchanged", quiet.len(), blocks(quiet.len()));
    (!quiet.is_empty() && !plan.is_empty()).then(|| Piece::details(&summary, &quiet))
}

fn notes(plan: &Plan) -> Vec<String> {
    plan.notes.iter().map(|note| format!("  {}", words::note(note))).collect()
}

fn left_out(what: &str) -> String {
    format!(
        "Left out here, because GitHub takes no longer comments: {what}. `plan --out FILE` and `show FILE` show the whole plan."
    )
}
