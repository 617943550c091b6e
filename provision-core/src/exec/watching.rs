//! Looking at objects that are waited for: whoever looks does so for all others of the type that wait for their turn, so that
//! many of them take few reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::reading::{Of, Reader};
use crate::call::{Observed, Scope};
use crate::id::{InfraId, ObjectId, TypeName};
use crate::target::TargetId;

/// Where those meet that look at objects of the same type.
///
/// # Guarantees
/// - That an object is not there is never told from a list: its mark may have been taken away, or it never had one.
/// - What anyone is told was read after they came: a list that was sent before may show what was so before their own call.
/// - A list is read where more wait than reads it took the last time; where it showed none of those that waited, it is not
///   read again.
#[derive(Default)]
pub(super) struct Watch(Mutex<BTreeMap<(TargetId, TypeName), Arc<Room>>>);

#[derive(Default)]
struct Room {
    /// Held by who reads; how many reads the list takes.
    turn: futures::lock::Mutex<ListTakes>,
    waiting: Mutex<Waiting>,
}

struct ListTakes(usize);

impl Default for ListTakes {
    fn default() -> Self {
        Self(1)
    }
}

#[derive(Default)]
struct Waiting {
    came: u64,
    by_ticket: BTreeMap<u64, (ObjectId, Seen)>,
}

#[derive(Clone)]
enum Seen {
    /// Nobody has looked yet.
    NotYet,
    There(Box<Observed>),
    NotInTheList,
    Failed(String),
}

/// A place in the room; given up when dropped.
struct Ticket<'a> {
    number: u64,
    room: &'a Room,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        lock(&self.room.waiting).by_ticket.remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    fn come(&self, id: &ObjectId) -> Ticket<'_> {
        let mut waiting = lock(&self.waiting);
        let number = waiting.came;
        waiting.came += 1;
        waiting.by_ticket.insert(number, (id.clone(), Seen::NotYet));
        Ticket { number, room: self }
    }

    fn seen(&self, ticket: &Ticket<'_>) -> Seen {
        lock(&self.waiting).by_ticket.get(&ticket.number).map_or(Seen::NotYet, |(_, seen)| seen.clone())
    }

    fn unseen(&self) -> usize {
        lock(&self.waiting).by_ticket.values().filter(|(_, seen)| matches!(seen, Seen::NotYet)).count()
    }

    /// The ticket that the next one who comes will get.
    fn next(&self) -> u64 {
        lock(&self.waiting).came
    }

    /// Tells all that came before this ticket what the list showed; whether it showed any of their objects.
    fn tell(&self, before: u64, list: Result<Vec<Observed>, String>) -> bool {
        let list = list.map(|all| all.into_iter().map(|it| (it.id.clone(), it)).collect::<BTreeMap<_, _>>());
        let mut any = list.is_err();
        let mut waiting = lock(&self.waiting);
        let told = waiting.by_ticket.range_mut(..before).map(|(_, place)| place);
        for (id, seen) in told.filter(|(_, seen)| matches!(seen, Seen::NotYet)) {
            *seen = match list.as_ref().map(|list| list.get(id)) {
                Ok(Some(observed)) => Seen::There(Box::new(observed.clone())),
                Ok(None) => Seen::NotInTheList,
                Err(reason) => Seen::Failed(reason.clone()),
            };
            any |= matches!(seen, Seen::There(_));
        }
        any
    }
}

impl Watch {
    /// The object as it is now; `None` where there is none.
    ///
    /// # Errors
    /// What was seen instead of an answer.
    pub(super) async fn look(
        &self,
        reader: Reader<'_>,
        infra: &InfraId,
        of: Of<'_>,
        id: &ObjectId,
    ) -> Result<Option<Observed>, String> {
        let room = lock(&self.0).entry((of.0.clone(), of.1.clone())).or_default().clone();
        let ticket = room.come(id);
        let mut takes = room.turn.lock().await;
        match room.seen(&ticket) {
            Seen::There(observed) => return Ok(Some(*observed)),
            Seen::Failed(reason) => return Err(reason),
            // Its turn is for those that nobody has looked for.
            Seen::NotInTheList => drop(takes),
            Seen::NotYet => match room.unseen() {
                // Whoever comes meanwhile waits, so that the next one looks for all of them.
                0 | 1 => return reader.one(of, id).await,
                many if many <= takes.0 => drop(takes),
                _ => {
                    let before = room.next();
                    let list = reader.all(of, &Scope::Marked(infra.clone())).await;
                    takes.0 = list.as_ref().map_or(takes.0, |list| list.reads);
                    if !room.tell(before, list.map(|list| list.objects)) {
                        takes.0 = usize::MAX;
                    }
                    drop(takes);
                    match room.seen(&ticket) {
                        Seen::There(observed) => return Ok(Some(*observed)),
                        Seen::Failed(reason) => return Err(reason),
                        Seen::NotInTheList | Seen::NotYet => {}
                    }
                }
            },
        }
        drop(ticket);
        reader.one(of, id).await
    }
}

#[cfg(test)]
mod tests;
