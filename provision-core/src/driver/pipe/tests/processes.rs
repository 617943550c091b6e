//! Real processes: a shell is the client process here.

use std::time::Duration;

use super::super::{ClientProcess, MOST_STARTS, Program};
use super::{BOUNDS, read, said, sending, target};
use crate::call::{Answer, ReadAnswer, Refusal};
use crate::driver::Connector as _;

/// What a script says first, and that it hears what we say.
const GREETING: &str = r#"echo '{"provision_client":1,"build":"b"}'; read -r hello;"#;
/// The reply to the first request, which is to connect.
const CONNECTED: &str = r#"read -r request; echo '{"number":0,"reply":{"connected":{"stamp":{"secs":3,"nanos":0},"visibility":{"secs":1,"nanos":500000000}}}}';"#;

fn program(script: &str) -> Program {
    let args = vec!["-c".into(), script.into()];
    Program { path: "/bin/sh".into(), args, build: "b".to_owned(), remedy: "build it with `make`".to_owned() }
}

async fn problem(script: &str) -> String {
    ClientProcess::new(program(script)).connect(&target()).await.err().unwrap()
}

#[tokio::test]
async fn a_call_whose_process_died_is_unknown_and_the_next_one_starts_another_process() {
    let answer = r#"read -r call; echo '{"number":1,"reply":{"answer":{"done":{"id":null,"outputs":{"api":"Create"},"server_time":1}}}}';"#;
    let process = ClientProcess::new(program(&format!("{GREETING} {CONNECTED} {answer} read -r call; kill -9 $$")));
    let client = process.connect(&target()).await.unwrap();
    assert_eq!(client.bounds(), BOUNDS);
    assert_eq!(client.call(&sending("Create")).await, said("Create"));
    let lost = client.call(&sending("Create")).await;
    let reason = "the client process /bin/sh: it closed the pipe; it ended with signal: 9 (SIGKILL)".to_owned();
    assert_eq!(lost, Answer::Unknown { reason });
    // The next one takes what comes first for a request to connect, so it answers something else: but it was started.
    let next = client.read(&read()).await;
    let reason = "the client process answered something else than was asked".to_owned();
    assert_eq!(next, ReadAnswer::Failed { refusal: None, reason });
}

#[tokio::test]
async fn one_that_dies_of_every_request_is_not_started_for_ever() {
    // The first request is to connect; whatever comes later kills it.
    let script =
        format!("{GREETING} read -r request; case $request in *connect*) ;; *) echo dying >&2; exit 3;; esac; ");
    let connected = CONNECTED.trim_start_matches("read -r request; ");
    let process = ClientProcess::new(program(&format!("{script} {connected} read -r call; exit 3")));
    let client = process.connect(&target()).await.unwrap();
    for _ in 0..MOST_STARTS {
        let answer = client.call(&sending("Create")).await;
        assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
    }
    let message =
        "the client process /bin/sh: it closed the pipe; it ended with exit status: 3 and said: dying; it was \
                   started 4 times, which is enough"
            .to_owned();
    let code = "NotSent".to_owned();
    let refused = Answer::Refused { refusal: Refusal::Invalid, code, message: message.clone(), server_time: None };
    assert_eq!(client.call(&sending("Create")).await, refused);
    let refused = ReadAnswer::Failed { refusal: Some(Refusal::Invalid), reason: message };
    assert_eq!(client.read(&read()).await, refused);
}

#[tokio::test]
async fn one_that_cannot_be_used_is_refused_with_what_to_do() {
    let old = problem(r#"echo '{"provision_client":1,"build":"old"}'; read -r hello"#).await;
    assert_eq!(old, "/bin/sh is of another build (old, protocol 1; this needs b, protocol 1): build it with `make`");
    let silent = problem(r"printf 'no \033[31mlicence\n' >&2; exit 7").await;
    assert_eq!(
        silent,
        "/bin/sh ended before it said who it is: it closed the pipe; it ended with exit status: 7 and said: no \\u{1b}[31mlicence: build it with `make`"
    );
    let other = problem("echo 'Usage: ...'").await;
    assert_eq!(
        other,
        "/bin/sh is no client process that can be talked to: a line is not understood: expected value at line 1 column 1; it ended with exit status: 0: build it with `make`"
    );
}

/// The terminal sends its interrupt to its foreground group.
#[tokio::test]
async fn the_process_has_a_group_of_its_own() {
    let script = r#"read -r pid comm state parent group rest < /proc/$$/stat; test $pid = $group && echo its own >&2"#;
    let problem = problem(script).await;
    assert!(problem.contains("and said: its own"), "{problem}");
}

/// It may still answer; it may have done what was asked.
#[tokio::test]
async fn a_call_without_an_answer_in_time_is_unknown() {
    let script = program(&format!("{GREETING} read -r request; read -r never"));
    let process = ClientProcess::with_patience(script, Duration::ZERO);
    let problem = process.connect(&target()).await.err().unwrap();
    assert_eq!(problem, "the client process /bin/sh: no answer within 0ns");
}
