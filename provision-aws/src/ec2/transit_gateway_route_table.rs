//! `aws_transit_gateway_route_table`: found again by its mark alone. Routes, associations and propagations are fields, and
//! calls that set them.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use provision_core::call::{Mark, Observed, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, IntoInput};
use provision_core::id::ObjectId;
use provision_core::prelude::*;
use provision_core::provider::{self, Asked};
use provision_core::schema::Kind;
use provision_core::value::{Fields, Value};

use super::list::{List, PAGE, filter};
use super::tags;
use super::transit_gateway::TransitGatewayId;
use super::transit_gateway_attachment::TransitGatewayAttachmentId;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, canonical_cidr, field, known_id, own_id, parts};
use crate::table::reading::{Detail, DetailSeen, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A route table of a transit gateway: where what comes from some attachments goes to.
///
/// An attachment is associated with one table at most. So its gateway must not associate it with the gateway's own:
/// `TransitGateway {}` with `.default_association(false)`.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(
/// #     b: &Block<D>,
/// #     hub: Ref<TransitGatewayId, D>,
/// #     [spoke, egress]: [Ref<TransitGatewayAttachmentId, D>; 2],
/// # ) {
/// b.put("spokes", TransitGatewayRouteTable { transit_gateway: hub })
///     .associations([spoke])
///     .propagations([egress])
///     .routes([
///         TransitGatewayRoute::to(cidr!("0.0.0.0/0"), egress),
///         TransitGatewayRoute::blackhole(cidr!("10.0.0.0/8")),
///     ]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_transit_gateway_route_table", version = 1)]
pub struct TransitGatewayRouteTable {
    /// The gateway.
    #[attr(replace)]
    pub transit_gateway: TransitGatewayId,
    /// What comes from these attachments goes by this table.
    #[attr(set, default)]
    pub associations: Vec<TransitGatewayAttachmentId>,
    /// These attachments say by themselves which networks they lead to.
    #[attr(set, default)]
    pub propagations: Vec<TransitGatewayAttachmentId>,
    /// Routes besides those; they come before them.
    #[attr(set, default)]
    pub routes: Vec<TransitGatewayRoute>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: TransitGatewayRouteTableId,
}

/// A route of a transit gateway's route table, in data centre `D`: a network, and the attachment that leads to it.
///
/// Its erased form is a map: `{"cidr": "10.0.0.0/8", "attachment": "tgw-attach-1"}`, or `"blackhole": true` in place of the
/// attachment.
#[derive(Debug, Clone)]
pub struct TransitGatewayRoute<D = ()> {
    cidr: Input,
    target: (&'static str, Input),
    of: PhantomData<fn() -> D>,
}

impl<D> TransitGatewayRoute<D> {
    /// What goes to the network goes to the attachment.
    pub fn to(cidr: impl IntoInput<Cidr, D>, attachment: impl IntoInput<TransitGatewayAttachmentId, D>) -> Self {
        Self { cidr: cidr.into_input(), target: ("attachment", attachment.into_input()), of: PhantomData }
    }

    /// What goes to the network is dropped.
    pub fn blackhole(cidr: impl IntoInput<Cidr, D>) -> Self {
        Self { cidr: cidr.into_input(), target: ("blackhole", true.into()), of: PhantomData }
    }
}

impl<D> IntoInput<TransitGatewayRoute, D> for TransitGatewayRoute<D> {
    fn into_input(self) -> Input {
        let (kind, target) = self.target;
        Input::Map(BTreeMap::from([("cidr".to_owned(), self.cidr), (kind.to_owned(), target)]))
    }
}

impl FieldKind for TransitGatewayRoute {
    const KIND: Kind = Kind::Object;
}

apis! { aws_sdk_ec2 ec2;
    CreateTransitGatewayRouteTable: Tag, "takes no token; two tables differ in nothing";
        (TransitGatewayId, TagSpecifications) -> (TransitGatewayRouteTable);
    AssociateTransitGatewayRouteTable: Set, "an attachment has one table; a second one is refused with Resource.AlreadyAssociated";
        (TransitGatewayRouteTableId, TransitGatewayAttachmentId) -> ();
    DisassociateTransitGatewayRouteTable: Set, "a second one is refused with InvalidAssociation.NotFound",
        ["InvalidAssociation.NotFound" => AlreadySo]; (TransitGatewayRouteTableId, TransitGatewayAttachmentId) -> ();
    EnableTransitGatewayRouteTablePropagation: Set,
        "a second one is refused with TransitGatewayRouteTablePropagation.Duplicate",
        ["TransitGatewayRouteTablePropagation.Duplicate" => AlreadySo];
        (TransitGatewayRouteTableId, TransitGatewayAttachmentId) -> ();
    DisableTransitGatewayRouteTablePropagation: Set,
        "a second one is refused with TransitGatewayRouteTablePropagation.NotFound",
        ["TransitGatewayRouteTablePropagation.NotFound" => AlreadySo];
        (TransitGatewayRouteTableId, TransitGatewayAttachmentId) -> ();
    CreateTransitGatewayRoute: Set, "a second one is refused with RouteAlreadyExists; read back before it is repeated";
        (TransitGatewayRouteTableId, DestinationCidrBlock, TransitGatewayAttachmentId, Blackhole) -> ();
    ReplaceTransitGatewayRoute: Set, "sets where a route leads";
        (TransitGatewayRouteTableId, DestinationCidrBlock, TransitGatewayAttachmentId, Blackhole) -> ();
    DeleteTransitGatewayRoute: Set, "a second one is refused with InvalidRoute.NotFound",
        ["InvalidRoute.NotFound" => AlreadySo]; (TransitGatewayRouteTableId, DestinationCidrBlock) -> ();
    DeleteTransitGatewayRouteTable: Remove, "ids are never used again"; (TransitGatewayRouteTableId) -> ();
    DescribeTransitGatewayRouteTables: Read, "";
        (TransitGatewayRouteTableIds, Filters, NextToken, MaxResults) -> (TransitGatewayRouteTables, NextToken);
    SearchTransitGatewayRoutes: Read, "";
        (TransitGatewayRouteTableId, Filters, MaxResults) -> (Routes, AdditionalRoutesAvailable, NextToken);
    GetTransitGatewayRouteTableAssociations: Read, "";
        (TransitGatewayRouteTableId, MaxResults) -> (Associations, NextToken);
    GetTransitGatewayRouteTablePropagations: Read, "";
        (TransitGatewayRouteTableId, MaxResults) -> (TransitGatewayRouteTablePropagations, NextToken);
}
shapes! { aws_sdk_ec2;
    text TransitGatewayRouteTableState;
    text TransitGatewayRouteState;
    text TransitGatewayAssociationState;
    text TransitGatewayPropagationState;
    shown TransitGatewayRouteTable(TransitGatewayRouteTableId, TransitGatewayId, State, Tags);
    shown TransitGatewayRouteAttachment(TransitGatewayAttachmentId);
    shown TransitGatewayRoute(DestinationCidrBlock, TransitGatewayAttachments, State);
    shown TransitGatewayRouteTableAssociation(TransitGatewayAttachmentId, State);
    shown TransitGatewayRouteTablePropagation(TransitGatewayAttachmentId, State);
}

pub(crate) static ROW: Row = Row {
    schema: TransitGatewayRouteTable::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreateTransitGatewayRouteTable",
        id: &["TransitGatewayRouteTable", "TransitGatewayRouteTableId"],
        outputs: &[],
    }],
    reading: &List {
        schema: TransitGatewayRouteTable::SCHEMA,
        api: "DescribeTransitGatewayRouteTables",
        ids: "TransitGatewayRouteTableIds",
        filters: "Filters",
        most: PAGE,
        objects: &["TransitGatewayRouteTables"],
        id: "TransitGatewayRouteTableId",
        keys: &[("transit_gateway", "transit-gateway-id")],
        observe,
        details: &[ASSOCIATIONS.detail(), PROPAGATIONS.detail(), ROUTES],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"transit_gateway":"tgw-1","tags":{},"associations":["tgw-attach-1"],"propagations":["tgw-attach-1"],
            "routes":[{"cidr":"0.0.0.0/0","attachment":"tgw-attach-1"},{"cidr":"10.0.0.0/8","blackhole":true}]}"#,
        changes: &[
            r#"{"associations":["tgw-attach-2"],"propagations":["tgw-attach-2","tgw-attach-3"]}"#,
            r#"{"routes":[{"cidr":"0.0.0.0/0","attachment":"tgw-attach-2"},{"cidr":"10.1.0.0/16","attachment":"tgw-attach-1"}]}"#,
            r#"{"associations":[],"routes":[{"cidr":"0.0.0.0/0","blackhole":true}]}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

/// AWS names no time. Terraform's provider waits ten minutes for a table, for one to be gone, and for an association.
const CHANGED: Wait = Wait::Ready(600);
const GONE: Wait = Wait::Gone(600);

/// Where the routes of a table lead: the attachment, or nowhere.
type Routes = BTreeMap<String, Option<String>>;

fn route_fields(routes: &Routes) -> Fields {
    let route = |(cidr, attachment): (&String, &Option<String>)| {
        let (kind, target) = match attachment {
            Some(id) => ("attachment", id.as_str().into()),
            None => ("blackhole", true.into()),
        };
        Value::Map(BTreeMap::from([("cidr".to_owned(), cidr.as_str().into()), (kind.to_owned(), target)]))
    };
    field("routes", Value::List(routes.iter().map(route).collect()))
}

fn routes(fields: Given<'_>) -> Result<Routes, String> {
    let mut routes = Routes::new();
    for value in fields.list("routes")? {
        let map = value.as_map().ok_or("the field `routes`: a route is a map")?;
        let text = |name: &str| map.get(name).and_then(Value::as_text);
        let cidr = text("cidr").ok_or("the field `routes`: a route has a `cidr`")?;
        let attachment = match (text("attachment"), map.get("blackhole").and_then(Value::as_bool)) {
            (Some(attachment), None) => Some(attachment.to_owned()),
            (None, Some(true)) => None,
            _ => return Err(format!("the field `routes`: the one to {cidr} has an `attachment`, or is a `blackhole`")),
        };
        if routes.insert(cidr.to_owned(), attachment).is_some() {
            return Err(format!("the field `routes`: there are two to {cidr}; write one"));
        }
    }
    Ok(routes)
}

/// The routes that a definition asks for.
fn wanted_routes(fields: Given<'_>) -> Result<Routes, String> {
    let routes = routes(fields)?;
    for cidr in routes.keys() {
        canonical_cidr(cidr).map_err(|problem| format!("the field `routes`: {problem}"))?;
    }
    Ok(routes)
}

fn route(id: &Part, cidr: &str, attachment: &Option<String>) -> Part {
    let (kind, target) = match attachment {
        Some(attachment) => ("TransitGatewayAttachmentId", attachment.as_str().into()),
        None => ("Blackhole", true.into()),
    };
    parts([("TransitGatewayRouteTableId", id.clone()), ("DestinationCidrBlock", cidr.into()), (kind, target)])
}

/// What a table has to do with attachments: the field, its calls and its read.
#[derive(Clone, Copy)]
struct Link {
    field: &'static str,
    add: &'static str,
    remove: &'static str,
    /// What the read's answer calls its list.
    list: &'static str,
    of: provider::Detail,
    request: fn(&[ObjectId]) -> Request,
    seen: DetailSeen,
}

const ASSOCIATIONS: Link = Link {
    field: "associations",
    add: "AssociateTransitGatewayRouteTable",
    remove: "DisassociateTransitGatewayRouteTable",
    list: "Associations",
    of: provider::Detail { name: "associations", batch: 1, asked: Asked::Always },
    request: |ids| of_table(ids, "GetTransitGatewayRouteTableAssociations", None),
    seen: |ids, answer| ASSOCIATIONS.read(ids, answer),
};
const PROPAGATIONS: Link = Link {
    field: "propagations",
    add: "EnableTransitGatewayRouteTablePropagation",
    remove: "DisableTransitGatewayRouteTablePropagation",
    list: "TransitGatewayRouteTablePropagations",
    of: provider::Detail { name: "propagations", batch: 1, asked: Asked::Always },
    request: |ids| of_table(ids, "GetTransitGatewayRouteTablePropagations", None),
    seen: |ids, answer| PROPAGATIONS.read(ids, answer),
};
const ROUTES: Detail = Detail {
    of: provider::Detail { name: "routes", batch: 1, asked: Asked::Always },
    request: |ids| of_table(ids, "SearchTransitGatewayRoutes", Some(Value::List(vec![filter("type", "static")]))),
    seen: seen_routes,
};

/// A read about one table. Its answer has one page: AWS' quotas are 5,000 attachments and 10,000 routes, of which a thousand
/// are read.
fn of_table(ids: &[ObjectId], api: &'static str, filters: Option<Value>) -> Request {
    let id = ids.first().map(|id| id.as_str().into());
    let asked = [("TransitGatewayRouteTableId", id), ("Filters", filters), ("MaxResults", PAGE.map(Value::from))];
    Request { api, parameters: parameters(asked) }
}

/// What the first page shows, if it is all that there is. Otherwise nothing is known, and what is recorded counts.
fn whole(answer: Shown<'_>, fields: Fields) -> Fields {
    let more = answer.text("NextToken").is_some_and(|next| !next.is_empty());
    if more || answer.bool("AdditionalRoutesAvailable") == Some(true) { Fields::new() } else { fields }
}

fn seen_routes(ids: &[ObjectId], answer: Shown<'_>) -> Vec<Observed> {
    let there = answer.list("Routes").filter(|route| !matches!(route.text("State"), Some("deleting" | "deleted")));
    // Routes to prefix lists have no network; they are not made here.
    let routes = there.filter_map(|route| {
        let attachment = route.path(&["TransitGatewayAttachments", "TransitGatewayAttachmentId"]).as_text();
        Some((route.text("DestinationCidrBlock")?.to_owned(), attachment.map(str::to_owned)))
    });
    let fields = whole(answer, route_fields(&routes.collect()));
    ids.iter().map(|id| detail(id, fields.clone())).collect()
}

impl Link {
    const fn detail(self) -> Detail {
        Detail { of: self.of, request: self.request, seen: self.seen }
    }

    fn read(self, ids: &[ObjectId], answer: Shown<'_>) -> Vec<Observed> {
        let leaving = |it: &Shown<'_>| matches!(it.text("State"), Some("disassociating" | "disabling"));
        let gone = |it: &Shown<'_>| matches!(it.text("State"), Some("disassociated" | "disabled"));
        let changing = |it: Shown<'_>| leaving(&it) || matches!(it.text("State"), Some("associating" | "enabling"));
        let readiness = if answer.list(self.list).any(changing) { Readiness::Pending } else { Readiness::Ready };
        let there = answer.list(self.list).filter(|it| !leaving(it) && !gone(it));
        let attachments = there.filter_map(|it| it.text("TransitGatewayAttachmentId")).map(Value::from).collect();
        let fields = whole(answer, field(self.field, Value::List(attachments)));
        ids.iter().map(|id| Observed { readiness: readiness.clone(), ..detail(id, fields.clone()) }).collect()
    }

    fn attachments<'a>(self, fields: Given<'a>) -> Result<BTreeSet<&'a str>, String> {
        Ok(fields.texts(self.field)?.into_iter().collect())
    }

    fn call(self, calls: &mut Calls, api: &str, id: &Part, attachment: &str, now: &BTreeSet<&str>) {
        let request =
            parts([("TransitGatewayRouteTableId", id.clone()), ("TransitGatewayAttachmentId", attachment.into())]);
        let now: Vec<&str> = now.iter().copied().collect();
        calls.set_and_wait(api, request, field(self.field, now), CHANGED);
    }

    fn add(self, calls: &mut Calls, id: &Part, have: &BTreeSet<&str>, want: &BTreeSet<&str>) {
        let mut now = have.clone();
        for &attachment in want.difference(have) {
            now.insert(attachment);
            self.call(calls, self.add, id, attachment, &now);
        }
    }

    fn remove(self, calls: &mut Calls, id: &Part, have: &BTreeSet<&str>, want: &BTreeSet<&str>) {
        let mut now: BTreeSet<&str> = have.union(want).copied().collect();
        for &attachment in have.difference(want) {
            now.remove(attachment);
            self.call(calls, self.remove, id, attachment, &now);
        }
    }
}

