//! `aws_autoscaling_group`: AWS refuses a second one of the name, which is its id.
//!
//! A change of the template or its version reaches the instances by an instance refresh. Which version they have is a field,
//! `instances`: a run that was cut off leaves a group of which it says `outdated`, and the next plan goes on.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::prelude::*;
use provision_core::value::{Fields, Tree, Value};

use super::checks::{check, good_name};
use super::reading::Groups;
use super::tags;
use crate::Aws;
use crate::ec2::launch_template::LaunchTemplateId;
use crate::ec2::subnet::SubnetId;
use crate::elbv2::target_group::TargetGroupId;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

choices! {
    /// Who says whether an instance of a group is healthy.
    HealthCheck {
        /// EC2: whether it runs.
        Ec2 = "EC2",
        /// The load balancers, too.
        Elb = "ELB",
    }

    /// Which instances go first when a group shrinks.
    TerminationPolicy {
        /// That of AWS: zones stay balanced, then the oldest template goes.
        Default = "Default",
        /// Those that keep to the allocation strategy.
        AllocationStrategy = "AllocationStrategy",
        /// Those whose hour is nearly over.
        ClosestToNextInstanceHour = "ClosestToNextInstanceHour",
        /// The newest.
        NewestInstance = "NewestInstance",
        /// The oldest.
        OldestInstance = "OldestInstance",
        /// Those with the oldest template.
        OldestLaunchTemplate = "OldestLaunchTemplate",
    }
}

/// A group of machines that are alike, as many as there should be, replaced when they fail.
///
/// When its template or the version changes, AWS replaces its instances a few at a time, and the apply waits until all are
/// in service. How many may be missing meanwhile, `min_healthy` and `max_healthy` say, and how long AWS waits between two,
/// `warmup`.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, inside: Ref<SecurityGroupId, D>, subnets: &[Ref<SubnetId, D>]) {
/// let template = b.put("worker", LaunchTemplate { ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside]);
/// b.put("workers", AutoScalingGroup { template, version: template.latest_version(), subnets, min: 2, max: 4 })
///     .min_healthy(100)
///     .max_healthy(150)
///     .instance_tags([("team", "infra")]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_autoscaling_group", version = 1, check = check)]
pub struct AutoScalingGroup {
    /// What its instances are like.
    pub template: LaunchTemplateId,
    /// Which version of it: `template.latest_version()`, or a number.
    pub version: String,
    /// The subnets that it spreads over.
    #[attr(set)]
    pub subnets: Vec<SubnetId>,
    /// How many instances there are at least.
    pub min: i64,
    /// How many there are at most.
    pub max: i64,
    /// Its name, unique in the region.
    #[attr(replace, name(max = 255))]
    pub name: String,
    /// The target groups that its instances are in while they are in service: ten at most.
    #[attr(set, default)]
    pub target_groups: Vec<TargetGroupId>,
    /// How many there should be. If it is not set, it is whatever scales the group who decides, and AWS begins with `min`.
    pub desired: Option<i64>,
    /// Who says whether an instance is healthy.
    #[attr(default = "EC2")]
    pub health_check: HealthCheck,
    /// For how many seconds a new instance may be unhealthy.
    #[attr(default = 300)]
    pub health_check_grace: i64,
    /// How many seconds after it is in service a new instance counts: also between two that a refresh replaces.
    pub warmup: Option<i64>,
    /// How many seconds pass between two steps of simple scaling.
    pub cooldown: Option<i64>,
    /// How many percent of the desired instances stay in service while some are replaced, 0 to 100. Needs `max_healthy`.
    pub min_healthy: Option<i64>,
    /// How many percent of the desired instances there are at most meanwhile, 100 to 200. Needs `min_healthy`.
    pub max_healthy: Option<i64>,
    /// Which instances go first when it shrinks.
    pub termination_policies: Option<Vec<TerminationPolicy>>,
    /// Whether new instances stay when it shrinks.
    #[attr(default = false)]
    pub scale_in_protection: bool,
    /// The name of the placement group that its instances are in.
    pub placement_group: Option<String>,
    /// After how many seconds an instance is replaced, whatever its health: a day at least; 0 for never.
    pub max_lifetime: Option<i64>,
    /// Whether all its instances are of the template's version: `current`, or else `outdated`. It is not for setting: it is
    /// how a plan says that instances will be replaced.
    #[attr(default = "current")]
    pub instances: String,
    /// Tags of the group alone.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Tags of the group that each instance gets when it is started.
    #[attr(by_key, default)]
    pub instance_tags: Tags,
    /// Its id: its name.
    #[attr(computed)]
    pub id: AutoScalingGroupId,
    /// Its ARN.
    #[attr(computed)]
    pub arn: String,
}

