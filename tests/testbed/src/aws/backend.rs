//! What happens to a call that reaches the service: the behaviour that moto lacks, around moto.
//!
//! A [`Backend`] stands behind one lock, so one call at a time is executed: a conditional write has one winner,
//! and two calls with one client token are one call.

use std::{
    collections::BTreeMap,
    io,
    time::{Duration, Instant, SystemTime},
};

use super::{
    answer::Answer,
    call::{Call, Request},
    consistency::{Births, Lag},
    gaps,
    lists::Pages,
    stamp,
    upstream::Upstream,
};

/// What a page holds where the caller names a token and no size.
const PAGE: usize = 1000;

#[derive(Debug)]
pub(crate) struct Backend {
    upstream: Upstream,
    tokens: BTreeMap<TokenKey, Spent>,
    pages: Pages,
    births: Births,
}

/// What holds for one execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) now: SystemTime,
    pub(crate) stamp_bound: Duration,
    pub(crate) lag: Lag,
}

/// An answer, and whether the server behind was asked for it.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) answer: Answer,
    pub(crate) executed: bool,
}

impl Execution {
    fn without(answer: Answer) -> Self {
        Self { answer, executed: false }
    }
}

/// A client token is good for one action in one region.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TokenKey {
    region: String,
    action: String,
    token: String,
}

#[derive(Debug)]
struct Spent {
    params: BTreeMap<String, String>,
    answer: Answer,
}

impl Backend {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream, tokens: BTreeMap::new(), pages: Pages::default(), births: Births::default() }
    }

    /// The server's answer. Where moto has a bug or a gap it answers 500 with a page: an SDK would take that for a
    /// passing trouble and repeat the call, so it is made an error that says what it is.
    async fn forward(&self, call: &Call, request: Request) -> io::Result<Answer> {
        let answer = self.upstream.send(request).await?;
        if answer.status == 500 && !call.is_s3() && answer.text().starts_with("<!doctype html>") {
            let message = format!("moto cannot do this {}; its log says why", call.action);
            return Ok(Answer::error(call, 400, "TestbedUnsupported", &message));
        }
        Ok(answer)
    }

    /// Past the proxy: nothing is remembered and nothing refused.
    pub(crate) async fn send(&self, request: Request) -> io::Result<Answer> {
        self.upstream.send(request).await
    }

    /// Forgets everything, as does moto.
    pub(crate) async fn reset(&mut self) -> io::Result<()> {
        let reset = Request::plain(hyper::Method::POST, "/moto-api/reset", "moto-api", "us-east-1");
        let answer = self.send(reset).await?;
        if !answer.is_success() {
            return Err(io::Error::other(format!("moto was not reset: {}", answer.status)));
        }
        *self = Self::new(self.upstream.clone());
        Ok(())
    }

    pub(crate) async fn execute(&mut self, call: &Call, request: Request, terms: Terms) -> Execution {
        match self.try_execute(call, request, terms).await {
            Ok(execution) => execution,
            // It may have been executed: the request was on its way.
            Err(error) => {
                let answer = Answer::error(call, 502, "TestbedUpstream", &error.to_string());
                Execution { answer, executed: true }
            }
        }
    }

    async fn try_execute(&mut self, call: &Call, request: Request, terms: Terms) -> io::Result<Execution> {
        let expired = stamp::refusal(call, terms.now, terms.stamp_bound);
        if let Some(answer) = expired.or_else(|| self.births.refusal(call, terms.lag, Instant::now())) {
            return Ok(Execution::without(answer));
        }
        if !call.is_ec2() {
            return Ok(Execution { answer: self.forward(call, request).await?, executed: true });
        }
        if call.param("DryRun") == Some("true") {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Ok(Execution::without(Answer::error(call, 412, "DryRunOperation", message)));
        }
        if let Some(answer) = self.replayed(call) {
            return Ok(Execution::without(answer));
        }
        if let Some(answer) = gaps::refusal(&self.upstream, call).await? {
            return Ok(Execution::without(answer));
        }
        let execution = if call.action.starts_with("Describe") {
            self.describe(call, request, terms.lag).await?
        } else {
            Execution { answer: self.forward(call, request).await?, executed: true }
        };
        if execution.answer.is_success() {
            self.births.note(call, &execution.answer, Instant::now());
            self.spend_token(call, &execution.answer);
        }
        Ok(execution)
    }

    async fn describe(&mut self, call: &Call, request: Request, lag: Lag) -> io::Result<Execution> {
        let refused = |code, message: &str| Ok(Execution::without(Answer::error(call, 400, code, message)));
        let size = call.param("MaxResults").map(str::parse::<usize>).transpose();
        let Ok(size) = size else {
            return refused("InvalidParameterValue", "MaxResults is not a number");
        };
        let by_id = call.params.keys().any(|name| name.starts_with("InstanceId."));
        if call.action == "DescribeInstances" && size.is_some() && by_id {
            let message = "The parameter instancesSet cannot be used with the parameter maxResults";
            return refused("InvalidParameterCombination", message);
        }
        let (request, tokens) =
            gaps::token_filter(call, gaps::literal_wildcards(request.without(&["MaxResults", "NextToken"])));
        let mut answer = self.forward(call, request).await?;
        let executed = true;
        if !answer.is_success() {
            return Ok(Execution { answer, executed });
        }
        if let Some(token) = call.param("NextToken") {
            let Some(page) = self.pages.next(&call.action, token, size.unwrap_or(PAGE)) else {
                return refused("InvalidNextToken", "The specified NextToken is not valid");
            };
            return Ok(Execution { answer: answer.with_text(page), executed });
        }
        if let Some(tokens) = tokens {
            answer = gaps::with_tokens(answer, &tokens);
        }
        answer = self.births.visible(call, answer, lag, Instant::now());
        if let Some(size) = size {
            let page = self.pages.first(&call.action, answer.text(), size);
            answer = answer.with_text(page);
        }
        Ok(Execution { answer, executed })
    }

    /// What a call with the same token was answered, or that its parameters were others.
    fn replayed(&self, call: &Call) -> Option<Answer> {
        let spent = self.tokens.get(&TokenKey::of(call)?)?;
        Some(if spent.params == call.params {
            spent.answer.clone()
        } else {
            let message = "The client token was used before with other parameters.";
            Answer::error(call, 400, "IdempotentParameterMismatch", message)
        })
    }

    fn spend_token(&mut self, call: &Call, answer: &Answer) {
        if let Some(key) = TokenKey::of(call) {
            self.tokens.insert(key, Spent { params: call.params.clone(), answer: answer.clone() });
        }
    }
}

impl TokenKey {
    fn of(call: &Call) -> Option<Self> {
        Some(Self {
            region: call.region.clone(),
            action: call.action.clone(),
            token: call.param("ClientToken")?.to_owned(),
        })
    }
}
