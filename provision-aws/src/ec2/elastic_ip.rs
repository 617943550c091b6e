//! `aws_elastic_ip`: found again by its mark alone; allocated, then associated.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::{Tree, Value};

use super::instance::InstanceId;
use super::list::List;
use super::network_interface::NetworkInterfaceId;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, own_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A public IPv4 address that stays the same: for a NAT gateway, or for an instance or a network interface.
///
/// What it is associated with is either a field here, or says so itself (a NAT gateway's `allocation`). It moves from one
/// instance to another in one call; AWS takes an address that an instance had before away from it.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, bastion: Ref<InstanceId, D>) {
/// let address = b.put("bastion", ElasticIp {}).instance(bastion).tags([("team", "infra")]);
/// let public: Ref<String, D> = address.public_ip();
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_elastic_ip", version = 1, check = check)]
pub struct ElasticIp {
    /// The instance that has it, on its first network interface.
    pub instance: Option<InstanceId>,
    /// The network interface that has it, on its first private address. Either this or an instance.
    pub network_interface: Option<NetworkInterfaceId>,
    /// The pool that it comes from, of addresses that the account brought: `ipv4pool-ec2-…`.
    #[attr(replace)]
    pub pool: Option<String>,
    /// Which address of the pool, or which released one is to come back.
    #[attr(replace)]
    pub address: Option<String>,
    /// The zones that it is announced from, if not the region's.
    #[attr(replace)]
    pub network_border_group: Option<String>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id: that of the allocation.
    #[attr(computed)]
    pub id: ElasticIpId,
    /// The address.
    #[attr(computed)]
    pub public_ip: String,
}

const ONE_HOLDER: &str = "an address belongs to an instance or to a network interface: write one of the two";

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if !inputs.is_empty("instance") && !inputs.is_empty("network_interface") {
        problems.push(("network_interface", ONE_HOLDER.to_owned()));
    }
    if let Some(address) = inputs.text("address").filter(|address| address.parse::<std::net::Ipv4Addr>().is_err()) {
        problems.push(("address", format!("`{}` is not an IPv4 address", address.escape_debug())));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    AllocateAddress: Tag, "takes no token; each call allocates another address";
        (Domain, Address, PublicIpv4Pool, NetworkBorderGroup, TagSpecifications) -> (AllocationId, PublicIp);
    AssociateAddress: Set, "idempotent by EC2's documentation";
        (AllocationId, InstanceId, NetworkInterfaceId, AllowReassociation) -> ();
    DisassociateAddress: Set, "idempotent by EC2's documentation", ["InvalidAssociationID.NotFound" => AlreadySo];
        (AssociationId) -> ();
    ReleaseAddress: Remove, "ids of allocations are never used again"; (AllocationId) -> ();
    DescribeAddresses: Read, ""; (AllocationIds, Filters) -> (Addresses);
}
shapes! { aws_sdk_ec2;
    text DomainType;
    shown Address(AllocationId, AssociationId, InstanceId, NetworkInterfaceId, PublicIpv4Pool, NetworkBorderGroup, PublicIp,
        Tags);
}

pub(crate) static ROW: Row = Row {
    schema: ElasticIp::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "AllocateAddress", id: &["AllocationId"], outputs: &[("public_ip", &["PublicIp"])] }],
    reading: &List {
        schema: ElasticIp::SCHEMA,
        api: "DescribeAddresses",
        ids: "AllocationIds",
        filters: "Filters",
        most: None,
        objects: &["Addresses"],
        id: "AllocationId",
        keys: &[
            ("instance", "instance-id"),
            ("network_interface", "network-interface-id"),
            ("address", "public-ip"),
            ("network_border_group", "network-border-group"),
        ],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"instance":"i-1","tags":{}}"#,
        changes: &[r#"{"instance":"i-2"}"#, r#"{"tags":{"other":"1"}}"#],
    },
};

/// What reads show beside the fields: by this id alone EC2 takes an association away.
const ASSOCIATION: &str = "association_id";

/// Who has the address: the field, and the parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    field: &'static str,
    parameter: &'static str,
}

const INSTANCE: Holder = Holder { field: "instance", parameter: "InstanceId" };
const INTERFACE: Holder = Holder { field: "network_interface", parameter: "NetworkInterfaceId" };

impl Holder {
    /// Of an address that an instance has, reads show the network interface too.
    fn of<'a>(fields: Given<'a>) -> Result<Option<(Self, &'a str)>, String> {
        let held = |holder: Self| Ok::<_, String>(fields.optional_text(holder.field)?.map(|id| (holder, id)));
        Ok(match held(INSTANCE)? {
            Some(instance) => Some(instance),
            None => held(INTERFACE)?,
        })
    }
}

fn associate(calls: &mut Calls, own: Part, (holder, id): (Holder, &str)) {
    let request = parts([("AllocationId", own), (holder.parameter, id.into()), ("AllowReassociation", true.into())]);
    calls.set("AssociateAddress", request, field(holder.field, id));
}

