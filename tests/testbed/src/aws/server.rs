//! What a test holds: the server, its settings and its records.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use hyper::Method;
use tokio::{net::TcpListener, runtime, time::timeout};

use super::{
    backend::Backend,
    call::Request,
    consistency::Lag,
    gaps, listen,
    proxy::Proxy,
    record::RecordedCall,
    rules::{ActiveRule, Match, Rule},
    throttle::Throttle,
    upstream::Upstream,
};
use crate::{Moto, Unavailable};

/// An image that moto knows in every region (Amazon Linux 2, x86_64). It refuses ids that it does not know.
pub const KNOWN_IMAGE: &str = "ami-04681a1dbd79675a5";

const PART: &str = "the AWS server";
/// How long a test waits for something to happen before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an [`AwsServer`] starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The region of [`AwsServer::env`] and of calls that name none.
    pub region: String,
    /// A server that runs already, as `http://host:port`, instead of a moto of its own. It is shared with
    /// whoever else uses it and it is never reset.
    pub existing: Option<String>,
}

impl Default for Options {
    /// `us-east-1`, and the server that `AWS_ENDPOINT_URL` names, if it names one.
    fn default() -> Self {
        let existing = std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty());
        Self { region: "us-east-1".to_owned(), existing }
    }
}

/// An AWS with a proxy in front, on loopback, until it is dropped.
#[derive(Debug)]
pub struct AwsServer {
    proxy: Arc<Proxy>,
    upstream: Upstream,
    url: String,
    region: String,
    /// The proxy's own, so that it serves while a test blocks its thread. Taken when dropped.
    runtime: Option<runtime::Runtime>,
    /// None where the server ran already.
    moto: Option<Moto>,
}

impl AwsServer {
    /// Starts a fresh moto (2 s; on a machine's first call it is installed) and the proxy.
    ///
    /// # Errors
    /// Where moto cannot be installed or does not start; see [`available!`](crate::available!).
    pub async fn start(options: Options) -> Result<Self, Unavailable> {
        let started = tokio::task::spawn_blocking(move || Self::start_blocking(&options)).await;
        started.unwrap_or_else(|error| Err(Unavailable::new(PART, error)))
    }

