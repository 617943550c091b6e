//! Tags, as EC2 takes them.
//!
//! EC2 takes tags in the create call itself (`TagSpecifications`), so an object of ours never exists without its mark.

use provision_core::call::Mark;
use provision_core::value::{Tree, Value};

use crate::table::calls::{Calls, Given, Part, Update, known_id, parts};
use crate::tags::{self, Tagging};
pub(crate) use crate::tags::{INFRA, Tags, of_mark, read};

apis! { aws_sdk_ec2 ec2;
    CreateTags: Set, "adds or overwrites the tags that it names"; (Resources, Tags) -> ();
    DeleteTags: Set, "removes the tags that it names, and does nothing where there are none"; (Resources, Tags) -> ();
}
shapes! { aws_sdk_ec2;
    text ResourceType;
    both Tag(Key, Value);
    sent TagSpecification(ResourceType, Tags);
    sent Filter(Name, Values);
}

/// How EC2 is told an object's tags.
const TAGGING: Tagging = Tagging {
    desired: tags::desired,
    set: |id, tags| ("CreateTags", parts([("Resources", Tree::List(vec![known_id(id)])), ("Tags", tags::list(tags))])),
    remove: |id, keys| {
        let keys = keys.iter().map(|&key| parts([("Key", key.into())])).collect();
        ("DeleteTags", parts([("Resources", Tree::List(vec![known_id(id)])), ("Tags", Tree::List(keys))]))
    },
};

/// The `TagSpecifications` of a create, and the user's tags as the object's field.
pub(crate) fn specification(kind: &str, fields: Given<'_>, mark: &Mark) -> Result<(Part, Value), String> {
    let users = tags::desired(fields)?;
    let specification = parts([("ResourceType", kind.into()), ("Tags", tags::list(&tags::with_mark(&users, mark)))]);
    Ok((Tree::List(vec![specification]), tags::value(&users)))
}

/// The calls that bring an object's tags to the desired ones, and set the mark again if that is asked for.
pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    TAGGING.update(calls, update)
}
