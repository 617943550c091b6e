//! `aws_vpc_peering_connection` and `aws_vpc_peering_connection_accepter`: the two ends of one connection, each in its own data
//! centre. The first is asked for, the second is what makes it carry traffic.
//!
//! The accepter is no object of its own at AWS: its id is the connection's, it is there as long as the connection is accepted,
//! and it carries no mark. For where both ends are in one account and region they have the same tags.

use std::collections::BTreeSet;

use provision_core::call::{Mark, Read, Readiness, Recovery, Scope, Wait};
use provision_core::dsl::crossing::Foreign;
use provision_core::id::{InfraId, ObjectId};
use provision_core::prelude::*;
use provision_core::value::{Tree, Value};

use super::list::{List, PAGE};
use super::tags;
use super::vpc::VpcId;
use super::vpc_peering_accepting;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::reading::{Page, Reading, Request};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A connection from a VPC to one of another data centre, where a [`VpcPeeringAccepter`] accepts it. Until then it carries
/// nothing: routes name the accepter.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # #[environment("prod")]
/// # struct Prod;
/// # #[data_centre(name = "a", env = Prod, channel = Stable, on(Aws, account = "111111111111", region = UsEast1))]
/// # struct A;
/// # #[data_centre(name = "b", env = Prod, channel = Stable, on(Aws, account = "222222222222", region = EuWest1))]
/// # struct B;
/// crossing!(A => B, via = peering);
/// crossing!(B => A, via = peering);
///
/// fn ask(b: &Block<A>, (ours, theirs): (Ref<VpcId, A>, Ref<VpcId, B>)) -> Ref<VpcPeeringId, A> {
///     b.put("to-b", VpcPeering { vpc: ours, peer: b.import(theirs) }).id()
/// }
///
/// fn accept(b: &Block<B>, asked: Ref<VpcPeeringId, A>) -> Ref<VpcPeeringAccepterId, B> {
///     b.put("from-a", VpcPeeringAccepter { peering: b.import(asked) }).dns(true).id()
/// }
/// ```
#[resource(cloud = Aws, kind = "aws_vpc_peering_connection", version = 1)]
pub struct VpcPeering {
    /// The VPC that asks.
    #[attr(replace)]
    pub vpc: VpcId,
    /// The VPC that is asked, with its account and region. The two must not share addresses.
    #[attr(replace)]
    pub peer: Foreign<VpcId>,
    /// Tags, on this side.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: VpcPeeringId,
}

/// The other end of a [`VpcPeering`]: accepts the connection.
#[resource(cloud = Aws, kind = "aws_vpc_peering_connection_accepter", version = 1)]
pub struct VpcPeeringAccepter {
    /// The connection.
    #[attr(replace)]
    pub peering: VpcPeeringId,
    /// Whether the VPC that asked resolves public names of instances of this one to their private addresses.
    #[attr(default = false)]
    pub dns: bool,
    /// Tags, on this side. Where both VPCs are in one account and region there is one side: set them at the connection.
    #[attr(by_key)]
    pub tags: Option<Tags>,
    /// The connection's id, once it carries traffic.
    #[attr(computed)]
    pub id: VpcPeeringAccepterId,
}

