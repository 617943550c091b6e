//! Taking over an object that somebody made by hand.

use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan_and_apply};
use provision_core::embed::PlanRequest;
use provision_core::exec::{Clue, RunError, Unmatched};
use provision_core::id::ResourceAddr;
use provision_core::progress::Verb;
use provision_core::sim::Tamper;
use provision_core::stream::event::RunOutcome;
use provision_core::target::TargetId;
use provision_core::value::{Fields, Value};

use crate::code;

#[tokio::test]
async fn a_block_that_is_not_there_is_not_looked_into() -> Result<(), Problem> {
    let engine = Office::open()?.engine("alice", code(443)?)?;
    let found = engine.find(&"west.nowhere".parse()?, Clue::Name).finish().await;
    assert!(matches!(&found, Err(RunError::Selection { name, .. }) if name == "west.nowhere"), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn an_object_that_is_there_is_adopted_and_not_made_again() -> Result<(), Problem> {
    let office = Office::open()?;
    let by_hand = Tamper::Create {
        target: TargetId {
            provider: "aws".parse()?,
            account: "111111111111".to_owned(),
            region: "us-west-2".to_owned(),
        },
        type_name: "aws_vpc".parse()?,
        fields: Fields::from([
            ("cidr".to_owned(), "10.0.0.0/16".into()),
            ("dns_support".to_owned(), true.into()),
            ("dns_hostnames".to_owned(), false.into()),
            ("tags".to_owned(), Value::Map([("who".to_owned(), "carol".into())].into())),
        ]),
        mark: None,
        name: None,
    };
    let id = office.tamper(&by_hand)?.ok_or("it was made")?;
    let addr: ResourceAddr = "west.network.main".parse()?;
    let engine = office.engine("alice", code(443)?)?;

    // It is looked for by what is known of it; what else the block has is not there.
    let clue = Clue::Tags([("who".to_owned(), "carol".to_owned())].into());
    let found = engine.find(&addr.block, clue).finish().await?;
    assert_eq!(found.matched, [(addr.clone(), id.clone())].into());
    let subnet: ResourceAddr = "west.network.public".parse()?;
    assert!(matches!(found.unmatched[&subnet], Unmatched::None { .. }), "{found:?}");

    let report = plan_and_apply(&engine, &PlanRequest::adopt(found.matched)).await?;
    assert_eq!(report.outcome, RunOutcome::Succeeded, "{report:?}");
    let did: Vec<_> = report.actions.iter().map(|action| (&action.resource, action.verb)).collect();
    assert_eq!(did, [(&addr, Verb::Adopt)]);
    assert_eq!(office.objects()?.len(), 1, "nothing else is done");

    // From now on it is one of ours: everything else is made around it.
    let report = plan_and_apply(&engine, &PlanRequest::default()).await?;
    assert_eq!(report.outcome, RunOutcome::Succeeded, "{report:?}");
    let objects = office.objects()?;
    assert_eq!(objects.len(), OBJECTS);
    let vpc = objects.iter().find(|held| held.id == id).ok_or("it is still there")?;
    assert_eq!(vpc.mark.as_ref().map(|mark| &mark.address), Some(&addr));
    Ok(())
}
