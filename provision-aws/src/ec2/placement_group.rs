//! `aws_placement_group`: AWS refuses a second one of the name, and deletes by name.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;

use super::list::List;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Update, field, named, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

choices! {
    /// How instances of a [`PlacementGroup`] lie to each other.
    PlacementStrategy {
        /// Close together in one zone: low latency between them.
        Cluster = "cluster",
        /// In partitions that share no racks.
        Partition = "partition",
        /// Each on hardware of its own.
        Spread = "spread",
    }

    /// What instances of a group with [`PlacementStrategy::Spread`] do not share.
    SpreadLevel {
        /// The host: on Outposts only.
        Host = "host",
        /// The rack.
        Rack = "rack",
    }
}

/// A say in where instances lie in Amazon's buildings.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>) {
/// let apart = b.put("apart", PlacementGroup { strategy: PlacementStrategy::Spread });
/// b.put("db", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside])
///     .placement_group(apart.group_name());
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_placement_group", version = 1, check = check)]
pub struct PlacementGroup {
    /// How its instances lie to each other.
    #[attr(replace)]
    pub strategy: PlacementStrategy,
    /// Its name, unique in the region.
    #[attr(replace, name(max = 255))]
    pub name: String,
    /// How many partitions it has, 1 to 7: with [`PlacementStrategy::Partition`].
    #[attr(replace)]
    pub partitions: Option<i64>,
    /// What its instances do not share: with [`PlacementStrategy::Spread`].
    #[attr(replace)]
    pub spread_level: Option<SpreadLevel>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: PlacementGroupId,
    /// Its name, for what uses it.
    #[attr(computed)]
    pub group_name: String,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let strategy = inputs.text("strategy");
    for (name, of) in [("partitions", "partition"), ("spread_level", "spread")] {
        if inputs.is_set(name) && strategy.is_some_and(|strategy| strategy != of) {
            problems.push((name, format!("only groups with the strategy `{of}` have it")));
        }
    }
    if let Some(partitions) = inputs.int("partitions").filter(|partitions| !(1..=7).contains(partitions)) {
        problems.push(("partitions", format!("AWS takes 1 to 7, not {partitions}")));
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreatePlacementGroup: Name, "takes no token; a name that is taken is InvalidPlacementGroup.Duplicate";
        (GroupName, Strategy, PartitionCount, SpreadLevel, TagSpecifications) -> (PlacementGroup);
    DeletePlacementGroup: Remove, "takes the name alone, which no other group can have while this one is there"; (GroupName) -> ();
    DescribePlacementGroups: Read, ""; (GroupIds, Filters) -> (PlacementGroups);
}
shapes! { aws_sdk_ec2;
    text PlacementGroupState;
    text PlacementStrategy;
    text SpreadLevel;
    shown PlacementGroup(GroupId, GroupName, State, Strategy, PartitionCount, SpreadLevel, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: PlacementGroup::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "CreatePlacementGroup",
        id: &["PlacementGroup", "GroupId"],
        outputs: &[("group_name", &["PlacementGroup", "GroupName"])],
    }],
    reading: &List {
        schema: PlacementGroup::SCHEMA,
        api: "DescribePlacementGroups",
        ids: "GroupIds",
        filters: "Filters",
        most: None,
        objects: &["PlacementGroups"],
        id: "GroupId",
        keys: &[("name", "group-name"), ("strategy", "strategy")],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"name":"apart","strategy":"partition","partitions":3,"tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

/// Making one takes seconds; AWS states no bound.
const READY_SECONDS: u32 = 300;
const GONE_SECONDS: u32 = 300;

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (name, strategy) = (desired.text("name")?, desired.text("strategy")?);
    let (partitions, level) = (desired.optional_int("partitions")?, desired.optional_text("spread_level")?);
    let (specification, users) = tags::specification("placement-group", desired, mark)?;
    let mut fields = field("name", name);
    fields.extend(field("strategy", strategy));
    fields.extend(partitions.map(|count| ("partitions".to_owned(), count.into())));
    fields.extend(level.map(|level| ("spread_level".to_owned(), level.into())));
    fields.extend(field("tags", users));
    let request = named([
        ("GroupName", Some(name.into())),
        ("Strategy", Some(strategy.into())),
        ("PartitionCount", partitions.map(Into::into)),
        ("SpreadLevel", level.map(Into::into)),
        ("TagSpecifications", Some(specification)),
    ]);
    let new = New { fields, computed: &["id", "group_name"], mark: Some(mark) };
    let recovery = Recovery::Name { name: name.to_owned() };
    calls.create("CreatePlacementGroup", request, recovery, new, Wait::Ready(READY_SECONDS));
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let name = delete.last("name").and_then(|name| name.as_text()).ok_or("its name is not known")?;
    calls.remove("DeletePlacementGroup", parts([("GroupName", name.into())]), Wait::Gone(GONE_SECONDS));
    Ok(())
}

fn observe(group: Shown<'_>) -> Option<Seen> {
    let readiness = match group.text("State") {
        Some("pending") => Readiness::Pending,
        Some("deleting") => Readiness::Going,
        Some("deleted") => return None,
        Some(_) | None => Readiness::Ready,
    };
    let seen = Seen::new(readiness)
        .with("name", group.text("GroupName"))
        .with("group_name", group.text("GroupName"))
        .with("strategy", group.text("Strategy"))
        .with("partitions", group.int("PartitionCount"))
        .with("spread_level", group.text("SpreadLevel"));
    Some(seen)
}
