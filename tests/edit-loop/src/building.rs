//! From an edit to the built binary.

use std::path::Path;
use std::process::Command;

use crate::generate::{self, EDITED, Size};
use crate::measure::{Cost, Failure, run};
use crate::peer;
use crate::table::{self, Row};

/// As many resources to a crate as one builds well with: see `docs/edit-loop.md`.
const RESOURCES_OF_A_CRATE: usize = 2000;
/// How many resources a block has, at the sizes that are measured.
fn size_of(resources: usize) -> Size {
    let blocks = if resources <= RESOURCES_OF_A_CRATE { resources.div_ceil(50) } else { resources.div_ceil(100) };
    Size { resources, blocks, crates: resources.div_ceil(RESOURCES_OF_A_CRATE) }
}

/// Measures each size, and prints a table.
pub(crate) fn measure(folder: &Path, sizes: &[usize], runs: u32) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for resources in sizes.iter().copied() {
        let size = size_of(resources);
        let shown = format!("{resources} resources, {} blocks, {} crates", size.blocks, size.crates);
        eprintln!("{shown}: generating, and building everything once");
        let project = generate::write(&folder.join(format!("generated-{resources}")), size)?;
        project.build()?;
        let valid = run(Command::new(project.binary()).arg("validate").current_dir(&project.root), &[0])?.1;
        if !valid.contains(&format!("{resources} resources in")) {
            return Err(Failure::Other(format!("the generated infrastructure is not what it should be: {valid}")));
        }
        let (mut edits, mut plans) = (Vec::new(), Vec::new());
        for number in 0..runs {
            // Another block each time.
            let block = usize::try_from(number).unwrap_or_default() * 7 % size.blocks;
            let [old, new] = EDITED;
            project.edit(&size.file(block), old, new)?;
            edits.push(project.build()?);
            eprintln!("{shown}: edit {number}: {:.2} s", edits.last().map_or(0.0, |cost| cost.wall.as_secs_f64()));
            plans.push(plan(&project)?);
        }
        rows.push(Row::new(format!("{shown}: edit to binary"), edits));
        rows.push(Row::new(format!("{shown}: plan to create all, `--simulate`"), plans));
        rows.extend(peer::row(resources, if resources <= RESOURCES_OF_A_CRATE { 3 } else { 1 })?);
    }
    table::print("From an edit to the built binary", &rows);
    Ok(())
}

/// A plan from nothing, of the whole generated infrastructure.
fn plan(project: &crate::project::Project) -> Result<Cost, Failure> {
    let home = tempfile::tempdir().map_err(|error| Failure::Other(error.to_string()))?;
    let mut command = Command::new(project.binary());
    command.args(["plan", "--simulate", "--json"]).current_dir(home.path()).env("HOME", home.path());
    Ok(run(&mut command, &[0])?.0)
}
