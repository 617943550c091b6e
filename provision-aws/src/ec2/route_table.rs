//! `aws_route_table`: found again by its mark alone, because its token has no documented term.
//!
//! Routes and associations are fields, and calls that set them: new ones come before old ones go.

use std::collections::{BTreeMap, BTreeSet};

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::{Input, Inputs};
use provision_core::prelude::*;
use provision_core::value::{Fields, Tree, Value};

use super::internet_gateway::InternetGatewayId;
use super::list::List;
use super::route::{self, Route};
use super::subnet::SubnetId;
use super::tags;
use super::vpc::VpcId;
use super::vpn_gateway::VpnGatewayId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// Where traffic goes that leaves a subnet. Within the VPC every table leads anyway.
///
/// Its routes are these and no others, but for what AWS itself puts there: the VPC's own, those that VPN gateways propagate,
/// and those of gateway endpoints. A subnet that is in no table follows the VPC's main one. A subnet that goes from one table
/// to another leaves the first one before it can enter the second: for that moment it follows the main one.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>, internet: Ref<InternetGatewayId, D>, public: [Ref<SubnetId, D>; 3]) {
/// b.put("public", RouteTable { vpc }).routes([Route::to(cidr!("0.0.0.0/0"), internet)]).subnets(public);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_route_table", version = 1, check = check)]
pub struct RouteTable {
    /// The VPC that it belongs to.
    #[attr(replace)]
    pub vpc: VpcId,
    /// Its routes.
    #[attr(set, default)]
    pub routes: Vec<Route>,
    /// The subnets that follow it. A subnet follows one table.
    #[attr(set, default)]
    pub subnets: Vec<SubnetId>,
    /// The internet gateways that follow it: for traffic that comes in, and passes an appliance first.
    #[attr(set, default)]
    pub gateways: Vec<InternetGatewayId>,
    /// The VPN gateways whose routes come into it by themselves.
    #[attr(set, default)]
    pub propagations: Vec<VpnGatewayId>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: RouteTableId,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let routes = inputs.value("routes").and_then(Input::as_list).unwrap_or_default();
    route::check(routes).into_iter().map(|problem| ("routes", problem)).collect()
}

