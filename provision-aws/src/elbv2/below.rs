//! Listeners and rules: what is listed below something else. There is no list of all of them, so those of what is recorded
//! are asked for, and where one has to be found by its mark, a walk goes from the load balancers down.

use std::collections::BTreeSet;

use provision_core::call::{Read, Scope};
use provision_core::id::{InfraId, ObjectId};
use provision_core::schema::Schema;
use provision_core::value::{Fields, Value};

use super::list::{PAGE, observed};
use super::tags;
use crate::table::reading::{Detail, Page, Reading, Request, parameters};
use crate::table::shown::{Seen, Shown};

/// A floor of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    /// Load balancers: there is one list of them.
    Balancers,
    /// The listeners of a load balancer.
    Listeners,
    /// The rules of a listener.
    Rules,
}

/// What a list is of a load balancer's, a listener's or a rule's: names of AWS' reference.
struct Names {
    api: &'static str,
    /// The parameter for what they are listed below.
    below: &'static str,
    arns: &'static str,
    objects: &'static str,
    arn: &'static str,
}

impl Floor {
    const fn names(self) -> Names {
        match self {
            Self::Balancers => Names {
                api: "DescribeLoadBalancers",
                below: "",
                arns: "LoadBalancerArns",
                objects: "LoadBalancers",
                arn: "LoadBalancerArn",
            },
            Self::Listeners => Names {
                api: "DescribeListeners",
                below: "LoadBalancerArn",
                arns: "ListenerArns",
                objects: "Listeners",
                arn: "ListenerArn",
            },
            Self::Rules => {
                Names { api: "DescribeRules", below: "ListenerArn", arns: "RuleArns", objects: "Rules", arn: "RuleArn" }
            }
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Balancers => 'b',
            Self::Listeners => 'l',
            Self::Rules => 'r',
        }
    }

    fn of_letter(letter: &str) -> Option<Self> {
        [Self::Balancers, Self::Listeners, Self::Rules].into_iter().find(|floor| letter == floor.letter().to_string())
    }

    const fn next(self) -> Option<Self> {
        match self {
            Self::Balancers => Some(Self::Listeners),
            Self::Listeners => Some(Self::Rules),
            Self::Rules => None,
        }
    }
}

/// A page that is still to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    floor: Floor,
    /// The ARN of what it is below; empty for load balancers.
    below: String,
    /// Where the page begins; empty for the first.
    marker: String,
}

impl Step {
    fn first(floor: Floor, below: &str) -> Self {
        Self { floor, below: below.to_owned(), marker: String::new() }
    }

    /// A line of the walk. Neither ARNs nor markers hold white space.
    fn line(&self) -> String {
        format!("{} {} {}", self.floor.letter(), self.below, self.marker)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let floor = Floor::of_letter(words.next()?)?;
        let (below, marker) = (words.next()?.to_owned(), words.next()?.to_owned());
        Some(Self { floor, below, marker })
    }
}

/// How objects that are listed below something else are read.
pub(crate) struct Below {
    pub(crate) schema: &'static Schema,
    pub(crate) floor: Floor,
    /// The field that holds what they are below, and what that is called.
    pub(crate) parent: (&'static str, &'static str),
    /// From an ARN, that of what the object is below.
    pub(crate) parent_of: fn(&str) -> Option<String>,
    /// Whether a create is also answered with an object that stood there before.
    pub(crate) answers_what_stood_there: bool,
    /// The object, unless it is none of its own.
    pub(crate) observe: fn(Shown<'_>) -> Option<Seen>,
    pub(crate) details: &'static [Detail],
}

impl Below {
    /// The page that a read asks for, and those that come after it: the page token holds them, the next one last.
    fn steps(&self, read: &Read) -> Result<(Step, Vec<Step>), String> {
        if let Some(page) = &read.page {
            let steps: Option<Vec<Step>> = page.lines().map(Step::parse).collect();
            let (next, rest) = steps.as_ref().and_then(|steps| steps.split_last()).ok_or("the page is none of ours")?;
            return Ok((next.clone(), rest.to_vec()));
        }
        let first = match &read.scope {
            Scope::Marked(_) | Scope::Mark(_) | Scope::Tagged(_) => Step::first(Floor::Balancers, ""),
            Scope::Key(key) => match key.get(self.parent.0).and_then(Value::as_text) {
                Some(parent) => Step::first(self.floor, parent),
                None => return Err(format!("AWS looks for them by `{}`", self.parent.0)),
            },
            Scope::Id(_) | Scope::Query(_) | Scope::Detail { .. } => return Err("this is no list of theirs".to_owned()),
        };
        Ok((first, Vec::new()))
    }

