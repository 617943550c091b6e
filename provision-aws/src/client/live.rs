//! Every call and read against an EC2 server: what is made is what is read.
//!
//! Ignored unless asked for: `AWS_ENDPOINT_URL=http://127.0.0.1:5000 cargo test -p provision-aws --features client --
//! --ignored`, with moto (or any server that makes what it is told to) at that address.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use provision_core::call::{
    Answer, Call, Mark, Observed, Read, ReadAnswer, Readiness, Refusal, Scope, Sending, ServerTime,
};
use provision_core::id::{InfraId, ObjectId, Token};
use provision_core::provider::{Change, Client as _, Provider as _};
use provision_core::schema::Schema;
use provision_core::value::{Fields, Value};

use super::tests::{client, target};
use super::{Ec2Client, Settings};
use crate::provider::Aws;
use crate::tests::{INSTANCE, SECURITY_GROUP, SUBNET, VPC};

struct World {
    client: Ec2Client,
    infra: InfraId,
    /// Distinguishes this test's objects from those of earlier ones on the same server.
    tag: u64,
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

impl World {
    async fn new() -> Self {
        let url = std::env::var("AWS_ENDPOINT_URL").unwrap();
        let client = client(&Settings { endpoint_url: Some(url), ..Settings::default() }).await;
        client.verify(&target()).await.unwrap();
        let tag = now_ms();
        Self { client, infra: InfraId::new(format!("live-{tag}")).unwrap(), tag }
    }

    fn mark(&self, name: &str) -> Mark {
        let digits = format!("{:016x}{:0>16}", self.tag, hex(name));
        let address = format!("us-east.live.{name}").parse().unwrap();
        Mark { infra: self.infra.clone(), address, incarnation: Token::new(digits).unwrap() }
    }

    async fn send(&self, call: &Call, id: Option<&ObjectId>) -> Answer {
        let call = call.ready(id, &BTreeMap::new()).unwrap();
        let stamp = ServerTime(now_ms());
        let sending = Sending { call, object: id.cloned(), stamp, last_instant: stamp };
        self.client.call(&sending).await
    }

    /// Sends calls and returns the object's id.
    async fn run(&self, calls: &[Call], mut id: Option<ObjectId>) -> ObjectId {
        for call in calls {
            match self.send(call, id.as_ref()).await {
                Answer::Done { id: made, server_time, .. } => {
                    assert!(server_time.is_some());
                    id = made.or(id);
                }
                other => panic!("{}: {other:?}", call.api),
            }
        }
        id.unwrap()
    }

    async fn read(&self, schema: &Schema, scope: Scope) -> Vec<Observed> {
        let read = Read { type_name: schema.type_name.parse().unwrap(), scope, page: None };
        match self.client.read(&read).await {
            ReadAnswer::Page { objects, server_time, .. } => {
                assert!(server_time.is_some());
                objects
            }
            other => panic!("{}: {other:?}", schema.type_name),
        }
    }

    async fn read_id(&self, schema: &Schema, id: &ObjectId) -> Option<Observed> {
        self.read(schema, Scope::Id(id.clone())).await.pop()
    }

    /// Makes the resource, and finds it again by id, mark, sweep and key as it was meant.
    async fn make(&self, schema: &Schema, name: &str, desired: Fields, key: &[&str]) -> ObjectId {
        let desired = schema.normal_form(desired);
        let mark = self.mark(name);
        let change = Change::Create { desired: &desired, mark: &mark };
        let calls = Aws.compile(&schema.type_name.parse().unwrap(), &change).unwrap();
        let id = self.run(&calls, None).await;
        let key = key.iter().map(|&name| (name.to_owned(), desired[name].clone())).collect();
        let scopes =
            [Scope::Id(id.clone()), Scope::Mark(mark.clone()), Scope::Marked(self.infra.clone()), Scope::Key(key)];
        for scope in scopes {
            let found = self.read(schema, scope.clone()).await;
            let found: Vec<_> = found.iter().filter(|object| object.id == id).collect();
            assert_eq!(found.len(), 1, "{scope:?}");
            assert_eq!(found[0].mark.as_ref(), Some(&mark));
            same(&found[0].fields, &desired);
        }
        id
    }

