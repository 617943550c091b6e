//! From an edit in a copy of infra-defs to its plan, through the AWS SDK against the testbed's server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testbed::aws::{AwsServer, Options};

use crate::measure::{Cost, Failure, run};
use crate::peer;
use crate::project::{Project, read, repository};
use crate::table::{self, Row};

/// What an edit changes, back and forth: a word in what the host says.
const EDITED: [&str; 2] = ["'a bastion of {}'", "'the bastion of {}'"];
const FILE: &str = "infra-defs/src/bastion.rs";
/// How old a stamp the server takes, in seconds, and how long an object may be invisible: see `tests/end-to-end`.
const STAMP_BOUND: u64 = 3;
const BUCKET: &str = "provision-state";

/// Measures, and prints a table.
pub(crate) fn measure(folder: &Path, runs: u32) -> Result<(), Failure> {
    let client = client()?;
    let aws = AwsServer::start_blocking(&Options { existing: None, ..Options::default() })
        .map_err(|unavailable| Failure::Skipped(unavailable.to_string()))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::Other(error.to_string()))?;
    runtime.block_on(aws.create_bucket(BUCKET));
    aws.set_stamp_bound(Duration::from_secs(STAMP_BOUND));

    let project = copy(&folder.join("infra-defs-copy"))?;
    eprintln!("building everything once");
    project.build()?;
    let home = tempfile::tempdir().map_err(|error| Failure::Other(error.to_string()))?;
    let provision = |args: &[&str], fine: &[i32]| {
        let mut command = Command::new(project.binary());
        aws.set_env(&mut command);
        command
            .args(args)
            .args(["--generation", "1"])
            .current_dir(home.path())
            .env("HOME", home.path())
            .env("PROVISION_STATE", format!("s3://{BUCKET}/edit-loop"))
            .env("PROVISION_AWS_STAMP_BOUND", STAMP_BOUND.to_string())
            .env("PROVISION_AWS_VISIBILITY", "1")
            .env("PROVISION_AWS_CLIENT", &client);
        run(&mut command, fine)
    };
    eprintln!("applying infra-defs once");
    let applied = provision(&["apply", "--auto-approve"], &[0])?;
    let resources = added(&applied.1);

    let (mut builds, mut plans, mut both) = (Vec::new(), Vec::new(), Vec::new());
    let [mut old, mut new] = EDITED;
    for number in 0..runs {
        project.edit(FILE, old, new)?;
        (old, new) = (new, old);
        let build = project.build()?;
        // What an odd edit changes an even one changes back: 2 says that there are changes.
        let expected = if number % 2 == 0 { 2 } else { 0 };
        let (plan, _) = provision(&["plan", "--detailed-exitcode"], &[expected])?;
        eprintln!("edit {number}: {:.2} s + {:.2} s", build.wall.as_secs_f64(), plan.wall.as_secs_f64());
        builds.push(build);
        plans.push(plan);
        both.push(build + plan);
    }
    let whole = |costs: Vec<Cost>, what: &str| Row::new(format!("infra-defs, {resources} resources: {what}"), costs);
    let mut rows = vec![
        whole(vec![applied.0], "apply"),
        whole(builds, "edit to binary"),
        whole(plans, "plan, through the SDK"),
        whole(both, "edit to plan"),
    ];
    rows.extend(peer::row(resources, runs)?);
    table::print("From an edit in infra-defs to its plan, through the AWS SDK against the testbed", &rows);
    Ok(())
}

/// How many resources an apply says that it made.
fn added(out: &str) -> usize {
    let words: Vec<&str> = out.split_whitespace().collect();
    let number =
        words.windows(2).find_map(|two| two.last()?.starts_with("added").then(|| two.first()?.parse().ok())?);
    number.unwrap_or_default()
}

/// A project of which `infra-defs` is as here.
fn copy(root: &Path) -> Result<Project, Failure> {
    let project = Project::new(root, &["infra-defs".to_owned()])?;
    let source = repository().join("infra-defs/src");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&source).map_err(|error| Failure::File(source.clone(), error))? {
        let path = entry.map_err(|error| Failure::File(source.clone(), error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files.push((format!("src/{name}"), without_checks(&read(&path)?.replace("../../README.md", "lib.rs"))));
    }
    let files: Vec<(&str, String)> = files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    project.member("infra-defs", &[], &["provision-aws", "provision-core"], &files)?;
    Ok(project)
}

/// Without health checks: nothing listens at the addresses that the testbed's server gives out.
fn without_checks(source: &str) -> String {
    source.lines().filter(|line| !line.trim_start().starts_with("b.check(")).map(|line| format!("{line}\n")).collect()
}

/// The client process: named by the environment, or beside this program.
fn client() -> Result<PathBuf, Failure> {
    if let Some(path) = std::env::var_os("PROVISION_AWS_CLIENT").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let us = std::env::current_exe().map_err(|error| Failure::Other(error.to_string()))?;
    let beside = us.with_file_name("provision-aws-client");
    if beside.is_file() {
        return Ok(beside);
    }
    let problem = "there is no provision-aws-client beside this program: build it first, with `cargo build -p \
                   provision-aws-client`, or with `cargo build --workspace` where that is built anyway";
    Err(Failure::Other(problem.to_owned()))
}
