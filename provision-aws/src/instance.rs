//! `aws_instance`: `RunInstances` honours a token.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use provision_core::call::{Mark, Recovery, Wait};
use provision_core::id::ObjectId;
use provision_core::value::{Tree, Value};

use crate::request::{Calls, Given, New, Part, Update, field, known_id, parts};
use crate::tags;

/// "A client token is valid for at least 24 hours after the termination of the instance":
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Run_Instance_Idempotency.html>. An instance that was made
/// and terminated at once is the shortest case, so this is the term that can be counted from the call.
const TOKEN_TERM_SECONDS: u64 = 24 * 60 * 60;

/// "User data is limited to 16 KB, in raw form, before it is base64-encoded":
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>.
const MAX_USER_DATA: usize = 16 * 1024;

const READY_SECONDS: u32 = 600;
const GONE_SECONDS: u32 = 900;

fn groups<'a>(fields: Given<'a>) -> Result<Vec<&'a str>, String> {
    let mut groups = fields.texts("security_groups")?;
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

fn ids(groups: &[&str]) -> Part {
    groups.to_vec().into()
}

const NO_GROUP: &str = "an instance in a VPC has a security group at least: name one in `security_groups`";

pub(crate) fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (subnet, ami) = (desired.text("subnet")?, desired.text("ami")?);
    let instance_type = desired.text("instance_type")?;
    let groups = groups(desired)?;
    if groups.is_empty() {
        return Err(NO_GROUP.to_owned());
    }
    let (specification, users) = tags::specification("instance", desired, mark)?;
    let mut request = vec![
        ("ImageId", ami.into()),
        ("InstanceType", instance_type.into()),
        ("SubnetId", subnet.into()),
        ("SecurityGroupIds", ids(&groups)),
        ("MinCount", 1.into()),
        ("MaxCount", 1.into()),
        ("ClientToken", mark.incarnation.as_str().into()),
        ("TagSpecifications", specification),
    ];
    let mut fields = field("subnet", subnet);
    fields.extend(field("ami", ami));
    fields.extend(field("instance_type", instance_type));
    fields.extend(field("security_groups", Value::from(groups)));
    fields.extend(field("tags", users));
    if let Some(user_data) = desired.optional_text("user_data")? {
        if user_data.len() > MAX_USER_DATA {
            let length = user_data.len();
            return Err(format!(
                "`user_data` has {length} bytes; AWS takes {MAX_USER_DATA} at most: fetch the rest from it"
            ));
        }
        request.push(("UserData", BASE64_STANDARD.encode(user_data).into()));
        fields.extend(field("user_data", user_data));
    }
    if let Some(key_name) = desired.optional_text("key_name")? {
        request.push(("KeyName", key_name.into()));
        fields.extend(field("key_name", key_name));
    }
    let request = Tree::Map(request.into_iter().map(|(name, part)| (name.to_owned(), part)).collect());
    let recovery = Recovery::Token { token: mark.incarnation.clone(), term_seconds: TOKEN_TERM_SECONDS };
    let new = New { fields, computed: &["id", "private_ip", "public_address"], mark };
    calls.create("RunInstances", request, recovery, new, Wait::Ready(READY_SECONDS));
    Ok(())
}

pub(crate) fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["security_groups", "tags"])?;
    if update.changes("security_groups") {
        let groups = groups(update.desired)?;
        if groups.is_empty() {
            return Err(NO_GROUP.to_owned());
        }
        let request = parts([("InstanceId", known_id(update.id)), ("Groups", ids(&groups))]);
        calls.set("ModifyInstanceAttribute", request, field("security_groups", Value::from(groups)));
    }
    tags::update(calls, update)
}

pub(crate) fn delete(calls: &mut Calls, id: &ObjectId) {
    let request = parts([("InstanceIds", Tree::List(vec![known_id(id)]))]);
    calls.remove("TerminateInstances", request, Wait::Gone(GONE_SECONDS));
}