    fn has(key: &Fields, fields: &Fields) -> bool {
        key.iter().all(|(name, value)| fields.get(name) == Some(value))
    }
}

impl Reading for Below {
    fn request(&self, read: &Read) -> Result<Request, String> {
        if let Scope::Id(id) = &read.scope {
            let names = self.floor.names();
            let arns = Value::List(vec![id.as_str().into()]);
            return Ok(Request { api: names.api, parameters: parameters([(names.arns, Some(arns))]) });
        }
        let (step, _) = self.steps(read)?;
        let names = step.floor.names();
        let given = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        let most = Some(PAGE.into());
        let parameters = match given(&step.below) {
            Some(below) => {
                parameters([(names.below, Some(below)), ("Marker", given(&step.marker)), ("PageSize", most)])
            }
            None => parameters([("Marker", given(&step.marker)), ("PageSize", most)]),
        };
        Ok(Request { api: names.api, parameters })
    }

    /// The objects of a page that has some.
    fn page(&self, answer: Shown<'_>) -> Page {
        let names = self.floor.names();
        let object = |object: Shown<'_>| observed(self.schema, object.text(names.arn), (self.observe)(object)?);
        Page { objects: answer.list(names.objects).filter_map(object).collect(), next: None }
    }

    fn page_of(&self, read: &Read, answer: Shown<'_>) -> Page {
        let Ok((step, mut rest)) = self.steps(read) else { return self.page(answer) };
        if let Some(marker) = answer.text("NextMarker").filter(|marker| !marker.is_empty()) {
            rest.push(Step { marker: marker.to_owned(), ..step.clone() });
        }
        let mut objects = Vec::new();
        if step.floor == self.floor {
            objects = self.page(answer).objects;
            if let Scope::Key(key) = &read.scope {
                objects.retain(|object| Self::has(key, &object.fields));
            }
        } else if let Some(next) = step.floor.next() {
            let names = step.floor.names();
            // Only application load balancers have rules.
            let http = |object: &Shown<'_>| {
                object.text("Type").is_none_or(|kind| kind == "application")
                    && object.text("Protocol").is_none_or(|protocol| matches!(protocol, "HTTP" | "HTTPS"))
            };
            let found = answer.list(names.objects).filter(|object| self.floor != Floor::Rules || http(object));
            let found = found.filter_map(|object| object.text(names.arn));
            rest.extend(found.map(|arn| Step::first(next, arn)));
        }
        let next = rest.iter().map(Step::line).collect::<Vec<_>>().join("\n");
        Page { objects, next: (!next.is_empty()).then_some(next) }
    }

    /// Those below whatever the recorded ones are below. Others are nobody's business here: a create that meets one is
    /// refused.
    fn lists(&self, _infra: &InfraId, recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        let parents: BTreeSet<String> = recorded.iter().filter_map(|id| (self.parent_of)(id.as_str())).collect();
        let key = |parent: String| Scope::Key(Fields::from([(self.parent.0.to_owned(), parent.into())]));
        parents.into_iter().map(key).collect()
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn per(&self) -> Option<&'static str> {
        Some(self.parent.1)
    }

    fn answers_what_stood_there(&self) -> Option<&'static Detail> {
        self.answers_what_stood_there.then_some(&tags::TAGS)
    }

    fn details(&self) -> &'static [Detail] {
        self.details
    }
}

