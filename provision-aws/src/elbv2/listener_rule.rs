//! `aws_lb_listener_rule`: AWS refuses a second one of the priority below a listener.

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::{Fields, Tree, Value};

use super::action::{self, Action};
use super::below::{Below, Floor};
use super::condition::{self, Condition};
use super::listener::ListenerId;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What an application load balancer does with the requests that conditions hold for.
///
/// Its id is its ARN. Priorities change in place, one rule at a time: one that another rule gives up in the same apply is
/// waited for, but two rules cannot swap theirs.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, secure: Ref<ListenerId, D>, api: Ref<TargetGroupId, D>) {
/// let conditions = [Condition::host(["api.example.com"]), Condition::path(["/v1/*", "/v2/*"])];
/// b.put("api", ListenerRule { listener: secure, priority: 10, conditions, action: Action::forward(api) });
///
/// let conditions = [Condition::source_ip([cidr!("192.0.2.0/24")])];
/// let closed = Action::respond(503, "closed for the office");
/// b.put("closed", ListenerRule { listener: secure, priority: 5, conditions, action: closed });
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_lb_listener_rule", version = 1, check = check)]
pub struct ListenerRule {
    /// The listener.
    #[attr(replace)]
    pub listener: ListenerId,
    /// Its place: of the rules whose conditions hold, the one with the lowest number counts. 1 to 50000, one rule each.
    pub priority: i64,
    /// What requests have to be like: all of these, five values at most.
    #[attr(set)]
    pub conditions: Vec<Condition>,
    /// What is done with them.
    #[attr(set)]
    pub action: Action,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id, which is its ARN.
    #[attr(computed)]
    pub id: ListenerRuleId,
}

/// "Condition values per rule: 5", which no request raises:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>.
const MOST_VALUES: usize = 5;

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if let Some(given) = inputs.int("priority").filter(|given| !(1..=50_000).contains(given)) {
        problems.push(("priority", format!("AWS takes 1 to 50000, not {given}")));
    }
    let Some(conditions) = inputs.list("conditions") else { return problems };
    if conditions.is_empty() {
        problems.push((
            "conditions",
            "a rule has a condition at least; what no rule holds for, the listener does".to_owned(),
        ));
    }
    let parts = || conditions.iter().filter_map(|condition| condition.as_map());
    let values: usize = parts().flat_map(|map| map.values()).filter_map(|part| Some(part.as_list()?.len())).sum();
    if values > MOST_VALUES {
        let rule = format!("{values} values; AWS takes {MOST_VALUES} in all conditions of a rule: make several rules");
        problems.push(("conditions", rule));
    }
    for kind in ["host", "path", "method", "source_ip"] {
        if parts().filter(|map| map.contains_key(kind)).count() > 1 {
            problems.push(("conditions", format!("`{kind}` stands twice: write one with all values")));
        }
    }
    problems
}

apis! { aws_sdk_elasticloadbalancingv2 elbv2;
    CreateRule: NaturalKey, "takes no token; a priority taken below the listener is PriorityInUse";
        (ListenerArn, Priority, Conditions, Actions, Tags) -> (Rules);
    ModifyRule: Set, "sets conditions and actions, each as a whole"; (RuleArn, Conditions, Actions) -> ();
    SetRulePriorities: Set, "sets priorities to values", ["PriorityInUse" => InUse]; (RulePriorities) -> ();
    DeleteRule: Remove, "ARNs end in an id that is never used again"; (RuleArn) -> ();
    DescribeRules: Read, ""; (ListenerArn, RuleArns, Marker, PageSize) -> (Rules, NextMarker);
}
shapes! { aws_sdk_elasticloadbalancingv2;
    sent RulePriorityPair(RuleArn, Priority);
    shown Rule(RuleArn, Priority, Conditions, Actions, IsDefault);
}

/// The ARN of the listener that a rule is below: answers do not name it.
fn listener_of(arn: &str) -> Option<String> {
    let (before, after) = arn.split_once(":listener-rule/")?;
    let (listener, _rule) = after.rsplit_once('/')?;
    Some(format!("{before}:listener/{listener}"))
}