/// What is new comes before what goes, so that nothing that stays is without its way in between.
fn change(
    calls: &mut Calls,
    id: &Part,
    observed: Given<'_>,
    desired: Given<'_>,
    chosen: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let links = [ASSOCIATIONS, PROPAGATIONS].into_iter().filter(|link| chosen(link.field));
    let links = links.map(|link| Ok((link, link.attachments(observed)?, link.attachments(desired)?)));
    let links = links.collect::<Result<Vec<_>, String>>()?;
    for (link, have, want) in &links {
        link.add(calls, id, have, want);
    }
    if chosen("routes") {
        let (mut now, want) = (routes(observed)?, wanted_routes(desired)?);
        for (cidr, attachment) in &want {
            let had = now.insert(cidr.clone(), attachment.clone());
            let api = match had {
                Some(same) if same == *attachment => continue,
                Some(_) => "ReplaceTransitGatewayRoute",
                None => "CreateTransitGatewayRoute",
            };
            calls.set(api, route(id, cidr, attachment), route_fields(&now));
        }
        for cidr in now.keys().filter(|cidr| !want.contains_key(*cidr)).cloned().collect::<Vec<_>>() {
            now.remove(&cidr);
            let request = parts([("TransitGatewayRouteTableId", id.clone()), ("DestinationCidrBlock", cidr.into())]);
            calls.set("DeleteTransitGatewayRoute", request, route_fields(&now));
        }
    }
    for (link, have, want) in links.iter().rev() {
        link.remove(calls, id, have, want);
    }
    Ok(())
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let gateway = desired.text("transit_gateway")?;
    let (specification, users) = tags::specification("transit-gateway-route-table", desired, mark)?;
    let mut fields = field("transit_gateway", gateway);
    for name in [ASSOCIATIONS.field, PROPAGATIONS.field, "routes"] {
        fields.extend(field(name, Value::List(Vec::new())));
    }
    let empty = fields.clone();
    fields.extend(field("tags", users));
    let request = parts([("TransitGatewayId", gateway.into()), ("TagSpecifications", specification)]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateTransitGatewayRouteTable", request, Recovery::Tag, new, CHANGED);
    change(calls, &own_id(), Given(&empty), desired, |_| true)
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[ASSOCIATIONS.field, PROPAGATIONS.field, "routes", "tags"])?;
    change(calls, &known_id(update.id), update.observed, update.desired, |name| update.changes(name))?;
    tags::update(calls, update)
}