apis! { aws_sdk_ec2 ec2;
    CreateVpcPeeringConnection: Tag, "takes no token; what AWS does with a second request it does not say";
        (VpcId, PeerVpcId, PeerOwnerId, PeerRegion, TagSpecifications) -> (VpcPeeringConnection);
    DeleteVpcPeeringConnection: Remove, "ids are never used again; one that the other end deleted is InvalidStateTransition",
        ["InvalidStateTransition" => AlreadySo]; (VpcPeeringConnectionId) -> ();
    DescribeVpcPeeringConnections: Read, "";
        (VpcPeeringConnectionIds, Filters, NextToken, MaxResults) -> (VpcPeeringConnections, NextToken);
}
shapes! { aws_sdk_ec2;
    text VpcPeeringConnectionStateReasonCode;
    sent PeeringConnectionOptionsRequest(AllowDnsResolutionFromRemoteVpc);
    shown VpcPeeringConnectionOptionsDescription(AllowDnsResolutionFromRemoteVpc);
    shown VpcPeeringConnectionVpcInfo(OwnerId, VpcId, Region, PeeringOptions);
    shown VpcPeeringConnectionStateReason(Code, Message);
    shown VpcPeeringConnection(VpcPeeringConnectionId, RequesterVpcInfo, AccepterVpcInfo, Status, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: VpcPeering::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateVpcPeeringConnection",
        id: &["VpcPeeringConnection", "VpcPeeringConnectionId"],
        outputs: &[],
    }],
    reading: &List {
        schema: VpcPeering::SCHEMA,
        keys: &[("vpc", "requester-vpc-info.vpc-id")],
        observe,
        ..CONNECTIONS
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","peer":{"id":"vpc-2","account":"222222222222","region":"eu-west-1"},"tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

pub(crate) static ACCEPTER: Row = Row {
    schema: VpcPeeringAccepter::SCHEMA,
    identity_key: &["peering"],
    create: accept,
    update: update_accepter,
    delete,
    answers: &[Answered {
        api: "AcceptVpcPeeringConnection",
        id: &["VpcPeeringConnection", "VpcPeeringConnectionId"],
        outputs: &[],
    }],
    reading: &Accepters(List {
        schema: VpcPeeringAccepter::SCHEMA,
        keys: &[("peering", "vpc-peering-connection-id")],
        observe: observe_accepter,
        ..CONNECTIONS
    }),
    apis: vpc_peering_accepting::APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"peering":"pcx-1","dns":true,"tags":{"team":"infra"}}"#,
        changes: &[r#"{"dns":false}"#, r#"{"tags":{"other":"1"}}"#],
    },
};

const CONNECTIONS: List = List {
    schema: VpcPeering::SCHEMA,
    api: "DescribeVpcPeeringConnections",
    ids: "VpcPeeringConnectionIds",
    filters: "Filters",
    most: PAGE,
    objects: &["VpcPeeringConnections"],
    id: "VpcPeeringConnectionId",
    keys: &[],
    observe,
    details: &[],
};

/// A connection is asked for and answered within seconds; AWS names no time. Terraform's provider waits ten minutes.
const READY: Wait = Wait::Ready(600);
const GONE: Wait = Wait::Gone(600);

/// Accepters carry no mark, so no list shows those that are ours: they are read by id.
struct Accepters(List);

impl Reading for Accepters {
    fn request(&self, read: &Read) -> Result<Request, String> {
        self.0.request(read)
    }

    fn page(&self, answer: Shown<'_>) -> Page {
        let mut page = self.0.page(answer);
        // That of the end that asked, where both see the same tags.
        page.objects.iter_mut().for_each(|accepter| accepter.mark = None);
        page
    }

    fn lists(&self, _infra: &InfraId, _recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        Vec::new()
    }