fn disassociate(calls: &mut Calls, association: Option<&Value>) {
    let id = association.and_then(Value::as_text).map_or(Tree::Null, Part::from);
    let mut fields = field(INSTANCE.field, Value::Null);
    fields.extend(field(INTERFACE.field, Value::Null));
    calls.set("DisassociateAddress", parts([("AssociationId", id)]), fields);
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let holder = Holder::of(desired)?;
    if holder.is_some_and(|(holder, _)| holder == INSTANCE) && desired.optional_text(INTERFACE.field)?.is_some() {
        return Err(ONE_HOLDER.to_owned());
    }
    let (specification, users) = tags::specification("elastic-ip", desired, mark)?;
    let mut request = vec![("Domain", Part::from("vpc")), ("TagSpecifications", specification)];
    let mut fields = field("tags", users);
    if let Some((holder, _)) = holder {
        fields.extend(field(holder.field, Value::Null));
    }
    for (name, parameter) in
        [("pool", "PublicIpv4Pool"), ("address", "Address"), ("network_border_group", "NetworkBorderGroup")]
    {
        if let Some(value) = desired.optional_text(name)? {
            request.push((parameter, value.into()));
            fields.extend(field(name, value));
        }
    }
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let new = New { fields, computed: &["id", "public_ip"], mark: Some(mark) };
    calls.create("AllocateAddress", request, Recovery::Tag, new, Wait::No);
    if let Some(holder) = holder {
        associate(calls, own_id(), holder);
    }
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&[INSTANCE.field, INTERFACE.field, "tags"])?;
    if update.changes(INSTANCE.field) || update.changes(INTERFACE.field) {
        let (had, wanted) = (Holder::of(update.observed)?, Holder::of(update.desired)?);
        // From one instance to the next in one call; else what held it before would still stand there.
        if had.is_some_and(|(had, _)| wanted.is_none_or(|(wanted, _)| wanted != had)) {
            disassociate(calls, update.observed.0.get(ASSOCIATION));
        }
        if let Some(wanted) = wanted {
            associate(calls, known_id(update.id), wanted);
        }
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    // What others associated (a NAT gateway, that goes before its address) is theirs to take away.
    if Holder::of(delete.recorded)?.is_some() {
        disassociate(calls, delete.last(ASSOCIATION));
    }
    calls.remove("ReleaseAddress", parts([("AllocationId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(address: Shown<'_>) -> Option<Seen> {
    let seen = Seen::new(Readiness::Ready)
        .with_or_null(INSTANCE.field, address.text("InstanceId"))
        .with_or_null(INTERFACE.field, address.text("NetworkInterfaceId"))
        .with_or_null("pool", address.text("PublicIpv4Pool"))
        .with("address", address.text("PublicIp"))
        .with_or_null("network_border_group", address.text("NetworkBorderGroup"))
        .with_or_empty("public_ip", address.text("PublicIp"))
        .with_or_null(ASSOCIATION, address.text("AssociationId"));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use provision_core::call::Effect;
    use provision_core::id::ObjectId;
    use provision_core::value::Fields;

    use super::*;

    fn updated(observed: &str, desired: &str, changed: &[&'static str]) -> Vec<(String, String, String)> {
        let fields = |json: &str| serde_json::from_str::<Fields>(json).unwrap();
        let (observed, desired, id) = (fields(observed), fields(desired), ObjectId::new("eipalloc-1").unwrap());
        let mut calls = Calls::new(&"aws_elastic_ip".parse().unwrap());
        let of = Update {
            id: &id,
            observed: Given(&observed),
            carries: None,
            desired: Given(&desired),
            changed,
            mark: None,
        };
        update(&mut calls, &of).unwrap();
        let shown = |call: provision_core::call::Call| {
            let Effect::Set { fields, .. } = call.effect else { panic!("{}", call.api) };
            (call.api, serde_json::to_string(&call.request).unwrap(), serde_json::to_string(&fields).unwrap())
        };
        calls.done().into_iter().map(shown).collect()
    }

    #[test]
    fn an_address_goes_from_instance_to_instance_in_one_call_and_to_an_interface_in_two() {
        let held = r#"{"instance":"i-1","network_interface":"eni-1","association_id":"eipassoc-1"}"#;
        let moved = updated(held, r#"{"instance":"i-2"}"#, &["instance"]);
        assert_eq!(moved.len(), 1, "{moved:?}");
        let [off, on] = &updated(held, r#"{"network_interface":"eni-2"}"#, &["network_interface"])[..] else {
            panic!()
        };
        assert_eq!((off.0.as_str(), off.1.as_str()), ("DisassociateAddress", r#"{"AssociationId":"eipassoc-1"}"#));
        assert_eq!(off.2, r#"{"instance":null,"network_interface":null}"#);
        assert_eq!((on.0.as_str(), on.2.as_str()), ("AssociateAddress", r#"{"network_interface":"eni-2"}"#));
    }
}