#[cfg(test)]
mod tests {
    use provision_core::id::ObjectId;

    use super::*;
    use crate::elbv2::listener_rule;
    use crate::tests::mark;

    fn read(scope: Scope, page: Option<String>) -> Read {
        Read { type_name: "aws_lb_listener_rule".parse().unwrap(), scope, page }
    }

    /// What a server with two load balancers answers, a page with one item at a time.
    fn answer(request: &Request) -> Value {
        let asked = |name: &str| request.parameters.as_map().unwrap().get(name).and_then(Value::as_text);
        let second = asked("Marker").is_some();
        let next = if second { "" } else { r#","NextMarker":"2""# };
        let n = if second { 2 } else { 1 };
        let text = match request.api {
            "DescribeLoadBalancers" => {
                let arn = format!("x:loadbalancer/b{n}");
                format!(r#"{{"LoadBalancers":[{{"LoadBalancerArn":"{arn}","Type":"application"}}]{next}}}"#)
            }
            "DescribeListeners" => {
                let arn = asked("LoadBalancerArn").unwrap().replace("loadbalancer", "listener");
                format!(
                    r#"{{"Listeners":[{{"ListenerArn":"{arn}/l","Protocol":"HTTP"}},
                        {{"ListenerArn":"{arn}/tcp","Protocol":"TCP"}}]}}"#
                )
            }
            _ => {
                let arn = asked("ListenerArn").unwrap().replace("listener", "listener-rule");
                format!(
                    r#"{{"Rules":[{{"RuleArn":"{arn}/default","Priority":"default","IsDefault":true}},
                        {{"RuleArn":"{arn}/r{n}","Priority":"{n}"}}]{next}}}"#
                )
            }
        };
        serde_json::from_str(&text).unwrap()
    }

    fn walk(scope: &Scope) -> (Vec<String>, Vec<&'static str>) {
        let reading = listener_rule::ROW.reading;
        let (mut found, mut asked, mut page) = (Vec::new(), Vec::new(), None);
        loop {
            let read = read(scope.clone(), page);
            let request = reading.request(&read).unwrap();
            asked.push(request.api);
            let shown = reading.page_of(&read, Shown(Some(&answer(&request))));
            found.extend(shown.objects.into_iter().map(|object| object.id.as_str().to_owned()));
            match shown.next {
                Some(next) => page = Some(next),
                None => return (found, asked),
            }
        }
    }

    #[test]
    fn a_rule_is_found_by_its_mark_below_every_load_balancer() {
        let (mut found, asked) = walk(&Scope::Mark(mark()));
        found.sort();
        let rules = ["b1/l/r1", "b1/l/r2", "b2/l/r1", "b2/l/r2"].map(|rule| format!("x:listener-rule/{rule}"));
        assert_eq!(found, rules);
        assert_eq!(asked.len(), 2 + 2 + 4);
    }

    #[test]
    fn a_rule_is_found_by_its_listener_and_its_priority() {
        let key = Fields::from([("listener".to_owned(), "x:listener/b1/l".into()), ("priority".to_owned(), 2.into())]);
        assert_eq!(walk(&Scope::Key(key)).0, ["x:listener-rule/b1/l/r2"]);
    }

    #[test]
    fn the_lists_of_recorded_rules_are_those_of_their_listeners() {
        let id = |rule: &str| ObjectId::new(format!("arn:aws:x:us-east-1:1:listener-rule/app/lb/1/2/{rule}")).unwrap();
        let recorded = BTreeSet::from([id("3"), id("4"), ObjectId::new("odd").unwrap()]);
        let listener = "arn:aws:x:us-east-1:1:listener/app/lb/1/2";
        let lists = listener_rule::ROW.reading.lists(&"wix".parse().unwrap(), &recorded);
        assert_eq!(lists, [Scope::Key(Fields::from([("listener".to_owned(), listener.into())]))]);
        assert!(listener_rule::ROW.reading.request(&read(Scope::Mark(mark()), Some("odd".to_owned()))).is_err());
    }
}
