//! What is done with requests: as definitions write it, and in the words of listeners and rules.
//!
//! The erased form is a list that is a set, because the order of target groups means nothing: a forward is
//! `[{"target_group": "arn:…", "weight": 90}, {"target_group": "arn:…", "weight": 10}, {"sticky_seconds": 60}]`, a redirect
//! `[{"redirect": "HTTP_301", "protocol": "HTTPS", "port": "443", "host": "#{host}", "path": "/#{path}", "query":
//! "#{query}"}]`, a fixed response `[{"respond": "404", "content_type": "text/plain", "body": ""}]`.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, IntoInput};
use provision_core::schema::Kind;
use provision_core::value::{Tree, Value};

use super::target_group::TargetGroupId;
use crate::table::calls::{Part, parts};
use crate::table::shown::Shown;

shapes! { aws_sdk_elasticloadbalancingv2;
    text ActionTypeEnum;
    text RedirectActionStatusCodeEnum;
    both TargetGroupTuple(TargetGroupArn, Weight);
    both TargetGroupStickinessConfig(Enabled, DurationSeconds);
    both ForwardActionConfig(TargetGroups, TargetGroupStickinessConfig);
    both RedirectActionConfig(Protocol, Port, Host, Path, Query, StatusCode);
    both FixedResponseActionConfig(MessageBody, StatusCode, ContentType);
    both Action(Type as r#type, TargetGroupArn, Order, ForwardConfig, RedirectConfig, FixedResponseConfig);
}

/// What a listener or a rule does with requests. Logins before it (OIDC, Cognito) are not offered: they take secrets.
#[derive(Debug, Clone)]
pub struct Action<D = ()> {
    items: Vec<BTreeMap<String, Input>>,
    of: PhantomData<fn() -> D>,
}

fn item<const N: usize>(entries: [(&str, Input); N]) -> BTreeMap<String, Input> {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl<D> Action<D> {
    fn new(items: Vec<BTreeMap<String, Input>>) -> Self {
        Self { items, of: PhantomData }
    }

    /// Sends them to the targets of a group.
    pub fn forward(group: impl IntoInput<TargetGroupId, D>) -> Self {
        Self::weighted([(group, 1)])
    }

    /// Spreads them over the targets of groups by weight, 0 to 999 each: `[(blue, 90), (green, 10)]`.
    pub fn weighted<G: IntoInput<TargetGroupId, D>>(groups: impl IntoIterator<Item = (G, i64)>) -> Self {
        let mut items = Vec::new();
        for (group, weight) in groups {
            let weight = if (0..=999).contains(&weight) {
                weight.into()
            } else {
                Input::problem(format!("a weight is 0 to 999, not {weight}"))
            };
            items.push(item([("target_group", group.into_input()), ("weight", weight)]));
        }
        if items.is_empty() {
            items.push(item([("target_group", Input::problem("a forward has one target group at least"))]));
        }
        Self::new(items)
    }

    /// Of a forward to several groups: clients stay with the group that they came to first, for so many seconds.
    #[must_use]
    pub fn sticky(mut self, seconds: i64) -> Self {
        let seconds = if (1..=604_800).contains(&seconds) {
            seconds.into()
        } else {
            Input::problem(format!("clients stay for 1 to 604800 seconds, not for {seconds}"))
        };
        self.items.push(item([("sticky_seconds", seconds)]));
        self
    }

    /// Tells clients to come again by HTTPS, on port 443, for good.
    pub fn redirect_to_https() -> Self {
        Self::redirect(Redirect::permanent().protocol("HTTPS").port("443"))
    }

    /// Tells clients to go elsewhere.
    pub fn redirect(to: Redirect) -> Self {
        Self::new(vec![to.parts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()])
    }

    /// Answers with a status (2XX, 4XX or 5XX) and a text, which may be empty.
    pub fn respond(status: u16, body: impl IntoInput<String, D>) -> Self {
        Self::respond_as(status, "text/plain", body)
    }

    /// Answers with a status and a body of a type: `text/plain`, `text/css`, `text/html`, `application/javascript` or
    /// `application/json`.
    pub fn respond_as(status: u16, content_type: &str, body: impl IntoInput<String, D>) -> Self {
        let known = ["text/plain", "text/css", "text/html", "application/javascript", "application/json"];
        let status = if matches!(status, 200..=299 | 400..=599) {
            status.to_string().as_str().into()
        } else {
            Input::problem(format!("a fixed response has a status of 2XX, 4XX or 5XX, not {status}"))
        };
        let content_type = if known.contains(&content_type) {
            content_type.into()
        } else {
            let given = content_type.escape_debug();
            Input::problem(format!("AWS does not take the type `{given}`; write one of {}", known.join(", ")))
        };
        Self::new(vec![item([("respond", status), ("content_type", content_type), ("body", body.into_input())])])
    }
}

impl FieldKind for Action {
    const KIND: Kind = Kind::List(&Kind::Object);
}

impl<D> IntoInput<Action, D> for Action<D> {
    fn into_input(self) -> Input {
        Input::List(self.items.into_iter().map(Input::Map).collect())
    }
}

/// Where clients are told to go. What is not set stays as the client asked for it.
///
/// Parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`, which stand for those of the request.
#[derive(Debug, Clone)]
pub struct Redirect {
    parts: BTreeMap<&'static str, String>,
}

/// Parts of a redirect with what they are where nothing else is said, and AWS' names of them:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html>.
const REDIRECT: &[(&str, &str, &str)] = &[
    ("protocol", "#{protocol}", "Protocol"),
    ("port", "#{port}", "Port"),
    ("host", "#{host}", "Host"),
    ("path", "/#{path}", "Path"),
    ("query", "#{query}", "Query"),
];

impl Redirect {
    fn new(status: &str) -> Self {
        let mut parts: BTreeMap<_, _> = REDIRECT.iter().map(|&(name, same, _)| (name, same.to_owned())).collect();
        parts.insert("redirect", status.to_owned());
        Self { parts }
    }

    /// For good (301).
    pub fn permanent() -> Self {
        Self::new("HTTP_301")
    }

    /// For now (302).
    pub fn temporary() -> Self {
        Self::new("HTTP_302")
    }

    /// `HTTP` or `HTTPS`.
    #[must_use]
    pub fn protocol(self, protocol: &str) -> Self {
        self.part("protocol", protocol)
    }

    /// A port.
    #[must_use]
    pub fn port(self, port: &str) -> Self {
        self.part("port", port)
    }

    /// A host.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.part("host", host)
    }

    /// A path, with its leading `/`.
    #[must_use]
    pub fn path(self, path: &str) -> Self {
        self.part("path", path)
    }

    /// A query, without its leading `?`; empty for none.
    #[must_use]
    pub fn query(self, query: &str) -> Self {
        self.part("query", query)
    }

    fn part(mut self, name: &'static str, text: &str) -> Self {
        self.parts.insert(name, text.to_owned());
        self
    }
}

/// The action of a definition, or of a field that a read showed, in AWS' words.
///
/// # Errors
/// What is none.
pub(crate) fn request(items: &[Value]) -> Result<Part, String> {
    let maps: Vec<_> = items.iter().filter_map(Value::as_map).collect();
    let text = |map: &BTreeMap<String, Value>, name: &str| map.get(name).and_then(Value::as_text).map(str::to_owned);
    let action = if let Some(to) = maps.iter().find(|map| map.contains_key("redirect")) {
        let status = text(to, "redirect").ok_or("a redirect has a status")?;
        let mut config = BTreeMap::from([("StatusCode".to_owned(), Part::from(status))]);
        for &(name, same, parameter) in REDIRECT {
            let value = text(to, name).unwrap_or_else(|| same.to_owned());
            config.insert(parameter.to_owned(), value.into());
        }
        parts([("Type", "redirect".into()), ("RedirectConfig", Part::Map(config))])
    } else if let Some(with) = maps.iter().find(|map| map.contains_key("respond")) {
        let status = text(with, "respond").ok_or("a fixed response has a status")?;
        let mut config = BTreeMap::from([("StatusCode".to_owned(), Part::from(status))]);
        for (name, parameter) in [("content_type", "ContentType"), ("body", "MessageBody")] {
            if let Some(value) = text(with, name).filter(|value| !value.is_empty()) {
                config.insert(parameter.to_owned(), value.into());
            }
        }
        parts([("Type", "fixed-response".into()), ("FixedResponseConfig", Part::Map(config))])
    } else {
        forward(&maps)?
    };
    Ok(Tree::List(vec![action]))
}

fn forward(maps: &[&BTreeMap<String, Value>]) -> Result<Part, String> {
    let mut groups = Vec::new();
    for map in maps.iter().filter(|map| map.contains_key("target_group")) {
        let group = map.get("target_group").and_then(Value::as_text).ok_or("a target group is an ARN")?;
        groups.push((group, map.get("weight").and_then(Value::as_int).unwrap_or(1)));
    }
    let sticky = maps.iter().find_map(|map| map.get("sticky_seconds")?.as_int());
    Ok(match (groups.as_slice(), sticky) {
        ([], _) => return Err("an action forwards to target groups, redirects or responds".to_owned()),
        // Network load balancers may take nothing else.
        ([(group, 1)], None) => parts([("Type", "forward".into()), ("TargetGroupArn", (*group).into())]),
        _ => {
            let tuple = |(group, weight): &(&str, i64)| {
                parts([("TargetGroupArn", (*group).into()), ("Weight", (*weight).into())])
            };
            let mut config = vec![("TargetGroups", Tree::List(groups.iter().map(tuple).collect()))];
            let stickiness = match sticky {
                Some(seconds) => parts([("Enabled", true.into()), ("DurationSeconds", seconds.into())]),
                None => parts([("Enabled", false.into())]),
            };
            config.push(("TargetGroupStickinessConfig", stickiness));
            let config = config.into_iter().map(|(name, part)| (name.to_owned(), part)).collect();
            parts([("Type", "forward".into()), ("ForwardConfig", Part::Map(config))])
        }
    })
}

fn shown_item<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// The actions of an answer as the field. What definitions cannot write, a login, stands in it by its type alone: it
/// differs from whatever is defined.
pub(crate) fn observed<'a>(actions: impl Iterator<Item = Shown<'a>>) -> Value {
    let mut items = Vec::new();
    for action in actions {
        match action.text("Type") {
            Some("forward") => forwarded(action, &mut items),
            Some("redirect") => {
                let config = action.at("RedirectConfig");
                let mut map =
                    BTreeMap::from([("redirect".to_owned(), config.text("StatusCode").unwrap_or_default().into())]);
                for &(name, same, parameter) in REDIRECT {
                    map.insert(name.to_owned(), config.text(parameter).unwrap_or(same).into());
                }
                items.push(Value::Map(map));
            }
            Some("fixed-response") => {
                let config = action.at("FixedResponseConfig");
                items.push(shown_item([
                    ("respond", config.text("StatusCode").map(Value::from)),
                    ("content_type", Some(config.text("ContentType").unwrap_or("text/plain").into())),
                    ("body", Some(config.text("MessageBody").unwrap_or_default().into())),
                ]));
            }
            other => items.push(shown_item([("other", other.map(Value::from))])),
        }
    }
    Value::List(items)
}