const TARGETS: &str = "target_groups";
/// "The maximum number of target groups per call is 10": of `AttachLoadBalancerTargetGroups`, and of its opposite.
const MOST_TARGETS: usize = 10;
pub(super) const INSTANCES: &str = "instances";
pub(super) const CURRENT: &str = "current";
const OUTDATED: &str = "outdated";

apis! { aws_sdk_autoscaling autoscaling;
    CreateAutoScalingGroup: Name, "takes no token; a name that is taken is AlreadyExists";
        (AutoScalingGroupName, LaunchTemplate, MinSize, MaxSize, DesiredCapacity, VPCZoneIdentifier as vpc_zone_identifier,
         TargetGroupARNs as target_group_arns, HealthCheckType, HealthCheckGracePeriod, DefaultInstanceWarmup,
         DefaultCooldown, InstanceMaintenancePolicy, TerminationPolicies, NewInstancesProtectedFromScaleIn, PlacementGroup,
         MaxInstanceLifetime, Tags) -> ();
    UpdateAutoScalingGroup: Set, "sets fields to values";
        (AutoScalingGroupName, LaunchTemplate, MinSize, MaxSize, DesiredCapacity, VPCZoneIdentifier as vpc_zone_identifier,
         HealthCheckType, HealthCheckGracePeriod, DefaultInstanceWarmup, DefaultCooldown, InstanceMaintenancePolicy,
         TerminationPolicies, NewInstancesProtectedFromScaleIn, PlacementGroup, MaxInstanceLifetime) -> ();
    AttachLoadBalancerTargetGroups: Set, "a second one does nothing";
        (AutoScalingGroupName, TargetGroupARNs as target_group_arns) -> ();
    DetachLoadBalancerTargetGroups: Set, "a second one is refused with words that they are not part of the group"; (AutoScalingGroupName, TargetGroupARNs as target_group_arns) -> ();
    CreateOrUpdateTags: Set, "adds or overwrites the tags that it names"; (Tags) -> ();
    DeleteTags named "autoscaling:DeleteTags": Set, "removes the tags that it names, and does nothing where there are none";
        (Tags) -> ();
    CancelInstanceRefresh: Set, "a second one is refused with ActiveInstanceRefreshNotFound",
        ["ActiveInstanceRefreshNotFound" => AlreadySo]; (AutoScalingGroupName) -> ();
    StartInstanceRefresh: Set, "a second one is refused with InstanceRefreshInProgress, or finds nothing to replace"; (AutoScalingGroupName, Strategy, Preferences) -> ();
    DeleteAutoScalingGroup: Remove, "takes the name alone, which no other group can have while this one is there";
        (AutoScalingGroupName, ForceDelete) -> ();
    DescribeAutoScalingGroups: Read, "";
        (AutoScalingGroupNames, Filters, NextToken, MaxRecords) -> (AutoScalingGroups, NextToken);
    DescribeInstanceRefreshes: Read, ""; (AutoScalingGroupName, MaxRecords) -> (InstanceRefreshes);
}
shapes! { aws_sdk_autoscaling;
    text LifecycleState;
    text RefreshStrategy;
    text InstanceRefreshStatus;
    both LaunchTemplateSpecification(LaunchTemplateId, Version);
    both InstanceMaintenancePolicy(MinHealthyPercentage, MaxHealthyPercentage);
    sent Tag(ResourceId, ResourceType, Key, Value, PropagateAtLaunch);
    sent Filter(Name, Values);
    sent RefreshPreferences(SkipMatching);
    shown TagDescription(Key, Value, PropagateAtLaunch);
    shown Instance(InstanceId, LifecycleState, HealthStatus, LaunchTemplate);
    shown InstanceRefresh(Status, StatusReason, PercentageComplete);
    shown AutoScalingGroup(AutoScalingGroupName, AutoScalingGroupARN as auto_scaling_group_arn, LaunchTemplate, MinSize,
        MaxSize, DesiredCapacity, VPCZoneIdentifier as vpc_zone_identifier, HealthCheckType, HealthCheckGracePeriod,
        TargetGroupARNs as target_group_arns, DefaultInstanceWarmup, DefaultCooldown, InstanceMaintenancePolicy,
        TerminationPolicies, NewInstancesProtectedFromScaleIn, PlacementGroup, MaxInstanceLifetime, Instances, Status, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: AutoScalingGroup::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateAutoScalingGroup", id: &["AutoScalingGroupName"], outputs: &[] }],
    reading: &Groups,
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"template":"lt-1","version":"1","subnets":["subnet-1","subnet-2"],"min":1,"max":3,"name":"workers",
            "target_groups":["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1"],"desired":2,"health_check":"EC2","health_check_grace":300,"warmup":60,"cooldown":120,"min_healthy":90,
            "max_healthy":120,"termination_policies":["OldestInstance"],"scale_in_protection":false,
            "placement_group":"apart","max_lifetime":604800,"instances":"current","tags":{"team":"a"},
            "instance_tags":{"tier":"1"}}"#,
        changes: &[
            r#"{"version":"2"}"#,
            r#"{"template":"lt-2"}"#,
            r#"{"min":2,"max":4,"desired":3}"#,
            r#"{"subnets":["subnet-2","subnet-3"]}"#,
            r#"{"target_groups":["arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/2"]}"#,
            r#"{"health_check":"ELB","health_check_grace":60,"warmup":30,"cooldown":60}"#,
            r#"{"min_healthy":100,"max_healthy":150,"termination_policies":["Default"],"scale_in_protection":true}"#,
            r#"{"placement_group":"close","max_lifetime":0}"#,
            r#"{"instance_tags":{"team":"a","other":"1"},"tags":{}}"#,
        ],
    },
};

