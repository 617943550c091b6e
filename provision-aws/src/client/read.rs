//! One read: one page of one type, or what the list does not show of its objects.

use std::collections::BTreeMap;

use provision_core::call::{Read, ReadAnswer, Refusal, Scope, ServerTime};
use provision_core::id::ObjectId;
use provision_core::value::{Fields, Value};

use super::Sdk;
use super::answer::{Failure, Reply};
use crate::provider;
use crate::table::Row;
use crate::table::reading::{Detail, Page, Request};
use crate::table::shown::Shown;
use crate::table::{Given, Source};

/// Reads one page. What is asked for by id or by name and is not there is an empty page.
pub(crate) async fn read(sdk: &Sdk, read: &Read) -> ReadAnswer {
    match try_read(sdk, read).await {
        Ok((Page { objects, next }, server_time)) => {
            // An empty text stands for no more pages, too.
            ReadAnswer::Page { objects, next: next.filter(|next| !next.is_empty()), server_time }
        }
        Err(NoPage { failure: Failure::Refused { refusal: Refusal::NotFound, .. }, server_time })
            if matches!(read.scope, Scope::Id(_) | Scope::Key(_)) =>
        {
            ReadAnswer::Page { objects: Vec::new(), next: None, server_time }
        }
        Err(NoPage { failure, server_time: _ }) => failure.into(),
    }
}

struct NoPage {
    failure: Failure,
    server_time: Option<ServerTime>,
}

async fn ask(sdk: &Sdk, request: &Request) -> Result<(Value, Option<ServerTime>), NoPage> {
    let invalid = |message: String| NoPage {
        failure: Failure::Refused { refusal: Refusal::Invalid, code: request.api.to_owned(), message },
        server_time: None,
    };
    let api = provider::api(request.api).ok_or_else(|| invalid("this build does not know the call".to_owned()))?;
    match api.send(sdk, &request.parameters, None).await.map_err(invalid)? {
        Reply::Done { answer, server_time } => Ok((answer, server_time)),
        // Some operations refuse to show what an object has none of, such as tags: that is an answer too.
        Reply::Failed { failure: Failure::Refused { refusal: Refusal::AlreadySo, .. }, server_time } => {
            Ok((Value::Map(BTreeMap::new()), server_time))
        }
        Reply::Failed { failure, server_time } => Err(NoPage { failure, server_time }),
    }
}

/// A read that this build cannot make.
fn bad(message: impl Into<String>) -> NoPage {
    let (code, message) = ("BadRead".to_owned(), message.into());
    NoPage { failure: Failure::Refused { refusal: Refusal::Invalid, code, message }, server_time: None }
}

async fn try_read(sdk: &Sdk, read: &Read) -> Result<(Page, Option<ServerTime>), NoPage> {
    if let Scope::Query(query) = &read.scope {
        let source = provider::source(&read.type_name)
            .ok_or_else(|| bad(format!("this build cannot look up {}", read.type_name)))?;
        return found(sdk, source, query, read.page.as_deref()).await;
    }
    let row = provider::row(&read.type_name)
        .ok_or_else(|| bad(format!("this build does not know the type {}", read.type_name)))?;
    if let Scope::Detail { detail: name, objects } = &read.scope {
        let detail = row.reading.details().iter().find(|detail| detail.of.name == name);
        let detail = detail.ok_or_else(|| bad(format!("{} has no detail `{name}`", read.type_name)))?;
        return details(sdk, row, detail, objects, read.page.as_deref()).await;
    }
    let request = row.reading.request(read).map_err(bad)?;
    let (answer, server_time) = match ask(sdk, &request).await {
        // What is listed below something else may go with it on the way: nothing is there then, and the walk goes on.
        Err(NoPage { failure: Failure::Refused { refusal: Refusal::NotFound, .. }, server_time })
            if row.reading.per().is_some() =>
        {
            (Value::Null, server_time)
        }
        answered => answered?,
    };
    let mut page = row.reading.page_of(read, Shown(Some(&answer)));
    for object in &mut page.objects {
        object.fields = row.schema.normal_form(std::mem::take(&mut object.fields));
    }
    Ok((page, server_time))
}

/// What a data source answers a query with.
async fn found(
    sdk: &Sdk,
    source: &Source,
    query: &Fields,
    page: Option<&str>,
) -> Result<(Page, Option<ServerTime>), NoPage> {
    let mut request = (source.request)(Given(query)).map_err(bad)?;
    if let (Some(page), Value::Map(parameters)) = (page, &mut request.parameters) {
        parameters.insert("NextToken".to_owned(), page.into());
    }
    let (answer, server_time) = ask(sdk, &request).await?;
    let shown = Shown(Some(&answer));
    let next = shown.text("NextToken").map(str::to_owned);
    Ok((Page { objects: (source.found)(Given(query), shown), next }, server_time))
}

/// What the detail shows of the objects; without those that went in between.
/// A page of what the detail shows of the objects; without those that went in between.
async fn details(
    sdk: &Sdk,
    row: &Row,
    detail: &Detail,
    objects: &[ObjectId],
    page: Option<&str>,
) -> Result<(Page, Option<ServerTime>), NoPage> {
    let request = row.reading.detail_request(detail, objects, page).map_err(|message| NoPage {
        failure: Failure::Refused { refusal: Refusal::Invalid, code: "BadRead".to_owned(), message },
        server_time: None,
    })?;
    let (answer, server_time) = match ask(sdk, &request).await {
        Ok(answered) => answered,
        Err(NoPage { failure: Failure::Refused { refusal: Refusal::NotFound, .. }, server_time })
            if objects.len() == 1 =>
        {
            return Ok((Page { objects: Vec::new(), next: None }, server_time));
        }
        Err(failed) => return Err(failed),
    };
    let mut shown = row.reading.detail_page(detail, objects, page, Shown(Some(&answer)));
    for object in &mut shown.objects {
        object.fields = row.schema.normal_form(std::mem::take(&mut object.fields));
    }
    Ok((shown, server_time))
}
