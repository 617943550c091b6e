//! The other side goes wrong: it is a script here, and no program.

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, duplex, split};

use super::super::frame::{self, Ask, FrameError, Hello, MOST_OF_A_LINE, Reply, Response};
use super::super::link::{Link, NoLink, Opened, Outcome};
use super::{said, sending, target};

/// The other side, after the first lines.
struct Other(BufReader<DuplexStream>);

impl Other {
    async fn hears(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line
    }
    async fn says(&mut self, bytes: &[u8]) {
        // We may have hung up.
        self.0.write_all(bytes).await.unwrap_or_default();
    }
}

/// A connection whose pipe takes `room` bytes before it is read.
async fn link(room: usize) -> (Link, Other) {
    let (here, there) = duplex(room);
    let mut other = Other(BufReader::new(there));
    let (input, output) = split(here);
    let greet = async {
        other.says(&frame::line(&Hello::of("b")).unwrap()).await;
        other.hears().await;
    };
    let (opened, ()) = tokio::join!(Opened::new("b", input, output), greet);
    (opened.ok().unwrap().link(async |why| format!("{why}; farewell")), other)
}

fn call() -> Ask {
    Ask::Call(Box::new(sending("Create")))
}

/// What a call comes to where the other side hears it and then says this and no more.
async fn heard_and_said(bytes: &[u8]) -> (Outcome, Link) {
    let (link, mut other) = link(1 << 16).await;
    let target = target();
    let (outcome, ()) = tokio::join!(link.ask(&target, call()), async move {
        assert!(other.hears().await.contains("Create"));
        other.says(bytes).await;
    });
    (outcome, link)
}

fn response(number: u64) -> Vec<u8> {
    frame::line(&Response { number, reply: Reply::Answer(said("Create")) }).unwrap()
}

fn lost(why: &str) -> Outcome {
    Outcome::Lost(format!("{why}; farewell"))
}

#[tokio::test]
async fn a_call_that_was_heard_is_lost_whatever_ends_the_connection() {
    assert_eq!(heard_and_said(&response(0)).await.0, Outcome::Replied(Reply::Answer(said("Create"))));

    let (outcome, link) = heard_and_said(b"").await;
    assert_eq!(outcome, lost("it closed the pipe"));
    assert!(!link.lives());
    let after = link.ask(&target(), call()).await;
    assert_eq!(after, Outcome::NotSent("it closed the pipe; farewell".to_owned()), "nobody is there to be asked");

    assert_eq!(heard_and_said(&response(1)).await.0, lost("it answered request 1, which nobody made"));
    let cut = response(0);
    assert_eq!(heard_and_said(&cut[..cut.len() - 1]).await.0, lost("the last line was cut off"));
    let garbage = heard_and_said(b"{\"number\":0,\"reply\":\"verified\",\"x\":1}\n").await.0;
    assert!(matches!(&garbage, Outcome::Lost(why) if why.starts_with("a line is not understood: ")), "{garbage:?}");
    let endless = vec![b' '; MOST_OF_A_LINE + 1];
    assert_eq!(heard_and_said(&endless).await.0, lost("a line has more than 33554432 bytes"));
}

/// An answer that comes when nobody waits any more is no fault.
#[tokio::test]
async fn an_answer_to_who_has_gone_away_is_ignored() {
    let (link, mut other) = link(1 << 16).await;
    let target = target();
    let first = tokio::select! {
        biased;
        outcome = link.ask(&target, call()) => Some(outcome),
        _ = other.hears() => None,
    };
    assert_eq!(first, None);
    let (second, ()) = tokio::join!(link.ask(&target, call()), async {
        other.hears().await;
        other.says(&response(0)).await;
        other.says(&response(1)).await;
    });
    assert_eq!(second, Outcome::Replied(Reply::Answer(said("Create"))));
}

/// Of two calls the pipe takes a part of the first one; then the other side is gone.
#[tokio::test]
async fn what_was_not_written_was_not_sent_and_what_was_begun_may_have_been() {
    let (link, other) = link(50).await;
    let target = target();
    let (first, second, ()) = tokio::join!(
        biased;
        link.ask(&target, call()),
        link.ask(&target, call()),
        async move {
            tokio::task::yield_now().await;
            drop(other);
        },
    );
    // Which end notices first does not matter: of the first line nobody can have heard the end, but only a failed write
    // proves it.
    assert!(matches!(first, Outcome::NotSent(_) | Outcome::Lost(_)), "{first:?}");
    assert!(matches!(second, Outcome::NotSent(_)), "{second:?}");
}

#[tokio::test]
async fn who_does_not_say_who_it_is_is_not_asked() {
    async fn refused(said: &[u8]) -> NoLink {
        let (here, mut there) = duplex(1 << 16);
        there.write_all(said).await.unwrap();
        drop(there);
        let (input, output) = split(here);
        Opened::new("b", input, output).await.err().unwrap()
    }
    assert!(matches!(refused(b"").await, NoLink::Silent));
    let other = refused(b"{\"provision_client\":2,\"build\":\"b\"}\n").await;
    assert!(matches!(other, NoLink::OtherBuild(Hello { provision_client: 2, .. })), "{other:?}");
    assert!(matches!(refused(b"Usage: cat\n").await, NoLink::Frame(FrameError::Garbage(_))));
}
