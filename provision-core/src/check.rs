//! Health checks as data: what a block's definition says about its health, and what asking it answered.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::desired::Location;
use crate::id::{BlockAddr, CheckName, ObjectId, ResourceAddr, TypeName};
use crate::target::TargetId;
use crate::value::{Expr, Value};

/// A health check as the code describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesiredCheck {
    /// What is asked; what it refers to is filled in at apply.
    pub ask: Ask<Expr>,
    /// How long to wait between two attempts, in milliseconds.
    pub every_ms: u64,
    /// How many attempts in a row have to pass.
    pub passes: u32,
    /// How long it may take until they have, in milliseconds.
    pub within_ms: u64,
    /// Where the definition stands; not part of any digest.
    #[serde(skip)]
    pub location: Location,
}

/// What a check asks. `T` is [`Expr`] in definitions and [`Value`] when it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ask<T> {
    /// A GET answers with this status (any 2xx without one), and with this text in its body.
    Http {
        /// The URL: `http://…` or `https://…`.
        url: T,
        /// The status.
        status: Option<u16>,
        /// A text that the body holds.
        body: Option<String>,
    },
    /// A connection can be made.
    Tcp {
        /// Where: `host:port`.
        address: T,
    },
    /// A function of the infrastructure's own.
    Custom {
        /// Its path.
        function: String,
        /// What it is given.
        args: T,
    },
}

/// A check about to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyCheck {
    /// Whose health it tells.
    pub block: BlockAddr,
    /// Its name.
    pub check: CheckName,
    /// What is asked.
    pub ask: Ask<Value>,
    /// The objects whose outputs it uses, or all of the block where it uses none: for the simulated cloud, which answers by
    /// them and opens no socket.
    pub objects: Vec<(TargetId, TypeName, ObjectId)>,
}

/// What asking once showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckAnswer {
    /// Whether it passed, or why not.
    pub result: Result<(), String>,
    /// Whether the simulated cloud answered.
    pub simulated: bool,
}

/// Asks health checks. An [`Engine`](crate::embed::Engine) has one; a [`World`](crate::driver::World) can be given another.
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # let engine = toy::engine(&toy::cloud());
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use provision_core::check::{Ask, CheckAnswer, Checker, ReadyCheck};
/// use provision_core::embed::Engine;
///
/// /// Asks the company's own monitoring in place of the servers themselves.
/// struct Monitoring {
///     up: Vec<String>,
/// }
///
/// #[async_trait]
/// impl Checker for Monitoring {
///     async fn check(&self, check: &ReadyCheck) -> CheckAnswer {
///         let url = match &check.ask {
///             Ask::Http { url, .. } => url.to_plain_text(),
///             other => return CheckAnswer { result: Err(format!("cannot {}", other.shown())), simulated: false },
///         };
///         let result = if self.up.contains(&url) { Ok(()) } else { Err(format!("{url} is down")) };
///         CheckAnswer { result, simulated: false }
///     }
/// }
///
/// let monitoring = Arc::new(Monitoring { up: Vec::new() });
/// let engine = Engine { world: engine.world.clone().checked_by(monitoring), ..engine };
/// ```
#[async_trait]
pub trait Checker: Send + Sync {
    /// Asks once.
    async fn check(&self, check: &ReadyCheck) -> CheckAnswer;
}

/// A connection that a check talks through.
pub trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Opens the connections of checks: the real network, or in tests a map from address to a local server
/// ([`LocalDialer`](crate::driver::LocalDialer)).
///
/// ```
/// # mod toy { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs")); }
/// # let engine = toy::engine(&toy::cloud());
/// use std::io;
/// use std::sync::Arc;
///
/// use async_trait::async_trait;
/// use provision_core::check::{Connection, Dialer};
/// use provision_core::embed::Engine;
/// use tokio::net::TcpStream;
///
/// /// Servers are reached by their number on this machine: what `ssh -L` leaves open.
/// struct Forwarded;
///
/// #[async_trait]
/// impl Dialer for Forwarded {
///     async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Connection>> {
///         let number: u16 = host.trim_start_matches("web-").parse().map_err(io::Error::other)?;
///         Ok(Box::new(TcpStream::connect(("127.0.0.1", port + number)).await?))
///     }
/// }
///
/// let engine = Engine { dialer: Arc::new(Forwarded), ..engine };
/// ```
#[async_trait]
pub trait Dialer: Send + Sync {
    /// A connection to a host and port.
    ///
    /// # Errors
    /// What the network says.
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Connection>>;
}

/// What a function that checks something is given.
pub struct Probe {
    /// What the definition hands in, all of it known.
    pub args: Value,
    /// Opens connections; a check opens none by itself.
    pub dialer: Arc<dyn Dialer>,
}

/// A check written in Rust: `async fn quorum(probe: Probe) -> Result<(), String>`, the error saying what is wrong.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no health check",
    label = "not a function that checks something",
    note = "a health check is an async function that takes what it needs from a `Probe`: `async fn quorum(probe: Probe) -> Result<(), String>`"
)]
pub trait CustomCheck: Send + Sync {
    /// Asks once.
    fn ask(&self, probe: Probe) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
}

