//! Calls that list: all that there is from the server behind, which pages in its own way or not at all, and of that the
//! page that was asked for.

use std::io;

use super::{
    answer::Answer,
    call::{Call, Request},
    lists,
    model::Paged,
    upstream::Upstream,
};

/// Which calls do not take a size together with ids, from the parameters' documentation in botocore's model.
const NOT_WITH_IDS: [(&str, &str, &str); 4] = [
    ("DescribeInstances", "InstanceId.", "instancesSet"),
    ("DescribeInstanceStatus", "InstanceId.", "instancesSet"),
    ("DescribeNetworkInterfaces", "NetworkInterfaceId.", "networkInterfaceIdSet"),
    ("DescribeInstanceCreditSpecifications", "InstanceId.", "instancesSet"),
];

/// What a list call asks for.
pub(crate) enum Asked<'a> {
    /// Everything, in one answer.
    All,
    /// The first of pages of this size.
    First(usize),
    /// The page of this token, of this size.
    Next(&'a str, usize),
}

/// What a call asks for, or its refusal.
pub(crate) fn asked<'a>(call: &'a Call, page: &Paged) -> Result<Asked<'a>, Box<Answer>> {
    let refused = |code: &str, message: &str| Err(Box::new(Answer::error(call, 400, code, message)));
    let size = match page.size_of(&call.service, call.param(&page.size)) {
        Ok(size) => size,
        Err(message) if call.is_ec2() => return refused("InvalidParameterValue", &message),
        Err(message) => return refused("ValidationError", &message),
    };
    if call.param(&page.size).is_some() {
        let not = NOT_WITH_IDS.iter().find(|(action, ..)| *action == call.action);
        if let Some((_, _, set)) = not.filter(|(_, ids, _)| call.params.keys().any(|name| name.starts_with(ids))) {
            let message = format!("The parameter {set} cannot be used with the parameter maxResults");
            return refused("InvalidParameterCombination", &message);
        }
    }
    Ok(match (call.param(&page.token), size) {
        (Some(token), size) => Asked::Next(token, size.unwrap_or(1_000)),
        (None, Some(size)) => Asked::First(size),
        (None, None) => Asked::All,
    })
}

/// The refusal of a token that was not handed out.
pub(crate) fn bad_token(call: &Call) -> Answer {
    match call.service.as_str() {
        "ec2" | "autoscaling" => Answer::error(call, 400, "InvalidNextToken", "The specified NextToken is not valid"),
        _ => Answer::error(call, 400, "ValidationError", "Invalid Marker"),
    }
}

/// All that there is: the server's pages, put together.
pub(crate) async fn whole(upstream: &Upstream, call: &Call, request: Request, page: &Paged) -> io::Result<Answer> {
    // moto's calls to EC2 take no size where they do not page.
    let request = match call.is_ec2() {
        true => request.without(&[&page.size, &page.token]),
        false => request.with(&page.size, &page.largest(&call.service).to_string()),
    };
    let first = upstream.send(request.clone()).await?;
    let Some(mut next) = lists::next_of(first.text(), page).filter(|_| first.is_success()) else {
        return Ok(first);
    };
    let mut items = lists::items_of(first.text(), page);
    loop {
        let answer = upstream.send(request.clone().with(&page.token, &next)).await?;
        if !answer.is_success() {
            return Ok(answer);
        }
        items.extend(lists::items_of(answer.text(), page));
        match lists::next_of(answer.text(), page) {
            Some(token) => next = token,
            None => break,
        }
    }
    let text = lists::with_items(first.text(), page, &items);
    Ok(first.with_text(text))
}
