//! What an alias stands for.

use std::marker::PhantomData;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, IntoInput};
use provision_core::schema::Kind;
use provision_core::value::Value;

use super::hosted_zone::HostedZoneId;
use super::name;
use crate::table::calls::{Part, parts};
use crate::table::reading::parameters;
use crate::table::shown::Shown;

/// A name of AWS', or of a zone of ours, that a record of data centre `D` stands for.
///
/// Its erased form is a map: `{"zone": "Z1", "name": "lb-1.elb.amazonaws.com", "evaluate_health": true}`.
#[derive(Debug, Clone)]
pub struct Alias<D = ()> {
    zone: Input,
    name: Input,
    evaluate_health: bool,
    of: PhantomData<fn() -> D>,
}

impl<D> Alias<D> {
    /// A load balancer, a bucket or an endpoint, by the zone and the name that it says of itself.
    pub fn to(zone: impl IntoInput<String, D>, name: impl IntoInput<String, D>) -> Self {
        Self { zone: zone.into_input(), name: name.into_input(), evaluate_health: false, of: PhantomData }
    }

    /// Another record of a zone, of the same type.
    pub fn in_zone(zone: impl IntoInput<HostedZoneId, D>, name: impl IntoInput<String, D>) -> Self {
        Self { zone: zone.into_input(), name: name.into_input(), evaluate_health: false, of: PhantomData }
    }

    /// It is answered only while its target is healthy.
    #[must_use]
    pub fn while_healthy(self) -> Self {
        Self { evaluate_health: true, ..self }
    }
}

impl<D> IntoInput<Alias, D> for Alias<D> {
    fn into_input(self) -> Input {
        if let Some(problem) = self.name.as_text().and_then(name::problem) {
            return Input::problem(problem);
        }
        let parts = [("zone", self.zone), ("name", self.name), ("evaluate_health", self.evaluate_health.into())];
        Input::Map(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl FieldKind for Alias {
    const KIND: Kind = Kind::Object;
}

/// The `AliasTarget` of a request.
pub(super) fn part(alias: &Value) -> Result<Part, String> {
    let map = alias.as_map().ok_or("the field `alias` is a map")?;
    let text = |name: &str| map.get(name).and_then(Value::as_text).ok_or_else(|| format!("an alias has a `{name}`"));
    let health = map.get("evaluate_health").and_then(Value::as_bool).unwrap_or(false);
    Ok(parts([
        ("HostedZoneId", text("zone")?.into()),
        ("DNSName", text("name")?.into()),
        ("EvaluateTargetHealth", health.into()),
    ]))
}

/// The alias of an answer.
pub(super) fn observed(target: Shown<'_>) -> Value {
    parameters([
        ("zone", target.text("HostedZoneId").map(Value::from)),
        ("name", target.text("DNSName").map(|text| name::observed(text).into())),
        ("evaluate_health", Some(target.bool("EvaluateTargetHealth").unwrap_or(false).into())),
    ])
}
