//! Instance refreshes of Auto Scaling groups, which moto lacks. Each look at one (`DescribeInstanceRefreshes`) takes it a step
//! further: from `Pending` to `InProgress`, then one replaced instance after the other, then `Successful`.
//!
//! # Caveats
//! - A desired configuration is made the group's at the start, by the real service at the end.
//! - Of the preferences only `SkipMatching` is heeded; a failed refresh is not rolled back.

use std::{collections::BTreeMap, fmt::Write, io, time::SystemTime};

use super::{
    answer::{Answer, escaped},
    call::{Call, Request},
    lists,
    upstream::Upstream,
};

#[derive(Debug, Default)]
pub(crate) struct Refreshes {
    /// Of a group of a region of an account; the newest last.
    of_group: BTreeMap<(String, String, String), Vec<Refresh>>,
    /// What the next one of a group fails with.
    failing: BTreeMap<String, String>,
    made: usize,
}

#[derive(Debug)]
struct Refresh {
    id: String,
    status: Status,
    reason: Option<String>,
    began: SystemTime,
    ended: Option<SystemTime>,
    total: usize,
    /// What is still to be replaced.
    left: Vec<String>,
    fails: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Pending,
    InProgress,
    Cancelling,
    Cancelled,
    Successful,
    Failed,
}

impl Status {
    fn is_over(self) -> bool {
        match self {
            Self::Pending | Self::InProgress | Self::Cancelling => false,
            Self::Cancelled | Self::Successful | Self::Failed => true,
        }
    }
}

impl Refreshes {
    /// The next refresh of a group of this name fails for this reason, after its first replacement.
    pub(crate) fn fail(&mut self, group: &str, reason: &str) {
        self.failing.insert(group.to_owned(), reason.to_owned());
    }

    /// The answer to a call about refreshes; nothing to any other.
    pub(crate) async fn answer(&mut self, upstream: &Upstream, call: &Call) -> io::Result<Option<Answer>> {
        if call.service != "autoscaling"
            || !call.action.ends_with(['h', 's'])
            || !call.action.contains("InstanceRefresh")
        {
            return Ok(None);
        }
        let group = call.param("AutoScalingGroupName").unwrap_or_default().to_owned();
        let described =
            ask(upstream, call, "DescribeAutoScalingGroups", &[("AutoScalingGroupNames.member.1", &group)]).await?;
        if lists::texts_of(described.text(), "AutoScalingGroupName").is_empty() {
            let message = format!("AutoScalingGroup name not found - no such group: {group}");
            return Ok(Some(Answer::error(call, 400, "ValidationError", &message)));
        }
        let key = (call.account.clone(), call.region.clone(), group.clone());
        let active = self.of_group.get(&key).and_then(|all| all.last()).filter(|last| !last.status.is_over());
        match call.action.as_str() {
            "StartInstanceRefresh" if active.is_some() => {
                let message =
                    "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.";
                Ok(Some(Answer::error(call, 400, "InstanceRefreshInProgress", message)))
            }
            "StartInstanceRefresh" => self.start(upstream, call, key).await.map(Some),
            "CancelInstanceRefresh" | "RollbackInstanceRefresh" if active.is_none() => {
                let message =
                    format!("No in progress or pending Instance Refresh found for Auto Scaling group {group}");
                Ok(Some(Answer::error(call, 400, "ActiveInstanceRefreshNotFound", &message)))
            }
            "CancelInstanceRefresh" => {
                let last = self.of_group.entry(key).or_default().last_mut();
                let id = last.map_or_else(String::new, |last| {
                    last.status = Status::Cancelling;
                    last.id.clone()
                });
                Ok(Some(result(call, &format!("<InstanceRefreshId>{id}</InstanceRefreshId>"))))
            }
            "DescribeInstanceRefreshes" => {
                let all = self.of_group.entry(key).or_default();
                if let Some(last) = all.last_mut() {
                    last.step(upstream, call).await?;
                }
                let asked = |id: &str| {
                    let mut ids =
                        call.params.iter().filter(|(name, _)| name.starts_with("InstanceRefreshIds.")).peekable();
                    ids.peek().is_none() || ids.any(|(_, asked)| asked == id)
                };
                let shown = all.iter().rev().filter(|refresh| asked(&refresh.id)).map(|refresh| refresh.shown(&group));
                Ok(Some(result(call, &format!("<InstanceRefreshes>{}</InstanceRefreshes>", shown.collect::<String>()))))
            }
            _ => Ok(None),
        }
    }

