//! How groups are read: by name or by tags, in pages, with tags and instances in the answer.

use provision_core::call::{Observed, Read, Readiness, Scope};
use provision_core::id::ObjectId;
use provision_core::provider::{self, Asked};
use provision_core::value::{Fields, Value};

use super::group::{self, AutoScalingGroup};
use super::tags;
use crate::table::reading::{Detail, Page, Reading, Request, detail, parameters};
use crate::table::shown::{Seen, Shown};
use crate::tags as mark;

/// "The default value is 50 and the maximum value is 100."
const PAGE: i64 = 100;

/// How groups are read.
pub(super) struct Groups;

fn tag_filters<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
    let filter = |(key, value): (&String, &String)| {
        let (name, values) = (format!("tag:{key}"), Value::List(vec![value.as_str().into()]));
        parameters([("Name", Some(name.into())), ("Values", Some(values))])
    };
    Value::List(tags.into_iter().map(filter).collect())
}

fn of_infra(infra: &str) -> Value {
    tag_filters([(&mark::INFRA.to_owned(), &infra.to_owned())])
}

impl Reading for Groups {
    fn request(&self, read: &Read) -> Result<Request, String> {
        let named = |name: &str| (Some(Value::List(vec![name.into()])), None);
        let (names, filters) = match &read.scope {
            Scope::Marked(infra) => (None, Some(of_infra(infra.as_str()))),
            Scope::Id(id) => named(id.as_str()),
            Scope::Mark(mark) => (None, Some(tag_filters(&mark::of_mark(mark)))),
            Scope::Key(key) => match key.get("name").and_then(Value::as_text).filter(|_| key.len() == 1) {
                Some(name) => named(name),
                None => return Err("Auto Scaling looks for groups by `name` alone".to_owned()),
            },
            Scope::Tagged(tags) => (None, Some(tag_filters(tags))),
            Scope::Detail { detail, .. } => return Err(format!("`{detail}` is no list")),
            Scope::Query(_) => return Err(format!("{} is no data source", read.type_name)),
        };
        let parameters = parameters([
            ("AutoScalingGroupNames", names),
            ("Filters", filters),
            ("NextToken", read.page.as_deref().map(Value::from)),
            ("MaxRecords", Some(PAGE.into())),
        ]);
        Ok(Request { api: "DescribeAutoScalingGroups", parameters })
    }

    fn page(&self, answer: Shown<'_>) -> Page {
        let objects = answer.list("AutoScalingGroups").filter_map(observed).collect();
        Page { objects, next: answer.text("NextToken").map(str::to_owned) }
    }

    fn page_size(&self) -> Option<i64> {
        Some(PAGE)
    }

    fn details(&self) -> &'static [Detail] {
        &[REFRESH]
    }
}

fn observed(shown: Shown<'_>) -> Option<Observed> {
    let id = ObjectId::new(shown.text("AutoScalingGroupName")?).ok()?;
    let Seen { readiness, mut fields } = group::observe(shown)?;
    let (mark, users) = tags::read(shown);
    fields.extend(users);
    fields.insert("id".to_owned(), id.as_str().into());
    Some(Observed { id, mark, fields: AutoScalingGroup::SCHEMA.normal_form(fields), readiness })
}

/// How the latest replacement of instances goes: one that failed or was cancelled will never be done.
const REFRESH: Detail = Detail {
    of: provider::Detail { name: "refresh", batch: 1, asked: Asked::Waiting },
    request: |ids| {
        let name = ids.first().map(|id| id.as_str().into());
        let parameters = parameters([("AutoScalingGroupName", name), ("MaxRecords", Some(1.into()))]);
        Request { api: "DescribeInstanceRefreshes", parameters }
    },
    seen: |ids, answer| {
        ids.iter().map(|id| Observed { readiness: refresh(answer), ..detail(id, Fields::new()) }).collect()
    },
};

/// States: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html>.
fn refresh(answer: Shown<'_>) -> Readiness {
    let Some(latest) = answer.list("InstanceRefreshes").next() else { return Readiness::Ready };
    let status = latest.text("Status").unwrap_or_default();
    match status {
        "Failed" | "Cancelled" | "RollbackFailed" | "RollbackSuccessful" => {
            let done = latest.int("PercentageComplete").unwrap_or(0);
            let why = latest.text("StatusReason").unwrap_or("AWS gives no reason");
            let how = if status == "Cancelled" { "was cancelled" } else { "failed" };
            Readiness::Failed(format!("the replacement of its instances {how} at {done} %: {why}"))
        }
        "Successful" => Readiness::Ready,
        _ => Readiness::Pending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_that_failed_or_was_cancelled_is_told_with_the_reason_of_aws() {
        let of = |status: &str| {
            let answer = format!(
                r#"{{"InstanceRefreshes":[{{"Status":"{status}","StatusReason":"no capacity","PercentageComplete":50}},
                    {{"Status":"Failed","StatusReason":"long ago"}}]}}"#
            );
            let answer: Value = serde_json::from_str(&answer).unwrap();
            refresh(Shown(Some(&answer)))
        };
        for status in ["Pending", "InProgress", "Baking", "Cancelling", "RollbackInProgress"] {
            assert_eq!(of(status), Readiness::Pending, "{status}");
        }
        assert_eq!(of("Successful"), Readiness::Ready);
        let failed = Readiness::Failed("the replacement of its instances failed at 50 %: no capacity".to_owned());
        assert_eq!(of("Failed"), failed);
        assert!(matches!(of("Cancelled"), Readiness::Failed(why) if why.contains("was cancelled at 50 %")));
        assert_eq!(refresh(Shown(None)), Readiness::Ready, "there never was one");
    }

    #[test]
    fn groups_are_found_by_name_and_by_mark() {
        let request = |scope| {
            let read = Read { type_name: "aws_autoscaling_group".parse().unwrap(), scope, page: None };
            Groups.request(&read).map(|request| serde_json::to_string(&request.parameters).unwrap())
        };
        assert_eq!(
            request(Scope::Marked("wix".parse().unwrap())).unwrap(),
            r#"{"Filters":[{"Name":"tag:provision:infra","Values":["wix"]}],"MaxRecords":100}"#
        );
        let name = Fields::from([("name".to_owned(), "workers".into())]);
        assert_eq!(request(Scope::Key(name)).unwrap(), r#"{"AutoScalingGroupNames":["workers"],"MaxRecords":100}"#);
        assert!(request(Scope::Key(Fields::from([("min".to_owned(), 1.into())]))).is_err(), "not everything");
    }
}
