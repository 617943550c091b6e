//! Attributes of load balancers, target groups and listeners: pairs of texts, of which a call sets those that it names.

use std::collections::BTreeMap;

use provision_core::value::{Fields, Tree, Value};

use crate::table::calls::{Calls, Given, Part, parts};

/// A field that is one or more attributes.
pub(crate) struct Attribute {
    /// The field's name.
    pub(crate) field: &'static str,
    /// AWS' name of it, or what the names of all of them begin with.
    pub(crate) key: &'static str,
    pub(crate) holds: Holds,
}

/// What a field holds that is attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// True or false.
    Switch,
    /// A whole number.
    Number,
    /// A text.
    Text,
    /// Where logs go: a structure with `bucket` and `prefix`, empty for nowhere.
    Logs,
    /// How clients stay with a target: a structure with `type`, `seconds` and `cookie`, empty for not at all.
    Stickiness,
}

type Pairs = Vec<(String, String)>;

fn text<'a>(map: &'a BTreeMap<String, Value>, name: &str) -> Option<&'a str> {
    map.get(name).and_then(Value::as_text)
}

impl Attribute {
    /// The attributes that give the field this value.
    fn pairs(&self, value: &Value) -> Result<Pairs, String> {
        let is = |what: &str| format!("the field `{}` is {what}", self.field);
        let one = |text: String| vec![(self.key.to_owned(), text)];
        let structure = || value.as_map().ok_or_else(|| is("a structure"));
        Ok(match self.holds {
            Holds::Switch => one(value.as_bool().ok_or_else(|| is("true or false"))?.to_string()),
            Holds::Number => one(value.as_int().ok_or_else(|| is("a whole number"))?.to_string()),
            Holds::Text => one(value.as_text().ok_or_else(|| is("a text"))?.to_owned()),
            Holds::Logs => self.logs(structure()?),
            Holds::Stickiness => self.stickiness(structure()?),
        })
    }

    fn logs(&self, to: &BTreeMap<String, Value>) -> Pairs {
        let key = |name: &str| format!("{}.{name}", self.key);
        match text(to, "bucket") {
            None => vec![(key("enabled"), "false".to_owned())],
            Some(bucket) => vec![
                (key("enabled"), "true".to_owned()),
                (key("bucket"), bucket.to_owned()),
                (key("prefix"), text(to, "prefix").unwrap_or_default().to_owned()),
            ],
        }
    }

    fn stickiness(&self, how: &BTreeMap<String, Value>) -> Pairs {
        let key = |name: &str| format!("{}.{name}", self.key);
        let Some(kind) = text(how, "type") else { return vec![(key("enabled"), "false".to_owned())] };
        let mut pairs = vec![(key("enabled"), "true".to_owned()), (key("type"), kind.to_owned())];
        if let Some(seconds) = how.get("seconds").and_then(Value::as_int) {
            pairs.push((key(&format!("{kind}.duration_seconds")), seconds.to_string()));
        }
        if let Some(cookie) = text(how, "cookie") {
            pairs.push((key("app_cookie.cookie_name"), cookie.to_owned()));
        }
        pairs
    }

    /// The field's value, if the attributes tell.
    fn value(&self, shown: &BTreeMap<String, String>) -> Option<Value> {
        let one = || shown.get(self.key);
        let part = |name: &str| shown.get(&format!("{}.{name}", self.key)).filter(|text| !text.is_empty());
        Some(match self.holds {
            Holds::Switch => one()?.parse::<bool>().ok()?.into(),
            Holds::Number => one()?.parse::<i64>().ok()?.into(),
            Holds::Text => one()?.as_str().into(),
            Holds::Logs => {
                let on = part("enabled")? == "true";
                let named = ["bucket", "prefix"].into_iter().filter(|_| on);
                let there = named.filter_map(|name| Some((name.to_owned(), part(name)?.as_str().into())));
                Value::Map(there.collect())
            }
            Holds::Stickiness => {
                if part("enabled")? != "true" {
                    return Some(Value::Map(BTreeMap::new()));
                }
                let kind = part("type")?.clone();
                let seconds = part(&format!("{kind}.duration_seconds")).and_then(|text| text.parse::<i64>().ok());
                let cookie = part("app_cookie.cookie_name").filter(|_| kind == "app_cookie");
                let entries = [
                    ("type", Some(Value::from(kind.as_str()))),
                    ("seconds", seconds.map(Value::from)),
                    ("cookie", cookie.map(|cookie| cookie.as_str().into())),
                ];
                Value::Map(entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
            }
        })
    }
}

/// The names of the fields.
pub(crate) const fn names<const N: usize>(known: &[Attribute]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut n = 0;
    while n < N {
        names[n] = known[n].field;
        n += 1;
    }
    names
}

/// The fields that attributes tell.
pub(crate) fn fields(known: &[Attribute], shown: &BTreeMap<String, String>) -> Fields {
    known.iter().filter_map(|attribute| Some((attribute.field.to_owned(), attribute.value(shown)?))).collect()
}

/// One call that sets the attributes of all fields that are set and `of` names. They change together or not at all, so none
/// is in between.
pub(crate) fn set(
    calls: &mut Calls,
    known: &[Attribute],
    (api, arn): (&str, &str),
    id: Part,
    desired: Given<'_>,
    of: impl Fn(&Attribute, &Value) -> bool,
) -> Result<(), String> {
    let (mut pairs, mut fields) = (Vec::new(), Fields::new());
    for attribute in known {
        let Some(value) = desired.get(attribute.field).filter(|value| of(attribute, value)) else { continue };
        pairs.extend(attribute.pairs(value)?);
        fields.insert(attribute.field.to_owned(), value.clone());
    }
    if !pairs.is_empty() {
        let pair = |(key, value): (String, String)| parts([("Key", key.into()), ("Value", value.into())]);
        let attributes = Tree::List(pairs.into_iter().map(pair).collect());
        calls.set(api, parts([(arn, id), ("Attributes", attributes)]), fields);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    /// What is set and then read is what was set, also after another value that sets other attributes.
    #[test]
    fn fields_survive_their_attributes() {
        let logs = Attribute { field: "access_logs", key: "access_logs.s3", holds: Holds::Logs };
        let stickiness = Attribute { field: "stickiness", key: "stickiness", holds: Holds::Stickiness };
        let timeout = Attribute { field: "idle_timeout", key: "idle_timeout.timeout_seconds", holds: Holds::Number };
        let mut shown = BTreeMap::new();
        for (attribute, json) in [
            (&logs, r#"{"bucket":"b","prefix":"p"}"#),
            (&logs, r#"{"bucket":"b"}"#),
            (&logs, "{}"),
            (&stickiness, r#"{"cookie":"c","seconds":5,"type":"app_cookie"}"#),
            (&stickiness, r#"{"seconds":60,"type":"lb_cookie"}"#),
            (&stickiness, r#"{"type":"source_ip"}"#),
            (&stickiness, "{}"),
            (&timeout, "30"),
        ] {
            shown.extend(attribute.pairs(&value(json)).unwrap());
            assert_eq!(attribute.value(&shown), Some(value(json)));
        }
        assert!(timeout.pairs(&value(r#""long""#)).unwrap_err().contains("`idle_timeout` is a whole number"));
    }
}
