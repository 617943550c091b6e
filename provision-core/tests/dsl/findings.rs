//! What is wrong with a definition is found all at once, with its place.

use std::time::Duration;

use provision_core::check::Probe;
use provision_core::dsl::check::{custom, http, tcp};
use provision_core::prelude::*;

use crate::toy::*;

fn findings(infra: Infrastructure) -> Vec<Finding> {
    let findings = infra.finish().unwrap_err();
    let here = ["findings.rs", "lookups.rs", "crossings.rs"];
    let is_here = |finding: &Finding| here.iter().any(|file| finding.location.file.ends_with(file));
    assert!(findings.iter().all(is_here), "{findings:?}");
    assert!(findings.is_sorted());
    findings
}

pub(crate) fn texts(infra: Infrastructure) -> Vec<String> {
    let text = |finding: Finding| {
        let place = finding.problem.rfind(" at ").filter(|_| finding.problem.starts_with("set twice"));
        let problem = place.map_or(finding.problem.clone(), |at| format!("{} at [place]", &finding.problem[..at]));
        format!("{}: {problem}", finding.subject)
    };
    findings(infra).into_iter().map(text).collect()
}

const RULE: &str = "write 1 to 40 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`";

#[test]
fn an_empty_infrastructure() {
    assert_eq!(
        texts(Infrastructure::new("example")),
        ["example: no blocks: nothing is described; add one with `infra.dc(..).block(..)`"]
    );
}

