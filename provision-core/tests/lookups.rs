//! Lookups and crossings in whole runs, over the cloud of the documentation's examples.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod toy {
    #![allow(dead_code, unreachable_pub, clippy::expect_used, reason = "what the examples in the documentation share")]
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/toy.rs"));
}

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use provision_core::call::{Answer, Bounds, Read, ReadAnswer, Refusal, Scope, Sending};
use provision_core::driver::{ObjectStoreBackend, World};
use provision_core::dsl::check::tcp;
use provision_core::embed::{Engine, PlanRequest, Task};
use provision_core::exec::Binding;
use provision_core::id::ObjectId;
use provision_core::plan::{BlockPlan, Ceiling, Mode, Outcome, Plan, Reason, Selection, open, seal};
use provision_core::prelude::*;
use provision_core::provider::{Client, ClientError};
use provision_core::sim::{SimClient, SimCloud, Tamper, wall_clock};
use provision_core::stream::event::{BlockEvent, RunOutcome};
use provision_core::stream::read_log;
use provision_core::target::TargetId;
use provision_core::value::Fields;
use toy::{Image, ImageExt, ImageId, Lab, Network, NetworkExt, NetworkId, Prod, Toy, UsEast};

#[data_centre(name = "eu-west", env = Prod, channel = Stable, on(Toy, account = "acme-eu", region = Lab))]
struct EuWest;

crossing!(EuWest => UsEast, via = peering);

const LINUX: &str = "linux-*";

/// Two lookups of one query, and a block that is handed one of them.
fn images<D: On<Toy>>(b: &Block<D>, (): ()) -> Ref<ImageId, D> {
    let image = b.find("image", Image { owner: "acme" }).name(LINUX);
    let same = b.find("same", Image { owner: "acme" }).name(LINUX);
    b.put("main", Network { cidr: cidr!("10.1.0.0/16") }).tags([("image", text!("{image} {}", same.age()))]);
    image.id()
}

fn user<D: On<Toy>>(b: &Block<D>, image: Ref<ImageId, D>) {
    b.put("net", Network { cidr: cidr!("10.2.0.0/16") }).tags([("image", text!("{image}"))]);
}

fn far(b: &Block<UsEast>, image: Ref<ImageId, EuWest>) {
    let image = b.import(image);
    b.put("net", Network { cidr: cidr!("10.3.0.0/16") }).tags([("image", text!("{image}"))]);
}

fn infrastructure() -> Desired {
    let infra = Infrastructure::new("example");
    let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
    let image = us.block("images", images, ());
    us.block("user", user, image);
    let theirs = eu.block("images", images, ());
    us.block("far", far, theirs);
    infra.finish().unwrap()
}

/// A cloud that notes what is looked up, and may refuse to answer that.
struct Noting {
    client: SimClient,
    target: TargetId,
    asked: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Option<ReadAnswer>>>,
}

#[async_trait]
impl Client for Noting {
    fn bounds(&self) -> Bounds {
        self.client.bounds()
    }
    async fn verify(&self, target: &TargetId) -> Result<(), ClientError> {
        self.client.verify(target).await
    }
    async fn call(&self, sending: &Sending) -> Answer {
        self.client.call(sending).await
    }
    async fn read(&self, read: &Read) -> ReadAnswer {
        if let Scope::Query(query) = &read.scope {
            let asked = format!("{} {} {}", self.target, read.type_name, query["name"].as_text().unwrap_or_default());
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
            if let Some(refused) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone() {
                return refused;
            }
        }
        self.client.read(read).await
    }
}

struct Case {
    engine: Engine,
    cloud: Arc<Mutex<SimCloud>>,
    asked: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Option<ReadAnswer>>>,
}

fn target(dc: &str) -> TargetId {
    infrastructure().dcs[&dc.parse().unwrap()].targets[&"toy".parse().unwrap()].clone()
}

impl Case {
    fn new() -> Self {
        let cloud = toy::cloud();
        let (asked, refused) = (Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let clients: BTreeMap<TargetId, Arc<dyn Client>> = ["us-east", "eu-west"]
            .map(target)
            .into_iter()
            .map(|target| {
                let client = SimClient::in_memory(cloud.clone(), target.clone());
                let (asked, refused) = (Arc::clone(&asked), Arc::clone(&refused));
                (target.clone(), Arc::new(Noting { client, target, asked, refused }) as Arc<dyn Client>)
            })
            .collect();
        let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(clients));
        let engine = Engine { world, desired: Arc::new(infrastructure()), ..toy::engine(&cloud) };
        Self { engine, cloud, asked, refused }
    }

    fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked
    }

    async fn plan(&self, request: &PlanRequest) -> Plan {
        self.engine.plan(request).finish().await.unwrap().plan
    }

    async fn applied(&self, plan: Plan, binding: Binding) {
        assert_eq!(self.engine.apply(plan, binding).finish().await.unwrap().outcome, RunOutcome::Succeeded);
    }

    fn image(&self, dc: &str, name: &str, age: i64) -> ObjectId {
        let fields = [("owner", "acme".into()), ("name", name.into()), ("age", age.into())];
        let fields = Fields::from(fields.map(|(name, value)| (name.to_owned(), value)));
        let type_name = "toy_image".parse().unwrap();
        let tamper = Tamper::Create { target: target(dc), type_name, fields, mark: None, name: None };
        self.cloud.lock().unwrap().tamper(wall_clock()(), &tamper).unwrap().unwrap()
    }

    fn set(&self, id: &ObjectId, field: &str, value: provision_core::value::Value) {
        let tamper = Tamper::Set { id: id.clone(), fields: [(field.to_owned(), value)].into() };
        self.cloud.lock().unwrap().tamper(wall_clock()(), &tamper).unwrap();
    }

    /// The tags of our networks, by cidr.
    fn tags(&self) -> BTreeMap<String, String> {
        let held = self.cloud.lock().unwrap().objects(wall_clock()());
        let ours = held.into_iter().filter(|held| held.type_name.as_str() == "toy_network");
        let shown = ours.map(|held| {
            let place = format!("{} {}", held.target.account, held.fields["cidr"].as_text().unwrap());
            (place, held.fields["tags"].as_map().unwrap()["image"].as_text().unwrap().to_owned())
        });
        shown.collect()
    }
}

fn refusal(plan: &Plan, block: &str) -> String {
    match &plan.blocks[&block.parse().unwrap()] {
        BlockPlan::Refused { problem } => problem.clone(),
        BlockPlan::Planned(_) => panic!("{block} is planned"),
    }
}

#[tokio::test]
async fn each_query_is_asked_once_of_each_target_and_a_run_asks_nothing() {
    let case = Case::new();
    let plan = case.plan(&PlanRequest::default()).await;
    assert_eq!(case.asked(), ["toy:acme-eu:lab toy_image linux-*", "toy:acme:lab toy_image linux-*"]);
    assert_eq!(plan.lookups.len(), 4);
    assert!(plan.resources().all(|(_, resource)| resource.allowed == [Outcome::Create].into()));
    let shown = serde_json::to_string(&plan.blocks).unwrap();
    assert!(!shown.contains("$found"), "what was looked up is known: {shown}");

    let us = plan.lookups[&"us-east.images.image".parse().unwrap()].clone();
    let eu = plan.lookups[&"eu-west.images.image".parse().unwrap()].clone();
    assert_ne!(us.id, eu.id, "they are made up, each for its target");
    case.applied(plan, Binding::Ceiling).await;
    assert!(case.asked().is_empty());
    let expected = [
        ("acme 10.1.0.0/16", format!("{} 1", us.id)),
        ("acme 10.2.0.0/16", us.id.to_string()),
        ("acme 10.3.0.0/16", eu.id.to_string()),
        ("acme-eu 10.1.0.0/16", format!("{} 1", eu.id)),
    ];
    assert_eq!(case.tags(), expected.map(|(place, image)| (place.to_owned(), image)).into());

    // Every block that uses an answer has it in its log.
    let recorded = case.engine.recorded().finish().await.unwrap();
    let found = |block: &str| {
        let state = recorded[&block.parse().unwrap()].as_ref().unwrap();
        state.found.iter().map(|(lookup, found)| format!("{lookup} {}", found.id)).collect::<Vec<_>>()
    };
    assert_eq!(found("us-east.user"), [format!("us-east.images.image {}", us.id)]);
    assert_eq!(found("us-east.far"), [format!("eu-west.images.image {}", eu.id)]);
    assert_eq!(found("us-east.images").len(), 2);
    let outputs = provision_core::outputs::outputs(&"us-east.images".parse().unwrap(), &recorded).unwrap();
    assert_eq!(outputs.as_text(), Some(us.id.as_str()));

    assert!(case.plan(&PlanRequest::default()).await.is_empty());
    case.asked();
    // What goes needs no answers, and drift neither.
    let destroy = case.plan(&PlanRequest::of(Mode::Destroy)).await;
    case.applied(destroy, Binding::Ceiling).await;
    assert!(case.asked().is_empty());
    assert!(case.tags().is_empty());
}