apis! { aws_sdk_ec2 ec2;
    CreateRouteTable: Tag, "ClientToken, whose term is not documented; two tables differ in nothing";
        (VpcId, ClientToken, TagSpecifications) -> (RouteTable);
    CreateRoute: Set, "a second one is refused with RouteAlreadyExists";
        (RouteTableId, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId, GatewayId, NatGatewayId,
         NetworkInterfaceId, VpcEndpointId, TransitGatewayId, VpcPeeringConnectionId) -> ();
    ReplaceRoute: Set, "sets the target of a destination";
        (RouteTableId, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId, GatewayId, NatGatewayId,
         NetworkInterfaceId, VpcEndpointId, TransitGatewayId, VpcPeeringConnectionId) -> ();
    DeleteRoute: Set, "a second one is refused with InvalidRoute.NotFound", ["InvalidRoute.NotFound" => AlreadySo];
        (RouteTableId, DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId) -> ();
    AssociateRouteTable: Set, "a second one answers with the association that is there"; (RouteTableId, SubnetId, GatewayId) -> ();
    DisassociateRouteTable: Set, "a second one is refused with InvalidAssociationID.NotFound",
        ["InvalidAssociationID.NotFound" => AlreadySo]; (AssociationId) -> ();
    EnableVgwRoutePropagation: Set, "switches it on"; (RouteTableId, GatewayId) -> ();
    DisableVgwRoutePropagation: Set, "switches it off"; (RouteTableId, GatewayId) -> ();
    DeleteRouteTable: Remove, "ids are never used again"; (RouteTableId) -> ();
    DescribeRouteTables: Read, ""; (RouteTableIds, Filters, NextToken, MaxResults) -> (RouteTables, NextToken);
}
shapes! { aws_sdk_ec2;
    text RouteOrigin;
    text RouteTableAssociationStateCode;
    shown RouteTableAssociationState(State);
    shown RouteTableAssociation(RouteTableAssociationId, SubnetId, GatewayId, Main, AssociationState);
    shown Route(DestinationCidrBlock, DestinationIpv6CidrBlock, DestinationPrefixListId, GatewayId, NatGatewayId,
        NetworkInterfaceId, TransitGatewayId, VpcPeeringConnectionId, EgressOnlyInternetGatewayId, CarrierGatewayId,
        LocalGatewayId, CoreNetworkArn, InstanceId, Origin);
    shown PropagatingVgw(GatewayId);
    shown RouteTable(RouteTableId, VpcId, Routes, Associations, PropagatingVgws, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: RouteTable::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateRouteTable", id: &["RouteTable", "RouteTableId"], outputs: &[] }],
    reading: &List {
        schema: RouteTable::SCHEMA,
        api: "DescribeRouteTables",
        ids: "RouteTableIds",
        filters: "Filters",
        most: PAGE,
        objects: &["RouteTables"],
        id: "RouteTableId",
        keys: &[("vpc", "vpc-id")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"vpc":"vpc-1","routes":[{"cidr":"0.0.0.0/0","gateway":"igw-1"},{"cidr":"10.9.0.0/16","nat_gateway":"nat-1"}],
            "subnets":["subnet-1","subnet-2"],"gateways":[],"propagations":["vgw-1"],"tags":{}}"#,
        changes: &[
            r#"{"routes":[]}"#,
            r#"{"routes":[{"cidr":"0.0.0.0/0","nat_gateway":"nat-2"},{"cidr":"::/0","gateway":"igw-1"},
                {"prefix_list":"pl-1","network_interface":"eni-1"}]}"#,
            r#"{"subnets":["subnet-2","subnet-3"]}"#,
            r#"{"gateways":["igw-1"]}"#,
            r#"{"propagations":["vgw-2"]}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// "Valid Range: Minimum value of 5. Maximum value of 100":
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html>.
const PAGE: Option<i64> = Some(100);

/// What reads show beside the fields: the ids of associations, by what is associated. By these alone EC2 takes one away.
const ASSOCIATIONS: &str = "association_ids";

/// What can follow a table: the field, and the parameter.
struct Followers {
    field: &'static str,
    parameter: &'static str,
}

const SUBNETS: Followers = Followers { field: "subnets", parameter: "SubnetId" };
const GATEWAYS: Followers = Followers { field: "gateways", parameter: "GatewayId" };

impl Followers {
    fn of<'a>(&self, fields: Given<'a>) -> Result<BTreeSet<&'a str>, String> {
        Ok(fields.texts(self.field)?.into_iter().collect())
    }

    fn set(&self, ids: &BTreeSet<&str>) -> Fields {
        field(self.field, Value::from(ids.iter().copied().collect::<Vec<_>>()))
    }

    fn change(&self, calls: &mut Calls, own: &Part, have: &BTreeSet<&str>, want: &BTreeSet<&str>, ids: Option<&Value>) {
        let mut now = have.clone();
        for id in want.difference(have) {
            now.insert(id);
            let request = parts([("RouteTableId", own.clone()), (self.parameter, (*id).into())]);
            calls.set("AssociateRouteTable", request, self.set(&now));
        }
        for id in have.difference(want) {
            now.remove(id);
            let association = ids.and_then(|ids| ids.as_map()?.get(*id)?.as_text());
            let request = parts([("AssociationId", association.map_or(Tree::Null, Part::from))]);
            calls.set("DisassociateRouteTable", request, self.set(&now));
        }
    }
}

const PROPAGATIONS: &str = "propagations";

/// VPN gateways whose routes come into the table: new ones before old ones go.
fn propagate(calls: &mut Calls, own: &Part, have: Given<'_>, want: Given<'_>) -> Result<(), String> {
    let of = |fields: Given<'_>| {
        Ok::<BTreeSet<_>, String>(fields.texts(PROPAGATIONS)?.into_iter().map(str::to_owned).collect())
    };
    let (have, want) = (of(have)?, of(want)?);
    let mut now = have.clone();
    let added = want.difference(&have).map(|id| (id, "EnableVgwRoutePropagation"));
    for (id, api) in added.chain(have.difference(&want).map(|id| (id, "DisableVgwRoutePropagation"))) {
        if !now.remove(id) {
            now.insert(id.clone());
        }
        let request = parts([("RouteTableId", own.clone()), ("GatewayId", id.as_str().into())]);
        calls.set(api, request, field(PROPAGATIONS, now.iter().cloned().collect::<Vec<_>>()));
    }
    Ok(())
}

fn routes(fields: Given<'_>) -> Result<route::Routes, String> {
    route::parse(fields.list("routes")?).map_err(|problem| format!("the field `routes`: {problem}"))
}

