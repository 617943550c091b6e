//! The command line, with what `PROVISION_CLI_ARGS` and `PROVISION_CLI_ARGS_<verb>` add to it.

use std::ffi::OsString;

use clap::{Arg, Command};

use crate::error::CliError;

/// The variable whose words come with every verb. With `_` and a verb behind it (`PROVISION_CLI_ARGS_state_list`): with that one.
pub(crate) const VARIABLE: &str = "PROVISION_CLI_ARGS";

/// The command line with the words of the variables: behind the verb, so before what was typed, which overrides them.
///
/// # Errors
/// A variable holds an open quote.
pub(crate) fn expanded(
    typed: Vec<OsString>,
    command: &Command,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Vec<OsString>, CliError> {
    let Some((verb, after)) = verb(&typed, command) else { return Ok(typed) };
    let mut added = Vec::new();
    for name in [VARIABLE.to_owned(), of_verb(&verb)] {
        let Some(value) = variable(&name) else { continue };
        let Some(words) = shlex::split(&value) else {
            let problem = "a quote is open, or a backslash ends it: write it as in a shell".to_owned();
            return Err(CliError::Variable { name, value, problem });
        };
        added.extend(words.into_iter().map(OsString::from));
    }
    let mut all = typed;
    all.splice(after..after, added);
    Ok(all)
}

/// The variable of a verb.
pub(crate) fn of_verb(verb: &[String]) -> String {
    format!("{VARIABLE}_{}", verb.join("_").replace('-', "_"))
}

/// The verb, as in `state list`, and the place behind it.
fn verb(typed: &[OsString], root: &Command) -> Option<(Vec<String>, usize)> {
    let (mut path, mut command, mut end) = (Vec::new(), root, 0);
    let mut words = typed.iter().enumerate().skip(1);
    while let Some((at, word)) = words.next() {
        let Some(word) = word.to_str() else { break };
        if word == "--" {
            break;
        }
        if word.starts_with('-') {
            let takes = |arg: &Arg| arg.get_long().is_some_and(|long| word == format!("--{long}")) && takes_value(arg);
            if command.get_arguments().chain(root.get_arguments()).any(takes) {
                words.next();
            }
            continue;
        }
        let Some(next) = command.find_subcommand(word) else { break };
        path.push(next.get_name().to_owned());
        (command, end) = (next, at + 1);
    }
    (!path.is_empty()).then_some((path, end))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn expand(typed: &str, variables: &[(&str, &str)]) -> Result<String, CliError> {
        let typed = typed.split(' ').map(OsString::from).collect();
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let words = expanded(typed, &crate::cli::Cli::command(), variable)?;
        Ok(words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn words_of_the_variables_stand_behind_the_verb() {
        let all = ("PROVISION_CLI_ARGS", "--no-color");
        let apply = ("PROVISION_CLI_ARGS_apply", "--report 'a b.json'");
        let both = [all, apply];
        assert_eq!(
            expand("provision --state apply apply --verbose", &both).unwrap(),
            "provision --state apply apply --no-color --report a b.json --verbose"
        );
        assert_eq!(expand("provision plan", &both).unwrap(), "provision plan --no-color");
        let list = ("PROVISION_CLI_ARGS_state_list", "--cloud");
        assert_eq!(
            expand("provision state --simulate list", &[list]).unwrap(),
            "provision state --simulate list --cloud"
        );
    }

    #[test]
    fn without_a_verb_nothing_is_added() {
        let all = [("PROVISION_CLI_ARGS", "--no-color")];
        for typed in ["provision", "provision --help", "provision frobnicate", "provision -- apply"] {
            assert_eq!(expand(typed, &all).unwrap(), typed);
        }
    }

    #[test]
    fn what_is_typed_overrides_what_a_variable_says() {
        use clap::Parser as _;
        let variable = |name: &str| (name == VARIABLE).then(|| "--state a --auto-approve".to_owned());
        let typed = ["provision", "apply", "--auto-approve", "--state", "b"].map(OsString::from).to_vec();
        let words = expanded(typed, &crate::cli::Cli::command(), variable).unwrap();
        let cli = crate::cli::Cli::try_parse_from(words).unwrap();
        assert_eq!(cli.state.as_deref(), Some("b"));
    }

    #[test]
    fn an_open_quote_is_an_error() {
        let error = expand("provision plan", &[("PROVISION_CLI_ARGS_plan", "'a")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PROVISION_CLI_ARGS_plan holds `'a`: a quote is open, or a backslash ends it: write it as in a shell"
        );
    }
}