    async fn start(&mut self, upstream: &Upstream, call: &Call, key: (String, String, String)) -> io::Result<Answer> {
        let group = key.2.as_str();
        let desired: Vec<_> = call
            .params
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix("DesiredConfiguration.")?, value.as_str())))
            .collect();
        if !desired.is_empty() {
            let update: Vec<_> = desired.into_iter().chain([("AutoScalingGroupName", group)]).collect();
            let updated = ask(upstream, call, "UpdateAutoScalingGroup", &update).await?;
            if !updated.is_success() {
                return Ok(updated);
            }
        }
        let described =
            ask(upstream, call, "DescribeAutoScalingGroups", &[("AutoScalingGroupNames.member.1", group)]).await?;
        let mut left = lists::texts_of(described.text(), "InstanceId");
        if call.param("Preferences.SkipMatching") == Some("true") {
            // The group's own template stands before those of its instances.
            let mut versions = lists::texts_of(described.text(), "Version").into_iter();
            let ids = lists::texts_of(described.text(), "LaunchTemplateId");
            let wanted = match (versions.next(), ids.first()) {
                (Some(alias), Some(id)) if alias.starts_with('$') => {
                    let params = [("LaunchTemplateId", id.as_str()), ("LaunchTemplateVersion.1", alias.as_str())];
                    let found = upstream
                        .send(
                            super::gaps::ec2(&call.region, "DescribeLaunchTemplateVersions", &params)
                                .in_account(&call.account),
                        )
                        .await?;
                    lists::texts_of(found.text(), "versionNumber").into_iter().next()
                }
                (version, _) => version,
            };
            let mut versions = versions.map(Some);
            left.retain(|_| versions.next().flatten() != wanted);
        }
        self.made += 1;
        let id = format!("{:08x}-0000-4000-8000-{:012x}", self.made, self.made);
        let refresh = Refresh {
            id: id.clone(),
            status: Status::Pending,
            reason: None,
            began: SystemTime::now(),
            ended: None,
            total: left.len(),
            left,
            fails: self.failing.remove(group),
        };
        self.of_group.entry(key).or_default().push(refresh);
        Ok(result(call, &format!("<InstanceRefreshId>{id}</InstanceRefreshId>")))
    }
}

impl Refresh {
    async fn step(&mut self, upstream: &Upstream, call: &Call) -> io::Result<()> {
        self.status = match self.status {
            Status::Pending => Status::InProgress,
            Status::InProgress if self.fails.is_some() && self.left.len() < self.total => {
                self.reason = self.fails.take();
                Status::Failed
            }
            Status::InProgress => match self.left.pop() {
                Some(instance) => {
                    let params = [("InstanceId", instance.as_str()), ("ShouldDecrementDesiredCapacity", "false")];
                    // One that is gone by now needs no replacement.
                    let _replaced = ask(upstream, call, "TerminateInstanceInAutoScalingGroup", &params).await?;
                    Status::InProgress
                }
                None => Status::Successful,
            },
            Status::Cancelling => Status::Cancelled,
            over @ (Status::Cancelled | Status::Successful | Status::Failed) => over,
        };
        if self.status.is_over() && self.ended.is_none() {
            self.ended = Some(SystemTime::now());
        }
        Ok(())
    }

    fn shown(&self, group: &str) -> String {
        let Self { id, status, reason, began, ended, total, left, fails: _ } = self;
        let percent = if *total == 0 { 100 } else { (total - left.len()) * 100 / total };
        let mut xml = format!(
            "<member><InstanceRefreshId>{id}</InstanceRefreshId><AutoScalingGroupName>{}</AutoScalingGroupName><Status>{status:?}</Status>",
            escaped(group)
        );
        let mut add = |name: &str, value: String| {
            // Writing to a string does not fail.
            let _written = write!(xml, "<{name}>{value}</{name}>");
        };
        if let Some(reason) = reason {
            add("StatusReason", escaped(reason));
        }
        add("StartTime", iso(*began));
        if let Some(ended) = ended {
            add("EndTime", iso(*ended));
        }
        add("PercentageComplete", percent.to_string());
        add("InstancesToUpdate", left.len().to_string());
        xml.push_str("</member>");
        xml
    }
}

/// `2026-11-22T17:24:30Z`.
fn iso(at: SystemTime) -> String {
    let date = httpdate::fmt_http_date(at);
    let parts: Vec<&str> = date.split(' ').collect();
    let [_, day, month, year, time, _] = parts.as_slice() else {
        return date;
    };
    let month = "JanFebMarAprMayJunJulAugSepOctNovDec".find(month).map_or(1, |at| at / 3 + 1);
    format!("{year}-{month:02}-{day}T{time}Z")
}

fn result(call: &Call, inner: &str) -> Answer {
    let action = &call.action;
    Answer::ok(format!(
        "<{action}Response xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\"><{action}Result>{inner}</{action}Result><ResponseMetadata><RequestId>testbed-request-id</RequestId></ResponseMetadata></{action}Response>"
    ))
}

async fn ask(upstream: &Upstream, call: &Call, action: &str, params: &[(&str, &str)]) -> io::Result<Answer> {
    upstream.send(request(call, action, params)).await
}

fn request(call: &Call, action: &str, params: &[(&str, &str)]) -> Request {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", action).append_pair("Version", "2011-01-01").extend_pairs(params);
    Request::query("autoscaling", &call.region, body.finish()).in_account(&call.account)
}