impl<F, A> CustomCheck for F
where
    F: Fn(Probe) -> A + Send + Sync,
    A: Future<Output = Result<(), String>> + Send + 'static,
{
    fn ask(&self, probe: Probe) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> {
        Box::pin(self(probe))
    }
}

/// The functions that checks of an infrastructure name, by path.
#[derive(Clone, Default)]
pub struct CustomChecks(pub BTreeMap<String, Arc<dyn CustomCheck>>);

impl fmt::Debug for CustomChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// A function's path says which it is.
impl PartialEq for CustomChecks {
    fn eq(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

impl Eq for CustomChecks {}

impl<T> Ask<T> {
    /// The same with its open part replaced.
    ///
    /// # Errors
    /// That of `f`.
    pub fn try_map<U, E>(&self, f: impl FnOnce(&T) -> Result<U, E>) -> Result<Ask<U>, E> {
        Ok(match self {
            Self::Http { url, status, body } => Ask::Http { url: f(url)?, status: *status, body: body.clone() },
            Self::Tcp { address } => Ask::Tcp { address: f(address)? },
            Self::Custom { function, args } => Ask::Custom { function: function.clone(), args: f(args)? },
        })
    }

    /// Its open part.
    pub fn open(&self) -> &T {
        match self {
            Self::Http { url, .. } => url,
            Self::Tcp { address } => address,
            Self::Custom { args, .. } => args,
        }
    }
}

impl Ask<Value> {
    /// What is asked, in a few words.
    pub fn shown(&self) -> String {
        match self {
            Self::Http { url, .. } => format!("GET {}", url.to_plain_text()),
            Self::Tcp { address } => format!("connect to {}", address.to_plain_text()),
            Self::Custom { function, .. } => function.clone(),
        }
    }
}

impl DesiredCheck {
    /// The resources whose outputs it uses.
    pub fn depends_on(&self) -> Vec<ResourceAddr> {
        self.ask.open().outputs().into_iter().map(|output| output.resource.clone()).collect()
    }
}

/// A host and a port: `10.0.0.1:22`, `[::1]:22`, `db.internal:5432`.
///
/// # Errors
/// What would be right.
pub fn host_and_port(address: &str) -> Result<(&str, u16), String> {
    let wrong = || format!("`{}` is no address: write `host:port`", address.escape_debug());
    let (host, port) = address.rsplit_once(':').ok_or_else(wrong)?;
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host = inner.unwrap_or(host);
    let plain = !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b'@');
    if !plain || (inner.is_none() && host.contains(':')) {
        return Err(wrong());
    }
    Ok((host, port.parse().map_err(|_| wrong())?))
}

/// A URL in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url<'a> {
    /// Whether it is `https`.
    pub tls: bool,
    /// The host, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Host and port as the URL has them.
    pub authority: &'a str,
    /// Path and query, at least `/`.
    pub path: &'a str,
}

/// Takes a URL apart, as far as checks need it.
///
/// # Errors
/// What would be right.
pub fn url(text: &str) -> Result<Url<'_>, String> {
    let wrong = || format!("`{}` is no URL of a check: write `http://host:port/path`", text.escape_debug());
    let (tls, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        (None, None) => return Err(wrong()),
    };
    if rest.bytes().any(|b| !b.is_ascii_graphic() || b == b'#') {
        return Err(wrong());
    }
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    if path.starts_with('?') || authority.contains('@') {
        return Err(wrong());
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
    let (host, port) = if has_port {
        host_and_port(authority).map_err(|_| wrong())?
    } else {
        (authority.trim_start_matches('[').trim_end_matches(']'), if tls { 443 } else { 80 })
    };
    if host.is_empty() {
        return Err(wrong());
    }
    Ok(Url { tls, host, port, authority, path: if path.is_empty() { "/" } else { path } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_addresses_are_taken_apart() {
        let parts = |text| url(text).map(|url| (url.tls, url.host.to_owned(), url.port, url.path.to_owned()));
        assert_eq!(
            parts("http://10.0.0.1:8080/health?x=1").unwrap(),
            (false, "10.0.0.1".into(), 8080, "/health?x=1".into())
        );
        assert_eq!(parts("https://example.org").unwrap(), (true, "example.org".into(), 443, "/".into()));
        assert_eq!(parts("http://[::1]:81/").unwrap(), (false, "::1".into(), 81, "/".into()));
        assert_eq!(parts("http://[::1]/").unwrap(), (false, "::1".into(), 80, "/".into()));
        for bad in
            ["", "ftp://x", "http://", "http:///x", "http://a b/", "http://u@h/", "http://h:99999/", "http://h?x"]
        {
            assert!(url(bad).is_err(), "{bad}");
        }
        assert_eq!(host_and_port("db:5432"), Ok(("db", 5432)));
        assert_eq!(host_and_port("[::1]:22"), Ok(("::1", 22)));
        for bad in ["", "db", ":1", "db:", "db:x", "::1:22", "a/b:1"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }
}
