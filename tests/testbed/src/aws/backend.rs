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
    listing::{self, Asked},
    lists::Pages,
    model::{self, Paged},
    refresh::Refreshes,
    settling::Settling,
    stamp,
    upstream::Upstream,
};

#[derive(Debug)]
pub(crate) struct Backend {
    upstream: Upstream,
    tokens: BTreeMap<TokenKey, Spent>,
    pages: Pages,
    births: Births,
    settling: Settling,
    refreshes: Refreshes,
}

/// What holds for one execution.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) now: SystemTime,
    pub(crate) stamp_bound: Duration,
    pub(crate) lag: Lag,
    /// How long what was made or deleted takes until it is.
    pub(crate) settling: Duration,
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

/// A client token is good for one action in one region of an account.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TokenKey {
    account: String,
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
        Self {
            upstream,
            tokens: BTreeMap::new(),
            pages: Pages::default(),
            births: Births::default(),
            settling: Settling::default(),
            refreshes: Refreshes::default(),
        }
    }

    /// The server's answer.
    async fn forward(&self, call: &Call, request: Request) -> io::Result<Answer> {
        let request = if call.is_ec2() { gaps::literal_wildcards(request) } else { request };
        Ok(unsupported(call, self.upstream.send(request).await?))
    }

    /// Past the proxy: nothing is remembered and nothing refused.
    pub(crate) async fn send(&self, request: Request) -> io::Result<Answer> {
        self.upstream.send(request).await
    }

    /// Says what the next instance refresh of a group fails with, after its first replacement.
    pub(crate) fn fail_refresh(&mut self, group: &str, reason: &str) {
        self.refreshes.fail(group, reason);
    }

    /// Says which state an object is in, whatever the server says; `None` ends that.
    pub(crate) fn set_state(&mut self, id: &str, state: Option<&str>) {
        self.settling.set(id, state);
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
        let now = Instant::now();
        let expired = stamp::refusal(call, terms.now, terms.stamp_bound);
        if let Some(answer) = expired.or_else(|| self.births.refusal(call, terms.lag, now)) {
            return Ok(Execution::without(answer));
        }
        if call.is_ec2() && call.param("DryRun") == Some("true") {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Ok(Execution::without(Answer::error(call, 412, "DryRunOperation", message)));
        }
        if let Some(answer) = self.replayed(call) {
            return Ok(Execution::without(answer));
        }
        if let Some(answer) = gaps::refusal(&self.upstream, call).await? {
            return Ok(Execution::without(answer));
        }
        if let Some(answer) = self.refreshes.answer(&self.upstream, call).await? {
            return Ok(Execution { executed: true, answer });
        }
        let request = request.in_account(&call.account);
        let mut execution = match model::paged(&call.service, &call.action) {
            Some(page) => self.list(call, request, page, terms.lag).await?,
            None => {
                let answer = self.forward(call, request).await?;
                Execution { answer: self.births.visible(call, answer, terms.lag, now), executed: true }
            }
        };
        if execution.answer.is_success() {
            self.births.note(call, &execution.answer, now);
            self.settling.note(call, &execution.answer, now);
            execution.answer = self.settling.shown(call, execution.answer, terms.settling, now);
            self.spend_token(call, &execution.answer);
        }
        Ok(execution)
    }

    async fn list(&mut self, call: &Call, request: Request, page: &Paged, lag: Lag) -> io::Result<Execution> {
        let asked = match listing::asked(call, page) {
            Ok(asked) => asked,
            Err(answer) => return Ok(Execution::without(*answer)),
        };
        let size = match asked {
            Asked::All => None,
            Asked::First(size) => Some(size),
            Asked::Next(token, size) => {
                let Some(text) = self.pages.next(&call.action, page, token, size) else {
                    return Ok(Execution::without(listing::bad_token(call)));
                };
                return Ok(Execution { answer: Answer::ok(text), executed: true });
            }
        };
        let request = if call.is_ec2() { gaps::literal_wildcards(request) } else { request };
        let (request, tokens) = gaps::token_filter(call, request);
        let answer = listing::whole(&self.upstream, call, request, page).await?;
        let mut answer = unsupported(call, answer);
        let executed = true;
        if !answer.is_success() {
            return Ok(Execution { answer, executed });
        }
        if let Some(tokens) = tokens {
            answer = gaps::with_tokens(answer, &tokens);
        }
        answer = self.births.visible(call, answer, lag, Instant::now());
        if let Some(size) = size {
            let text = self.pages.first(&call.action, page, answer.text(), size);
            answer = answer.with_text(text);
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

/// Where moto has a bug or a gap it answers 500 with a page: an SDK would take that for a passing trouble and repeat the
/// call, so it is made an error that says what it is.
fn unsupported(call: &Call, answer: Answer) -> Answer {
    if answer.status == 500 && answer.text().starts_with("<!doctype html>") {
        let message = format!("moto cannot do this {}; its log says why", call.action);
        return Answer::error(call, 400, "TestbedUnsupported", &message);
    }
    answer
}

impl TokenKey {
    fn of(call: &Call) -> Option<Self> {
        model::takes_token(&call.service, &call.action).then_some(())?;
        Some(Self {
            account: call.account.clone(),
            region: call.region.clone(),
            action: call.action.clone(),
            token: call.param("ClientToken")?.to_owned(),
        })
    }
}
