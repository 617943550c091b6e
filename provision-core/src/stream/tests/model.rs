//! The fold against a model of claims and intents that is as small as can be.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::folds::{claim, claimed, create, done, id, intent, name, set};
use crate::call::Effect;
use crate::id::IntentNo;
use crate::stream::BlockState;
use crate::stream::event::{BlockEvent, TakeOver};

const RESOURCES: [&str; 2] = ["a", "b"];

#[derive(Debug, Clone)]
enum Op {
    Claim { run: u8, epoch_ahead: u64, took_over: bool },
    Release { run: u8 },
    Create { resource: usize },
    Set { resource: usize },
    Remove { resource: usize },
    Close { nth: usize, done: bool },
    Depose { resource: usize },
}

fn op() -> impl Strategy<Value = Op> {
    let resource = 0..RESOURCES.len();
    prop_oneof![
        2 => (1..3_u8, 1..3_u64, any::<bool>())
            .prop_map(|(run, epoch_ahead, took_over)| Op::Claim { run, epoch_ahead, took_over }),
        1 => (1..3_u8).prop_map(|run| Op::Release { run }),
        4 => resource.clone().prop_map(|resource| Op::Create { resource }),
        2 => resource.clone().prop_map(|resource| Op::Set { resource }),
        2 => resource.clone().prop_map(|resource| Op::Remove { resource }),
        8 => (0..3_usize, any::<bool>()).prop_map(|(nth, done)| Op::Close { nth, done }),
        1 => resource.prop_map(|resource| Op::Depose { resource }),
    ]
}

/// What a reader with pen and paper would keep.
#[derive(Debug, Clone, Default)]
struct Model {
    holder: Option<u8>,
    epoch: u64,
    next: u64,
    /// Number to resource, object and whether it is a create.
    open: BTreeMap<u64, (usize, Option<String>, char)>,
    present: BTreeMap<usize, String>,
    deposed: Vec<String>,
}

impl Model {
    /// The event that the operation stands for, and whether it is legal; the model moves if it is.
    fn apply(&mut self, op: &Op) -> (u8, u64, BlockEvent, bool) {
        let (run, epoch) = (self.holder.unwrap_or(1), self.epoch);
        let busy = |model: &Self, resource: usize, object: Option<&String>| {
            model.open.values().any(|(r, o, _)| *r == resource && (o.is_none() || o.as_ref() == object))
        };
        match op {
            Op::Claim { run, epoch_ahead, took_over } => {
                let epoch = self.epoch + epoch_ahead;
                let legal = *epoch_ahead == 1 && *took_over == self.holder.is_some();
                if legal {
                    (self.holder, self.epoch) = (Some(*run), epoch);
                }
                (*run, epoch, claimed(*run, epoch, took_over.then_some(TakeOver::LeaseExpired)), legal)
            }
            Op::Release { run } => {
                let legal = self.holder == Some(*run);
                if legal {
                    self.holder = None;
                }
                (*run, epoch, BlockEvent::Released {}, legal)
            }
            Op::Create { resource } => {
                let vacant = !self.present.contains_key(resource) && !busy(self, *resource, None);
                let legal = self.holder.is_some() && vacant;
                let event = intent(self.next, RESOURCES[*resource], None, create());
                if legal {
                    self.open.insert(self.next, (*resource, None, 'c'));
                    self.next += 1;
                }
                (run, epoch, event, legal)
            }
            Op::Set { resource } | Op::Remove { resource } => {
                let (effect, kind) = if matches!(op, Op::Set { .. }) { (set(), 's') } else { (Effect::Remove, 'r') };
                let object = self.present.get(resource).cloned();
                let legal = self.holder.is_some() && object.is_some() && !busy(self, *resource, object.as_ref());
                let shown = object.clone().unwrap_or_else(|| "none".to_owned());
                let event = intent(self.next, RESOURCES[*resource], Some(&shown), effect);
                if legal {
                    self.open.insert(self.next, (*resource, object, kind));
                    self.next += 1;
                }
                (run, epoch, event, legal)
            }
            Op::Close { nth, done: ok } => {
                let number = self.open.keys().nth(*nth).copied().unwrap_or(99_999);
                let legal = self.holder.is_some() && self.open.contains_key(&number);
                let kind = self.open.get(&number).map_or('s', |open| open.2);
                let object = format!("object-{number}");
                let event = match ok {
                    true => done(number, (kind == 'c').then_some(object.as_str())),
                    false => BlockEvent::Abandoned { intent: IntentNo(number) },
                };
                if legal && let Some((resource, _, kind)) = self.open.remove(&number) {
                    match kind {
                        'c' if *ok => drop(self.present.insert(resource, object)),
                        'r' if *ok => drop(self.present.remove(&resource)),
                        _ => {}
                    }
                }
                (run, epoch, event, legal)
            }
            Op::Depose { resource } => {
                let object = self.present.get(resource).cloned();
                let legal = self.holder.is_some() && object.is_some() && !busy(self, *resource, object.as_ref());
                if legal && let Some(object) = self.present.remove(resource) {
                    self.deposed.push(object);
                }
                let shown = id(&object.unwrap_or_else(|| "none".to_owned()));
                (run, epoch, BlockEvent::Deposed { resource: name(RESOURCES[*resource]), id: shown }, legal)
            }
        }
    }
}

proptest! {
    #[test]
    fn the_fold_agrees_with_the_model(ops in prop::collection::vec(op(), 0..80)) {
        let (mut model, mut state) = (Model { next: 1, ..Model::default() }, BlockState::default());
        let mut legal_events = Vec::new();
        for op in &ops {
            let (run, epoch, event, legal) = model.apply(op);
            let by = claim(run, epoch);
            let mut next = state.clone();
            let result = next.apply_event(Some(&by), &event);
            prop_assert_eq!(result.is_ok(), legal, "{:?}: {:?}", op, result);
            if legal {
                state = next;
                legal_events.push((by, event));
            }
            let numbers: Vec<_> = state.open.keys().map(|number| number.0).collect();
            prop_assert_eq!(numbers, model.open.keys().copied().collect::<Vec<_>>());
            let present: Vec<_> = state.resources.iter()
                .map(|(name, state)| (name.as_str(), state.object.id.as_str())).collect();
            let expected: Vec<_> = model.present.iter().map(|(r, object)| (RESOURCES[*r], object.as_str())).collect();
            prop_assert_eq!(present, expected);
            prop_assert_eq!(state.deposed.len(), model.deposed.len());
            prop_assert_eq!(state.claim.as_ref().map(|claim| claim.epoch.0), model.holder.map(|_| model.epoch));
        }
        // Every prefix folds, and folding on from it gives the same as folding at once.
        for cut in 0..=legal_events.len() {
            let (before, after) = legal_events.split_at(cut);
            let mut whole = BlockState::default();
            for (by, event) in before.iter().chain(after) {
                prop_assert!(whole.apply_event(Some(by), event).is_ok());
            }
            prop_assert_eq!(&whole, &state);
        }
    }
}