#[test]
fn bad_names_all_at_once_with_their_lines() {
    fn bad(b: &Block<UsEast>, (): ()) {
        b.put("A/b", Net { cidr: cidr!("10.0.0.0/8") });
        b.put("twice", Net { cidr: cidr!("10.0.0.0/8") });
        b.put("twice", Net { cidr: cidr!("10.0.0.0/8") }).patience(1).patience(2);
    }
    let last = line!() - 2;
    let infra = Infrastructure::new("bad.name");
    let us = infra.dc(UsEast);
    us.block("base", bad, ());
    us.block("base", nothing, ());
    us.block("..", nothing, ());
    let expected = [
        (last - 2, format!("us-east.base.A/b: `A/b` is not a name of a resource: {RULE}")),
        (last, "us-east.base.twice: another resource of this block has the same name".to_owned()),
        (last, format!("us-east.base.twice, field patience: set twice; the first time at {}:{last}", file!())),
        (last + 3, format!("infrastructure: `bad.name` is not a name of an infrastructure: {RULE}")),
        (last + 6, "us-east.base: another block of this data centre has the same name".to_owned()),
        (last + 7, format!("us-east...: `..` is not a name of a block: {RULE}")),
    ];
    let found: Vec<_> = findings(infra)
        .into_iter()
        .map(|finding| (finding.location.line, format!("{}: {}", finding.subject, finding.problem)))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_computed_network_that_cannot_be() {
    fn bad(b: &Block<UsEast>, cidr: Cidr) {
        for n in [255, 256] {
            b.put(format!("net-{n}"), Net { cidr: cidr.subnet(24, n) });
        }
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("base", bad, cidr!("10.1.0.0/16"));
    infra.dc(UsEast).block("args", bad, cidr!("10.1.0.0/16").subnet(8, 0));
    let length = "`10.1.0.0/16` has no subnets of length 8; write 16 to 32";
    assert_eq!(
        texts(infra),
        [
            format!("us-east.args.net-255, field cidr: {length}"),
            format!("us-east.args.net-256, field cidr: {length}"),
            "us-east.base.net-256, field cidr: `10.1.0.0/16` has 256 subnets of length 24, counted from 0: \
             there is no number 256"
                .to_owned(),
            format!("us-east.args, arguments: {length}"),
        ]
    );
}

#[test]
fn what_a_block_returns_is_checked_like_what_it_takes() {
    fn bad(b: &Block<UsEast>, cidr: Cidr) -> (Cidr, Text<UsEast>) {
        b.put("net", Net { cidr });
        (cidr.subnet(24, 256), text!("in {}", cidr.subnet(8, 0)))
    }
    fn passes_on(_: &Block<UsEast>, (): ()) -> Ref<NetId, UsEast> {
        Infrastructure::new("other").dc(UsEast).block("base", base, &SIZE).net
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("base", bad, cidr!("10.1.0.0/16"));
    infra.dc(UsEast).block("on", passes_on, ());
    let numbers = "`10.1.0.0/16` has 256 subnets of length 24, counted from 0: there is no number 256";
    assert_eq!(
        texts(infra),
        [
            format!("us-east.base, what it returns: {numbers}"),
            "us-east.base, what it returns: `10.1.0.0/16` has no subnets of length 8; write 16 to 32".to_owned(),
            "us-east.on, what it returns: a ref of another `Infrastructure`; use those that this one's blocks returned"
                .to_owned(),
        ]
    );
}

#[test]
fn refs_of_another_infrastructure() {
    let other = Infrastructure::new("other");
    let net = other.dc(UsEast).block("base", base, &SIZE);
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("peer", |b: &Block<UsEast>, net: &Base<UsEast>| b.after(net), &net);
    let texts = texts(infra);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("a ref of another `Infrastructure`")), "{texts:?}");
}

#[test]
fn resources_that_wait_for_each_other() {
    fn circle(b: &Block<UsEast>, (): ()) {
        let net = b.put("net", Net { cidr: cidr!("10.0.0.0/8") });
        let (one, two) = (b.put("one", Host { net }), b.put("two", Host { net }));
        one.trusts([two]);
        two.trusts([one]);
        let alone = b.put("alone", Host { net });
        alone.motto(text!("{}", alone.address()));
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("c", circle, ());
    assert_eq!(
        texts(infra),
        [
            "us-east.c.one: us-east.c.one, us-east.c.two use each other's outputs in a circle",
            "us-east.c.alone: uses an output of itself, which is not known before it exists",
        ]
    );
}

#[test]
fn blocks_that_nest_or_capture_or_come_after_nothing() {
    fn alone<D: DataCentre>(b: &Block<D>, (): ()) {
        b.after(&7);
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let build = |_: &Block<UsEast>, ()| us.block("inner", nothing, ());
    us.block("outer", build, ());
    us.block("alone", alone, ());
    assert_eq!(
        texts(infra),
        [
            "us-east.alone: `after` needs something that a block returned, with a ref inside",
            "us-east.inner: a block is built inside another one; build it beside it, in the infrastructure",
            "us-east.outer: the function of a block captures something; hand that in as an argument",
        ]
    );
}

#[test]
fn data_centres_and_environments_that_contradict_each_other() {
    #[data_centre(name = "us-east", env = Prod, channel = Stable)]
    struct Twin;
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("a", nothing, ());
    infra.dc(UsEast).block("b", nothing, ());
    infra.dc(Twin).block("c", nothing, ());
    let found = texts(infra);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("have the same name"), "{found:?}");

    let infra = Infrastructure::new("example");
    infra.environments::<(Staging, Staging)>();
    infra.dc(UsEast).block("a", nothing, ());
    assert_eq!(
        texts(infra),
        [
            "environments: `staging` stands twice in their order",
            "us-east: its environment `prod` is missing in `infra.environments::<(..)>()`"
        ]
    );
}

#[test]
fn a_key_that_stands_twice_in_a_map() {
    fn labels(b: &Block<UsEast>, (): ()) {
        b.put("net", Net { cidr: cidr!("10.0.0.0/8") }).labels([("team", "a"), ("team", "b")]);
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("a", labels, ());
    assert_eq!(texts(infra), ["us-east.a.net, field labels: the key `team` stands twice"]);
}

#[test]
fn checks_that_cannot_pass() {
    fn unlike(b: &Block<UsEast>, net: &Ref<NetId, Stage>) {
        let host = b.put("net", Net { cidr: cidr!("10.0.0.0/8") }).id();
        let seconds = Duration::from_secs;
        b.check("A b", tcp(text!("{host}:22")));
        b.check("twice", http("http://web.internal/").every(seconds(1)));
        b.check("twice", http("http://web.internal/"));
        b.check("ftp", http("ftp://web.internal/"));
        b.check("port", tcp("web.internal"));
        b.check("status", http("http://web.internal/").status(99));
        b.check("never", tcp("web.internal:22").passes(0));
        b.check("busy", tcp("web.internal:22").every(Duration::from_millis(99)));
        b.check("slow", tcp("web.internal:22").every(seconds(10)).passes(4).within(seconds(30)));
        b.check("elsewhere", custom(passes, *net));
        let port = 22;
        b.check("captures", custom(move |_: Probe| async move { Err(format!("{port}")) }, ()));
    }
    let infra = Infrastructure::new("example");
    infra.environments::<(Staging, Prod)>();
    let there = infra.dc(Stage).block("base", base, &SIZE);
    infra.dc(UsEast).block("a", unlike, &there.net);
    let found = texts(infra);
    insta::assert_snapshot!(found.join("\n"));
}

async fn passes(_: Probe) -> Result<(), String> {
    Ok(())
}

#[test]
fn lives_that_cannot_be_led() {
    fn lives(b: &Block<UsEast>, (): ()) {
        b.put("one", Net { cidr: cidr!("10.0.0.0/8") }).ignore_changes(["patience", "id", "colour"]);
        b.put("two", Net { cidr: cidr!("10.0.0.0/8") }).moved_from("two").moved_from("b.A").moved_from("east.b.old.er");
    }
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("a", lives, ());
    insta::assert_snapshot!(texts(infra).join("\n"));
}
