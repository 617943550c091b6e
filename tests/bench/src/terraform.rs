//! The peer: `terraform` with its built-in `terraform_data`, which needs no provider from anywhere.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::infra;
use crate::usage::{Meter, Took, Whose};

/// Its version, if it is on PATH.
pub(crate) fn version() -> Option<String> {
    let told = Command::new("terraform").args(["version", "-json"]).stderr(Stdio::null()).output().ok()?;
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).ok()?;
    Some(told["terraform_version"].as_str()?.to_owned())
}

/// Writes so many resources into the directory, and makes it ready.
///
/// # Errors
/// It cannot be written, or `terraform init` fails.
pub(crate) fn init(dir: &Path, resources: usize) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join("main.tf"), infra::terraform(resources))?;
    run(dir, &["init", "-input=false", "-no-color"])
}

/// A plan.
///
/// # Errors
/// It fails.
pub(crate) fn plan(dir: &Path) -> Result<Took, Box<dyn Error>> {
    measured(dir, &["plan", "-input=false", "-no-color"])
}

/// An apply, with its plan.
///
/// # Errors
/// It fails.
pub(crate) fn apply(dir: &Path) -> Result<Took, Box<dyn Error>> {
    measured(dir, &["apply", "-input=false", "-no-color", "-auto-approve"])
}

fn measured(dir: &Path, args: &[&str]) -> Result<Took, Box<dyn Error>> {
    let meter = Meter::begin(Whose::Children)?;
    run(dir, args)?;
    Ok(meter.end(None)?)
}

fn run(dir: &Path, args: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut command = Command::new("terraform");
    command.current_dir(dir).args(args).env("CHECKPOINT_DISABLE", "1").env_remove("TF_LOG");
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    if ended.status.success() {
        return Ok(());
    }
    Err(format!("terraform {}: {}", args.join(" "), String::from_utf8_lossy(&ended.stderr).trim()).into())
}
