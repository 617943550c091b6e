//! What moto lets pass and the real service does not, where the difference would hide a mistake in the
//! order of deletes or in a recovery by client token. Asks moto before the call is executed.

use std::{collections::BTreeSet, io};

use super::{
    answer::Answer,
    call::{Call, Request},
    lists,
    upstream::Upstream,
};

/// The refusal that the real service would give and moto does not.
pub(crate) async fn refusal(upstream: &Upstream, call: &Call) -> io::Result<Option<Answer>> {
    let in_use = |message: String| Answer::error(call, 400, "DependencyViolation", &message);
    Ok(match call.action.as_str() {
        "DeleteSubnet" => {
            let Some(id) = call.param("SubnetId") else {
                return Ok(None);
            };
            has_instances(upstream, call, "subnet-id", id)
                .await?
                .then(|| in_use(format!("The subnet '{id}' has dependencies and cannot be deleted.")))
        }
        "DeleteSecurityGroup" => {
            let Some(id) = call.param("GroupId") else {
                return Ok(None);
            };
            has_instances(upstream, call, "instance.group-id", id)
                .await?
                .then(|| in_use(format!("resource {id} has a dependent object")))
        }
        "DeleteVpc" => {
            let Some(id) = call.param("VpcId") else {
                return Ok(None);
            };
            let filter = [("Filter.1.Name", "vpc-id"), ("Filter.1.Value.1", id)];
            let groups = ask(upstream, call, "DescribeSecurityGroups", &filter).await?;
            // The default group goes with its VPC; any other keeps it.
            let other = lists::texts_of(groups.text(), "groupName").iter().any(|name| name != "default");
            other.then(|| in_use(format!("The vpc '{id}' has dependencies and cannot be deleted.")))
        }
        "CreateSecurityGroup" => {
            let Some(id) = call.param("VpcId") else {
                return Ok(None);
            };
            let vpc = ask(upstream, call, "DescribeVpcs", &[("VpcId.1", id)]).await?;
            (!vpc.is_success()).then(|| {
                Answer::error(call, 400, "InvalidVpcID.NotFound", &format!("The vpc ID '{id}' does not exist"))
            })
        }
        _ => None,
    })
}

/// Escaped wildcards in values of filters, as moto's patterns write them: it knows `\*` for instances only, the real service
/// everywhere (EC2 User Guide, "Filter resources", wildcards).
pub(crate) fn literal_wildcards(request: Request) -> Request {
    request.with_values(|name, value| {
        if name.starts_with("Filter.") && name.contains(".Value.") {
            value.replace(r"\*", "[*]").replace(r"\?", "[?]").replace(r"\\", r"\")
        } else {
            value.to_owned()
        }
    })
}

/// The values of a `client-token` filter of `DescribeInstances`, which moto does not know, and the request
/// without it.
pub(crate) fn token_filter(call: &Call, request: Request) -> (Request, Option<BTreeSet<String>>) {
    if call.action != "DescribeInstances" {
        return (request, None);
    }
    let is_it = |(name, value): &(&String, &String)| name.ends_with(".Name") && *value == "client-token";
    let Some((name, _)) = call.params.iter().find(is_it) else {
        return (request, None);
    };
    let prefix = name.trim_end_matches("Name");
    let names: Vec<&str> = call.params.keys().map(String::as_str).filter(|name| name.starts_with(prefix)).collect();
    let is_value = |(name, _): &(&String, &String)| name.starts_with(prefix) && name.contains(".Value.");
    let values = call.params.iter().filter(is_value).map(|(_, value)| value.clone()).collect();
    (request.without(&names), Some(values))
}

/// The answer without the instances that a `client-token` filter leaves out.
pub(crate) fn with_tokens(answer: Answer, tokens: &BTreeSet<String>) -> Answer {
    let text = lists::without_items(answer.text(), "clientToken", |token| !tokens.contains(token));
    answer.with_text(text)
}

async fn has_instances(upstream: &Upstream, call: &Call, filter: &str, id: &str) -> io::Result<bool> {
    let mut params =
        vec![("Filter.1.Name", filter), ("Filter.1.Value.1", id), ("Filter.2.Name", "instance-state-name")];
    let states = ["pending", "running", "shutting-down", "stopping", "stopped"];
    let names: Vec<_> = (1..=states.len()).map(|n| format!("Filter.2.Value.{n}")).collect();
    params.extend(names.iter().map(String::as_str).zip(states));
    let answer = ask(upstream, call, "DescribeInstances", &params).await?;
    Ok(!lists::texts_of(answer.text(), "instanceId").is_empty())
}

async fn ask(upstream: &Upstream, call: &Call, action: &str, params: &[(&str, &str)]) -> io::Result<Answer> {
    upstream.send(ec2(&call.region, action, params).in_account(&call.account)).await
}

/// An EC2 query call.
pub(crate) fn ec2(region: &str, action: &str, params: &[(&str, &str)]) -> Request {
    query(("ec2", "2016-11-15"), region, action, params)
}

/// A query call of a service by its signing name and version.
pub(crate) fn query((service, version): (&str, &str), region: &str, action: &str, params: &[(&str, &str)]) -> Request {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", action).append_pair("Version", version).extend_pairs(params);
    Request::query(service, region, body.finish())
}
