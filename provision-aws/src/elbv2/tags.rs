//! Tags, as load balancing takes them: in the create, but shown by a call of their own, for twenty objects at once.

use provision_core::call::{Mark, Observed};
use provision_core::id::ObjectId;
use provision_core::provider::{self, Asked};
use provision_core::value::{Tree, Value};

use crate::table::calls::{Calls, Given, Part, Update, field, known_id, parts};
use crate::table::reading::{Detail, Request, detail, parameters};
use crate::table::shown::Shown;
use crate::tags::{self, Tagging};

apis! { aws_sdk_elasticloadbalancingv2 elbv2;
    AddTags: Set, "adds or overwrites the tags that it names"; (ResourceArns, Tags) -> ();
    RemoveTags: Set, "removes the tags that it names, and does nothing where there are none"; (ResourceArns, TagKeys) -> ();
    DescribeTags: Read, ""; (ResourceArns) -> (TagDescriptions);
}
shapes! { aws_sdk_elasticloadbalancingv2;
    both Tag(Key, Value);
    shown TagDescription(ResourceArn, Tags);
}

const TAGGING: Tagging = Tagging {
    desired: tags::desired_plain,
    set: |id, tags| ("AddTags", parts([("ResourceArns", Tree::List(vec![known_id(id)])), ("Tags", tags::list(tags))])),
    remove: |id, keys| {
        ("RemoveTags", parts([("ResourceArns", Tree::List(vec![known_id(id)])), ("TagKeys", keys.to_vec().into())]))
    },
};

/// The tags of a create, and the user's as the object's field.
pub(crate) fn of_create(fields: Given<'_>, mark: &Mark) -> Result<(Part, Value), String> {
    let users = tags::desired_plain(fields)?;
    Ok((tags::list(&tags::with_mark(&users, mark)), tags::value(&users)))
}

/// The calls that bring an object's tags to the desired ones, and set the mark again if that is asked for.
pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    TAGGING.update(calls, update)
}

/// "You can specify up to 20 resources in a single call":
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html>.
const BATCH: usize = 20;

/// The tags of objects, and the mark among them.
pub(crate) const TAGS: Detail = Detail {
    of: provider::Detail { name: "tags", batch: BATCH, asked: Asked::Always },
    request: |ids| {
        let arns = ids.iter().map(|id| id.as_str().into()).collect();
        Request { api: "DescribeTags", parameters: parameters([("ResourceArns", Some(Value::List(arns)))]) }
    },
    seen,
};

fn seen(asked: &[ObjectId], answer: Shown<'_>) -> Vec<Observed> {
    let described = answer.list("TagDescriptions").filter_map(|described| {
        let id = asked.iter().find(|id| Some(id.as_str()) == described.text("ResourceArn"))?;
        let (mark, users) = tags::read(described.pairs("Tags"));
        Some(Observed { mark, ..detail(id, field("tags", users)) })
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::mark;

    #[test]
    fn the_mark_of_each_object_is_among_its_tags() {
        let pair = |(key, value): (String, String)| format!(r#"{{"Key":"{key}","Value":"{value}"}}"#);
        let ours: Vec<_> = tags::of_mark(&mark()).into_iter().map(pair).collect();
        let answer = format!(
            r#"{{"TagDescriptions":[{{"ResourceArn":"b","Tags":[{}]}},
                {{"ResourceArn":"a","Tags":[{{"Key":"team","Value":"x"}}]}},{{"ResourceArn":"other","Tags":[]}}]}}"#,
            ours.join(",")
        );
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let asked = ["a", "b", "gone"].map(|id| ObjectId::new(id).unwrap());
        let shown: Vec<_> = seen(&asked, Shown(Some(&answer)))
            .into_iter()
            .map(|seen| (seen.id.as_str().to_owned(), seen.mark.is_some(), seen.fields["tags"].as_map().unwrap().len()))
            .collect();
        assert_eq!(shown, [("b".to_owned(), true, 0), ("a".to_owned(), false, 1)]);
    }
}
