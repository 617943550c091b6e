//! The life of the whole infrastructure in a simulated cloud that answers at once.

#![expect(clippy::unwrap_used, reason = "what fails, fails the test")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use infra_defs::company;
use infra_defs::params::{DcParams, EU_WEST, STAGING, US_EAST};
use provision_aws::Aws;
use provision_core::drift::Verdict;
use provision_core::driver::{ObjectStoreBackend, World};
use provision_core::embed::{Approval, Engine, PlanRequest, Simulated};
use provision_core::exec::{ActionResult, Binding, RunReport};
use provision_core::plan::{Mode, Outcome, Plan, Providers};
use provision_core::prelude::*;
use provision_core::provider::Provider;
use provision_core::sim::{Held, SimCloud, SimConfig, Tamper, wall_clock};
use provision_core::stream::Signer;
use provision_core::stream::event::RunOutcome;

/// How many resources there are.
const ALL: usize = 127;

/// A company that is provisioned.
struct Company {
    cloud: Arc<Mutex<SimCloud>>,
    world: World,
}

impl Company {
    fn new() -> Self {
        let providers = providers();
        let config = SimConfig {
            data_sources: providers.data_sources(),
            unread: providers.unread(),
            // Everything is seen at once, so nobody waits until it must be.
            visibility: Duration::ZERO,
            ..SimConfig::instant(0)
        };
        let cloud = Arc::new(Mutex::new(SimCloud::new(config)));
        let world = World::new(Arc::new(ObjectStoreBackend::memory()), Arc::new(Simulated::Memory(cloud.clone())));
        Self { cloud, world }
    }

    async fn plan(&self, code: Infrastructure, mode: Mode) -> (Engine, Plan) {
        let desired = code.finish().unwrap();
        let engine = Engine::new(desired, providers(), self.world.clone(), Signer::new(&[7; 32], "story")).unwrap();
        let engine = Engine { simulated: true, ..engine };
        let plan = engine.plan(&PlanRequest::of(mode)).finish().await.unwrap().plan;
        assert_eq!(plan.refusals().count(), 0);
        (engine, plan)
    }

    /// Plans and applies. The plan's changes: what is done to each resource that something is done to.
    async fn run(&self, code: Infrastructure, mode: Mode) -> (BTreeMap<String, Vec<Outcome>>, RunReport) {
        let (engine, plan) = self.plan(code, mode).await;
        let acts = plan.resources().filter(|(_, resource)| resource.acts());
        let acts = acts.map(|(addr, resource)| (addr.to_string(), resource.allowed.iter().copied().collect()));
        let acts = acts.collect();
        let approval = Approval { many_deletions: true, ..Binding::Ceiling.into() };
        let report = engine.apply(plan, approval).finish().await.unwrap();
        let failed: Vec<_> =
            report.actions.iter().filter(|action| matches!(action.result, ActionResult::Failed { .. })).collect();
        assert_eq!(report.outcome, RunOutcome::Succeeded, "{failed:#?}");
        (acts, report)
    }

    async fn drift(&self) -> Verdict {
        let (engine, _) = self.plan(infra_defs::infrastructure(), Mode::Apply).await;
        engine.drift().finish().await.unwrap().verdict()
    }

    fn objects(&self) -> Vec<Held> {
        self.cloud.lock().unwrap().objects(wall_clock()())
    }

    fn held(&self, addr: &str) -> Held {
        let is = |held: &Held| held.mark.as_ref().is_some_and(|mark| mark.address.to_string() == addr);
        self.objects().into_iter().find(is).unwrap()
    }

    fn tamper(&self, tamper: &Tamper) {
        self.cloud.lock().unwrap().tamper(wall_clock()(), tamper).unwrap();
    }
}

fn providers() -> Providers {
    let aws: Arc<dyn Provider> = Arc::new(Aws);
    Providers::new([aws])
}

#[tokio::test]
async fn from_nothing_to_nothing() {
    let company_of_ours = Company::new();
    let ours = &company_of_ours;
    let (made, report) = ours.run(infra_defs::infrastructure(), Mode::Apply).await;
    assert_eq!((made.len(), ours.objects().len()), (ALL, ALL));
    assert_eq!(report.checks.len(), 6, "each bastion and each tier of dispatchers");
    let (again, _) = ours.run(infra_defs::infrastructure(), Mode::Apply).await;
    assert_eq!(again, BTreeMap::new(), "nothing is left to do");
    assert_eq!(ours.drift().await, Verdict::None);

    // Larger hosts: a new version of the template, and the group takes it over.
    let mut larger = STAGING;
    larger.dispatchers.instance_type = "t3.medium";
    let (changed, _) = ours.run(company(&larger, &US_EAST, &EU_WEST), Mode::Apply).await;
    // The number of the new version is known only when it is made.
    let update = |name: &str, allowed: &[Outcome]| (format!("staging.dispatchers.{name}"), allowed.to_vec());
    let expected = [update("fleet", &[Outcome::NoOp, Outcome::Update]), update("template", &[Outcome::Update])];
    assert_eq!(changed, expected.into());

    // Somebody opens a group to the world, and deletes a gateway.
    let group = ours.held("us-east.security.bastion");
    let open = r#"[{"protocol":"tcp","from_port":22,"to_port":22,"cidr":"0.0.0.0/0"}]"#;
    let fields = BTreeMap::from([("ingress".to_owned(), serde_json::from_str(open).unwrap())]);
    ours.tamper(&Tamper::Set { id: group.id, fields });
    ours.tamper(&Tamper::Remove { id: ours.held("eu-west.dispatchers.listener").id });
    assert_eq!(ours.drift().await, Verdict::Drift);
    let (repaired, _) = ours.run(company(&larger, &US_EAST, &EU_WEST), Mode::Apply).await;
    let names: Vec<&String> = repaired.keys().collect();
    assert_eq!(names, ["eu-west.dispatchers.listener", "us-east.security.bastion"]);
    assert_eq!(ours.drift().await, Verdict::None);

    // What is protected stays, with what it lies in.
    ours.run(infra_defs::infrastructure(), Mode::Destroy).await;
    let mut left: Vec<String> = ours.objects().into_iter().map(|held| held.mark.unwrap().address.to_string()).collect();
    left.sort();
    assert_eq!(
        left,
        [
            "eu-west.logs.bucket",
            "eu-west.names.zone",
            "eu-west.network.main",
            "us-east.logs.bucket",
            "us-east.names.zone",
            "us-east.network.main",
        ]
    );
}

#[tokio::test]
async fn without_protection_all_of_it_goes() {
    let ours = &Company::new();
    let open =
        || company(&STAGING, &DcParams { protected: false, ..US_EAST }, &DcParams { protected: false, ..EU_WEST });
    ours.run(infra_defs::infrastructure(), Mode::Apply).await;
    // As one would do it: first the protection goes, and then everything.
    let (freed, _) = ours.run(open(), Mode::Apply).await;
    assert_eq!(freed.len(), 6, "{freed:#?}");
    let (gone, _) = ours.run(open(), Mode::Destroy).await;
    assert_eq!((gone.len(), ours.objects().len()), (ALL, 0));
}
