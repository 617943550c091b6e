//! What differs between two JSON values, written out: how a log holds a definition that resembles the one before it.
//!
//! | an edit | says |
//! |---|---|
//! | `{"key":edit,…}` | these keys of the map change, the others stay |
//! | `[value]` | it is this value from now on |
//! | `null` | the key goes |
//! | `[front, back, [items…]]` | of the list stay so many items at its front and at its back; in between are these |

use serde_json::{Map, Value};

/// The edit that makes `new` of `old`.
pub(super) fn between(old: &Value, new: &Value) -> Value {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut edits = Map::new();
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                edits.insert(key.clone(), Value::Null);
            }
            for (key, value) in new {
                match old.get(key) {
                    Some(same) if same == value => {}
                    Some(before) => drop(edits.insert(key.clone(), between(before, value))),
                    None => drop(edits.insert(key.clone(), set(value))),
                }
            }
            Value::Object(edits)
        }
        (Value::Array(old), Value::Array(new)) => {
            let same = |(a, b): &(&Value, &Value)| a == b;
            let front = old.iter().zip(new).take_while(same).count();
            let least = old.len().min(new.len()) - front;
            let back = old.iter().rev().zip(new.iter().rev()).take(least).take_while(same).count();
            let items = new.get(front..new.len() - back).unwrap_or_default();
            match front + back {
                0 => Value::Array(vec![Value::Array(new.clone())]),
                _ => Value::Array(vec![front.into(), back.into(), items.to_vec().into()]),
            }
        }
        _ => set(new),
    }
}

fn set(value: &Value) -> Value {
    Value::Array(vec![value.clone()])
}

/// What the edit makes of `old`.
///
/// # Errors
/// It is no edit, or none of this value.
pub(super) fn apply(old: &Value, edit: &Value) -> Result<Value, String> {
    match (edit, old) {
        (Value::Object(edits), Value::Object(old)) => {
            let mut new = old.clone();
            for (key, edit) in edits {
                match (edit, old.get(key)) {
                    (Value::Null, Some(_)) => drop(new.remove(key)),
                    (Value::Array(set), None) if set.len() == 1 => drop(new.insert(key.clone(), taken(set))),
                    (edit, Some(old)) => drop(new.insert(key.clone(), apply(old, edit)?)),
                    (_, None) => return Err(format!("it edits `{}`, which is not there", key.escape_debug())),
                }
            }
            Ok(Value::Object(new))
        }
        (Value::Array(set), _) if set.len() == 1 => Ok(taken(set)),
        (Value::Array(splice), Value::Array(old)) => {
            let stays = |at: usize| splice.get(at).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
            let (Some(front), Some(back), Some(Value::Array(items)), 3) =
                (stays(0), stays(1), splice.get(2), splice.len())
            else {
                return Err("it edits a list as no list is edited".to_owned());
            };
            // Nothing stays twice, so what comes out is no longer than the old one and the edit together.
            let end = old.len().checked_sub(back).filter(|end| front <= *end);
            let (Some(front), Some(back)) = (old.get(..front), end.and_then(|end| old.get(end..))) else {
                return Err("it edits a list that is shorter".to_owned());
            };
            Ok(Value::Array([front, items, back].concat()))
        }
        _ => Err("it is no edit of what was there".to_owned()),
    }
}

fn taken(set: &[Value]) -> Value {
    set.first().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            "[a$]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab$]", inner, 0..4).prop_map(|map| map.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn an_edit_makes_the_one_of_the_other(old in value(), new in value()) {
            prop_assert_eq!(apply(&old, &between(&old, &new)), Ok(new));
        }

        #[test]
        fn no_edit_panics(old in value(), edit in value()) {
            drop(apply(&old, &edit));
        }
    }

    #[test]
    fn a_list_does_not_grow_by_what_stays() {
        let old = json!([1, 2, 3]);
        assert_eq!(apply(&old, &json!([1, 2, [4]])), Ok(json!([1, 4, 2, 3])));
        for edit in [json!([2, 2, []]), json!([3, 1, []]), json!([4, 0, []]), json!([0, 4, []]), json!([0, -1, []])] {
            assert!(apply(&old, &edit).is_err(), "{edit}");
        }
    }

    #[test]
    fn an_edit_says_what_differs() {
        let old = json!({"a": {"b": 1, "c": [1, 2, 3], "d": null}, "e": 1});
        let new = json!({"a": {"b": 2, "c": [1, 4, 3], "d": null}, "f": null});
        assert_eq!(between(&old, &new), json!({"a": {"b": [2], "c": [1, 1, [4]]}, "e": null, "f": [null]}));
    }
}