    /// [`AwsServer::start`] for a test without a runtime.
    ///
    /// # Errors
    /// As of [`AwsServer::start`].
    pub fn start_blocking(options: &Options) -> Result<Self, Unavailable> {
        let moto = if options.existing.is_none() { Some(Moto::start()?) } else { None };
        let server = options.existing.clone().or_else(|| moto.as_ref().map(Moto::url)).unwrap_or_default();
        let upstream = Upstream::parse(&server)
            .ok_or_else(|| Unavailable::new(PART, format!("{server} is not http://host:port")))?;
        let proxy = Arc::new(Proxy::new(Backend::new(upstream.clone())));
        let (runtime, port) = listening(Arc::clone(&proxy)).map_err(|error| Unavailable::new(PART, error))?;
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { proxy, upstream, url, region: options.region.clone(), runtime: Some(runtime), moto })
    }

    /// The proxy's address, for `endpoint_url` of an SDK.
    pub fn endpoint_url(&self) -> &str {
        &self.url
    }

    /// The server's address behind the proxy. Calls there are not put in order with those through the proxy.
    pub fn direct_url(&self) -> String {
        self.upstream.url()
    }

    /// The region that [`AwsServer::env`] names.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The environment of a child process that is to use this server; see [`AwsServer::set_env`].
    pub fn env(&self) -> Vec<(String, String)> {
        let nowhere = "/nonexistent-aws-settings";
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "testbed"),
            ("AWS_SECRET_ACCESS_KEY", "testbed-secret"),
            ("AWS_REGION", self.region.as_str()),
            ("AWS_DEFAULT_REGION", self.region.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", nowhere),
            ("AWS_SHARED_CREDENTIALS_FILE", nowhere),
            ("NO_PROXY", "127.0.0.1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Gives a command [`AwsServer::env`], and nothing else that the SDKs read: no profile, no session token.
    pub fn set_env(&self, command: &mut Command) {
        let inherited = std::env::vars_os().map(|(name, _)| name);
        for name in inherited.filter(|name| name.to_string_lossy().starts_with("AWS_")) {
            command.env_remove(name);
        }
        command.envs(self.env());
    }

    /// Puts a rule in force, after those that are.
    pub fn add_rule(&self, rule: Rule) -> RuleHandle {
        let rule = Arc::new(ActiveRule::new(rule));
        self.proxy.state().rules.push(Arc::clone(&rule));
        RuleHandle { rule, proxy: Arc::clone(&self.proxy) }
    }

    /// Ends all rules; requests that they hold go on.
    pub fn clear_rules(&self) {
        for rule in self.proxy.state().rules.drain(..) {
            rule.remove();
            rule.open();
        }
    }

    /// How old a signature stamp may be when its call is executed; 15 minutes, as of the real service, if
    /// this is not called.
    pub fn set_stamp_bound(&self, bound: Duration) {
        self.proxy.state().stamp_bound = bound;
    }

    /// How far the service's clock is ahead of this machine's: its `Date` headers and its view of stamps.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.proxy.state().clock_ahead = seconds;
    }

    /// For how long new objects are not found.
    pub fn set_lag(&self, lag: Lag) {
        self.proxy.state().lag = lag;
    }

    /// For how long what is made is pending (a NAT gateway, a load balancer, a VPN connection, a target's health, an
    /// instance of a group), and what is deleted deleting. Not at all if this is not called.
    pub fn set_settling(&self, takes: Duration) {
        self.proxy.state().settling = takes;
    }

    /// The state that an object is shown in, whatever is so: `failed` of a NAT gateway's id, `unhealthy` of a target's.
    /// `None` ends that.
    pub async fn set_state(&self, id: &str, state: Option<&str>) {
        self.proxy.backend.lock().await.set_state(id, state);
    }

    /// The next instance refresh of the Auto Scaling group fails for this reason, after it has replaced one instance.
    pub async fn fail_refresh(&self, group: &str, reason: &str) {
        self.proxy.backend.lock().await.fail_refresh(group, reason);
    }

    /// Throttles an action, or all calls of a service by its signing name (`ec2`), from a full bucket; `None` ends that.
    pub fn set_throttle(&self, name: &str, throttle: Option<Throttle>) {
        self.proxy.state().throttles.set(name, throttle, Instant::now());
    }

    /// Delays every call of an action before it is executed; zero ends that.
    pub fn set_delay(&self, action: &str, delay: Duration) {
        let delays = &mut self.proxy.state().delays;
        delays.insert(action.to_owned(), delay);
        delays.retain(|_, delay| !delay.is_zero());
    }

    /// Every call since the start or the last reset, in the order of arrival.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.proxy.state().calls.clone()
    }

    /// How many calls matched, executed or not.
    pub fn count(&self, matches: impl Into<Match>) -> usize {
        let matches = matches.into();
        self.proxy.state().calls.iter().filter(|call| call.is(&matches)).count()
    }

    /// How many calls matched and were executed.
    pub fn count_executed(&self, matches: impl Into<Match>) -> usize {
        let matches = matches.into();
        self.proxy.state().calls.iter().filter(|call| call.executed && call.is(&matches)).count()
    }

    /// Forgets the calls; sequence numbers go on.
    pub fn reset_calls(&self) {
        let mut state = self.proxy.state();
        state.forgotten += state.calls.len();
        state.calls.clear();
    }

    /// Waits until so many matching requests have arrived since the last reset of the calls.
    ///
    /// # Panics
    /// Where that has not happened within a minute.
    pub async fn arrived(&self, matches: impl Into<Match>, count: usize) {
        let matches = matches.into();
        self.until(|calls| calls.iter().filter(|call| call.is(&matches)).count() >= count).await;
    }

    /// Waits until so many matching requests have been executed since the last reset of the calls.
    ///
    /// # Panics
    /// Where that has not happened within a minute.
    pub async fn executed(&self, matches: impl Into<Match>, count: usize) {
        let matches = matches.into();
        self.until(|calls| calls.iter().filter(|call| call.executed && call.is(&matches)).count() >= count).await;
    }

    /// Waits until this holds of the calls.
    ///
    /// # Panics
    /// Where that has not happened within a minute.
    pub async fn until(&self, holds: impl Fn(&[RecordedCall]) -> bool) {
        waited(&self.proxy, self.proxy.until(holds)).await;
    }

    /// An EC2 call by somebody else, in the server's region: past the proxy's rules and records. The XML of the
    /// answer, an error's too.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn raw_ec2(&self, action: &str, params: &[(&str, &str)]) -> String {
        self.raw_ec2_in(&self.region, action, params).await
    }

    /// [`AwsServer::raw_ec2`] in another region.
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn raw_ec2_in(&self, region: &str, action: &str, params: &[(&str, &str)]) -> String {
        let answer = self.proxy.raw(gaps::ec2(region, action, params)).await;
        answer.unwrap_or_else(|error| self.dead(&error)).text().to_owned()
    }

    /// A call of Elastic Load Balancing by somebody else, as [`AwsServer::raw_ec2`].
    ///
    /// # Panics
    /// Where the server does not answer.
    pub async fn raw_elbv2(&self, action: &str, params: &[(&str, &str)]) -> String {
        let request = gaps::query(("elasticloadbalancing", "2015-12-01"), &self.region, action, params);
        let answer = self.proxy.raw(request).await;
        answer.unwrap_or_else(|error| self.dead(&error)).text().to_owned()
    }

    /// Makes a bucket, past the proxy's rules and records. Names have three characters or more.
    ///
    /// # Panics
    /// Where the server does not make it.
    pub async fn create_bucket(&self, name: &str) {
        let request = Request::plain(Method::PUT, &format!("/{name}"), "s3", "us-east-1");
        let answer = self.proxy.raw(request).await.unwrap_or_else(|error| self.dead(&error));
        assert!(answer.is_success(), "bucket {name}: {} {}", answer.status, answer.text());
    }

    /// The ids of all objects that there are, of every account and region, by kind: `vpc`, `lb_listener_rule`. Past all APIs,
    /// so that what a client believes to have read is not what it is compared with; `fixes/held.py` says what counts.
    ///
    /// # Panics
    /// Where the server does not answer, or is not ours.
    pub async fn held(&self) -> BTreeMap<String, BTreeSet<String>> {
        let request = Request::plain(Method::GET, "/moto-api/held", "moto-api", "us-east-1");
        let answer = self.proxy.raw(request).await.unwrap_or_else(|error| self.dead(&error));
        serde_json::from_str(answer.text())
            .unwrap_or_else(|error| panic!("{error}: {}; its log:\n{}", answer.status, self.log_tail()))
    }

    /// Empties the server and forgets calls, rules, tokens and settings: a fresh server for a hundredth of the time.
    ///
    /// # Panics
    /// Where the server ran already ([`Options::existing`]) or does not answer.
    pub async fn reset(&self) {
        assert!(self.moto.is_some(), "{} is not ours to empty", self.direct_url());
        self.clear_rules();
        let mut backend = self.proxy.backend.lock().await;
        if let Err(error) = backend.reset().await {
            self.dead(&error);
        }
        self.proxy.state().restart();
    }

    /// The end of moto's log, for a failing test to quote.
    pub fn log_tail(&self) -> String {
        let moto = self.moto.as_ref().map(Moto::log_tail);
        moto.unwrap_or_else(|| format!("({} keeps its log itself)", self.direct_url()))
    }

    fn dead(&self, error: &io::Error) -> ! {
        panic!("{} does not answer: {error}; its log:\n{}", self.direct_url(), self.log_tail())
    }
}

