//! Tags, as IAM takes them: in the creates, and in two calls for each kind of object.

use crate::table::calls::{Given, Part, Update, parts};
use crate::tags::{self, Tags};
use provision_core::call::Mark;
use provision_core::value::Value;

shapes! { aws_sdk_iam;
    both Tag(Key, Value);
}

/// The user's tags of a definition: IAM takes the characters that load balancers take, too
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>).
pub(crate) fn desired(fields: Given<'_>) -> Result<Tags, String> {
    tags::desired_plain(fields)
}

/// The `Tags` of a create, and the user's tags as the object's field.
pub(crate) fn of_new(fields: Given<'_>, mark: &Mark) -> Result<(Part, Value), String> {
    let users = desired(fields)?;
    Ok((tags::list(&tags::with_mark(&users, mark)), tags::value(&users)))
}

/// The parameters of a call that sets tags.
pub(crate) fn set(parameter: &str, id: &str, tags: &Tags) -> Part {
    parts([(parameter, id.into()), ("Tags", tags::list(tags))])
}

/// The parameters of a call that removes tags.
pub(crate) fn remove(parameter: &str, id: &str, keys: &[&str]) -> Part {
    parts([(parameter, id.into()), ("TagKeys", keys.to_vec().into())])
}

/// What an update may change in place beside the tags.
pub(crate) fn only(update: &Update<'_>, fields: &[&str]) -> Result<(), String> {
    let all: Vec<&str> = fields.iter().copied().chain(["tags"]).collect();
    update.only(&all)
}
