//! `aws_dhcp_options`: found again by its mark alone.

use std::net::IpAddr;

use provision_core::call::{Mark, Readiness, Recovery, Wait};
use provision_core::dsl::{Input, Inputs};
use provision_core::prelude::*;
use provision_core::value::{Tree, Value};

use super::list::{List, PAGE};
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Part, Update, field, known_id, parts};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// What hosts of a VPC are told of names and time. VPCs name it: `Vpc`'s `dhcp_options`.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>) {
/// let names = b.put("names", DhcpOptions {}).domain_name("lab.internal").domain_name_servers(["AmazonProvidedDNS"]);
/// b.put("main", Vpc { cidr: cidr!("10.1.0.0/16") }).dhcp_options(names);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_dhcp_options", version = 1, check = check)]
pub struct DhcpOptions {
    /// The domain that names without a dot are of.
    #[attr(replace)]
    pub domain_name: Option<String>,
    /// The addresses of four name servers at most, in order; `AmazonProvidedDNS` for Amazon's.
    #[attr(replace, default)]
    pub domain_name_servers: Vec<String>,
    /// The addresses of four time servers at most.
    #[attr(replace, default)]
    pub ntp_servers: Vec<String>,
    /// The addresses of four NetBIOS name servers at most.
    #[attr(replace, default)]
    pub netbios_name_servers: Vec<String>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: DhcpOptionsId,
}

/// The options, with AWS' names.
const DOMAIN: (&str, &str) = ("domain_name", "domain-name");
const SERVERS: [(&str, &str); 3] = [
    ("domain_name_servers", "domain-name-servers"),
    ("ntp_servers", "ntp-servers"),
    ("netbios_name_servers", "netbios-name-servers"),
];

/// Amazon's own name server.
const AMAZONS: &str = "AmazonProvidedDNS";
/// "You can specify up to four": <https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSetConcepts.html>.
const MOST: usize = 4;

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if inputs.is_empty(DOMAIN.0) && SERVERS.iter().all(|(field, _)| inputs.is_empty(field)) {
        problems
            .push((DOMAIN.0, "no options at all: write `.domain_name(..)` or `.domain_name_servers(..)`".to_owned()));
    }
    for (field, _) in SERVERS {
        let servers = inputs.value(field).and_then(Input::as_list).unwrap_or_default();
        if servers.len() > MOST {
            problems.push((field, format!("{} servers; AWS takes {MOST} at most", servers.len())));
        }
        for text in servers.iter().filter_map(Input::as_text) {
            let amazons = field == "domain_name_servers" && text == AMAZONS;
            if !amazons && text.parse::<IpAddr>().is_err() {
                problems.push((field, format!("`{}` is not an address", text.escape_debug())));
            }
        }
    }
    problems
}

apis! { aws_sdk_ec2 ec2;
    CreateDhcpOptions: Tag, "takes no token; two sets may differ in nothing";
        (DhcpConfigurations, TagSpecifications) -> (DhcpOptions);
    DeleteDhcpOptions: Remove, "ids are never used again"; (DhcpOptionsId) -> ();
    DescribeDhcpOptions: Read, ""; (DhcpOptionsIds, Filters, NextToken, MaxResults) -> (DhcpOptions, NextToken);
}
shapes! { aws_sdk_ec2;
    sent NewDhcpConfiguration(Key, Values);
    shown DhcpConfiguration(Key, Values);
    shown DhcpOptions(DhcpOptionsId, DhcpConfigurations, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: DhcpOptions::SCHEMA,
    identity_key: &[],
    create,
    update,
    delete,
    answers: &[Answered { api: "CreateDhcpOptions", id: &["DhcpOptions", "DhcpOptionsId"], outputs: &[] }],
    reading: &List {
        schema: DhcpOptions::SCHEMA,
        api: "DescribeDhcpOptions",
        ids: "DhcpOptionsIds",
        filters: "Filters",
        most: PAGE,
        objects: &["DhcpOptions"],
        id: "DhcpOptionsId",
        // Its filters know of keys and values, but not which belong together.
        keys: &[],
        observe,
        details: &[],
    },
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"domain_name":"lab.internal","domain_name_servers":["10.1.0.2","AmazonProvidedDNS"],
            "ntp_servers":["169.254.169.123"],"netbios_name_servers":[],"tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

fn option(key: &str, values: Part) -> Part {
    parts([("Key", key.into()), ("Values", values)])
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (specification, users) = tags::specification("dhcp-options", desired, mark)?;
    let mut options = Vec::new();
    let mut fields = field("tags", users);
    if let Some(domain) = desired.optional_text(DOMAIN.0)? {
        options.push(option(DOMAIN.1, Tree::List(vec![domain.into()])));
        fields.extend(field(DOMAIN.0, domain));
    }
    for (name, key) in SERVERS {
        let servers = desired.texts(name)?;
        fields.extend(field(name, Value::from(servers.clone())));
        if !servers.is_empty() {
            options.push(option(key, servers.into()));
        }
    }
    let request = parts([("DhcpConfigurations", Tree::List(options)), ("TagSpecifications", specification)]);
    let new = New { fields, computed: &["id"], mark: Some(mark) };
    calls.create("CreateDhcpOptions", request, Recovery::Tag, new, Wait::No);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteDhcpOptions", parts([("DhcpOptionsId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(options: Shown<'_>) -> Option<Seen> {
    let values = |key: &str| {
        let all = options.list("DhcpConfigurations").filter(|it| it.text("Key") == Some(key));
        all.flat_map(|it| it.list("Values")).filter_map(|value| value.text("Value")).collect::<Vec<_>>()
    };
    let mut seen = Seen::new(Readiness::Ready).with_or_null(DOMAIN.0, values(DOMAIN.1).first().copied());
    for (name, key) in SERVERS {
        seen = seen.with(name, Some(Value::from(values(key))));
    }
    Some(seen)
}