pub(crate) static ROW: Row = Row {
    schema: ListenerRule::SCHEMA,
    identity_key: &["listener", "priority"],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateRule", id: &["Rules", "RuleArn"], outputs: &[] }],
    reading: &Below {
        schema: ListenerRule::SCHEMA,
        floor: Floor::Rules,
        parent: ("listener", "listener"),
        parent_of: listener_of,
        answers_what_stood_there: false,
        observe,
        details: &[tags::TAGS],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"listener":"l-1","priority":10,"conditions":[{"host":["api.example.com"]},{"path":["/v1/*","/v2/*"]}],
            "action":[{"target_group":"tg-1","weight":1}],"tags":{}}"#,
        changes: &[
            r#"{"priority":20}"#,
            r#"{"conditions":[{"header":"X-A","values":["1"]},{"query":["a=b","c"]},{"method":["GET"]}]}"#,
            r#"{"conditions":[{"source_ip":["10.0.0.0/8"]}]}"#,
            r#"{"action":[{"target_group":"tg-1","weight":90},{"target_group":"tg-2","weight":10}]}"#,
            r#"{"tags":{"other":"1"}}"#,
        ],
    },
};

fn conditions(fields: Given<'_>) -> Result<Part, String> {
    condition::request(fields.list("conditions")?).map_err(|problem| format!("the field `conditions`: {problem}"))
}

fn actions(fields: Given<'_>) -> Result<Part, String> {
    action::request(fields.list("action")?).map_err(|problem| format!("the field `action`: {problem}"))
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (listener, priority) = (desired.text("listener")?, desired.int("priority")?);
    let (tags, users) = tags::of_create(desired, mark)?;
    let mut key = field("listener", listener);
    key.extend(field("priority", priority));
    let mut fields = key.clone();
    fields.extend(field("conditions", Value::List(desired.list("conditions")?.to_vec())));
    fields.extend(field("action", Value::List(desired.list("action")?.to_vec())));
    fields.extend(field("tags", users));
    let request = parts([
        ("ListenerArn", listener.into()),
        ("Priority", priority.into()),
        ("Conditions", conditions(desired)?),
        ("Actions", actions(desired)?),
        ("Tags", tags),
    ]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateRule", request, Recovery::NaturalKey { key }, new, Wait::No);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["priority", "conditions", "action", "tags"])?;
    let (mut request, mut fields) = (vec![("RuleArn", known_id(update.id))], Fields::new());
    for (name, parameter, part) in [
        ("conditions", "Conditions", conditions as fn(Given<'_>) -> Result<Part, String>),
        ("action", "Actions", actions),
    ] {
        if update.changes(name) {
            request.push((parameter, part(update.desired)?));
            fields.extend(field(name, Value::List(update.desired.list(name)?.to_vec())));
        }
    }
    if !fields.is_empty() {
        let request = request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
        calls.set("ModifyRule", Part::Map(request), fields);
    }
    if update.changes("priority") {
        let priority = update.desired.int("priority")?;
        let pair = parts([("RuleArn", known_id(update.id)), ("Priority", priority.into())]);
        let request = parts([("RulePriorities", Tree::List(vec![pair]))]);
        calls.set("SetRulePriorities", request, field("priority", priority));
    }
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteRule", parts([("RuleArn", known_id(delete.id))]), Wait::No);
    Ok(())
}

/// The rule, unless it is the listener's own action, which is listed among the rules.
fn observe(rule: Shown<'_>) -> Option<Seen> {
    let priority: i64 = rule.text("Priority").and_then(|text| text.parse().ok())?;
    let seen = Seen::new(Readiness::Ready)
        .with("listener", rule.text("RuleArn").and_then(listener_of))
        .with("priority", Some(priority))
        .with("conditions", Some(condition::observed(rule.list("Conditions"))))
        .with("action", Some(action::observed(rule.list("Actions"))));
    Some(seen)
}