    fn page_size(&self) -> Option<i64> {
        Some(1)
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, peer) = (desired.text("vpc")?, desired.0.get("peer"));
    let of_peer = |name: &str| {
        let text = peer.and_then(Value::as_map).and_then(|peer| peer.get(name)?.as_text());
        text.ok_or_else(|| format!("the field `peer` has `id`, `account` and `region`; `{name}` is not set"))
    };
    let (id, account, region) = (of_peer("id")?, of_peer("account")?, of_peer("region")?);
    let (specification, users) = tags::specification("vpc-peering-connection", desired, mark)?;
    let mut fields = field("vpc", vpc);
    fields.extend(field("peer", peer.cloned().unwrap_or(Value::Null)));
    fields.extend(field("tags", users));
    let request = parts([
        ("VpcId", vpc.into()),
        ("PeerVpcId", id.into()),
        ("PeerOwnerId", account.into()),
        ("PeerRegion", region.into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateVpcPeeringConnection", request, Recovery::Tag, new, READY);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

/// Either end deletes the connection.
fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteVpcPeeringConnection", parts([("VpcPeeringConnectionId", known_id(delete.id))]), GONE);
    Ok(())
}

fn set_dns(calls: &mut Calls, id: Part, on: bool) {
    let options = parts([("AllowDnsResolutionFromRemoteVpc", on.into())]);
    let request = parts([("VpcPeeringConnectionId", id), ("AccepterPeeringConnectionOptions", options)]);
    calls.set("ModifyVpcPeeringConnectionOptions", request, field("dns", on));
}

fn accept(calls: &mut Calls, desired: Given<'_>, _mark: &Mark) -> Result<(), String> {
    let (peering, dns) = (desired.text("peering")?, desired.bool_or("dns", false)?);
    let users = crate::tags::desired(desired)?;
    let key = field("peering", peering);
    let mut fields = key.clone();
    fields.extend(field("dns", false));
    fields.extend(field("tags", crate::tags::value(&crate::tags::Tags::new())));
    let request = parts([("VpcPeeringConnectionId", peering.into())]);
    let new = New { fields, computed: &["id"], mark: None };
    calls.create("AcceptVpcPeeringConnection", request, Recovery::NaturalKey { key }, new, READY);
    if dns {
        set_dns(calls, own_id(), true);
    }
    if !users.is_empty() {
        let request = parts([("Resources", Tree::List(vec![own_id()])), ("Tags", crate::tags::list(&users))]);
        calls.set("CreateTags", request, field("tags", crate::tags::value(&users)));
    }
    Ok(())
}

fn update_accepter(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["dns", "tags"])?;
    if update.changes("dns") {
        set_dns(calls, known_id(update.id), update.desired.bool_or("dns", false)?);
    }
    // No mark: see above.
    tags::update(calls, &Update { mark: None, ..*update })
}

/// What a connection's status means for the end that asks; `None` if it is gone and still listed.
fn asked(status: Shown<'_>) -> Option<Readiness> {
    Some(match status.text("Code") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("initiating-request" | "provisioning") => Readiness::Pending,
        // The other end is what makes it active, and is made after it.
        Some("pending-acceptance" | "active") | None => Readiness::Ready,
        Some(other) => {
            let message = status.text("Message").unwrap_or_default();
            Readiness::Failed(format!("the connection is {other}: {message}"))
        }
    })
}

fn observe(connection: Shown<'_>) -> Option<Seen> {
    let (ours, theirs) = (connection.at("RequesterVpcInfo"), connection.at("AccepterVpcInfo"));
    let peer = [("id", "VpcId"), ("account", "OwnerId"), ("region", "Region")];
    let peer = peer.into_iter().filter_map(|(name, shown)| Some((name.to_owned(), Value::from(theirs.text(shown)?))));
    let seen = Seen::new(asked(connection.at("Status"))?)
        .with("vpc", ours.text("VpcId"))
        .with("peer", Some(Value::Map(peer.collect())));
    Some(seen)
}

/// The accepter is there once the connection is accepted.
fn observe_accepter(connection: Shown<'_>) -> Option<Seen> {
    let readiness = match connection.at("Status").text("Code") {
        Some("active") => Readiness::Ready,
        Some("provisioning") => Readiness::Pending,
        Some("deleting") => Readiness::Going,
        _ => return None,
    };
    let dns = connection.at("AccepterVpcInfo").at("PeeringOptions").bool("AllowDnsResolutionFromRemoteVpc");
    let seen = Seen::new(readiness)
        .with("peering", connection.text("VpcPeeringConnectionId"))
        .with("dns", Some(dns.unwrap_or(false)));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else a connection that is asked for would be taken for one that is accepted, by whoever looks for a lost answer.
    #[test]
    fn the_two_ends_of_a_connection_come_one_after_the_other() {
        let with = |state: &str| {
            let answer =
                format!(r#"{{"VpcPeeringConnectionId":"pcx-1","Status":{{"Code":"{state}","Message":"why"}}}}"#);
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let readiness = |seen: Option<Seen>| seen.map(|seen| seen.readiness);
            let shown = Shown(Some(&answer));
            (readiness(observe(shown)), readiness(observe_accepter(shown)))
        };
        assert_eq!(with("pending-acceptance"), (Some(Readiness::Ready), None));
        assert_eq!(with("active"), (Some(Readiness::Ready), Some(Readiness::Ready)));
        assert_eq!(with("deleted"), (None, None));
        let failed = Readiness::Failed("the connection is failed: why".to_owned());
        assert_eq!(with("failed"), (Some(failed), None));
    }
}
