//! Both sides together, in one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex, split};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::super::frame::{self, Ask, Hello, Reply, Request};
use super::super::link::{Link, NoLink, Opened, Outcome};
use super::super::{ServeError, serve};
use super::{BOUNDS, Echo, read, said, sending, target};
use crate::call::{Answer, Bounds, Read, ReadAnswer, Sending};
use crate::driver::Connector;
use crate::provider::{Client, ClientError};
use crate::target::TargetId;

type Served = JoinHandle<Result<(), ServeError>>;

async fn linked(ours: &str, theirs: &'static str) -> (Result<Link, NoLink>, Served) {
    let (here, there) = duplex(1 << 16);
    let served = tokio::spawn(async move {
        let (mut input, mut output) = split(there);
        serve(Echo::clients(), theirs, &mut input, &mut output).await
    });
    let (input, output) = split(here);
    let opened = Opened::new(ours, input, output).await;
    (opened.map(|opened| opened.link(async |why| why)), served)
}

#[tokio::test]
async fn each_request_gets_its_reply_and_none_waits_for_another() {
    let (link, served) = linked("b", "b").await;
    let link = link.ok().unwrap();
    let call = |api: &str| Ask::Call(Box::new(sending(api)));
    let answered = |api: &str| Outcome::Replied(Reply::Answer(said(api)));
    assert_eq!(link.ask(&target(), Ask::Connect).await, Outcome::Replied(Reply::Connected(BOUNDS)));
    let problem = ClientError { target: target(), problem: "we are nobody".to_owned() };
    assert_eq!(link.ask(&target(), Ask::Verify).await, Outcome::Replied(Reply::NotVerified(problem)));
    assert_eq!(link.ask(&target(), Ask::Read(read())).await, Outcome::Replied(Reply::Read(ReadAnswer::Throttled)));
    // The first of these is answered after the others.
    let target_ = target();
    let (together, quick) = tokio::join!(link.ask(&target_, call("together")), async {
        let quick = link.ask(&target_, call("quick")).await;
        assert_eq!(link.ask(&target_, call("together")).await, answered("together"));
        quick
    });
    assert_eq!((together, quick), (answered("together"), answered("quick")));

    let other = TargetId { region: "elsewhere".to_owned(), ..target() };
    let problem = "there is no client for target toy:1:elsewhere".to_owned();
    assert_eq!(link.ask(&other, Ask::Verify).await, Outcome::Replied(Reply::NoClient(problem)));
    drop(link);
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn builds_that_differ_do_not_talk() {
    let (link, served) = linked("toy 2", "toy 1").await;
    assert!(matches!(link, Err(NoLink::OtherBuild(hello)) if hello == Hello::of("toy 1")));
    let error = served.await.unwrap().unwrap_err().to_string();
    assert_eq!(
        error,
        "whoever started this speaks protocol 1 of build toy 2, this is protocol 1 of build toy 1: build both from the \
         same sources"
    );
}

/// Counts the calls that begin; none of them ever ends.
#[derive(Default)]
struct Endless {
    begun: AtomicUsize,
    began: Notify,
}

struct Dropped(Arc<Endless>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.begun.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Client for Dropped {
    fn bounds(&self) -> Bounds {
        BOUNDS
    }
    async fn verify(&self, _: &TargetId) -> Result<(), ClientError> {
        Ok(())
    }
    async fn call(&self, _: &Sending) -> Answer {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        let _in_flight = Self(self.0.clone());
        self.0.began.notify_one();
        std::future::pending().await
    }
    async fn read(&self, _: &Read) -> ReadAnswer {
        ReadAnswer::Throttled
    }
}

struct One(Arc<Endless>);

#[async_trait]
impl Connector for One {
    async fn connect(&self, _: &TargetId) -> Result<Arc<dyn Client>, String> {
        self.0.begun.fetch_add(1, Ordering::SeqCst);
        Ok(Arc::new(Dropped(self.0.clone())))
    }
}

/// Who started it is gone: what is in flight is given up, as if the process had been killed with it; and of a request
/// whose end is missing nothing is done.
#[tokio::test]
async fn the_end_of_the_input_is_the_end_and_a_cut_request_is_not_executed() {
    for (cut, in_flight) in [(false, 2), (true, 2)] {
        let world = Arc::new(Endless::default());
        let (mut here, there) = duplex(1 << 16);
        let connector = Arc::new(One(world.clone()));
        let served = tokio::spawn(async move {
            let (mut input, mut output) = split(there);
            serve(connector, "b", &mut input, &mut output).await
        });
        let request = |number| {
            let ask = Ask::Call(Box::new(sending("Create")));
            frame::line(&Request { number, target: target(), ask }).unwrap()
        };
        here.write_all(&frame::line(&Hello::of("b")).unwrap()).await.unwrap();
        here.write_all(&request(0)).await.unwrap();
        world.began.notified().await;
        if cut {
            let line = request(1);
            here.write_all(&line[..line.len() - 1]).await.unwrap();
        }
        assert_eq!(world.begun.load(Ordering::SeqCst), in_flight, "the client and one call");
        here.shutdown().await.unwrap();
        let ended = served.await.unwrap();
        assert_eq!(ended.is_err(), cut, "{ended:?}");
        assert_eq!(world.begun.load(Ordering::SeqCst), 0, "all dropped");
        let mut said = String::new();
        here.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, "{\"provision_client\":1,\"build\":\"b\"}\n");
    }
}
