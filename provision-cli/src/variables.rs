//! The environment variables that are ours: those that nobody reads are most likely typed wrong.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::Command;
use clap::builder::Resettable;

use crate::{argv, clouds};

/// What begins the names of ours.
const PREFIX: &str = "PROVISION_";
/// Read here and there, and no flags.
const OTHERS: [&str; 9] = [
    clouds::AWS_CLIENT,
    "PROVISION_AWS_STAMP_BOUND",
    "PROVISION_AWS_VISIBILITY",
    argv::VARIABLE,
    "PROVISION_IN_AUTOMATION",
    "PROVISION_KEY",
    "PROVISION_LEASE",
    "PROVISION_LOG",
    "PROVISION_SIMULATE_UNHEALTHY",
];
/// Our own tests' variables: their processes inherit them.
const TESTS: &str = "PROVISION_TESTBED";

/// The names that this command line reads.
pub(crate) fn known(command: &Command) -> BTreeSet<String> {
    let mut names = OTHERS.map(str::to_owned).into();
    collect(command, &[], &mut names);
    names
}

fn collect(command: &Command, verb: &[String], names: &mut BTreeSet<String>) {
    let of_flags = command.get_arguments().filter_map(|arg| arg.get_env()?.to_str());
    names.extend(of_flags.map(str::to_owned));
    for next in command.get_subcommands() {
        let verb: Vec<String> = verb.iter().cloned().chain([next.get_name().to_owned()]).collect();
        names.insert(argv::of_verb(&verb));
        collect(next, &verb, names);
    }
}

/// A warning for each of these names that is ours by its beginning and that nobody reads.
pub(crate) fn unknown(names: impl IntoIterator<Item = String>, known: &BTreeSet<String>) -> Vec<String> {
    let names: BTreeSet<String> = names.into_iter().filter(|name| name.starts_with(PREFIX)).collect();
    let unknown = names.difference(known).filter(|name| !name.starts_with(TESTS));
    unknown
        .map(|name| {
            let nearest = known.iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
            match nearest {
                Some((distance, known)) if distance <= furthest(name) => {
                    format!("{name} is set and read by nobody; did you mean {known}?")
                }
                Some(_) | None => format!("{name} is set and read by nobody"),
            }
        })
        .collect()
}

/// How many letters may be wrong: a third of those that are not our prefix.
fn furthest(name: &str) -> usize {
    (name.len().saturating_sub(PREFIX.len()) / 3).max(1)
}

/// The command line without those variables that are set to nothing, as build servers do with what is not known.
pub(crate) fn without_empty(command: Command) -> Command {
    let is_empty = |name: &OsStr| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let command =
        command.mut_args(|arg| if arg.get_env().is_some_and(is_empty) { arg.env(Resettable::Reset) } else { arg });
    command.mut_subcommands(without_empty)
}

/// Whether a variable's value says yes: anything but nothing, `0`, `false`, `no` and `off`.
pub(crate) fn says_yes(value: &str) -> bool {
    !["", "0", "false", "no", "off"].contains(&value.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn warnings(names: &[&str]) -> Vec<String> {
        unknown(names.iter().map(|name| (*name).to_owned()), &known(&crate::cli::Cli::command()))
    }

    #[test]
    fn a_typo_is_told_with_the_nearest_name() {
        let warnings = warnings(&["PROVISION_STAT", "PROVISION_CLI_ARGS_aply", "PROVISION_FROBNICATE", "PATH"]);
        assert_eq!(
            warnings,
            [
                "PROVISION_CLI_ARGS_aply is set and read by nobody; did you mean PROVISION_CLI_ARGS_apply?",
                "PROVISION_FROBNICATE is set and read by nobody",
                "PROVISION_STAT is set and read by nobody; did you mean PROVISION_STATE?",
            ]
        );
    }

    #[test]
    fn what_is_read_is_known() {
        let ours = ["STATE", "GENERATION", "REVISION", "REPORT", "INPUT", "SIMULATE", "KEY", "LEASE", "LOG"];
        let names: Vec<String> = ours.iter().map(|name| format!("{PREFIX}{name}")).collect();
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.extend(["PROVISION_CLI_ARGS_state_list", "PROVISION_IN_AUTOMATION", "PROVISION_TESTBED_CACHE"]);
        assert_eq!(warnings(&names), [""; 0]);
    }

    /// What the example in docs/ci sets is read.
    #[test]
    fn the_example_workflow_has_no_typos() {
        let workflow = include_str!("../../docs/ci/github-actions.yml");
        let words = workflow.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let names: Vec<&str> = words.filter(|word| word.starts_with(PREFIX)).collect();
        assert!(names.len() >= 5, "{names:?}");
        assert_eq!(warnings(&names), [""; 0]);
    }

    #[test]
    fn yes_and_no() {
        assert!(["1", "true", "yes", "anything"].iter().all(|yes| says_yes(yes)));
        assert!(!["", "0", "False", "no", " off "].iter().any(|no| says_yes(no)));
    }
}
