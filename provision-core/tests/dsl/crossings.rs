//! Refs that another data centre uses on purpose.

use provision_core::dsl::check::{custom, http};
use provision_core::prelude::*;

use crate::findings::texts;
use crate::toy::*;

/// Another data centre of production.
#[data_centre(name = "eu-west", env = Prod, channel = Stable, on(Toy, account = "acme-eu", region = Lab))]
pub(crate) struct EuWest;

crossing!(EuWest => UsEast, via = peering);

fn user(b: &Block<UsEast>, (theirs, address): (&Base<EuWest>, Ref<String, EuWest>)) -> Ref<String, UsEast> {
    let net = b.import(theirs.net);
    let address = b.import(address);
    b.put("host", Host { net }).motto(text!("call {address}"));
    b.check("theirs", http(text!("http://{address}/health")));
    b.check("asked", custom(asked, address));
    address.here()
}

async fn asked(_: provision_core::check::Probe) -> Result<(), String> {
    Ok(())
}

fn on_top(b: &Block<UsEast>, address: Ref<String, UsEast>) {
    b.put("host", Host { net: b.put("net", Net { cidr: cidr!("10.9.0.0/16") }) }).motto(text!("{address}"));
    b.check("asked", custom(asked, address));
}

#[test]
fn an_imported_ref_is_used_like_any_other_and_keeps_the_order() {
    let infra = Infrastructure::new("example");
    let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
    let theirs = eu.block("base", base, &SIZE);
    let (address, _) = eu.block("peer", peer, (&theirs, "hello"));
    let handed_on = us.block("user", user, (&theirs, address));
    us.block("top", on_top, handed_on);
    let desired = infra.finish().unwrap();
    let user = &desired.blocks[&"us-east.user".parse().unwrap()];
    assert_eq!(user.after, ["eu-west.base".parse().unwrap(), "eu-west.peer".parse().unwrap()].into());
    assert_eq!(user.crossings, [("eu-west".parse().unwrap(), "peering".to_owned())].into());
    let host = &user.resources[&"host".parse().unwrap()];
    assert_eq!(serde_json::to_string(&host.inputs["net"]).unwrap(), r#"{"$ref":"eu-west.base.net#id"}"#);
    assert_eq!(host.depends_on().len(), 2);
    let outputs = serde_json::to_string(&user.outputs).unwrap();
    assert_eq!(outputs, r#"{"$ref":"eu-west.peer.first#address"}"#);
    let plain = &desired.blocks[&"us-east.top".parse().unwrap()];
    assert_eq!(plain.after, ["eu-west.peer".parse().unwrap()].into(), "it was handed on");
    assert_eq!(plain.crossings, user.crossings);
}

/// A block that is built alike everywhere.
fn anywhere<D: On<Toy>>(b: &Block<D>, (net, beside): (Ref<NetId, D>, Ref<String, D>)) {
    b.put("host", Host { net }).motto(text!("call {beside}"));
}

#[test]
fn a_data_centre_takes_a_ref_over_for_the_blocks_that_are_given_it() {
    let infra = Infrastructure::new("example");
    let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
    let theirs = eu.block("base", base, &SIZE);
    let (address, _) = eu.block("peer", peer, (&theirs, "hello"));
    let ours = us.block("base", base, &SIZE);
    us.block("host", anywhere, (ours.net, us.import(address).here()));
    let desired = infra.finish().unwrap();
    let host = &desired.blocks[&"us-east.host".parse().unwrap()];
    assert_eq!(host.after, ["eu-west.peer".parse().unwrap(), "us-east.base".parse().unwrap()].into());
    assert_eq!(host.crossings, [("eu-west".parse().unwrap(), "peering".to_owned())].into());
    assert!(desired.blocks[&"us-east.base".parse().unwrap()].crossings.is_empty(), "it was given nothing of it");
}

impl provision_core::dsl::Crossing<UsEast> for Stage {
    const VIA: &'static str = "nothing";
}

#[test]
fn environments_do_not_mix_where_somebody_writes_the_trait_by_hand() {
    fn bad(b: &Block<UsEast>, theirs: &Base<Stage>) {
        b.put("host", Host { net: b.import(theirs.net) });
    }
    let infra = Infrastructure::new("example");
    let theirs = infra.dc(Stage).block("base", base, &SIZE);
    infra.dc(UsEast).block("bad", bad, &theirs);
    assert_eq!(
        texts(infra),
        ["us-east.bad: imports a ref of stage, which is of environment staging: environments do not mix"]
    );

    let infra = Infrastructure::new("example");
    let theirs = infra.dc(Stage).block("base", base, &SIZE);
    infra.dc(UsEast).import(theirs.net);
    assert_eq!(
        texts(infra),
        ["us-east: imports a ref of stage, which is of environment staging: environments do not mix"]
    );
}
