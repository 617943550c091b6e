//! Reads of more than one page: all pages of a list, and what further reads show of its objects.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::try_join_all;

use super::context::backoff;
use super::limiter::{Limiter, Rank};
use crate::call::{Observed, Read, ReadAnswer, Readiness, Refusal, Scope, ServerTime};
use crate::id::{InfraId, ObjectId, TypeName};
use crate::machine::Io;
use crate::mutant::{self, Mutant};
use crate::provider::{Asked, Detail};
use crate::stream::event::ObjectRecord;
use crate::target::TargetId;
use crate::value::Value;

/// For how long a read may do nothing but be throttled, in milliseconds.
const THROTTLED_MS: u64 = 300_000;

/// All pages of one scope, and the server's clock at the last one.
#[derive(Debug)]
pub(super) struct ReadAll {
    pub(super) objects: Vec<Observed>,
    pub(super) server_time: Option<ServerTime>,
    /// How many reads that took.
    pub(super) reads: usize,
}

/// Reads all pages of a scope, and the details of what is on them; repeats what is not answered.
///
/// # Errors
/// What was seen instead of an answer: then nothing is known.
pub(super) async fn read_all(
    io: &Io,
    limiter: &Limiter,
    target: &TargetId,
    type_name: &TypeName,
    scope: &Scope,
    attempts: u32,
) -> Result<ReadAll, String> {
    let mut all = pages(io, limiter, target, type_name, scope, attempts).await?;
    let mut in_lists = true;
    // Who asks for one object wants to know it whole.
    let whole = matches!(scope, Scope::Id(_));
    let asked = |asked| asked == Asked::Always || (whole && matches!(asked, Asked::Set(_)));
    for detail in details(limiter, target, type_name, asked) {
        in_lists = false;
        all.reads += all.objects.len().div_ceil(detail.batch.max(1));
        all.objects = complete(io, limiter, (target, type_name), detail, all.objects, |_| true, attempts).await?;
        // Once the marks are known, nobody asks about somebody else's objects.
        if all.objects.iter().any(|object| object.mark.is_some()) {
            all.objects.retain(|object| is_in(object, scope));
        }
    }
    // What the lists do not show they can't be asked for, either.
    all.objects.retain(|object| in_lists || is_in(object, scope));
    Ok(all)
}

/// What the logs know of the objects of a type.
#[derive(Debug, Clone, Default)]
pub(super) struct Known<'a> {
    pub(super) ids: BTreeSet<ObjectId>,
    /// Their records, as far as there are some.
    pub(super) records: Vec<&'a ObjectRecord>,
}

impl Known<'_> {
    /// Those in whose records something is set that the detail shows.
    fn of_which_is_set(&self, detail: &Detail) -> BTreeSet<&ObjectId> {
        let fields = match detail.asked {
            Asked::Set(fields) => fields,
            Asked::Always | Asked::Waiting => &[],
        };
        let is_set = |record: &&&ObjectRecord| {
            fields.iter().any(|field| record.fields.get(*field).is_some_and(|value| !value.is_null()))
        };
        self.records.iter().filter(is_set).map(|record| &record.id).collect()
    }
}

/// Reads all objects of the type that are ours.
///
/// # Errors
/// As [`read_all`].
pub(super) async fn read_ours(
    io: &Io,
    limiter: &Limiter,
    infra: &InfraId,
    (target, type_name): (&TargetId, &TypeName),
    known: &Known<'_>,
    attempts: u32,
) -> Result<ReadAll, String> {
    let recorded = &known.ids;
    let marked = Scope::Marked(infra.clone());
    let lists = limiter
        .provider(target)
        .map_or_else(|| vec![marked.clone()], |provider| provider.lists(type_name, infra, recorded));
    let reads = lists.iter().map(|scope| async move {
        let mut all = read_all(io, limiter, target, type_name, scope, attempts).await?;
        // Who looks where the recorded ones are sees others, too.
        all.objects.retain(|object| matches!(scope, Scope::Marked(_)) || recorded.contains(&object.id));
        Ok::<_, String>(all)
    });
    let mut ours = ReadAll { objects: Vec::new(), server_time: None, reads: 0 };
    for all in try_join_all(reads).await? {
        ours.objects.extend(all.objects);
        // What is absent from all of them was so at the earliest of these times.
        ours.server_time = match (ours.server_time, all.server_time) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
    for detail in details(limiter, target, type_name, |asked| matches!(asked, Asked::Set(_))) {
        let set = known.of_which_is_set(detail);
        let of = |id: &ObjectId| set.contains(id);
        ours.objects = complete(io, limiter, (target, type_name), detail, ours.objects, of, attempts).await?;
    }
    Ok(ours)
}

/// How it stands with an object that is waited for: what is read only then may know that it never will be ready.
pub(super) async fn readiness(
    io: &Io,
    limiter: &Limiter,
    (target, type_name): (&TargetId, &TypeName),
    object: &Observed,
    attempts: u32,
) -> Readiness {
    if object.readiness != Readiness::Pending {
        return object.readiness.clone();
    }
    for detail in details(limiter, target, type_name, |asked| asked == Asked::Waiting) {
        let seen = ask(io, limiter, (target, type_name), detail, vec![object.id.clone()], attempts).await;
        // Where it is not answered, the object itself goes on to tell.
        let worst = seen.unwrap_or_default().into_iter().map(|seen| seen.readiness);
        if let Some(failed) = worst.into_iter().find(|readiness| matches!(readiness, Readiness::Failed(_))) {
            return failed;
        }
    }
    object.readiness.clone()
}

fn details(
    limiter: &Limiter,
    target: &TargetId,
    type_name: &TypeName,
    asked: impl Fn(Asked) -> bool,
) -> impl Iterator<Item = &'static Detail> {
    let all = limiter.provider(target).map_or(&[][..], |provider| provider.details(type_name));
    all.iter().filter(move |detail| asked(detail.asked))
}

