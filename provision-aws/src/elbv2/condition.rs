//! Conditions of rules: as definitions write them, and in AWS' words.
//!
//! A definition's condition is a map, its values sorted: `{"host": ["a.example.com"]}`, `{"path": ["/api/*"]}`,
//! `{"method": ["GET"]}`, `{"source_ip": ["10.0.0.0/8"]}`, `{"header": "X-Tenant", "values": ["a"]}`,
//! `{"query": ["a=b", "c"]}`: of a query, what stands before the first `=` is the key.

use std::collections::BTreeMap;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Cidr, Input, IntoInput};
use provision_core::schema::Kind;
use provision_core::value::{Tree, Value};

use crate::table::calls::{Part, parts};
use crate::table::shown::Shown;

shapes! { aws_sdk_elasticloadbalancingv2;
    both HostHeaderConditionConfig(Values);
    both PathPatternConditionConfig(Values);
    both HttpHeaderConditionConfig(HttpHeaderName, Values);
    both HttpRequestMethodConditionConfig(Values);
    both QueryStringKeyValuePair(Key, Value);
    both QueryStringConditionConfig(Values);
    both SourceIpConditionConfig(Values);
    both RuleCondition(Field, Values, HostHeaderConfig, PathPatternConfig, HttpHeaderConfig, HttpRequestMethodConfig,
        QueryStringConfig, SourceIpConfig);
}

/// What a request has to be like for a rule to hold. One of the values is enough; of several conditions all have to hold.
///
/// Hosts, paths, headers and queries may have `*` for any characters and `?` for one.
#[derive(Debug, Clone)]
pub struct Condition {
    entries: Vec<(&'static str, Input)>,
}

/// A condition that holds for any of some values.
struct Kindred {
    /// What definitions call it.
    name: &'static str,
    /// AWS' name of the field.
    field: &'static str,
    /// AWS' name of the structure.
    config: &'static str,
}

const KINDS: &[Kindred] = &[
    Kindred { name: "host", field: "host-header", config: "HostHeaderConfig" },
    Kindred { name: "path", field: "path-pattern", config: "PathPatternConfig" },
    Kindred { name: "method", field: "http-request-method", config: "HttpRequestMethodConfig" },
    Kindred { name: "source_ip", field: "source-ip", config: "SourceIpConfig" },
];

/// Values in one order, each once: that of a definition means nothing, and AWS' may be another.
fn sorted(values: impl IntoIterator<Item = impl Into<String>>, longest: usize) -> Input {
    let mut texts: Vec<String> = values.into_iter().map(Into::into).collect();
    texts.sort();
    texts.dedup();
    if texts.is_empty() {
        return Input::problem("a condition has one value at least");
    }
    let checked = texts.into_iter().map(|text| {
        if (1..=longest).contains(&text.chars().count()) {
            text.as_str().into()
        } else {
            Input::problem(format!("`{}`: a value of a condition has 1 to {longest} characters", text.escape_debug()))
        }
    });
    Input::List(checked.collect())
}

/// "The maximum length of each string is 128 characters":
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HostHeaderConditionConfig.html>.
const LONGEST: usize = 128;
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HttpRequestMethodConditionConfig.html>, and
/// names of headers: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_HttpHeaderConditionConfig.html>.
const LONGEST_NAME: usize = 40;

impl Condition {
    /// The request's host is one of these: `["example.com", "*.example.com"]`.
    pub fn host(hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { entries: vec![("host", sorted(hosts, LONGEST))] }
    }

    /// Its path is one of these: `["/api/*"]`.
    pub fn path(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { entries: vec![("path", sorted(paths, LONGEST))] }
    }

    /// Its method is one of these: `["GET", "HEAD"]`.
    pub fn method(methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { entries: vec![("method", sorted(methods, LONGEST_NAME))] }
    }

    /// It comes from one of these networks.
    pub fn source_ip(networks: impl IntoIterator<Item = Cidr>) -> Self {
        let (good, bad): (Vec<_>, Vec<_>) = networks.into_iter().partition(|network| network.problem().is_none());
        let problem = bad.first().and_then(|network| network.problem()).map(Input::problem);
        let networks = good.iter().map(ToString::to_string);
        Self { entries: vec![("source_ip", problem.unwrap_or_else(|| sorted(networks, LONGEST)))] }
    }

    /// A header of it has one of these values.
    pub fn header(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let good = (1..=LONGEST_NAME).contains(&name.len()) && !name.eq_ignore_ascii_case("host");
        let named = if good {
            name.into()
        } else {
            let rule =
                "a header's name has 1 to 40 characters, and the host is a condition of its own: `Condition::host`";
            Input::problem(format!("`{}`: {rule}", name.escape_debug()))
        };
        Self { entries: vec![("header", named), ("values", sorted(values, LONGEST))] }
    }

