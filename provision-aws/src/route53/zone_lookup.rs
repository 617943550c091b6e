//! Zones that are there already, by their names.

use provision_core::call::Observed;
use provision_core::dsl::Inputs;
use provision_core::prelude::*;
use provision_core::value::Value;

use super::hosted_zone::{HostedZoneId, observed};
use super::name;
use crate::Aws;
use crate::table::Source;
use crate::table::calls::Given;
use crate::table::reading::{Request, parameters};
use crate::table::shown::Shown;

/// A zone of Route 53 that nobody here makes: the company's domain, for records of ours.
///
/// Zones are an account's, whatever the region. Several can have one name, a public and a private one above all: the answer
/// has to be one, so say which is meant.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, address: Ref<String, D>) {
/// let company = b.find("company", FindZone { name: "example.com" }).private(false);
/// b.put("www", Record { zone: company, name: "www.example.com", record_type: RecordType::A }).values([address]);
/// # }
/// ```
#[data_source(cloud = Aws, kind = "aws_zone", check = check)]
pub struct FindZone {
    /// Its domain: `example.com`.
    pub name: String,
    /// Whether a private zone is meant, or a public one. Without it, whichever there is.
    pub private: Option<bool>,
    /// Its id.
    #[attr(computed, shared)]
    pub id: HostedZoneId,
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    inputs.text("name").and_then(name::problem).map(|problem| ("name", problem)).into_iter().collect()
}

apis! { aws_sdk_route53 route53;
    ListHostedZonesByName: Read, ""; (DNSName as dns_name, MaxItems) -> (HostedZones);
}

pub(crate) static SOURCE: Source = Source { schema: FindZone::SCHEMA, apis: APIS, request, found };

/// The list begins at the name, and those of the name come first: a page holds them all, unless there are more than a
/// hundred (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListHostedZonesByName.html>).
const PAGE: i64 = 100;

fn request(query: Given<'_>) -> Result<Request, String> {
    let parameters = parameters([("DNSName", Some(query.text("name")?.into())), ("MaxItems", Some(PAGE.into()))]);
    Ok(Request { api: "ListHostedZonesByName", parameters })
}

fn found(query: Given<'_>, answer: Shown<'_>) -> Vec<Observed> {
    let private = query.0.get("private").and_then(Value::as_bool);
    let fits = |zone: &Observed| {
        let has =
            |name: &str, wanted: Option<&Value>| wanted.is_none_or(|wanted| zone.fields.get(name) == Some(wanted));
        has("name", query.0.get("name")) && has("private", private.map(Value::from).as_ref())
    };
    answer.list("HostedZones").filter_map(observed).filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use provision_core::value::Fields;

    use super::*;

    #[test]
    fn only_zones_of_exactly_the_name_are_found_and_of_the_kind_that_is_asked_for() {
        let answer: Value = serde_json::from_str(
            r#"{"HostedZones":[{"Id":"/hostedzone/Z1","Name":"a.b.","Config":{"PrivateZone":false}},
                {"Id":"/hostedzone/Z2","Name":"a.b.","Config":{"PrivateZone":true}},
                {"Id":"/hostedzone/Z3","Name":"c.a.b."},{"Id":"/hostedzone/Z4","Name":"b.b."}]}"#,
        )
        .unwrap();
        let ids = |query: &str| -> Vec<String> {
            let query: Fields = serde_json::from_str(query).unwrap();
            found(Given(&query), Shown(Some(&answer))).iter().map(|zone| zone.id.to_string()).collect()
        };
        assert_eq!(ids(r#"{"name":"a.b"}"#), ["Z1", "Z2"]);
        assert_eq!(ids(r#"{"name":"a.b","private":null}"#), ["Z1", "Z2"]);
        assert_eq!(ids(r#"{"name":"a.b","private":true}"#), ["Z2"]);
        assert_eq!(ids(r#"{"name":"a.b","private":false}"#), ["Z1"]);
        assert!(ids(r#"{"name":"b"}"#).is_empty());
    }
}