impl Drop for AwsServer {
    fn drop(&mut self) {
        // Without waiting: a test drops this inside a runtime of its own, where one must not wait.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A rule in force.
#[derive(Debug, Clone)]
pub struct RuleHandle {
    rule: Arc<ActiveRule>,
    proxy: Arc<Proxy>,
}

impl RuleHandle {
    /// How many requests it has applied to.
    pub fn hits(&self) -> usize {
        self.rule.hits()
    }

    /// Waits until it has applied to so many requests.
    ///
    /// # Panics
    /// Where that has not happened within a minute.
    pub async fn arrived(&self, count: usize) {
        waited(&self.proxy, self.proxy.until(|_| self.rule.hits() >= count)).await;
    }

    /// Lets all requests go on that it holds, and holds none any more.
    pub fn release(&self) {
        self.rule.open();
    }

    /// Lets one request go on, the one that came first.
    pub fn release_one(&self) {
        self.rule.let_one_through();
    }

    /// Ends the rule for requests that are still to come.
    pub fn remove(&self) {
        self.rule.remove();
    }
}

async fn waited(proxy: &Proxy, until: impl Future<Output = ()>) {
    if timeout(PATIENCE, until).await.is_err() {
        panic!("waited for {PATIENCE:?} in vain; the calls: {:#?}", proxy.state().calls);
    }
}

fn listening(proxy: Arc<Proxy>) -> io::Result<(runtime::Runtime, u16)> {
    let runtime =
        runtime::Builder::new_multi_thread().worker_threads(1).thread_name("aws-proxy").enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0)))?;
    let port = listener.local_addr()?.port();
    runtime.spawn(listen::serve(listener, proxy));
    Ok((runtime, port))
}
