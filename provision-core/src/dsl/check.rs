//! Health checks of a block: [`Block::check`](super::Block::check).

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::args::Args;
use super::infra::function_path;
use super::input::{Input, IntoInput};
use crate::check::{Ask, CustomCheck};

/// A health check of a block in data centre `D`: what is asked (`K`), how often, and how long it may take.
///
/// ```
/// use std::time::Duration;
///
/// use provision_core::check::Probe;
/// use provision_core::dsl::check::{custom, http, tcp};
/// use provision_core::prelude::*;
///
/// async fn quorum(probe: Probe) -> Result<(), String> {
///     let port = probe.args.as_int().ok_or("a port is a number")?;
///     let port = u16::try_from(port).map_err(|error| error.to_string())?;
///     probe.dialer.dial("zk.internal", port).await.map(drop).map_err(|error| error.to_string())
/// }
///
/// fn block<D: DataCentre, K>(b: &Block<D>, host: Ref<K, D>) {
///     b.check("alive", http(text!("http://{host}:8080/health")).status(200).within(Duration::from_secs(90)));
///     b.check("ssh", tcp(text!("{host}:22")).passes(3).every(Duration::from_secs(5)));
///     b.check("quorum", custom(quorum, 2181));
/// }
/// ```
#[must_use = "give it to `b.check(..)`"]
pub struct Check<D, K> {
    pub(super) ask: Ask<Input>,
    pub(super) custom: Option<Arc<dyn CustomCheck>>,
    pub(super) problem: Option<String>,
    pub(super) every: Duration,
    pub(super) passes: u32,
    pub(super) within: Duration,
    of: PhantomData<fn() -> (D, K)>,
}

/// A [`Check`] that asks over HTTP.
#[derive(Debug, Clone, Copy)]
pub enum Http {}

/// A [`Check`] that connects.
#[derive(Debug, Clone, Copy)]
pub enum Tcp {}

/// A [`Check`] that is a function.
#[derive(Debug, Clone, Copy)]
pub enum Custom {}

/// How long to wait between two attempts, unless the check says otherwise.
const EVERY: Duration = Duration::from_secs(2);
/// How long a check may take, unless it says otherwise.
const WITHIN: Duration = Duration::from_mins(5);

fn new<D, K>(ask: Ask<Input>) -> Check<D, K> {
    Check { ask, custom: None, problem: None, every: EVERY, passes: 1, within: WITHIN, of: PhantomData }
}

/// A GET that answers with a 2xx.
pub fn http<D>(url: impl IntoInput<String, D>) -> Check<D, Http> {
    new(Ask::Http { url: url.into_input(), status: None, body: None })
}

/// A connection that can be made: `host:port`.
pub fn tcp<D>(address: impl IntoInput<String, D>) -> Check<D, Tcp> {
    new(Ask::Tcp { address: address.into_input() })
}

/// A check in Rust: a plain async function, and what it is given.
pub fn custom<D, F: CustomCheck + 'static>(function: F, args: impl Args) -> Check<D, Custom> {
    let (path, problem) = match function_path::<F>() {
        Ok(path) => (path, None),
        Err(_) => {
            (String::new(), Some("the function of a check captures something; hand that in as its argument".to_owned()))
        }
    };
    let ask = Ask::Custom { function: path, args: args.to_input() };
    Check { custom: Some(Arc::new(function)), problem, ..new(ask) }
}

impl<D> Check<D, Http> {
    /// This status and no other.
    pub fn status(mut self, expected: u16) -> Self {
        if let Ask::Http { status, .. } = &mut self.ask {
            *status = Some(expected);
        }
        self
    }

    /// The body holds this text.
    pub fn body(mut self, text: impl Into<String>) -> Self {
        if let Ask::Http { body, .. } = &mut self.ask {
            *body = Some(text.into());
        }
        self
    }
}

impl<D, K> Check<D, K> {
    /// How long to wait between two attempts: two seconds without this.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }

    /// How many attempts in a row have to pass: one without this.
    pub fn passes(mut self, in_a_row: u32) -> Self {
        self.passes = in_a_row;
        self
    }

    /// How long it may take until they have: five minutes without this.
    pub fn within(mut self, deadline: Duration) -> Self {
        self.within = deadline;
        self
    }
}
