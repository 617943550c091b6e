//! Health checks against servers on this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::check::{Ask, CheckAnswer, Checker as _, CustomCheck, CustomChecks, Probe, ReadyCheck};
use crate::driver::{LocalDialer, NetworkChecker};
use crate::value::Value;

/// What a server does with a connection once it has a request.
#[derive(Clone, Copy)]
enum Server {
    /// Says this, and closes.
    Says(&'static str),
    /// Says this, and leaves the connection open.
    Keeps(&'static str),
    /// Says nothing.
    Silent,
}

type Heard = Arc<Mutex<String>>;

async fn serve(listener: TcpListener, server: Server, heard: Heard) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut buffer = [0; 4096];
    while !heard.lock().unwrap().ends_with("\r\n\r\n") {
        let count = stream.read(&mut buffer).await.unwrap();
        if count == 0 {
            return;
        }
        heard.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    match server {
        Server::Says(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
        Server::Keeps(answer) => {
            stream.write_all(answer.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        }
        Server::Silent => std::future::pending::<()>().await,
    }
}

fn ready(ask: Ask<Value>) -> ReadyCheck {
    ReadyCheck { block: "west.web".parse().unwrap(), check: "alive".parse().unwrap(), ask, objects: Vec::new() }
}

/// Asks a check of `web.internal:8080`, where this server stands; what it heard.
async fn asked(ask: Ask<Value>, server: Server) -> (Result<(), String>, String) {
    asked_with(ask, server, CustomChecks::default()).await
}

async fn asked_with(ask: Ask<Value>, server: Server, custom: CustomChecks) -> (Result<(), String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Heard::default();
    let dialer = LocalDialer(BTreeMap::from([(("web.internal".to_owned(), 8080), address)]));
    let checker = NetworkChecker::new(Arc::new(dialer), custom).with_patience(Duration::from_millis(500));
    let CheckAnswer { result, simulated } = tokio::select! {
        answer = async { checker.check(&ready(ask)).await } => answer,
        () = async {
            serve(listener, server, heard.clone()).await;
            std::future::pending::<()>().await;
        } => unreachable!("it waits for ever"),
    };
    assert!(!simulated);
    let heard = heard.lock().unwrap().clone();
    (result, heard)
}

fn http(url: &str, status: Option<u16>, body: Option<&str>) -> Ask<Value> {
    Ask::Http { url: url.into(), status, body: body.map(str::to_owned) }
}

const URL: &str = "http://web.internal:8080/health?deep=1";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhealthy";
const CLOSING: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhealthy";
const DOWN: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn http_asks_what_the_url_says() {
    let (result, heard) = asked(http(URL, None, None), Server::Keeps(OK)).await;
    assert_eq!(result, Ok(()));
    assert!(heard.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("host: web.internal:8080\r\n"), "{heard}");
}

#[tokio::test]
async fn an_answer_passes_by_its_status_and_body() {
    let of = |ask, answer| async move { asked(ask, Server::Keeps(answer)).await.0 };
    assert_eq!(of(http(URL, None, Some("health")), OK).await, Ok(()));
    assert_eq!(of(http(URL, Some(503), None), DOWN).await, Ok(()));
    assert_eq!(of(http(URL, None, None), DOWN).await, Err("it answers 503 Service Unavailable".to_owned()));
    assert_eq!(of(http(URL, Some(204), None), OK).await, Err("it answers 200 OK".to_owned()));
    assert_eq!(of(http(URL, None, Some("ready")), OK).await, Err("its answer does not hold `ready`".to_owned()));
}

/// Whether the end of the connection is seen before its answer is looked at is a matter of luck: neither may fail.
#[tokio::test]
async fn whoever_closes_after_the_answer_has_answered() {
    for _ in 0..50 {
        let (result, _) = asked(http(URL, None, Some("healthy")), Server::Says(CLOSING)).await;
        assert_eq!(result, Ok(()));
    }
}

#[tokio::test]
async fn who_says_nothing_or_something_else_fails() {
    let (silent, _) = asked(http(URL, None, None), Server::Silent).await;
    assert_eq!(silent, Err("no answer within 500ms".to_owned()));
    let (closed, _) = asked(http(URL, None, None), Server::Says("")).await;
    assert!(closed.is_err());
    let (other, _) = asked(http(URL, None, None), Server::Says("220 mail.internal ESMTP\r\n")).await;
    assert!(other.is_err());
}

#[tokio::test]
async fn what_the_dialer_does_not_know_is_not_reached() {
    let elsewhere = [http("http://localhost:8080/", None, None), Ask::Tcp { address: "web.internal:81".into() }];
    for ask in elsewhere {
        let (result, _) = asked(ask, Server::Keeps(OK)).await;
        assert!(result.as_ref().is_err_and(|why| why.starts_with("nobody is at ")), "{result:?}");
    }
}

#[tokio::test]
async fn tcp_passes_once_it_is_connected() {
    let (result, heard) = asked(Ask::Tcp { address: "web.internal:8080".into() }, Server::Silent).await;
    assert_eq!((result, heard), (Ok(()), String::new()));
}

async fn greeted(probe: Probe) -> Result<(), String> {
    let host = probe.args.as_text().ok_or("no host")?;
    let mut stream = probe.dialer.dial(host, 8080).await.map_err(|error| error.to_string())?;
    stream.write_all(b"ruok\r\n\r\n").await.map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
    if answer == "imok" { Ok(()) } else { Err(format!("it says {answer:?}")) }
}

#[tokio::test]
async fn a_function_of_ours_asks_through_the_dialer() {
    let functions = || {
        let greeted: Arc<dyn CustomCheck> = Arc::new(greeted);
        CustomChecks(BTreeMap::from([("zk::greeted".to_owned(), greeted)]))
    };
    let ask = |function: &str| Ask::Custom { function: function.to_owned(), args: "web.internal".into() };
    let of = |function, answer| asked_with(ask(function), Server::Says(answer), functions());
    assert_eq!(of("zk::greeted", "imok").await.0, Ok(()));
    assert_eq!(of("zk::greeted", "no").await.0, Err("it says \"no\"".to_owned()));
    assert_eq!(of("zk::gone", "imok").await.0, Err("this build has no function `zk::gone`".to_owned()));
}
