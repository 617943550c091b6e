//! The same with Terraform, where it is on PATH: a plan of as many `terraform_data`.

use std::fmt::Write as _;
use std::process::Command;

use crate::measure::{Failure, run};
use crate::table::Row;

/// A row with some plans to create as many resources; none where there is no Terraform.
pub(crate) fn row(resources: usize, runs: u32) -> Result<Option<Row>, Failure> {
    let what = format!("`terraform plan` to create {resources} `terraform_data`");
    if run(Command::new("terraform").arg("version"), &[0]).is_err() {
        println!("{what}: terraform is not on PATH");
        return Ok(None);
    }
    let home = tempfile::tempdir().map_err(|error| Failure::Other(error.to_string()))?;
    let mut text = String::new();
    for n in 0..resources {
        // Writing to a text can't fail.
        writeln!(text, "resource \"terraform_data\" \"r{n}\" {{\n  input = \"value {n}\"\n}}").unwrap_or_default();
    }
    let file = home.path().join("main.tf");
    std::fs::write(&file, text).map_err(|error| Failure::File(file, error))?;
    let terraform = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(args).current_dir(home.path()).env("CHECKPOINT_DISABLE", "1");
        run(&mut command, &[0])
    };
    terraform(&["init", "-input=false"])?;
    let mut costs = Vec::new();
    for _ in 0..runs {
        costs.push(terraform(&["plan", "-input=false", "-no-color"])?.0);
    }
    Ok(Some(Row::new(what, costs)))
}