fn forwarded(action: Shown<'_>, items: &mut Vec<Value>) {
    let config = action.at("ForwardConfig");
    let before = items.len();
    for group in config.list("TargetGroups") {
        let weight = group.int("Weight").unwrap_or(1);
        items.push(shown_item([
            ("target_group", group.text("TargetGroupArn").map(Value::from)),
            ("weight", Some(weight.into())),
        ]));
    }
    if items.len() == before {
        let group = action.text("TargetGroupArn").map(Value::from);
        items.push(shown_item([("target_group", group), ("weight", Some(1.into()))]));
    }
    let sticky = config.at("TargetGroupStickinessConfig");
    if sticky.bool("Enabled") == Some(true) {
        items.push(shown_item([("sticky_seconds", sticky.int("DurationSeconds").map(Value::from))]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(json: &str) -> Vec<Value> {
        serde_json::from_str::<Value>(json).unwrap().as_list().unwrap().to_vec()
    }

    /// What is sent and then shown is what was sent, in the form that AWS fills up with its defaults, too.
    #[test]
    fn actions_survive_aws_words() {
        for json in [
            r#"[{"target_group":"a","weight":1}]"#,
            r#"[{"sticky_seconds":60},{"target_group":"a","weight":90},{"target_group":"b","weight":10}]"#,
            r##"[{"host":"#{host}","path":"/#{path}","port":"443","protocol":"HTTPS","query":"","redirect":"HTTP_301"}]"##,
            r#"[{"body":"","content_type":"text/plain","respond":"404"}]"#,
        ] {
            let sent = request(&list(json)).unwrap();
            let sent: Value = serde_json::from_str(&serde_json::to_string(&sent).unwrap()).unwrap();
            let mut shown = observed(Shown(Some(&sent)).items()).as_list().unwrap().to_vec();
            shown.sort();
            assert_eq!(shown, list(json));
        }
        let filled = list(
            r#"[{"Type":"forward","TargetGroupArn":"a","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"a","Weight":1}],
                "TargetGroupStickinessConfig":{"Enabled":false}}}]"#,
        );
        let terse = list(r#"[{"Type":"redirect","RedirectConfig":{"Port":"443","StatusCode":"HTTP_302"}}]"#);
        let shown = observed(terse.iter().map(|action| Shown(Some(action))));
        let same = r##"[{"host":"#{host}","path":"/#{path}","port":"443","protocol":"#{protocol}","query":"#{query}",
            "redirect":"HTTP_302"}]"##;
        assert_eq!(shown, Value::List(list(same)));
        let shown = observed(filled.iter().map(|action| Shown(Some(action))));
        assert_eq!(shown, Value::List(list(r#"[{"target_group":"a","weight":1}]"#)));
    }
}