    async fn update(&self, schema: &Schema, id: &ObjectId, change: &str) {
        let observed = self.read_id(schema, id).await.unwrap();
        let change: Fields = serde_json::from_str(change).unwrap();
        let changed: Vec<&'static str> =
            schema.fields.iter().map(|field| field.name).filter(|name| change.contains_key(*name)).collect();
        let mut desired = observed.fields.clone();
        desired.extend(change);
        let desired = schema.normal_form(desired);
        let update = Change::Update { id, observed: &observed, desired: &desired, changed: &changed, mark: None };
        let calls = Aws.compile(&schema.type_name.parse().unwrap(), &update).unwrap();
        assert!(!calls.is_empty());
        self.run(&calls, Some(id.clone())).await;
        let after = self.read_id(schema, id).await.unwrap();
        same(&after.fields, &desired);
        assert_eq!(after.mark, observed.mark, "the mark outlives updates");
    }

    async fn delete(&self, schema: &Schema, id: &ObjectId) -> Answer {
        let change = Change::Delete { id, recorded: &Fields::new() };
        let calls = Aws.compile(&schema.type_name.parse().unwrap(), &change).unwrap();
        self.send(&calls[0], Some(id)).await
    }

    async fn remove(&self, schema: &Schema, id: &ObjectId) {
        let answer = self.delete(schema, id).await;
        assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
        assert_eq!(self.read_id(schema, id).await, None);
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>().chars().take(16).collect()
}

fn same(observed: &Fields, desired: &Fields) {
    for (name, value) in desired {
        if name != "user_data" {
            assert_eq!(observed.get(name), Some(value), "{name}");
        }
    }
}

fn json(text: &str) -> Fields {
    serde_json::from_str(text).unwrap()
}

fn refusal(answer: &Answer) -> Option<Refusal> {
    if let Answer::Refused { refusal, .. } = answer { Some(*refusal) } else { None }
}

#[tokio::test]
#[ignore = "needs an EC2 server at AWS_ENDPOINT_URL"]
async fn what_is_made_is_what_is_read() {
    let world = World::new().await;
    let vpc = r#"{"cidr":"10.77.0.0/16","dns_support":true,"dns_hostnames":true,"tags":{"team":"infra","a b":"ü=*?"}}"#;
    let vpc = world.make(VPC, "vpc", json(vpc), &["cidr"]).await;
    let with_vpc = |mut fields: Fields| {
        fields.insert("vpc".to_owned(), vpc.as_str().into());
        fields
    };
    let zone = format!("{}a", target().region);
    let mut subnet = with_vpc(json(r#"{"cidr":"10.77.1.0/24","public_ip":true,"tags":{}}"#));
    subnet.insert("zone".to_owned(), zone.into());
    let subnet_fields = subnet.clone();
    let subnet = world.make(SUBNET, "subnet", subnet, &["vpc", "cidr"]).await;
    let bare = with_vpc(json(r#"{"name":"bare","description":"none","ingress":[],"egress":[],"tags":{}}"#));
    let bare = world.make(SECURITY_GROUP, "bare", bare, &["vpc", "name"]).await;
    let rules = format!(
        r#"{{"name":"rules","description":"some","tags":{{}},
            "ingress":[{{"protocol":"tcp","from_port":22,"to_port":22,"cidr":"10.0.0.0/8"}},
                       {{"protocol":"tcp","from_port":22,"to_port":22,"cidr":"192.168.0.0/16"}},
                       {{"protocol":"tcp","from_port":80,"to_port":90,"group":"{bare}"}},
                       {{"protocol":"udp","from_port":53,"to_port":53,"cidr":"::/0"}},
                       {{"protocol":"icmp","from_port":-1,"to_port":-1,"cidr":"10.0.0.0/8"}},
                       {{"protocol":"all","group":"self"}}],
            "egress":[{{"protocol":"all","cidr":"0.0.0.0/0"}},
                      {{"protocol":"tcp","from_port":443,"to_port":443,"cidr":"0.0.0.0/0"}}]}}"#
    );
    let rules = world.make(SECURITY_GROUP, "rules", with_vpc(json(&rules)), &["vpc", "name"]).await;

    world.update(VPC, &vpc, r#"{"dns_hostnames":false,"tags":{"team":"db"}}"#).await;
    world.update(VPC, &vpc, r#"{"dns_support":false,"tags":{}}"#).await;
    world.update(SUBNET, &subnet, r#"{"public_ip":false,"tags":{"x":"y"}}"#).await;
    let other = r#"{"ingress":[{"protocol":"tcp","from_port":23,"to_port":23,"cidr":"10.0.0.0/8"}],"egress":[],"tags":{"x":""}}"#;
    world.update(SECURITY_GROUP, &rules, other).await;
    world.update(SECURITY_GROUP, &rules, r#"{"ingress":[{"protocol":"all","group":"self"}]}"#).await;

    let mut instance = json(r##"{"instance_type":"t3.micro","user_data":"#!/bin/sh\necho","tags":{"x":"y"}}"##);
    instance.insert("subnet".to_owned(), subnet.as_str().into());
    instance.insert("security_groups".to_owned(), Value::from(vec![rules.as_str(), bare.as_str()]));
    instance.insert("ami".to_owned(), std::env::var("LIVE_AMI").unwrap_or("ami-12c6146b".to_owned()).into());
    let instance = world.make(INSTANCE, "instance", instance, &["subnet"]).await;
    let observed = world.read_id(INSTANCE, &instance).await.unwrap();
    assert_eq!(observed.readiness, Readiness::Ready);
    world.update(INSTANCE, &instance, &format!(r#"{{"security_groups":["{bare}"],"tags":{{}}}}"#)).await;

    // Refusals mean what the executor has to do.
    assert_eq!(refusal(&world.delete(VPC, &vpc).await), Some(Refusal::InUse));
    let mark = world.mark("second");
    let again = Aws.compile(&"aws_subnet".parse().unwrap(), &Change::Create { desired: &subnet_fields, mark: &mark });
    assert_eq!(refusal(&world.send(&again.unwrap()[0], None).await), Some(Refusal::Exists));
    let group = with_vpc(json(r#"{"name":"rules","description":"b","ingress":[],"egress":[],"tags":{}}"#));
    let again = Aws.compile(&"aws_security_group".parse().unwrap(), &Change::Create { desired: &group, mark: &mark });
    assert_eq!(refusal(&world.send(&again.unwrap()[0], None).await), Some(Refusal::Exists));
    let observed = world.read_id(SECURITY_GROUP, &rules).await.unwrap();
    let mut desired = observed.fields.clone();
    desired.extend(json(r#"{"ingress":[{"protocol":"tcp","from_port":9,"to_port":9,"cidr":"10.0.0.0/8"}]}"#));
    let change =
        Change::Update { id: &rules, observed: &observed, desired: &desired, changed: &["ingress"], mark: None };
    let calls = Aws.compile(&"aws_security_group".parse().unwrap(), &change).unwrap();
    for call in &calls {
        assert!(matches!(world.send(call, Some(&rules)).await, Answer::Done { .. }));
        let answer = world.send(call, Some(&rules)).await;
        assert_eq!(refusal(&answer), Some(Refusal::AlreadySo), "{}: {answer:?}", call.api);
    }

    world.remove(INSTANCE, &instance).await;
    world.remove(SECURITY_GROUP, &rules).await;
    world.remove(SECURITY_GROUP, &bare).await;
    world.remove(SUBNET, &subnet).await;
    world.remove(VPC, &vpc).await;
    for schema in [VPC, SUBNET, SECURITY_GROUP, INSTANCE] {
        assert_eq!(world.read(schema, Scope::Marked(world.infra.clone())).await, []);
    }
    for (schema, id) in [(VPC, &vpc), (SUBNET, &subnet), (SECURITY_GROUP, &bare)] {
        assert_eq!(refusal(&world.delete(schema, id).await), Some(Refusal::NotFound));
    }
}

#[tokio::test]
#[ignore = "needs an environment without AWS credentials"]
async fn missing_credentials_are_noticed_within_seconds() {
    let began = std::time::Instant::now();
    let settings = Settings { endpoint_url: Some("http://127.0.0.1:1".to_owned()), ..Settings::default() };
    let client = Ec2Client::connect(&target(), &settings).await.unwrap();
    let error = client.verify(&target()).await.unwrap_err().to_string();
    assert!(error.contains("no AWS credentials: set AWS_ACCESS_KEY_ID"), "{error}");
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    println!("{error} {:?}", began.elapsed());
}
