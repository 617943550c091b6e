//! The DSL as an author of modules uses it, and what it becomes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use provision_core::desired::{Desired, DesiredBlock};
use provision_core::prelude::*;
use provision_core::schema::{Grain, Kind, Literal, OnChange, Role};
use provision_core::value::{Symbol, Tree};

mod crossings;
mod findings;
mod lookups;
mod toy;

use toy::*;

fn two_blocks() -> Desired {
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let net = us.block("base", base, &SIZE);
    us.block("peer", peer, (&net, "hello"));
    infra.finish().unwrap()
}

fn canonical(value: &provision_core::value::Value) -> String {
    String::from_utf8(value.canonical()).unwrap()
}

#[test]
fn blocks_know_their_function_their_parameters_and_what_they_use() {
    let desired = two_blocks();
    let base = &desired.blocks[&"us-east.base".parse().unwrap()];
    assert_eq!(base.function, "dsl::toy::base");
    assert_eq!(canonical(&base.params), r#"{"cidr":"10.0.0.0/16","hosts":2,"note":null}"#);
    assert!(base.after.is_empty());
    let peer = &desired.blocks[&"us-east.peer".parse().unwrap()];
    assert_eq!(peer.after.iter().map(ToString::to_string).collect::<Vec<_>>(), ["us-east.base"]);
    assert_eq!(
        canonical(&peer.params),
        r#"[{"hosts":["us-east.base.host-0#id","us-east.base.host-1#id"],"net":"us-east.base.net#id"},"hello"]"#
    );
    let dc = &desired.dcs[&"us-east".parse().unwrap()];
    assert_eq!(dc.targets[&"toy".parse().unwrap()].to_string(), "toy:acme:lab");
}

#[test]
fn what_a_block_returns_are_its_outputs() {
    fn gate<D: On<Toy>>(b: &Block<D>, base: &Base<D>) -> (Text<D>, Ref<NetId, D>) {
        let host = b.put("host", Host { net: base.net });
        (text!("https://{}/", host.address()), base.net)
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let net = us.block("base", base, &SIZE);
    us.block("gate", gate, &net);
    us.block("nothing", nothing, ());
    let desired = infra.finish().unwrap();
    let outputs = |block: &str| serde_json::to_string(&desired.blocks[&block.parse().unwrap()].outputs).unwrap();
    assert_eq!(
        outputs("us-east.gate"),
        concat!(
            r#"[{"$text":["https://",{"$ref":"us-east.gate.host#address"},"/"]},"#,
            r#"{"$ref":"us-east.base.net#id"}]"#
        )
    );
    let block = &desired.blocks[&"us-east.nothing".parse().unwrap()];
    assert!(block.outputs.is_null());
    let written = serde_json::to_string(block).unwrap();
    assert!(!written.contains("outputs"), "a definition without outputs keeps its digest: {written}");
    assert_eq!(serde_json::from_str::<DesiredBlock>(&written).unwrap(), *block);
}

#[test]
fn inputs_hold_what_is_set_and_defaults_and_nothing_that_is_not_ours() {
    let desired = two_blocks();
    let inputs = |block: &str, name: &str| {
        let block = &desired.blocks[&block.parse().unwrap()];
        serde_json::to_string(&block.resources[&name.parse().unwrap()].inputs).unwrap()
    };
    assert_eq!(inputs("us-east.base", "net"), r#"{"cidr":"10.0.0.0/16","labels":{"team":"infra"},"patience":5}"#);
    assert_eq!(inputs("us-east.base", "host-1"), r#"{"net":{"$ref":"us-east.base.net#id"},"trusts":[]}"#);
    assert_eq!(
        inputs("us-east.peer", "second"),
        concat!(
            r#"{"motto":{"$text":["hello at ",{"$ref":"us-east.peer.first#address"}]},"#,
            r#""net":{"$ref":"us-east.base.net#id"},"trusts":[]}"#
        )
    );
    let block = &desired.blocks[&"us-east.peer".parse().unwrap()];
    let first = &block.resources[&"first".parse().unwrap()];
    assert_eq!(first.inputs["trusts"].as_list().unwrap().len(), 2);
    assert!(matches!(&first.inputs["net"], Tree::Symbol(Symbol::Output(output)) if output.output == "id"));
    assert_eq!((first.version, first.provider.as_str()), (1, "toy"));
}

#[test]
fn the_same_code_gives_the_same_description() {
    assert_eq!(two_blocks(), two_blocks());
}

#[test]
fn the_schema_says_what_stands_on_the_fields() {
    assert_eq!((Net::SCHEMA.type_name, Net::SCHEMA.provider, Net::SCHEMA.version), ("toy_net", "toy", 3));
    let field = |name| *Net::SCHEMA.field(name).unwrap();
    assert_eq!((field("cidr").kind, field("cidr").on_change), (Kind::Net, OnChange::Replace));
    assert_eq!(field("cidr").role, Role::Required);
    assert_eq!(field("name").role, Role::Name { max: 63 });
    assert_eq!(field("patience").role, Role::Default(Literal::Int(5)));
    assert_eq!((field("labels").grain, field("labels").role), (Grain::ByKey, Role::Default(Literal::EmptyMap)));
    assert_eq!((field("id").kind, field("id").role), (Kind::Id("NetId"), Role::Computed));
    let trusts = Host::SCHEMA.field("trusts").unwrap();
    assert_eq!((trusts.kind, trusts.grain), (Kind::List(&Kind::Id("HostId")), Grain::Set));
    assert_eq!(Host::SCHEMA.field("motto").unwrap().role, Role::Optional);
}

#[test]
fn environments_come_in_the_given_order_or_as_they_are_named() {
    let names = |desired: Desired| desired.environments.into_iter().map(String::from).collect::<Vec<_>>();
    let infra = Infrastructure::new("example");
    infra.dc(UsEast).block("a", nothing, ());
    infra.dc(Stage).block("a", nothing, ());
    assert_eq!(names(infra.finish().unwrap()), ["prod", "staging"]);

    let infra = Infrastructure::new("example");
    infra.environments::<(Staging, Prod)>();
    infra.dc(UsEast).block("a", nothing, ());
    assert_eq!(names(infra.finish().unwrap()), ["staging", "prod"]);
}

#[test]
fn after_orders_blocks_without_a_value() {
    fn later<D: On<Toy>>(b: &Block<D>, earlier: (Base<D>, Base<D>)) {
        b.after(&earlier);
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let earlier = (us.block("one", base, &SIZE), us.block("two", base, &SIZE));
    us.block("later", later, earlier);
    assert_eq!(infra.finish().unwrap().blocks[&"us-east.later".parse().unwrap()].after.len(), 2);
}

#[test]
fn what_a_block_rules_out_names_places_by_refs() {
    fn closed<D: On<Toy>>(b: &Block<D>, theirs: Ref<HostId, D>) {
        let net = b.put("net", Net { cidr: cidr!("10.9.0.0/16") });
        let host = b.put("host", Host { net });
        b.never("internet", text!("{host}:22"));
        b.never(theirs, text!("{}:53/udp", host.address()));
        b.never(cidr!("10.0.0.0/8"), text!("{net}"));
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let theirs = us.block("base", base, &SIZE).hosts[0];
    us.block("closed", closed, theirs);
    let findings = infra.finish().unwrap_err();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].problem.starts_with("`us-east.closed.net` names no port"), "{findings:?}");

    fn open<D: On<Toy>>(b: &Block<D>, theirs: Ref<HostId, D>) {
        b.never(theirs, text!("{theirs}:22"));
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let theirs = us.block("base", base, &SIZE).hosts[0];
    us.block("closed", |b: &Block<UsEast>, (): ()| b.never("internet", "10.0.0.1:22"), ());
    us.block("open", open, theirs);
    let desired = infra.finish().unwrap();
    let told: Vec<String> = desired.nevers.iter().map(|never| never.question.to_string()).collect();
    assert_eq!(
        told,
        ["from 0.0.0.0/0 to 10.0.0.1/32 at tcp 22", "from us-east.base.host-0 to us-east.base.host-0 at tcp 22"]
    );
}

#[test]
fn a_choice_is_an_argument_too() {
    #[derive(Args)]
    enum Disk {
        None,
        Fixed { size: u32 },
        Of(u8, &'static str),
    }
    fn disks<D: DataCentre>(_: &Block<D>, disks: [Disk; 3]) -> u32 {
        let size = |disk: &Disk| match disk {
            Disk::None => 0,
            Disk::Fixed { size } => *size,
            Disk::Of(count, _) => u32::from(*count),
        };
        disks.iter().map(size).sum()
    }
    let infra = Infrastructure::new("example");
    let sum = infra.dc(UsEast).block("d", disks, [Disk::None, Disk::Fixed { size: 4 }, Disk::Of(3, "x")]);
    assert_eq!(sum, 7);
    let desired = infra.finish().unwrap();
    let params = &desired.blocks[&"us-east.d".parse().unwrap()].params;
    assert_eq!(canonical(params), r#"["None",{"Fixed":{"size":4}},{"Of":[3,"x"]}]"#);
}

#[test]
fn texts_take_values_in_order_and_by_name() {
    fn hosts(b: &Block<UsEast>, base: &Base<UsEast>) {
        let (name, port) = ("db", 5432);
        let net = base.net;
        b.put("known", Host { net }).motto(text!("{{{name}}} {} {}", port, cidr!("10.0.0.0/8")));
        b.put("nested", Host { net }).motto(text!("{}!", text!("{net}:{port}")));
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let base = us.block("base", base, &SIZE);
    us.block("hosts", hosts, &base);
    let desired = infra.finish().unwrap();
    let resources = &desired.blocks[&"us-east.hosts".parse().unwrap()].resources;
    let motto = |name: &str| serde_json::to_string(&resources[&name.parse().unwrap()].inputs["motto"]).unwrap();
    assert_eq!(motto("known"), r#""{db} 5432 10.0.0.0/8""#);
    assert_eq!(motto("nested"), r#"{"$text":[{"$ref":"us-east.base.net#id"},":5432!"]}"#);
}
