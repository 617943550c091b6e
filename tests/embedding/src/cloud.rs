//! A simulated cloud that can be told to have a bad day: how a tool puts something of its own around a client half.

use std::sync::Arc;

use async_trait::async_trait;
use provision_core::call::{Answer, Bounds, Read, ReadAnswer, Refusal, Sending};
use provision_core::check::Checker;
use provision_core::driver::Connector;
use provision_core::embed::Simulated;
use provision_core::provider::{Client, ClientError};
use provision_core::target::TargetId;
use tokio::sync::watch;

/// How the cloud is today. Operations go by their names, as `CreateVpc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Day {
    /// It does what it is asked.
    Good,
    /// It takes calls of this operation, and does not come to them.
    Busy(&'static str),
    /// It refuses calls of this operation.
    Denies(&'static str),
    /// It cannot be reached.
    Unreachable,
}

/// A simulated cloud with its days.
#[derive(Clone)]
pub struct Cloud {
    simulated: Simulated,
    day: watch::Sender<Day>,
    /// How many calls it has not come to.
    waiting: watch::Sender<usize>,
}

impl Cloud {
    /// A cloud on a good day.
    pub fn new(simulated: Simulated) -> Self {
        Self { simulated, day: watch::Sender::new(Day::Good), waiting: watch::Sender::new(0) }
    }

    /// From now on.
    pub fn is(&self, day: Day) {
        self.day.send_replace(day);
    }

    /// Waits until there is a call that it does not come to.
    pub async fn is_waited_for(&self) {
        // The sender is here: the wait does not fail.
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.map(drop).unwrap_or_default();
    }
}

#[async_trait]
impl Connector for Cloud {
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        Ok(Arc::new(OnSomeDay { client: self.simulated.connect(target).await?, cloud: self.clone() }))
    }

    fn checker(&self) -> Option<Arc<dyn Checker>> {
        self.simulated.checker()
    }
}

struct OnSomeDay {
    client: Arc<dyn Client>,
    cloud: Cloud,
}

#[async_trait]
impl Client for OnSomeDay {
    fn bounds(&self) -> Bounds {
        self.client.bounds()
    }

    async fn verify(&self, target: &TargetId) -> Result<(), ClientError> {
        if *self.cloud.day.borrow() == Day::Unreachable {
            return Err(ClientError { target: target.clone(), problem: "it is raining".to_owned() });
        }
        self.client.verify(target).await
    }

    async fn call(&self, sending: &Sending) -> Answer {
        let api = &sending.call.api;
        let mut day = self.cloud.day.subscribe();
        if matches!(*day.borrow(), Day::Busy(busy) if busy == api) {
            self.cloud.waiting.send_modify(|waiting| *waiting += 1);
            day.wait_for(|day| !matches!(day, Day::Busy(busy) if busy == api)).await.map(drop).unwrap_or_default();
            self.cloud.waiting.send_modify(|waiting| *waiting -= 1);
        }
        if matches!(*day.borrow(), Day::Denies(denied) if denied == api) {
            let (code, message) = ("UnauthorizedOperation".to_owned(), "ask your administrator".to_owned());
            return Answer::Refused { refusal: Refusal::Denied, code, message, server_time: None };
        }
        self.client.call(sending).await
    }

    async fn read(&self, read: &Read) -> ReadAnswer {
        self.client.read(read).await
    }
}
