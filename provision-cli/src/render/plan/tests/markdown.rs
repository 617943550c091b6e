//! The review comment: within its limit, and nothing gets out of its code block.

use std::collections::BTreeMap;

use proptest::prelude::*;
use provision_core::plan::{BlockPlan, Certainty, Outcome, Plan, Reason};
use provision_core::value::Fields;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::super::counts::Counts;
use super::super::markdown::{LIMIT, markdown};
use super::plans::{any_plan, change, differs, found, later, leaving, plan, replaces, resource};

/// What a reader of Markdown makes of it: only what we write ourselves. `Err` says what else there is.
fn check(text: &str) -> Result<(), String> {
    let mut depth = 0_i32;
    let mut in_code = false;
    for (event, range) in Parser::new_ext(text, Options::all()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                in_code = true;
                if kind != CodeBlockKind::Fenced("diff".into()) {
                    return Err(format!("a code block that is none of ours: {kind:?}"));
                }
                if !text[range].trim_end().ends_with("\n```") && !text.contains("````") {
                    return Err("a code block without an end".to_owned());
                }
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Html(html) | Event::InlineHtml(html) => match html.trim_end() {
                "</details>" => depth -= 1,
                "<code>" | "</code>" => {}
                other if other.starts_with("<details><summary>") && other.ends_with("</summary>") => depth += 1,
                other => return Err(format!("a tag that is none of ours: {other}")),
            },
            Event::Text(text) if !in_code && text.contains(['@', '\u{1b}', '`', '<']) => {
                return Err(format!("outside of code: {text}"));
            }
            Event::Start(
                Tag::Heading { .. } | Tag::Paragraph | Tag::HtmlBlock | Tag::List(None) | Tag::Item | Tag::Strong,
            )
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::SoftBreak => {}
            other => return Err(format!("markup that is none of ours: {other:?}")),
        }
        if depth != 0 && depth != 1 {
            return Err("tags are not balanced".to_owned());
        }
    }
    if depth == 0 && !in_code { Ok(()) } else { Err("something is not closed".to_owned()) }
}

fn destroying(count: usize) -> Plan {
    let mut plan = plan([]);
    let resources: BTreeMap<_, _> = (0..count).map(|n| (format!("r{n}").parse().unwrap(), leaving())).collect();
    plan.blocks.insert("west.old".parse().unwrap(), BlockPlan::Planned(Box::new(change(resources))));
    plan
}

#[test]
fn a_comment() {
    let forced = replaces("subnet", "s-1".into(), later("west.net.a"), Certainty::May);
    let grown = differs("user_data", "one\ntwo\n".into(), "one\n```\n</details> @all\n".into());
    let comment = markdown(&plan([
        ("west.old.web", leaving()),
        ("west.web.app", resource(&[Outcome::NoOp, Outcome::Replace], vec![forced])),
        ("west.web.other", resource(&[Outcome::Update], vec![grown])),
        ("west.web.still", resource(&[Outcome::NoOp], Vec::new())),
    ]));
    assert_eq!(check(&comment), Ok(()));
    insta::assert_snapshot!(comment);
}

#[test]
fn the_check_finds_what_gets_out() {
    for bad in
        ["```diff\nx", "<b>x</b>", "@everyone", "[x](y)", "<details><summary>x</summary>", "| a |\n|---|", "</details>"]
    {
        assert!(check(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_plan_without_changes() {
    insta::assert_snapshot!(markdown(&plan([("west.a.a", resource(&[Outcome::NoOp], Vec::new()))])));
}

/// The plan with as many more blocks, in each of which a long text changes.
fn grown(mut plan: Plan, blocks: usize) -> Plan {
    let filler = "x".repeat(150);
    for n in 0..blocks {
        let grown = differs("hint", filler.as_str().into(), filler.to_uppercase().into());
        let resources = BTreeMap::from([("a".parse().unwrap(), resource(&[Outcome::Update], vec![grown]))]);
        let block = BlockPlan::Planned(Box::new(change(resources)));
        plan.blocks.insert(format!("west.b{n}").parse().unwrap(), block);
    }
    plan
}

#[test]
fn what_was_looked_up_is_there_or_said_to_be_left_out() {
    let mut plan = plan([]);
    plan.lookups.insert("west.images.linux".parse().unwrap(), found("ami-1", Fields::new()));
    let comment = markdown(&plan);
    assert_eq!(check(&comment), Ok(()));
    assert!(comment.contains("### Looked up") && comment.contains("west.images.linux  aws_ami ami-1"), "{comment}");
    for size in [400, 1_500] {
        let comment = markdown(&grown(plan.clone(), size));
        assert!(comment.contains(", what was looked up, and ") && !comment.contains("### Looked up"));
    }
}

#[test]
fn what_is_left_out_is_said_and_what_is_destroyed_goes_last() {
    let mut seen = Vec::new();
    for size in [1, 120, 400, 1_500, 9_000] {
        let comment = markdown(&grown(destroying(40), size));
        assert_eq!((check(&comment), comment.len() <= LIMIT), (Ok(()), true));
        assert_eq!(comment.matches("- west.old.r").count(), 40, "all that is destroyed is there");
        let left_out = comment
            .lines()
            .find_map(|line| line.strip_prefix("Left out here, because GitHub takes no longer comments: "));
        seen.push(left_out.unwrap_or("nothing").to_owned());
    }
    insta::assert_snapshot!(seen.join("\n"));

    let comment = markdown(&destroying(5_000));
    assert!(comment.len() > LIMIT - 4_000 && comment.len() <= LIMIT, "{} bytes", comment.len());
    assert!(comment.contains("### ⚠️ Destroyed or replaced: 5000"), "the count is the whole one");
    let shown = comment.matches("- west.old.r").count();
    assert!(comment.contains(&format!("{} that are destroyed or replaced", 5_000 - shown)), "{shown} shown");
}

#[test]
fn what_is_refused_is_named() {
    let mut refused = plan([]);
    let problem = "no provider\n```\n@all".to_owned();
    refused.blocks.insert("west.web".parse().unwrap(), BlockPlan::Refused { problem });
    let comment = markdown(&refused);
    assert_eq!(check(&comment), Ok(()));
    assert!(comment.contains("0 to destroy, 1 block refused\n") && comment.contains("! west.web: no provider\\n"));
    let kept = resource(&[], vec![Reason::LeftCode, Reason::Kept { because: "used".to_owned() }]);
    assert!(markdown(&plan([("west.a.a", kept)])).contains("kept: used"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_plan_is_within_the_limit_and_in_its_place(plan in any_plan()) {
        let comment = markdown(&plan);
        prop_assert!(comment.len() <= LIMIT, "{} bytes", comment.len());
        prop_assert_eq!(check(&comment), Ok(()));
        let title = format!("## Plan: {}", Counts::of(&plan).text());
        prop_assert!(comment.starts_with(&title));
    }
}