async fn ask(
    io: &Io,
    limiter: &Limiter,
    (target, type_name): (&TargetId, &TypeName),
    detail: &Detail,
    objects: Vec<ObjectId>,
    attempts: u32,
) -> Result<Vec<Observed>, String> {
    let scope = Scope::Detail { detail: detail.name.to_owned(), objects };
    Ok(pages(io, limiter, target, type_name, &scope, attempts).await?.objects)
}

/// The objects with what the detail shows of those that it is asked of; without those that went in between.
async fn complete(
    io: &Io,
    limiter: &Limiter,
    of: (&TargetId, &TypeName),
    detail: &Detail,
    objects: Vec<Observed>,
    asked_of: impl Fn(&ObjectId) -> bool,
    attempts: u32,
) -> Result<Vec<Observed>, String> {
    let ids: Vec<ObjectId> = objects.iter().map(|object| object.id.clone()).filter(&asked_of).collect();
    let batches = ids.chunks(detail.batch.max(1));
    let seen = try_join_all(batches.map(|batch| ask(io, limiter, of, detail, batch.to_vec(), attempts))).await?;
    let mut seen: BTreeMap<ObjectId, Observed> =
        seen.into_iter().flatten().map(|seen| (seen.id.clone(), seen)).collect();
    let completed = objects.into_iter().filter_map(|mut object| {
        if !asked_of(&object.id) {
            return Some(object);
        }
        let shown = seen.remove(&object.id)?;
        object.fields.extend(shown.fields);
        object.mark = shown.mark.or(object.mark);
        if shown.readiness != Readiness::Ready {
            object.readiness = shown.readiness;
        }
        Some(object)
    });
    Ok(completed.collect())
}

/// Whether a whole object is one that was asked for.
fn is_in(object: &Observed, scope: &Scope) -> bool {
    match scope {
        Scope::Marked(infra) => object.mark.as_ref().is_some_and(|mark| mark.infra == *infra),
        Scope::Mark(mark) => object.mark.as_ref() == Some(mark),
        Scope::Tagged(tags) => {
            let has = object.fields.get("tags").and_then(Value::as_map);
            tags.iter().all(|(key, value)| has.and_then(|has| has.get(key)?.as_text()) == Some(value))
        }
        Scope::Id(_) | Scope::Key(_) | Scope::Query(_) | Scope::Detail { .. } => true,
    }
}

/// All pages of a scope; what is not answered is asked again.
///
/// # Errors
/// What was seen instead of an answer: then nothing is known.
async fn pages(
    io: &Io,
    limiter: &Limiter,
    target: &TargetId,
    type_name: &TypeName,
    scope: &Scope,
    attempts: u32,
) -> Result<ReadAll, String> {
    let mut all = ReadAll { objects: Vec::new(), server_time: None, reads: 0 };
    let mut page = None;
    let mut attempt = 0;
    let (mut rank, mut throttled) = (Rank::default(), None);
    loop {
        let permit = limiter.read(io, target, (type_name, scope), rank).await;
        let read = Read { type_name: type_name.clone(), scope: scope.clone(), page: page.clone() };
        let answer = io.read(target.clone(), read).await;
        match answer {
            ReadAnswer::Page { objects, next, server_time } => {
                drop(permit);
                all.reads += 1;
                all.objects.extend(objects);
                all.server_time = server_time.or(all.server_time);
                if mutant::on(Mutant::LastInstantByOwnClock) {
                    all.server_time = Some(ServerTime(io.now().wall_ms));
                }
                (attempt, rank, throttled) = (0, Rank::default(), None);
                match next {
                    Some(next) => page = Some(next),
                    None => return Ok(all),
                }
            }
            ReadAnswer::Throttled => {
                // Throttling passes, and its turn comes no sooner than the limiter says.
                permit.throttled(io);
                rank = Rank::THROTTLED;
                let now = io.now().boot_ms;
                if now.saturating_sub(*throttled.get_or_insert(now)) > THROTTLED_MS {
                    return Err("throttled all the time".to_owned());
                }
            }
            ReadAnswer::Failed { refusal: Some(Refusal::Denied | Refusal::Invalid), reason } => return Err(reason),
            ReadAnswer::Failed { refusal: _, reason } => {
                drop(permit);
                attempt += 1;
                if attempt >= attempts {
                    return Err(reason);
                }
                io.sleep(backoff(attempt)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