    /// Its query has one of these: `["version=2"]` a key with a value, `["debug"]` a value of any key.
    pub fn query(pairs: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { entries: vec![("query", sorted(pairs, 2 * LONGEST + 1))] }
    }
}

impl FieldKind for Condition {
    const KIND: Kind = Kind::Object;
}

impl<D> IntoInput<Self, D> for Condition {
    fn into_input(self) -> Input {
        Input::Map(self.entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

fn texts(value: &Value) -> Result<Vec<&str>, String> {
    let list = value.as_list().ok_or("the values of a condition are a list")?;
    list.iter().map(|item| item.as_text().ok_or_else(|| "a value of a condition is a text".to_owned())).collect()
}

fn condition(value: &Value) -> Result<Part, String> {
    let map = value.as_map().ok_or("a condition is a map")?;
    if let Some((kind, values)) = KINDS.iter().find_map(|kind| Some((kind, map.get(kind.name)?))) {
        let config = parts([("Values", texts(values)?.into())]);
        return Ok(parts([("Field", kind.field.into()), (kind.config, config)]));
    }
    if let Some(name) = map.get("header").and_then(Value::as_text) {
        let values = texts(map.get("values").ok_or("a condition on a header has `values`")?)?;
        let config = parts([("HttpHeaderName", name.into()), ("Values", values.into())]);
        return Ok(parts([("Field", "http-header".into()), ("HttpHeaderConfig", config)]));
    }
    if let Some(values) = map.get("query") {
        let pair = |text: &str| match text.split_once('=') {
            Some((key, value)) => parts([("Key", key.into()), ("Value", value.into())]),
            None => parts([("Value", text.into())]),
        };
        let values = Tree::List(texts(values)?.into_iter().map(pair).collect());
        return Ok(parts([("Field", "query-string".into()), ("QueryStringConfig", parts([("Values", values)]))]));
    }
    let known = "`host`, `path`, `method`, `source_ip`, `header` or `query`";
    Err(format!("a condition has one of {known}, not {:?}", map.keys().collect::<Vec<_>>()))
}

/// The conditions of a definition in AWS' words.
///
/// # Errors
/// What is none.
pub(crate) fn request(list: &[Value]) -> Result<Part, String> {
    list.iter().map(condition).collect::<Result<_, _>>().map(Tree::List)
}

fn values<'a>(config: Shown<'a>, of: Shown<'a>) -> Value {
    let mut texts: Vec<&str> = config.list("Values").filter_map(Shown::as_text).collect();
    if texts.is_empty() {
        texts = of.list("Values").filter_map(Shown::as_text).collect();
    }
    texts.sort_unstable();
    texts.dedup();
    texts.into()
}

/// The conditions of an answer as the field. What definitions cannot write, a regular expression, stands in it by its field
/// alone.
pub(crate) fn observed<'a>(conditions: impl Iterator<Item = Shown<'a>>) -> Value {
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>())
    };
    let mut list: Vec<Value> = conditions
        .map(|condition| {
            let field = condition.text("Field").unwrap_or_default();
            if let Some(kind) = KINDS.iter().find(|kind| kind.field == field) {
                return map(vec![(kind.name, values(condition.at(kind.config), condition))]);
            }
            match field {
                "http-header" => {
                    let config = condition.at("HttpHeaderConfig");
                    let name = config.text("HttpHeaderName").unwrap_or_default();
                    map(vec![("header", name.into()), ("values", values(config, condition))])
                }
                "query-string" => {
                    let pairs = condition.at("QueryStringConfig").list("Values").map(|pair| {
                        let value = pair.text("Value").unwrap_or_default();
                        pair.text("Key").map_or_else(|| value.to_owned(), |key| format!("{key}={value}"))
                    });
                    let mut pairs: Vec<String> = pairs.collect();
                    pairs.sort();
                    map(vec![("query", pairs.into())])
                }
                other => map(vec![("other", other.into())]),
            }
        })
        .collect();
    list.sort();
    Value::List(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn conditions_survive_aws_words() {
        let all = value(
            r#"[{"header":"X-A","values":["1","2"]},{"host":["a.b","c.d"]},{"method":["GET"]},{"path":["/a/*"]},
                {"query":["a=b=c","d"]},{"source_ip":["10.0.0.0/8"]}]"#,
        );
        let sent = request(all.as_list().unwrap()).unwrap();
        let sent = value(&serde_json::to_string(&sent).unwrap());
        assert_eq!(observed(Shown(Some(&sent)).items()), all);
        // AWS also shows hosts and paths in the older form, in an order of its own.
        let older = value(r#"[{"Field":"host-header","Values":["c.d","a.b"]}]"#);
        assert_eq!(observed(Shown(Some(&older)).items()), value(r#"[{"host":["a.b","c.d"]}]"#));
        assert!(request(value(r#"[{"hosts":["a"]}]"#).as_list().unwrap()).unwrap_err().contains("`host`, `path`"));
    }
}
