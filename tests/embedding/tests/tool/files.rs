//! A plan is made by one, kept in a file, and applied by another.

use embedding::infra::OBJECTS;
use embedding::office::{Office, Problem, plan, plan_and_apply};
use provision_core::embed::{Engine, PlanRequest};
use provision_core::exec::{Binding, RunError};
use provision_core::plan::{SealedError, open, seal};
use provision_core::stream::StartError;
use provision_core::stream::event::RunOutcome;

use crate::code;

#[tokio::test]
async fn a_sealed_plan_is_applied_by_somebody_else_and_once() -> Result<(), Problem> {
    let office = Office::open()?;
    let (ci, server) = (office.engine("ci", code(443)?)?, office.engine("server", code(443)?)?);
    let file = tempfile::NamedTempFile::new()?;
    tokio::fs::write(file.path(), seal(&plan(&ci, &PlanRequest::default()).await?)).await?;

    let bytes = tokio::fs::read(file.path()).await?;
    let approved = open(&bytes)?;
    let run = server.apply(approved.clone(), Binding::Sealed);
    assert_eq!(*run.id(), approved.run_id());
    assert_eq!(run.finish().await?.outcome, RunOutcome::Succeeded);
    assert_eq!(office.objects()?.len(), OBJECTS);

    // A plan has one run.
    let again = server.apply(approved, Binding::Sealed).finish().await;
    let Err(RunError::Start(StartError::AlreadyUsed { state, .. })) = again else { panic!("{again:?}") };
    assert_eq!(state.ended, Some(RunOutcome::Succeeded));

    // And a file that somebody wrote something into is no plan any more.
    let altered = String::from_utf8(bytes)?.replace("us-west-2", "us-east-1");
    assert!(matches!(open(altered.as_bytes()), Err(SealedError::Altered { .. })));
    Ok(())
}

#[tokio::test]
async fn a_sealed_plan_is_refused_where_it_no_longer_fits() -> Result<(), Problem> {
    let office = Office::open()?;
    let (ci, server) = (office.engine("ci", code(443)?)?, office.engine("server", code(443)?)?);
    let approved = plan(&ci, &PlanRequest::default()).await?;

    // Another build, other code, real clouds: it is not what was approved.
    let others = [
        Engine { revision: "4f2a9c1".parse()?, ..server.clone() },
        Engine { desired: code(8443)?.into(), ..server.clone() },
        Engine { simulated: false, ..server.clone() },
    ];
    for other in others {
        let refused = other.apply(approved.clone(), Binding::Sealed).finish().await;
        assert!(matches!(refused, Err(RunError::OtherPlan(_))), "{refused:?}");
    }
    // Nor is it after somebody else was there.
    plan_and_apply(&ci, &PlanRequest::default()).await?;
    let stale = server.apply(approved, Binding::Sealed).finish().await;
    assert!(matches!(stale, Err(RunError::Stale { .. })), "{stale:?}");
    Ok(())
}