/// Until as many instances as desired are in service. AWS states no bound; others wait ten minutes by default,
/// <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/autoscaling_group#waiting-for-capacity>.
const READY_SECONDS: u32 = 900;
/// Until all instances are terminated and the group is no longer there.
const GONE_SECONDS: u32 = 1_200;
/// AWS lets a refresh go on for 14 days, and ends one that does not get on after an hour or two:
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-refresh-overview.html>. Somebody should look before that.
const REFRESH_SECONDS: u32 = 6 * 60 * 60;

/// Fields that are parameters as they are, with what Auto Scaling calls them.
const PLAIN: [(&str, &str); 11] = [
    ("min", "MinSize"),
    ("max", "MaxSize"),
    ("desired", "DesiredCapacity"),
    ("health_check", "HealthCheckType"),
    ("health_check_grace", "HealthCheckGracePeriod"),
    ("warmup", "DefaultInstanceWarmup"),
    ("cooldown", "DefaultCooldown"),
    ("termination_policies", "TerminationPolicies"),
    ("scale_in_protection", "NewInstancesProtectedFromScaleIn"),
    ("placement_group", "PlacementGroup"),
    ("max_lifetime", "MaxInstanceLifetime"),
];
/// The others that `UpdateAutoScalingGroup` takes, in groups that are sent together.
const TOGETHER: [&[&str]; 3] = [&["template", "version"], &["min_healthy", "max_healthy"], &["subnets"]];

