//! What is found wrong with the definition of a group before anything is planned.

use provision_core::dsl::Inputs;

use super::group::{CURRENT, INSTANCES};

/// An id has no spaces, and the name is the id.
pub(super) fn good_name(name: &str) -> bool {
    (1..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && b != b':' && b != b'/')
}

/// What AWS would refuse of a group.
pub(super) fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let mut problem = |field, problem: String| problems.push((field, problem));
    let (min, max, desired) = (inputs.int("min"), inputs.int("max"), inputs.int("desired"));
    if let Some(min) = min.filter(|min| *min < 0) {
        problem("min", format!("is 0 at least, not {min}"));
    }
    if let (Some(min), Some(max)) = (min, max)
        && max < min
    {
        problem("max", format!("is {max}, less than `min`, which is {min}"));
    }
    if let Some(desired) = desired
        && (min.is_some_and(|min| desired < min) || max.is_some_and(|max| desired > max))
    {
        problem("desired", format!("is {desired}, which is not from `min` to `max`"));
    }
    if inputs.is_empty("subnets") && inputs.is_set("subnets") {
        problem("subnets", "a group has a subnet at least".to_owned());
    }
    if let Some(version) = inputs.text("version").filter(|version| version.parse::<u64>().is_err()) {
        let shown = version.escape_debug();
        problem("version", format!("`{shown}` is no number of a version: write `template.latest_version()`"));
    }
    if let Some(name) = inputs.text("name").filter(|name| !good_name(name)) {
        let shown = name.escape_debug();
        problem("name", format!("`{shown}`: write 1 to 255 ASCII characters without spaces, `:` and `/`"));
    }
    if inputs.is_set("min_healthy") != inputs.is_set("max_healthy") {
        problem("min_healthy", "`min_healthy` and `max_healthy` are set together or not at all".to_owned());
    }
    if let Some(least) = inputs.int("min_healthy").filter(|least| !(0..=100).contains(least)) {
        problem("min_healthy", format!("is 0 to 100 percent, not {least}"));
    }
    if let Some(most) = inputs.int("max_healthy").filter(|most| !(100..=200).contains(most)) {
        problem("max_healthy", format!("is 100 to 200 percent, not {most}"));
    }
    if let (Some(least), Some(most)) = (inputs.int("min_healthy"), inputs.int("max_healthy"))
        && most - least > 100
    {
        problem("max_healthy", format!("is 100 percent above `min_healthy` at most: {}", least + 100));
    }
    if let Some(seconds) = inputs.int("max_lifetime").filter(|seconds| *seconds != 0 && *seconds < DAY) {
        problem("max_lifetime", format!("is 0 or a day at least, {DAY}, not {seconds}"));
    }
    for name in ["health_check_grace", "warmup", "cooldown"] {
        if let Some(seconds) = inputs.int(name).filter(|seconds| *seconds < 0) {
            problem(name, format!("is 0 seconds at least, not {seconds}"));
        }
    }
    if inputs.text(INSTANCES).is_some_and(|instances| instances != CURRENT) {
        problem(INSTANCES, format!("is always `{CURRENT}`: take this line away"));
    }
    problems
}

const DAY: i64 = 86_400;