#[tokio::test]
async fn what_a_plan_found_is_what_its_run_uses() {
    let case = Case::new();
    case.image("eu-west", "linux-1", 9);
    let first = case.image("us-east", "linux-1", 9);
    let sealed = seal(&case.plan(&PlanRequest::default()).await);

    // Before it is applied, the answer becomes another one.
    case.set(&first, "name", "old".into());
    let second = case.image("us-east", "linux-2", 1);
    case.applied(open(&sealed).unwrap(), Binding::Sealed).await;
    assert_eq!(case.tags()["acme 10.1.0.0/16"], format!("{first} 9"));

    // The next plan says so, with the reason.
    let plan = case.plan(&PlanRequest::default()).await;
    let found = &plan.lookups[&"us-east.images.image".parse().unwrap()].fields;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["age"], "what nobody can use is no part of the plan");
    let main = plan.resource(&"us-east.images.main".parse().unwrap()).unwrap();
    assert_eq!(main.allowed, [Outcome::Update].into());
    let lookup = |name: &str| format!("us-east.images.{name}").parse().unwrap();
    let other = |name| Reason::FoundOther {
        field: "tags".to_owned(),
        lookup: lookup(name),
        was: first.clone(),
        is: second.clone(),
    };
    assert!(main.reasons.contains(&other("image")) && main.reasons.contains(&other("same")), "{:?}", main.reasons);
    // The block that was handed the answer changes with it.
    assert!(plan.resource(&"us-east.user.net".parse().unwrap()).unwrap().reasons.contains(&other("image")));
    assert_eq!(plan.touched(), ["us-east.images".parse().unwrap(), "us-east.user".parse().unwrap()].into());
    case.applied(plan, Binding::Ceiling).await;
    assert_eq!(case.tags()["acme 10.2.0.0/16"], second.to_string());
    let (memory, world, infra) = (case.engine.memory.clone(), case.engine.world.clone(), "example".parse().unwrap());
    let user = "us-east.user".parse().unwrap();
    let log = Task::start(memory, world, |io| async move { Ok(read_log::<BlockEvent>(&io, &infra, &user).await?) });
    let log = log.finish().await.unwrap();
    let found: Vec<String> = log
        .iter()
        .flat_map(|entry| &entry.body.events)
        .filter_map(|event| match event {
            BlockEvent::Applying { found, .. } => Some(found.values().map(|found| found.id.to_string()).collect()),
            _ => None,
        })
        .collect();
    assert_eq!(found, [first.to_string(), second.to_string()], "which image it was when");

    // What nobody uses of it changes nothing.
    case.set(&second, "color", "red".into());
    assert!(case.plan(&PlanRequest::default()).await.is_empty());
}

#[tokio::test]
async fn only_what_selected_blocks_use_is_asked() {
    let case = Case::new();
    let of = |block: &str| {
        let selection = Selection { blocks: [block.parse().unwrap()].into(), ..Selection::default() };
        PlanRequest { selection, ..PlanRequest::default() }
    };
    // What it uses of another block is a question, too, whether that block was applied or not.
    let plan = case.plan(&of("us-east.far")).await;
    assert_eq!(case.asked(), ["toy:acme-eu:lab toy_image linux-*"]);
    assert_eq!(plan.lookups.keys().map(ToString::to_string).collect::<Vec<_>>(), ["eu-west.images.image"]);
    case.applied(plan, Binding::Ceiling).await;
    assert_eq!(case.tags().len(), 1);
}

#[tokio::test]
async fn a_lookup_that_finds_none_or_several_refuses_its_block_and_what_uses_it() {
    let case = Case::new();
    case.image("eu-west", "linux-1", 1);
    case.image("us-east", "bsd-1", 1);
    let plan = case.plan(&PlanRequest::default()).await;
    let none = refusal(&plan, "us-east.images");
    assert!(none.starts_with("image (provision-core/tests/lookups.rs:"), "{none}");
    let says = "no toy_image of toy:acme:lab has name = \"linux-*\", owner = \"acme\": exactly one has to; make one, or \
                ask for another";
    assert!(none.ends_with(says), "{none}");
    assert_eq!(refusal(&plan, "us-east.user"), "depends on us-east.images, which can't be planned");
    assert_eq!(plan.touched().len(), 2, "the others are unharmed");

    for n in 0..7 {
        case.image("us-east", &format!("linux-{n}"), 1);
    }
    let several = refusal(&case.plan(&PlanRequest::default()).await, "us-east.images");
    assert!(several.contains("7 toy_image of toy:acme:lab have name = "), "{several}");
    assert!(several.ends_with(", …; ask for more, so that exactly one has it"), "{several}");
    assert_eq!(several.matches("image-").count(), 5, "{several}");
}

