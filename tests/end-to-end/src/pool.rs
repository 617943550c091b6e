//! Many cases on a few servers at a time: most of the time each waits for bounds to pass.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};

use futures::FutureExt as _;
use futures::future::join_all;

use crate::world::World;

/// Some more worlds beside this one.
pub async fn and_more(first: World, binary: &str, count: usize) -> Vec<World> {
    let mut worlds = vec![first];
    for world in join_all((1..count).map(|_| World::start(binary))).await {
        worlds.extend(world);
    }
    worlds
}

/// Tests every case on an emptied server; a case that panics does not stop the others. What each came to, in the order
/// in which they ended.
///
/// # Panics
/// At the end, where a case did.
pub async fn each<C: Display, R>(worlds: &[World], cases: Vec<C>, test: impl AsyncFn(&World, &C) -> R) -> Vec<(C, R)> {
    let total = cases.len();
    let queue = Mutex::new(VecDeque::from(cases));
    let (results, failed) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    join_all(worlds.iter().map(|world| async {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(case) = next else { return };
            let tested = async {
                world.restart().await;
                test(world, &case).await
            };
            match AssertUnwindSafe(tested).catch_unwind().await {
                Ok(result) => results.lock().unwrap_or_else(PoisonError::into_inner).push((case, result)),
                Err(_) => failed.lock().unwrap_or_else(PoisonError::into_inner).push(case.to_string()),
            }
        }
    }))
    .await;
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "{} of {total} cases failed: {failed:#?}", failed.len());
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// A line on standard error that the test harness does not swallow: how much was tested, and how long that took.
pub fn say(line: &str) {
    // No test depends on it.
    writeln!(std::io::stderr().lock(), "end-to-end: {line}").unwrap_or_default();
}
