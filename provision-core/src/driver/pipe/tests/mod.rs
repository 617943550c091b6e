//! The pipe: what its lines look like, and what becomes of requests when the other side goes wrong.

mod faults;
mod lines;
mod processes;
mod serving;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Barrier;

use crate::call::{Answer, Bounds, Call, Effect, Read, ReadAnswer, Recovery, Scope, Sending, ServerTime, Wait};
use crate::id::ObjectId;
use crate::provider::{Client, ClientError};
use crate::target::TargetId;

const BOUNDS: Bounds = Bounds { stamp: Duration::from_secs(3), visibility: Duration::from_millis(1500) };

fn target() -> TargetId {
    TargetId { provider: "toy".parse().unwrap(), account: "1".to_owned(), region: "lab".to_owned() }
}

fn sending(api: &str) -> Sending {
    let request = serde_json::from_str(r#"{"Cidr":"10.0.0.0/16","Odd":[1,true,null]}"#).unwrap();
    let (recovery, effect, wait) = (Recovery::Remove, Effect::Remove, Wait::Gone(60));
    let call = Call { api: api.to_owned(), type_name: "toy_network".parse().unwrap(), request, recovery, effect, wait };
    let object = Some(ObjectId::new("net-1").unwrap());
    Sending { call, object, stamp: ServerTime(1000), last_instant: ServerTime(4000) }
}

fn read() -> Read {
    let scope = Scope::Id(ObjectId::new("net-1").unwrap());
    Read { type_name: "toy_network".parse().unwrap(), scope, page: Some("2".to_owned()) }
}

/// Answers with the name of the call; calls named `together` only when two of them are there.
struct Echo(Barrier);

impl Echo {
    fn clients() -> Arc<BTreeMap<TargetId, Arc<dyn Client>>> {
        Arc::new(BTreeMap::from([(target(), Arc::new(Self(Barrier::new(2))) as Arc<dyn Client>)]))
    }
}

fn said(api: &str) -> Answer {
    let outputs = BTreeMap::from([("api".to_owned(), api.into())]);
    Answer::Done { id: None, outputs, server_time: Some(ServerTime(1)) }
}

#[async_trait]
impl Client for Echo {
    fn bounds(&self) -> Bounds {
        BOUNDS
    }
    async fn verify(&self, target: &TargetId) -> Result<(), ClientError> {
        Err(ClientError { target: target.clone(), problem: "we are nobody".to_owned() })
    }
    async fn call(&self, sending: &Sending) -> Answer {
        if sending.call.api == "together" {
            self.0.wait().await;
        }
        said(&sending.call.api)
    }
    async fn read(&self, _: &Read) -> ReadAnswer {
        ReadAnswer::Throttled
    }
}