/// Routes and propagations go with the table; associations have to go before it.
fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let last = delete.last(ASSOCIATIONS.field).and_then(Value::as_list).unwrap_or_default();
    let have: BTreeSet<&str> = last.iter().filter_map(Value::as_text).collect();
    ASSOCIATIONS.remove(calls, &known_id(delete.id), &have, &BTreeSet::new());
    let request = parts([("TransitGatewayRouteTableId", known_id(delete.id))]);
    calls.remove("DeleteTransitGatewayRouteTable", request, GONE);
    Ok(())
}

/// The table, unless it is deleted: AWS lists those for a while.
fn observe(table: Shown<'_>) -> Option<Seen> {
    let readiness = match table.text("State") {
        Some("deleted") => return None,
        Some("deleting") => Readiness::Going,
        Some("pending") => Readiness::Pending,
        Some("available") | None => Readiness::Ready,
        Some(other) => Readiness::Failed(format!("the table is {other}")),
    };
    Some(Seen::new(readiness).with("transit_gateway", table.text("TransitGatewayId")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(seen: DetailSeen, answer: &str) -> Observed {
        let answer: Value = serde_json::from_str(answer).unwrap();
        seen(&[ObjectId::new("tgw-rtb-1").unwrap()], Shown(Some(&answer))).remove(0)
    }

    #[test]
    fn an_association_on_its_way_is_waited_for() {
        let with = |state: &str| {
            let one = format!(r#"{{"TransitGatewayAttachmentId":"tgw-attach-1","State":"{state}"}}"#);
            let seen = seen(ASSOCIATIONS.seen, &format!(r#"{{"Associations":[{one}]}}"#));
            (seen.readiness, seen.fields["associations"].as_list().unwrap().len())
        };
        assert_eq!(with("associating"), (Readiness::Pending, 1));
        assert_eq!(with("associated"), (Readiness::Ready, 1));
        assert_eq!(with("disassociating"), (Readiness::Pending, 0));
        assert_eq!(with("disassociated"), (Readiness::Ready, 0));
    }

    #[test]
    fn a_part_of_the_routes_is_not_taken_for_all() {
        let routes = r#"[{"DestinationCidrBlock":"10.0.0.0/8","State":"blackhole"},
            {"DestinationCidrBlock":"0.0.0.0/0","State":"active",
             "TransitGatewayAttachments":[{"TransitGatewayAttachmentId":"tgw-attach-1"}]},
            {"DestinationCidrBlock":"10.9.0.0/16","State":"deleting"},{"PrefixListId":"pl-1","State":"active"}]"#;
        let fields = seen(ROUTES.seen, &format!(r#"{{"Routes":{routes}}}"#)).fields;
        assert_eq!(
            serde_json::to_string(&fields["routes"]).unwrap(),
            r#"[{"attachment":"tgw-attach-1","cidr":"0.0.0.0/0"},{"blackhole":true,"cidr":"10.0.0.0/8"}]"#
        );
        let more = seen(ROUTES.seen, &format!(r#"{{"Routes":{routes},"AdditionalRoutesAvailable":true}}"#));
        assert_eq!(more.fields.get("routes"), None);
    }

    #[test]
    fn what_is_new_comes_before_what_goes() {
        let fields = |json: &str| serde_json::from_str::<Fields>(json).unwrap();
        let (have, mut want) = (fields(ROW.examples.whole), fields(ROW.examples.changes[0]));
        want.extend(fields(ROW.examples.changes[1]));
        let id = ObjectId::new("tgw-rtb-1").unwrap();
        let changed = &["associations", "propagations", "routes"];
        let (observed, desired) = (Given(&have), Given(&want));
        let mut calls = Calls::new(&ROW.schema.type_name.parse().unwrap());
        update(&mut calls, &Update { id: &id, observed, carries: None, desired, changed, mark: None }).unwrap();
        let apis: Vec<String> = calls.done().into_iter().map(|call| call.api).collect();
        assert_eq!(
            apis,
            [
                "AssociateTransitGatewayRouteTable",
                "EnableTransitGatewayRouteTablePropagation",
                "EnableTransitGatewayRouteTablePropagation",
                "ReplaceTransitGatewayRoute",
                "CreateTransitGatewayRoute",
                "DeleteTransitGatewayRoute",
                "DisableTransitGatewayRouteTablePropagation",
                "DisassociateTransitGatewayRouteTable",
            ]
        );
    }

    #[test]
    fn two_routes_to_one_network_are_refused() {
        let fields: Fields = serde_json::from_str(
            r#"{"routes":[{"cidr":"10.0.0.0/8","blackhole":true},{"cidr":"10.0.0.0/8","attachment":"tgw-attach-1"}]}"#,
        )
        .unwrap();
        assert!(wanted_routes(Given(&fields)).unwrap_err().contains("two to 10.0.0.0/8"));
    }
}
