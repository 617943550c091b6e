//! How everything is read: all pages of a list, and what further reads show of its objects.

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

/// A type on its target.
pub(super) type Of<'a> = (&'a TargetId, &'a TypeName);

/// How is read: through what, at what rate, and how often what is not answered is asked again.
///
/// Each of its errors is what was seen instead of an answer: then nothing is known.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) io: &'a Io,
    pub(super) limiter: &'a Limiter,
    pub(super) attempts: u32,
}

impl Reader<'_> {
    /// All pages of a scope, and the details of what is on them.
    pub(super) async fn all(self, of: Of<'_>, scope: &Scope) -> Result<ReadAll, String> {
        let mut all = self.pages(of, scope).await?;
        let mut in_lists = true;
        // Who asks for one object wants to know it whole.
        let whole = matches!(scope, Scope::Id(_));
        for detail in self.details(of, |asked| asked == Asked::Always || (whole && matches!(asked, Asked::Set(_)))) {
            in_lists = false;
            all.reads += all.objects.len().div_ceil(detail.batch.max(1));
            all.objects = self.complete(of, detail, all.objects, |_| true).await?;
            // Once the marks are known, nobody asks about somebody else's objects.
            if all.objects.iter().any(|object| object.mark.is_some()) {
                all.objects.retain(|object| is_in(object, scope));
            }
        }
        // What the lists do not show they can't be asked for, either.
        all.objects.retain(|object| in_lists || is_in(object, scope));
        Ok(all)
    }

    /// One object as it is now; `None` where one read does not show it.
    pub(super) async fn one(self, of: Of<'_>, id: &ObjectId) -> Result<Option<Observed>, String> {
        let all = self.all(of, &Scope::Id(id.clone())).await?;
        Ok(all.objects.into_iter().find(|observed| observed.id == *id))
    }

    /// All objects of the type that are ours.
    pub(super) async fn ours(self, of: Of<'_>, infra: &InfraId, known: &Known<'_>) -> Result<ReadAll, String> {
        let (target, type_name) = of;
        let recorded = &known.ids;
        let provider = self.limiter.provider(target);
        let lists = provider.map(|provider| provider.lists(type_name, infra, recorded));
        let lists = lists.unwrap_or_else(|| vec![Scope::Marked(infra.clone())]);
        let reads = lists.iter().map(|scope| async move {
            let mut all = self.all(of, scope).await?;
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
        for detail in self.details(of, |asked| matches!(asked, Asked::Set(_))) {
            let set = known.of_which_is_set(detail);
            ours.objects = self.complete(of, detail, ours.objects, |id| set.contains(id)).await?;
        }
        Ok(ours)
    }

    /// How it stands with an object that is waited for: what is read only then may know that it never will be ready.
    pub(super) async fn readiness(self, of: Of<'_>, object: &Observed) -> Readiness {
        if object.readiness != Readiness::Pending {
            return object.readiness.clone();
        }
        for detail in self.details(of, |asked| asked == Asked::Waiting) {
            let seen = self.ask(of, detail, vec![object.id.clone()]).await;
            // Where it is not answered, the object itself goes on to tell.
            let mut stands = seen.unwrap_or_default().into_iter().map(|seen| seen.readiness);
            if let Some(failed) = stands.find(|readiness| matches!(readiness, Readiness::Failed(_))) {
                return failed;
            }
        }
        object.readiness.clone()
    }

    fn details(
        self,
        (target, type_name): Of<'_>,
        asked: impl Fn(Asked) -> bool,
    ) -> impl Iterator<Item = &'static Detail> {
        let all = self.limiter.provider(target).map_or(&[][..], |provider| provider.details(type_name));
        all.iter().filter(move |detail| asked(detail.asked))
    }

    async fn ask(self, of: Of<'_>, detail: &Detail, objects: Vec<ObjectId>) -> Result<Vec<Observed>, String> {
        let scope = Scope::Detail { detail: detail.name.to_owned(), objects };
        Ok(self.pages(of, &scope).await?.objects)
    }

    /// The objects with what the detail shows of those that it is asked of; without those that went in between.
    async fn complete(
        self,
        of: Of<'_>,
        detail: &Detail,
        objects: Vec<Observed>,
        asked_of: impl Fn(&ObjectId) -> bool,
    ) -> Result<Vec<Observed>, String> {
        let ids: Vec<ObjectId> = objects.iter().map(|object| object.id.clone()).filter(&asked_of).collect();
        let batches = ids.chunks(detail.batch.max(1));
        let seen = try_join_all(batches.map(|batch| self.ask(of, detail, batch.to_vec()))).await?;
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

    /// All pages of a scope; what is not answered is asked again.
    async fn pages(self, of: Of<'_>, scope: &Scope) -> Result<ReadAll, String> {
        let Self { io, limiter, attempts } = self;
        let (target, type_name) = of;
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

#[cfg(test)]
mod tests;
