//! What instances and launch templates have in common.

use provision_core::dsl::Inputs;
use provision_core::value::{Fields, Value};

use crate::table::calls::{Given, Part};
use crate::table::shown::{Seen, Shown};

choices! {
    /// Whether an instance's metadata, its role's credentials among it, is told only to who asks with a token, as version 2
    /// of the service wants it: a request that somebody else makes the instance send cannot.
    MetadataTokens {
        /// Only with a token.
        Required = "required",
        /// Also without.
        Optional = "optional",
    }

    /// What an instance with bursts does when its credits are spent.
    CpuCredits {
        /// It slows down.
        Standard = "standard",
        /// It goes on, at a price.
        Unlimited = "unlimited",
    }
}

/// "User data is limited to 16 KB, in raw form, before it is base64-encoded":
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html>.
pub(crate) const MAX_USER_DATA: usize = 16 * 1024;

/// User data, if AWS takes it.
pub(crate) fn user_data(fields: Given<'_>) -> Result<Option<&str>, String> {
    let data = fields.optional_text("user_data")?;
    match data.map(str::len).filter(|length| *length > MAX_USER_DATA) {
        None => Ok(data),
        Some(length) => {
            Err(format!("`user_data` has {length} bytes; AWS takes {MAX_USER_DATA} at most: fetch the rest from it"))
        }
    }
}

/// What AWS would refuse of an instance as of a template.
pub(crate) fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    if let Some(ami) = inputs.text("ami").filter(|ami| !ami.starts_with("ami-")) {
        problems.push(("ami", format!("`{}` is not the id of an image: it starts with `ami-`", ami.escape_debug())));
    }
    if let Some(data) = inputs.text("user_data").filter(|data| data.len() > MAX_USER_DATA) {
        problems.push(("user_data", format!("{} bytes; AWS takes {MAX_USER_DATA} at most", data.len())));
    }
    if let Some(hops) = inputs.int("metadata_hop_limit").filter(|hops| !(1..=64).contains(hops)) {
        problems.push(("metadata_hop_limit", format!("is 1 to 64, not {hops}")));
    }
    if inputs.is_set("credits")
        && let Some(kind) = inputs.text("instance_type").filter(|kind| !kind.starts_with('t'))
    {
        problems.push(("credits", format!("`{}` has none, but types like `t3.micro`", kind.escape_debug())));
    }
    problems
}

/// Fields about metadata, with what EC2 calls them.
const METADATA: [(&str, &str); 4] = [
    ("metadata_tokens", "HttpTokens"),
    ("metadata_hop_limit", "HttpPutResponseHopLimit"),
    ("metadata_endpoint", "HttpEndpoint"),
    ("metadata_tags", "InstanceMetadataTags"),
];

/// Their names.
pub(crate) const METADATA_FIELDS: [&str; 4] =
    ["metadata_tokens", "metadata_hop_limit", "metadata_endpoint", "metadata_tags"];

/// The metadata options that are set: parameters, and fields.
pub(crate) fn metadata(fields: Given<'_>, which: impl Fn(&str) -> bool) -> (Vec<(String, Part)>, Fields) {
    let (mut request, mut set) = (Vec::new(), Fields::new());
    for (name, aws) in METADATA {
        let Some(value) = fields.get(name).filter(|_| which(name)) else { continue };
        let part = match value {
            Value::Bool(true) => "enabled".into(),
            Value::Bool(false) => "disabled".into(),
            other => other.widen(),
        };
        request.push((aws.to_owned(), part));
        set.insert(name.to_owned(), value.clone());
    }
    (request, set)
}

/// The metadata options that an answer shows.
pub(crate) fn with_metadata(seen: Seen, options: Shown<'_>) -> Seen {
    let switch = |name: &str| options.text(name).map(|state| state == "enabled");
    seen.with("metadata_tokens", options.text("HttpTokens"))
        .with_or_null("metadata_hop_limit", options.int("HttpPutResponseHopLimit"))
        .with_or_null("metadata_endpoint", switch("HttpEndpoint"))
        .with_or_null("metadata_tags", switch("InstanceMetadataTags"))
}