/// The parameters and fields that are set, of those that `which` names.
fn settings(desired: Given<'_>, which: impl Fn(&str) -> bool) -> Result<(Vec<(String, Part)>, Fields), String> {
    let (mut request, mut fields) = (Vec::new(), Fields::new());
    for (name, aws) in PLAIN {
        if let Some(value) = desired.get(name).filter(|_| which(name)) {
            request.push((aws.to_owned(), value.widen()));
            fields.insert(name.to_owned(), value.clone());
        }
    }
    for names in TOGETHER {
        if !names.iter().any(|name| which(name)) {
            continue;
        }
        let (name, part) = match names {
            ["template", ..] => {
                let template = desired.text("template")?.into();
                let version = desired.text("version")?.into();
                ("LaunchTemplate", parts([("LaunchTemplateId", template), ("Version", version)]))
            }
            ["subnets"] => {
                let subnets = desired.texts("subnets")?;
                if subnets.is_empty() {
                    return Err("the field `subnets`: a group has a subnet at least".to_owned());
                }
                ("VPCZoneIdentifier", subnets.join(",").into())
            }
            _ => match (desired.optional_int("min_healthy")?, desired.optional_int("max_healthy")?) {
                (Some(least), Some(most)) => {
                    let percentages = [("MinHealthyPercentage", least.into()), ("MaxHealthyPercentage", most.into())];
                    ("InstanceMaintenancePolicy", parts(percentages))
                }
                _ => continue,
            },
        };
        request.push((name.to_owned(), part));
        let set = names.iter().filter_map(|name| Some(((*name).to_owned(), desired.get(name)?.clone())));
        fields.extend(set);
    }
    Ok((request, fields))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let name = desired.text("name")?;
    if !good_name(name) {
        return Err("the field `name`: write 1 to 255 ASCII characters without spaces, `:` and `/`".to_owned());
    }
    let (list, users) = tags::of_new(name, desired, mark)?;
    let (mut request, mut fields) = settings(desired, |_| true)?;
    let targets = desired.texts(TARGETS)?;
    if targets.len() > MOST_TARGETS {
        return Err(format!("the field `{TARGETS}`: {} groups; AWS takes {MOST_TARGETS} at once", targets.len()));
    }
    fields.extend(field(TARGETS, targets.clone()));
    if !targets.is_empty() {
        request.push(("TargetGroupARNs".to_owned(), targets.into()));
    }
    request.extend([("AutoScalingGroupName".to_owned(), name.into()), ("Tags".to_owned(), list)]);
    fields.extend(field("name", name));
    fields.extend(field(INSTANCES, CURRENT));
    fields.extend(users);
    let new = New { fields, computed: &["id", "arn"], mark: Some(mark) };
    let recovery = Recovery::Name { name: name.to_owned() };
    let request = Tree::Map(request.into_iter().collect());
    calls.create("CreateAutoScalingGroup", request, recovery, new, Wait::Ready(READY_SECONDS));
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    let in_place = PLAIN.iter().map(|(name, _)| *name).chain(TOGETHER.concat());
    update.only(&in_place.chain([INSTANCES, TARGETS, tags::OWN, tags::PASSED_ON]).collect::<Vec<_>>())?;
    let replaces = ["template", "version", INSTANCES].iter().any(|name| update.changes(name));
    if replaces {
        end_refresh(calls, known_id(update.id));
    }
    let (mut request, fields) = settings(update.desired, |name| update.changes(name))?;
    if !fields.is_empty() {
        request.push(("AutoScalingGroupName".to_owned(), known_id(update.id)));
        // Where a refresh follows, it is that which is waited for.
        let grows = ["min", "max", "desired"].iter().any(|name| update.changes(name)) && !replaces;
        let wait = if grows { Wait::Ready(READY_SECONDS) } else { Wait::No };
        calls.set_and_wait("UpdateAutoScalingGroup", Tree::Map(request.into_iter().collect()), fields, wait);
    }
    if update.changes(TARGETS) {
        let (have, want) = (update.observed.texts(TARGETS)?, update.desired.texts(TARGETS)?);
        retarget(calls, &known_id(update.id), &have, &want);
    }
    tags::update(calls, update)?;
    if replaces {
        refresh(calls, known_id(update.id));
    }
    Ok(())
}