fn change_routes(calls: &mut Calls, own: &Part, have: &route::Routes, want: &route::Routes) {
    let mut now = have.clone();
    for (to, target) in want {
        let api = match now.insert(to.clone(), target.clone()) {
            None => "CreateRoute",
            Some(other) if other != *target => "ReplaceRoute",
            Some(_) => continue,
        };
        let request = parts([("RouteTableId", own.clone()), to.part(), target.part()]);
        calls.set(api, request, field("routes", route::value(&now)));
    }
    for to in have.keys().filter(|to| !want.contains_key(*to)) {
        now.remove(to);
        let request = parts([("RouteTableId", own.clone()), to.part()]);
        calls.set("DeleteRoute", request, field("routes", route::value(&now)));
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (vpc, routes) = (desired.text("vpc")?, routes(desired)?);
    let (specification, users) = tags::specification("route-table", desired, mark)?;
    let mut fields = field("vpc", vpc);
    for name in ["routes", SUBNETS.field, GATEWAYS.field, PROPAGATIONS] {
        fields.extend(field(name, Value::List(Vec::new())));
    }
    fields.extend(field("tags", users));
    let request = parts([
        ("VpcId", vpc.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateRouteTable", request, Recovery::Tag, new, Wait::No);
    change_routes(calls, &own_id(), &BTreeMap::new(), &routes);
    propagate(calls, &own_id(), Given(&Fields::new()), desired)?;
    for followers in [SUBNETS, GATEWAYS] {
        followers.change(calls, &own_id(), &BTreeSet::new(), &followers.of(desired)?, None);
    }
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["routes", SUBNETS.field, GATEWAYS.field, PROPAGATIONS, "tags"])?;
    let own = known_id(update.id);
    if update.changes("routes") {
        change_routes(calls, &own, &routes(update.observed)?, &routes(update.desired)?);
    }
    if update.changes(PROPAGATIONS) {
        propagate(calls, &own, update.observed, update.desired)?;
    }
    for followers in [SUBNETS, GATEWAYS] {
        if update.changes(followers.field) {
            let (have, want) = (followers.of(update.observed)?, followers.of(update.desired)?);
            followers.change(calls, &own, &have, &want, update.observed.0.get(ASSOCIATIONS));
        }
    }
    tags::update(calls, update)
}

/// EC2 deletes no table that something follows.
fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    for followers in [SUBNETS, GATEWAYS] {
        let ids = delete.last(followers.field).and_then(Value::as_list).unwrap_or_default();
        let have = ids.iter().filter_map(Value::as_text).collect();
        followers.change(calls, &known_id(delete.id), &have, &BTreeSet::new(), delete.last(ASSOCIATIONS));
    }
    calls.remove("DeleteRouteTable", parts([("RouteTableId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(table: Shown<'_>) -> Option<Seen> {
    let stays = |it: &Shown<'_>| {
        !matches!(it.at("AssociationState").text("State"), Some("disassociating" | "disassociated" | "failed"))
    };
    let associations: Vec<Shown<'_>> = table.list("Associations").filter(stays).collect();
    let ids = |followers: &Followers| {
        Value::List(associations.iter().filter_map(|it| it.text(followers.parameter)).map(Value::from).collect())
    };
    let by_follower = associations.iter().filter_map(|it| {
        let follower = it.text(SUBNETS.parameter).or(it.text(GATEWAYS.parameter))?;
        Some((follower.to_owned(), it.text("RouteTableAssociationId")?.into()))
    });
    let propagations = table.list("PropagatingVgws").filter_map(|gateway| gateway.text("GatewayId"));
    let seen = Seen::new(Readiness::Ready)
        .with("vpc", table.text("VpcId"))
        .with("routes", Some(route::value(&table.list("Routes").filter_map(route::observed).collect())))
        .with(SUBNETS.field, Some(ids(&SUBNETS)))
        .with(GATEWAYS.field, Some(ids(&GATEWAYS)))
        .with(PROPAGATIONS, Some(Value::List(propagations.map(Value::from).collect())))
        .with(ASSOCIATIONS, Some(Value::Map(by_follower.collect())));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;
    use provision_core::id::ObjectId;

    #[test]
    fn what_follows_a_table_leaves_it_by_the_id_of_its_association() {
        let answer: Value = serde_json::from_str(
            r#"{"RouteTableId":"rtb-1","VpcId":"vpc-1","Associations":[{"RouteTableAssociationId":"rtbassoc-0","Main":true},
                {"RouteTableAssociationId":"rtbassoc-1","SubnetId":"subnet-1","AssociationState":{"State":"associated"}},
                {"RouteTableAssociationId":"rtbassoc-2","SubnetId":"subnet-2","AssociationState":{"State":"disassociating"}}]}"#,
        )
        .unwrap();
        let observed = observe(Shown(Some(&answer))).unwrap().fields;
        assert_eq!(observed["subnets"], Value::List(vec!["subnet-1".into()]));
        let (id, recorded) = (ObjectId::new("rtb-1").unwrap(), fields([]));
        let mut calls = Calls::new(&"aws_route_table".parse().unwrap());
        delete(&mut calls, &Delete::new(&id, &recorded, Some(&observed))).unwrap();
        let calls = calls.done();
        assert_eq!(serde_json::to_string(&calls[0].request).unwrap(), r#"{"AssociationId":"rtbassoc-1"}"#);
        assert_eq!(
            calls.iter().map(|call| call.api.as_str()).collect::<Vec<_>>(),
            ["DisassociateRouteTable", "DeleteRouteTable"]
        );
    }
}
