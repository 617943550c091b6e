//! Asking health checks: over the network, through a dialer that is handed in.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::check::{
    Ask, CheckAnswer, Checker, Connection, CustomChecks, Dialer, Probe, ReadyCheck, Url, host_and_port, url,
};
use crate::value::Value;

/// How long one attempt of a check may take.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How much of an answer is read.
const MOST_OF_A_BODY: usize = 1 << 20;

/// Asks over the network, as the dialer lets it.
pub struct NetworkChecker {
    dialer: Arc<dyn Dialer>,
    custom: CustomChecks,
    /// How long one attempt may take.
    patience: Duration,
}

/// The real network.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetworkDialer;

/// A map from address to a server on this machine, for tests: nothing else can be reached.
#[derive(Debug, Clone, Default)]
pub struct LocalDialer(pub BTreeMap<(String, u16), SocketAddr>);

#[async_trait]
impl Dialer for NetworkDialer {
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Connection>> {
        Ok(Box::new(TcpStream::connect((host, port)).await?))
    }
}

#[async_trait]
impl Dialer for LocalDialer {
    async fn dial(&self, host: &str, port: u16) -> io::Result<Box<dyn Connection>> {
        let unknown = || io::Error::new(io::ErrorKind::AddrNotAvailable, format!("nobody is at {host}:{port}"));
        let address = self.0.get(&(host.to_owned(), port)).ok_or_else(unknown)?;
        Ok(Box::new(TcpStream::connect(address).await?))
    }
}

impl NetworkChecker {
    /// Checks of an infrastructure with these functions.
    pub fn new(dialer: Arc<dyn Dialer>, custom: CustomChecks) -> Self {
        Self { dialer, custom, patience: ATTEMPT }
    }

    /// The same, with as long for one attempt: ten seconds without this.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    async fn ask(&self, ask: &Ask<Value>) -> Result<(), String> {
        match ask {
            Ask::Http { url: target, status, body } => {
                let target = target.as_text().ok_or("the URL is no text")?;
                self.get(url(target)?, *status, body.as_deref()).await
            }
            Ask::Tcp { address } => {
                let (host, port) = host_and_port(address.as_text().ok_or("the address is no text")?)?;
                self.dialer.dial(host, port).await.map(drop).map_err(|error| error.to_string())
            }
            Ask::Custom { function, args } => {
                let check = self.custom.0.get(function);
                let check = check.ok_or_else(|| format!("this build has no function `{function}`"))?;
                check.ask(Probe { args: args.clone(), dialer: self.dialer.clone() }).await
            }
        }
    }

    async fn get(&self, url: Url<'_>, status: Option<u16>, body: Option<&str>) -> Result<(), String> {
        let connection = self.dialer.dial(url.host, url.port).await.map_err(|error| error.to_string())?;
        if !url.tls {
            return exchange(connection, url, status, body).await;
        }
        use rustls_platform_verifier::ConfigVerifierExt as _;
        let config = ClientConfig::with_platform_verifier().map_err(|error| error.to_string())?;
        let name = ServerName::try_from(url.host.to_owned()).map_err(|error| error.to_string())?;
        let secured = TlsConnector::from(Arc::new(config)).connect(name, connection).await;
        exchange(Box::new(secured.map_err(|error| error.to_string())?), url, status, body).await
    }
}

async fn exchange(
    connection: Box<dyn Connection>,
    url: Url<'_>,
    status: Option<u16>,
    body: Option<&str>,
) -> Result<(), String> {
    let plain = |error: hyper::Error| error.to_string();
    let (mut sender, driving) = hyper::client::conn::http1::handshake(TokioIo::new(connection)).await.map_err(plain)?;
    let request = hyper::Request::get(url.path)
        .header(hyper::header::HOST, url.authority)
        .header(hyper::header::USER_AGENT, concat!("provision/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answered = async {
        let answer = sender.send_request(request).await.map_err(plain)?;
        let found = answer.status();
        let right = status.map_or(found.is_success(), |status| found.as_u16() == status);
        if !right {
            return Err(format!("it answers {found}"));
        }
        let Some(text) = body else { return Ok(()) };
        let read = Limited::new(answer.into_body(), MOST_OF_A_BODY).collect().await;
        let read = read.map_err(|error| error.to_string())?.to_bytes();
        if String::from_utf8_lossy(&read).contains(text) {
            Ok(())
        } else {
            Err(format!("its answer does not hold `{}`", text.escape_debug()))
        }
    };
    let mut answered = std::pin::pin!(answered);
    tokio::select! {
        biased;
        result = &mut answered => result,
        ended = driving => match ended {
            Err(error) => Err(plain(error)),
            // Whoever closes the connection after its answer has answered.
            Ok(()) => answered.await,
        },
    }
}

#[async_trait]
impl Checker for NetworkChecker {
    async fn check(&self, check: &ReadyCheck) -> CheckAnswer {
        let asked = tokio::time::timeout(self.patience, self.ask(&check.ask)).await;
        let result = asked.unwrap_or_else(|_| Err(format!("no answer within {:?}", self.patience)));
        CheckAnswer { result, simulated: false }
    }
}