/// The calls that bring the target groups to those that are wanted: new ones first, so that instances are in one all the
/// while.
fn retarget(calls: &mut Calls, id: &Part, have: &[&str], want: &[&str]) {
    let of =
        |a: &[&str], b: &[&str]| a.iter().copied().filter(|it| !b.contains(it)).map(str::to_owned).collect::<Vec<_>>();
    let (new, old) = (of(want, have), of(have, want));
    let mut now: Vec<String> = have.iter().map(|&it| it.to_owned()).collect();
    let mut step = |api: &str, some: &[String], now: &[String]| {
        let mut now = now.to_vec();
        now.sort_unstable();
        let request = parts([("AutoScalingGroupName", id.clone()), ("TargetGroupARNs", some.to_vec().into())]);
        calls.set(api, request, field(TARGETS, now));
    };
    for some in new.chunks(MOST_TARGETS) {
        now.extend(some.iter().cloned());
        step("AttachLoadBalancerTargetGroups", some, &now);
    }
    for some in old.chunks(MOST_TARGETS) {
        now.retain(|it| !some.contains(it));
        step("DetachLoadBalancerTargetGroups", some, &now);
    }
}

/// Ends a replacement of instances that goes on.
///
/// It may be for an earlier version: it has replaced some instances by such as are outdated now, and does not look at them
/// again. Which version it is for, AWS does not say. So it is ended, and a new one leaves alone what is as it should be.
/// While one goes on, AWS also refuses other changes.
fn end_refresh(calls: &mut Calls, id: Part) {
    calls.set("CancelInstanceRefresh", parts([("AutoScalingGroupName", id)]), field(INSTANCES, OUTDATED));
}

/// Replaces the instances that are not of the group's version.
fn refresh(calls: &mut Calls, id: Part) {
    let preferences = parts([("SkipMatching", true.into())]);
    let request = parts([("AutoScalingGroupName", id), ("Strategy", "Rolling".into()), ("Preferences", preferences)]);
    calls.set_and_wait("StartInstanceRefresh", request, field(INSTANCES, CURRENT), Wait::Ready(REFRESH_SECONDS));
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    let request = parts([("AutoScalingGroupName", known_id(delete.id)), ("ForceDelete", true.into())]);
    calls.remove("DeleteAutoScalingGroup", request, Wait::Gone(GONE_SECONDS));
    Ok(())
}

/// Whether an instance is there to stay: those on their way out have whichever version they have.
fn stays(instance: &Shown<'_>) -> bool {
    let leaving = ["Terminat", "Detach"];
    !instance.text("LifecycleState").is_some_and(|state| leaving.iter().any(|start| state.starts_with(start)))
}

