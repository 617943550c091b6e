//! One read: one page of one type.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Vpc, VpcAttributeName};
use futures::stream::{StreamExt as _, TryStreamExt as _};
use provision_core::call::{Observed, Read, ReadAnswer, Refusal, Scope};
use provision_core::value::Fields;

use super::answer::{Failure, Probe};
use super::observe::{self, Dns};
use crate::tags::{self, Tags};

/// Objects on a page: EC2's own most.
const PAGE: i32 = 1000;
/// VPCs on a page: each takes two more calls.
const VPC_PAGE: i32 = 100;
/// How many VPCs' attributes are asked for at a time.
const ATTRIBUTES_AT_ONCE: usize = 4;

/// What to ask for.
struct Selection {
    ids: Option<Vec<String>>,
    filters: Option<Vec<Filter>>,
    page: Option<String>,
}

impl Selection {
    /// How many objects to a page; EC2 takes no such number together with ids.
    fn most(&self, most: i32) -> Option<i32> {
        self.ids.is_none().then_some(most)
    }
}

/// A page as EC2 answers it.
struct Page {
    objects: Vec<Observed>,
    next: Option<String>,
}

/// Fields that can be looked for, with EC2's name of the filter.
fn filters_of(type_name: &str) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match type_name {
        "aws_vpc" => &[("cidr", "cidr")],
        "aws_subnet" => &[("vpc", "vpc-id"), ("cidr", "cidr-block"), ("zone", "availability-zone")],
        "aws_security_group" => &[("vpc", "vpc-id"), ("name", "group-name"), ("description", "description")],
        "aws_instance" => &[
            ("subnet", "subnet-id"),
            ("ami", "image-id"),
            ("instance_type", "instance-type"),
            ("key_name", "key-name"),
        ],
        _ => return None,
    })
}

/// A filter for exactly this value: EC2 takes `*` and `?` for wildcards.
fn filter(name: impl Into<String>, value: &str) -> Filter {
    let mut exact = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '\\') {
            exact.push('\\');
        }
        exact.push(c);
    }
    Filter::builder().name(name).values(exact).build()
}

fn tag_filters(tags: &Tags) -> Vec<Filter> {
    tags.iter().map(|(key, value)| filter(format!("tag:{key}"), value)).collect()
}

fn key_filters(key: &Fields, known: &[(&str, &str)]) -> Result<Vec<Filter>, String> {
    let filters = key.iter().map(|(field, value)| {
        let name = known.iter().find(|(name, _)| name == field).map(|(_, filter)| *filter);
        let name = name.ok_or_else(|| format!("EC2 cannot look for `{field}`"))?;
        value.as_text().map(|text| filter(name, text)).ok_or_else(|| format!("the key `{field}` is a text"))
    });
    filters.collect()
}

fn selection(read: &Read) -> Result<Selection, String> {
    let known = filters_of(read.type_name.as_str())
        .ok_or_else(|| format!("this build does not know the type {}", read.type_name))?;
    let (ids, filters) = match &read.scope {
        Scope::Marked(infra) => (None, Some(vec![filter(format!("tag:{}", tags::INFRA), infra.as_str())])),
        Scope::Id(id) => (Some(vec![id.as_str().to_owned()]), None),
        Scope::Mark(mark) => (None, Some(tag_filters(&tags::of_mark(mark)))),
        Scope::Key(key) => (None, Some(key_filters(key, known)?)),
        Scope::Tagged(tags) => (None, Some(tag_filters(tags))),
    };
    Ok(Selection { ids, filters, page: read.page.clone() })
}

/// Reads one page. What is asked for by id and is not there is an empty page.
pub(crate) async fn read(client: &Client, read: &Read) -> ReadAnswer {
    let selection = match selection(read) {
        Ok(selection) => selection,
        Err(reason) => return ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason },
    };
    let probe = Probe::default();
    let page = match read.type_name.as_str() {
        "aws_vpc" => vpcs(client, selection, &probe).await,
        "aws_subnet" => subnets(client, selection, &probe).await,
        "aws_security_group" => security_groups(client, selection, &probe).await,
        _ => instances(client, selection, &probe).await,
    };
    match page {
        Ok(Page { objects, next }) => {
            // An empty text stands for no more pages, too.
            let next = next.filter(|next| !next.is_empty());
            ReadAnswer::Page { objects, next, server_time: probe.server_time() }
        }
        Err(Failure::Refused { refusal: Refusal::NotFound, .. }) if matches!(read.scope, Scope::Id(_)) => {
            ReadAnswer::Page { objects: Vec::new(), next: None, server_time: probe.server_time() }
        }
        Err(failure) => failure.into(),
    }
}

