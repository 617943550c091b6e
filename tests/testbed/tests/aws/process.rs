//! How a server ends, and what it leaves to read.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use testbed::Moto;

use crate::support::{ec2, server};

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn ends(port: u16) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while listens(port) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    !listens(port)
}

#[test]
fn a_server_ends_when_it_is_dropped() {
    let moto = testbed::available!(Moto::start());
    let port = moto.port();
    assert!(listens(port));
    drop(moto);
    assert!(ends(port));
}

/// Run by the next test in a process of its own.
#[test]
#[ignore = "starts a server and waits to be killed"]
fn a_test_run_that_is_killed() {
    let moto = testbed::available!(Moto::start());
    println!("port={}", moto.port());
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_server_dies_with_a_test_run_that_is_killed() {
    // So that the child does not start by installing.
    drop(testbed::available!(Moto::start()));
    let mut run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::a_test_run_that_is_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stdout.take().unwrap()).lines().map_while(Result::ok);
    let port = lines.find_map(|line| line.split_once("port=")?.1.parse().ok()).unwrap();
    assert!(listens(port));
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(ends(port), "port {port} still answers");
}

#[tokio::test]
async fn a_failing_test_can_quote_the_log() {
    let Some(aws) = server().await else { return };
    ec2(&aws, "DescribeVpcs", &[]).await;
    assert!(aws.log_tail().contains("POST /"), "{}", aws.log_tail());
}

#[tokio::test]
async fn a_child_process_gets_all_that_it_needs_and_nothing_else() {
    let Some(aws) = server().await else { return };
    let mut command = Command::new("env");
    aws.set_env(&mut command);
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let lines = said.lines().filter(|line| line.starts_with("AWS_"));
    let env: BTreeMap<_, _> = lines.filter_map(|line| line.split_once('=')).collect();
    assert_eq!(env["AWS_ENDPOINT_URL"], aws.endpoint_url());
    assert_ne!(aws.endpoint_url(), aws.direct_url());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ALLOW_HTTP"] {
        assert!(!env[name].is_empty(), "{name}");
    }
    let named: Vec<_> = aws.env().into_iter().map(|(name, _)| name).collect();
    assert!(env.keys().all(|name| named.iter().any(|named| named == name)), "{env:?}");
}