/// A group is ready when as many instances as desired are in service and healthy, and all have the group's version.
pub(super) fn observe(group: Shown<'_>) -> Option<Seen> {
    let template = |of: Shown<'_>| {
        let template = of.at("LaunchTemplate");
        (template.text("LaunchTemplateId").map(str::to_owned), template.text("Version").map(str::to_owned))
    };
    let own = template(group);
    // What `$Latest` stands for is not told, and not what definitions can write.
    let by_number = own.1.as_deref().is_some_and(|version| !version.starts_with('$'));
    let outdated = by_number && group.list("Instances").filter(stays).any(|instance| template(instance) != own);
    let in_service = group.list("Instances").filter(|instance| {
        instance.text("LifecycleState") == Some("InService") && instance.text("HealthStatus") == Some("Healthy")
    });
    let desired = group.int("DesiredCapacity").unwrap_or(0);
    let enough = i64::try_from(in_service.count()).is_ok_and(|count| count >= desired);
    let readiness = match group.text("Status") {
        Some("Delete in progress") => Readiness::Going,
        Some(_) | None if enough && !outdated => Readiness::Ready,
        Some(_) | None => Readiness::Pending,
    };
    let subnets = group.text("VPCZoneIdentifier").unwrap_or_default().split(',').filter(|subnet| !subnet.is_empty());
    let policies = group.list("TerminationPolicies").filter_map(Shown::as_text).map(Value::from).collect();
    let targets = group.list("TargetGroupARNs").filter_map(Shown::as_text).map(Value::from).collect();
    let percentages = group.at("InstanceMaintenancePolicy");
    let seen = Seen::new(readiness)
        .with("name", group.text("AutoScalingGroupName"))
        .with("arn", group.text("AutoScalingGroupARN"))
        .with("template", own.0)
        .with("version", own.1)
        .with("subnets", Some(Value::List(subnets.map(Value::from).collect())))
        .with(TARGETS, Some(Value::List(targets)))
        .with("min", group.int("MinSize"))
        .with("max", group.int("MaxSize"))
        .with("desired", group.int("DesiredCapacity"))
        .with("health_check", group.text("HealthCheckType"))
        .with("health_check_grace", group.int("HealthCheckGracePeriod"))
        .with_or_null("warmup", group.int("DefaultInstanceWarmup"))
        .with("cooldown", group.int("DefaultCooldown"))
        .with_or_null("min_healthy", percentages.int("MinHealthyPercentage"))
        .with_or_null("max_healthy", percentages.int("MaxHealthyPercentage"))
        .with("termination_policies", Some(Value::List(policies)))
        .with("scale_in_protection", Some(group.bool("NewInstancesProtectedFromScaleIn").unwrap_or(false)))
        .with_or_null("placement_group", group.text("PlacementGroup"))
        .with("max_lifetime", Some(group.int("MaxInstanceLifetime").unwrap_or(0)))
        .with(INSTANCES, Some(if outdated { OUTDATED } else { CURRENT }));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(version: &str, instances: &[(&str, &str, &str)]) -> (Readiness, String) {
        let instance = |(state, health, version): &(&str, &str, &str)| {
            format!(
                r#"{{"LifecycleState":"{state}","HealthStatus":"{health}",
                    "LaunchTemplate":{{"LaunchTemplateId":"lt-1","Version":"{version}"}}}}"#
            )
        };
        let instances: Vec<_> = instances.iter().map(instance).collect();
        let answer = format!(
            r#"{{"LaunchTemplate":{{"LaunchTemplateId":"lt-1","Version":"{version}"}},"DesiredCapacity":1,
                "Instances":[{}]}}"#,
            instances.join(",")
        );
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let seen = observe(Shown(Some(&answer))).unwrap();
        (seen.readiness, seen.fields[INSTANCES].as_text().unwrap().to_owned())
    }

    #[test]
    fn a_group_is_ready_when_enough_instances_are_in_service_and_all_are_current() {
        use Readiness::{Pending, Ready};
        let of = |version, instances: &[_]| {
            let (readiness, instances) = seen(version, instances);
            (readiness, instances == CURRENT)
        };
        let good = ("InService", "Healthy", "2");
        assert_eq!(of("2", &[good]), (Ready, true));
        assert_eq!(of("2", &[]), (Pending, true));
        assert_eq!(of("2", &[("Pending", "Healthy", "2")]), (Pending, true));
        assert_eq!(of("2", &[("InService", "Unhealthy", "2")]), (Pending, true));
        assert_eq!(of("3", &[good]), (Pending, false), "and so a plan replaces it");
        assert_eq!(of("2", &[good, ("Terminating:Wait", "Healthy", "1")]), (Ready, true));
        assert_eq!(of("$Latest", &[good]), (Ready, true));
    }

    #[test]
    fn another_version_ends_what_goes_on_and_replaces_the_instances_last() {
        let observed: Fields = serde_json::from_str(ROW.examples.whole).unwrap();
        let apis = |changed: &[&'static str], changes: &str| {
            let mut desired = observed.clone();
            desired.extend(serde_json::from_str::<Fields>(changes).unwrap());
            let id = "workers".parse().unwrap();
            let (observed, desired) = (Given(&observed), Given(&desired));
            let mut calls = Calls::new(&"aws_autoscaling_group".parse().unwrap());
            update(&mut calls, &Update { id: &id, observed, carries: None, desired, changed, mark: None }).unwrap();
            let waits = |wait| if wait == Wait::No { "" } else { ", and waits" };
            calls.done().iter().map(|call| format!("{}{}", call.api, waits(call.wait))).collect::<Vec<_>>()
        };
        assert_eq!(
            apis(&["version", "max", "instance_tags"], r#"{"version":"2","max":5,"instance_tags":{}}"#),
            [
                "CancelInstanceRefresh",
                "UpdateAutoScalingGroup",
                "autoscaling:DeleteTags",
                "StartInstanceRefresh, and waits"
            ]
        );
        assert_eq!(apis(&[INSTANCES], "{}"), ["CancelInstanceRefresh", "StartInstanceRefresh, and waits"]);
        assert_eq!(apis(&["max"], r#"{"max":5}"#), ["UpdateAutoScalingGroup, and waits"]);
    }
}