async fn vpcs(client: &Client, selection: Selection, probe: &Probe) -> Result<Page, Failure> {
    let most = selection.most(VPC_PAGE);
    let operation = client
        .describe_vpcs()
        .set_vpc_ids(selection.ids)
        .set_filters(selection.filters)
        .set_next_token(selection.page)
        .set_max_results(most);
    let answer = operation.customize().interceptor(probe.clone()).send().await;
    let output = answer.map_err(|error| probe.failure(&error))?;
    let objects: Vec<Option<Observed>> = futures::stream::iter(output.vpcs.unwrap_or_default())
        .map(|vpc| with_attributes(client, vpc))
        .buffered(ATTRIBUTES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(Page { objects: objects.into_iter().flatten().collect(), next: output.next_token })
}

/// The VPC with its two attributes, unless it went in between.
async fn with_attributes(client: &Client, vpc: Vpc) -> Result<Option<Observed>, Failure> {
    let Some(id) = vpc.vpc_id.clone() else { return Ok(None) };
    let both = futures::try_join!(
        attribute(client, &id, VpcAttributeName::EnableDnsSupport),
        attribute(client, &id, VpcAttributeName::EnableDnsHostnames),
    );
    match both {
        Ok((support, hostnames)) => Ok(observe::vpc(vpc, Dns { support, hostnames })),
        Err(Failure::Refused { refusal: Refusal::NotFound, .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn attribute(client: &Client, id: &str, name: VpcAttributeName) -> Result<bool, Failure> {
    let probe = Probe::default();
    let operation = client.describe_vpc_attribute().vpc_id(id).attribute(name.clone());
    let answer = operation.customize().interceptor(probe.clone()).send().await;
    let output = answer.map_err(|error| probe.failure(&error))?;
    let value = match name {
        VpcAttributeName::EnableDnsSupport => output.enable_dns_support,
        _ => output.enable_dns_hostnames,
    };
    value.and_then(|value| value.value).ok_or_else(|| Failure::Unknown {
        reason: format!("the answer to DescribeVpcAttribute for {id} lacks {}", name.as_str()),
    })
}

async fn subnets(client: &Client, selection: Selection, probe: &Probe) -> Result<Page, Failure> {
    let most = selection.most(PAGE);
    let operation = client
        .describe_subnets()
        .set_subnet_ids(selection.ids)
        .set_filters(selection.filters)
        .set_next_token(selection.page)
        .set_max_results(most);
    let answer = operation.customize().interceptor(probe.clone()).send().await;
    let output = answer.map_err(|error| probe.failure(&error))?;
    let objects = output.subnets.unwrap_or_default().into_iter().filter_map(observe::subnet).collect();
    Ok(Page { objects, next: output.next_token })
}

async fn security_groups(client: &Client, selection: Selection, probe: &Probe) -> Result<Page, Failure> {
    let most = selection.most(PAGE);
    let operation = client
        .describe_security_groups()
        .set_group_ids(selection.ids)
        .set_filters(selection.filters)
        .set_next_token(selection.page)
        .set_max_results(most);
    let answer = operation.customize().interceptor(probe.clone()).send().await;
    let output = answer.map_err(|error| probe.failure(&error))?;
    let objects = output.security_groups.unwrap_or_default().into_iter().filter_map(observe::security_group).collect();
    Ok(Page { objects, next: output.next_token })
}

async fn instances(client: &Client, selection: Selection, probe: &Probe) -> Result<Page, Failure> {
    let most = selection.most(PAGE);
    let operation = client
        .describe_instances()
        .set_instance_ids(selection.ids)
        .set_filters(selection.filters)
        .set_next_token(selection.page)
        .set_max_results(most);
    let answer = operation.customize().interceptor(probe.clone()).send().await;
    let output = answer.map_err(|error| probe.failure(&error))?;
    let reservations = output.reservations.unwrap_or_default().into_iter();
    let instances = reservations.flat_map(|reservation| reservation.instances.unwrap_or_default());
    Ok(Page { objects: instances.filter_map(observe::instance).collect(), next: output.next_token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_wildcards_finds_only_itself() {
        assert_eq!(filter("group-name", r"a*b?c\d").values(), [r"a\*b\?c\\d"]);
    }

    #[test]
    fn tags_are_looked_for_by_key_and_exact_value() {
        let tags = Tags::from([("team".to_owned(), "a*".to_owned())]);
        let read = Read { type_name: "aws_subnet".parse().unwrap(), scope: Scope::Tagged(tags), page: None };
        let filters = selection(&read).map(|selection| selection.filters).unwrap().unwrap();
        assert_eq!((filters[0].name(), filters[0].values()), (Some("tag:team"), &[r"a\*".to_owned()][..]));
    }

    #[test]
    fn a_key_that_ec2_cannot_look_for_is_an_error_and_not_everything() {
        let key = Fields::from([("public_ip".to_owned(), true.into())]);
        let read = Read { type_name: "aws_subnet".parse().unwrap(), scope: Scope::Key(key), page: None };
        assert!(selection(&read).is_err());
    }
}