#[tokio::test]
async fn a_question_that_is_not_answered_refuses_what_depends_on_it() {
    let mut case = Case::new();
    let answers = [
        (ReadAnswer::Failed { refusal: Some(Refusal::Denied), reason: "no DescribeImages".to_owned() }, 1),
        (ReadAnswer::Failed { refusal: None, reason: "no route to host".to_owned() }, 2),
    ];
    for (answer, attempts) in answers {
        let ReadAnswer::Failed { reason, .. } = &answer else { unreachable!() };
        let reason = reason.clone();
        *case.refused.lock().unwrap() = Some(answer);
        case.engine.settings.read_attempts = attempts;
        let plan = case.plan(&PlanRequest::default()).await;
        let problem = refusal(&plan, "us-east.images");
        let says =
            format!("which toy_image of toy:acme:lab has name = \"linux-*\", owner = \"acme\" is not known: {reason}");
        assert!(problem.ends_with(&says), "{problem}");
        assert!(plan.touched().is_empty() && plan.lookups.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_was_not_approved_lies_outside_of_the_plan() {
    let case = Case::new();
    case.image("eu-west", "linux-1", 1);
    let first = case.image("us-east", "linux-1", 1);
    let approved = case.plan(&PlanRequest::default()).await;
    case.set(&first, "name", "old".into());
    let second = case.image("us-east", "linux-2", 1);
    let later = case.plan(&PlanRequest::default()).await;
    let outside = Ceiling::new(approved.clone()).outside(&later);
    let says = format!("us-east.images.image: would use toy_image {second}, which the plan did not find");
    assert!(outside.iter().any(|outside| outside.to_string() == says), "{outside:?}");

    // A file in which two lookups ask the same and find something else is none that a plan was written to.
    let mut altered = approved;
    let same = "us-east.images.same".parse().unwrap();
    altered.lookups.get_mut(&same).unwrap().id = second;
    let error = open(&seal(&altered)).unwrap_err().to_string();
    assert!(error.contains("us-east.images.image and us-east.images.same ask the same and find"), "{error}");
}

#[tokio::test]
async fn what_is_used_of_an_answer_has_to_be_there() {
    let case = Case::new();
    let image = case.image("us-east", "linux-1", 3);
    case.image("eu-west", "linux-1", 3);
    let plan = case.plan(&PlanRequest::default()).await;
    case.applied(plan, Binding::Ceiling).await;
    // The same image is another one than before.
    case.set(&image, "age", 4.into());
    let plan = case.plan(&PlanRequest::default()).await;
    let reasons = &plan.resource(&"us-east.images.main".parse().unwrap()).unwrap().reasons;
    let changed = |reason: &&Reason| matches!(reason, Reason::FoundOther { was, is, .. } if was == is);
    assert_eq!(reasons.iter().filter(changed).count(), 1, "{reasons:?}");
    assert_eq!(plan.touched(), ["us-east.images".parse().unwrap()].into(), "the id is what it was");

    case.set(&image, "age", provision_core::value::Value::Null);
    let problem = refusal(&case.plan(&PlanRequest::default()).await, "us-east.images");
    assert!(problem.ends_with(&format!("toy_image {image} has no `age`, which is used")), "{problem}");
}

#[tokio::test]
async fn a_block_waits_for_the_health_of_what_it_imports() {
    fn base<D: On<Toy>>(b: &Block<D>, (): ()) -> Ref<NetworkId, D> {
        b.check("alive", tcp("base:1").every(Duration::from_millis(100)).within(Duration::from_millis(300)));
        b.put("main", Network { cidr: cidr!("10.1.0.0/16") }).id()
    }
    fn user(b: &Block<UsEast>, theirs: Ref<NetworkId, EuWest>) {
        let theirs = b.import(theirs);
        b.put("main", Network { cidr: cidr!("10.2.0.0/16") }).tags([("peer", text!("{theirs}"))]);
    }
    // The name of the data centre that waits comes first.
    let infra = Infrastructure::new("example");
    let (us, eu) = (infra.dc(UsEast), infra.dc(EuWest));
    let theirs = eu.block("base", base, ());
    us.block("user", user, theirs);
    let cloud = toy::cloud();
    let engine = Engine { desired: Arc::new(infra.finish().unwrap()), ..toy::engine(&cloud) };
    let plan = engine.plan(&PlanRequest::default()).finish().await.unwrap().plan;
    let user = plan.resource(&"us-east.user.main".parse().unwrap()).unwrap();
    assert_eq!(user.uses.iter().map(ToString::to_string).collect::<Vec<_>>(), ["eu-west.base.main"]);
    cloud.lock().unwrap().make_unhealthy("eu-west.base".parse().unwrap());
    let report = engine.apply(plan, Binding::Ceiling).finish().await.unwrap();
    assert_eq!(report.outcome, RunOutcome::Failed);
    assert_eq!(cloud.lock().unwrap().objects(wall_clock()()).len(), 1, "theirs alone");
}
