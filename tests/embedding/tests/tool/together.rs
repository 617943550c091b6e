//! Two runs of one infrastructure at the same time.

use std::time::Duration;

use embedding::cloud::Day;
use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan};
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::{Binding, RunError};
use provision_core::progress::Progress;
use provision_core::stream::ClaimError;
use provision_core::stream::event::RunOutcome;

use crate::{addresses, code};

#[tokio::test]
async fn of_two_runs_on_the_same_blocks_one_is_told_who_holds_them() -> Result<(), Problem> {
    let office = Office::open()?;
    let (alice, bob) = (office.engine("alice", code(443)?)?, office.engine("bob", code(443)?)?);
    let (hers, his) = (plan(&alice, &PlanRequest::default()).await?, plan(&bob, &PlanRequest::default()).await?);
    office.cloud.is(Day::Busy("CreateVpc"));
    let running = alice.apply(hers, Binding::Ceiling);
    office.cloud.is_waited_for().await;

    let refused = bob.apply(his.clone(), Binding::Ceiling).finish().await;
    let Err(RunError::Claim(ClaimError::Refused(refused))) = refused else { panic!("{refused:?}") };
    assert_eq!((refused.holder.name.as_str(), &refused.run), ("alice", running.id()));
    assert!(his.touched().contains(&refused.block));

    // Or he waits. Then what he had planned is done already, and his plan allows to do nothing.
    let patient = Engine { lock_timeout: Duration::from_secs(120), ..bob };
    let mut waiting = patient.apply(his, Binding::Ceiling);
    while !matches!(waiting.next_event().await, Some(Progress::Phase { .. }) | None) {}
    office.cloud.is(Day::Good);
    assert_eq!(running.finish().await?.outcome, RunOutcome::Succeeded);
    let report = waiting.finish().await;
    assert!(matches!(report, Ok(_) | Err(RunError::Changed(_))), "{report:?}");
    let objects = office.objects()?;
    assert_eq!((objects.len(), addresses(&objects).len()), (OBJECTS, OBJECTS));
    Ok(())
}
