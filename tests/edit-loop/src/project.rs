//! A workspace of its own that uses the crates of this one, as a user's would: the same profile, the same versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::measure::{Cost, Failure, run};

/// A workspace whose member `provision` has the binary.
#[derive(Debug)]
pub(crate) struct Project {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// Where all projects are built: what they share is compiled once.
    target: PathBuf,
}

impl Project {
    /// A project in a folder; what is in it already stays unless it is written anew.
    pub(crate) fn new(root: &Path, members: &[String]) -> Result<Self, Failure> {
        let target = root.parent().unwrap_or(root).join("target");
        let project = Self { root: root.to_owned(), target };
        let workspace = read(&repository().join("Cargo.toml"))?;
        // From the first profile to the end of the file.
        let profiles = workspace.find("\n[profile.").map_or("", |at| &workspace[at..]);
        // Profiles may name only packages that there are.
        let profiles: String =
            profiles.split_inclusive("\n[").filter(|section| !section.contains("package.simulation]")).collect();
        let list: String =
            members.iter().chain([&"provision".to_owned()]).map(|name| format!("\"{name}\", ")).collect();
        let head = "# Written by `edit-loop`.\n[workspace]\nresolver = \"3\"\n";
        project.write("Cargo.toml", &format!("{head}members = [{list}]\n{profiles}"))?;
        if !root.join("Cargo.lock").exists() {
            project.write("Cargo.lock", &read(&repository().join("Cargo.lock"))?)?;
        }
        project.runner()?;
        Ok(project)
    }

    /// Writes the member with the binary: that of this repository, with the feature that it has for the loop of edits.
    fn runner(&self) -> Result<(), Failure> {
        let manifest = manifest("provision", &["infra-defs"], &["provision-cli", "provision-dylib"])?;
        self.write(
            "provision/Cargo.toml",
            &format!("{manifest}\n[features]\ndefault = [\"dynamic\"]\ndynamic = []\n"),
        )?;
        for file in ["src/main.rs", "build.rs"] {
            self.write(&format!("provision/{file}"), &read(&repository().join("runner").join(file))?)?;
        }
        Ok(())
    }

    /// Writes a member that depends on others, and on packages of this repository.
    pub(crate) fn member(
        &self,
        name: &str,
        others: &[&str],
        ours: &[&str],
        files: &[(&str, String)],
    ) -> Result<(), Failure> {
        self.write(&format!("{name}/Cargo.toml"), &manifest(name, others, ours)?)?;
        for (file, text) in files {
            self.write(&format!("{name}/{file}"), text)?;
        }
        Ok(())
    }

    /// Writes a file, unless it holds the same already: what was built of it stays good.
    pub(crate) fn write(&self, file: &str, text: &str) -> Result<(), Failure> {
        let path = self.root.join(file);
        let failed = |error| Failure::File(path.clone(), error);
        if fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed)?;
        fs::write(&path, text).map_err(failed)
    }

    /// Replaces a text that stands in a file by another one.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) -> Result<(), Failure> {
        let text = read(&self.root.join(file))?;
        if !text.contains(from) {
            return Err(Failure::Other(format!("{file} holds no `{from}` to be edited")));
        }
        self.write(file, &text.replacen(from, to, 1))
    }

    /// Builds the binary.
    pub(crate) fn build(&self) -> Result<Cost, Failure> {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--offline", "--quiet", "--package", "provision"]).current_dir(&self.root);
        command.env("CARGO_TARGET_DIR", &self.target);
        // What cargo tells those that it runs is not for another one.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "RUSTUP_TOOLCHAIN" {
                command.env_remove(name);
            }
        }
        Ok(run(&mut command, &[0])?.0)
    }

    /// The binary.
    pub(crate) fn binary(&self) -> PathBuf {
        self.target.join("debug/provision")
    }
}

/// The manifest of a member that depends on others, and on packages of this repository.
fn manifest(name: &str, others: &[&str], ours: &[&str]) -> Result<String, Failure> {
    let workspace = read(&repository().join("Cargo.toml"))?;
    let mut text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n");
    text.push_str("\n[dependencies]\n");
    for other in others {
        text.push_str(&format!("{other} = {{ path = \"../{other}\" }}\n"));
    }
    for our in ours {
        // As in this workspace: `name = { path = "folder" }`.
        let folder = workspace.lines().find_map(|line| {
            line.strip_prefix(our)?.strip_prefix(" = { path = \"")?.split_once('"').map(|(folder, _)| folder)
        });
        let folder = folder.ok_or_else(|| Failure::Other(format!("Cargo.toml doesn't say where {our} is")))?;
        text.push_str(&format!("{our} = {{ path = \"{}\" }}\n", repository().join(folder).display()));
    }
    Ok(text)
}

/// The folder of this repository.
pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::File(path.to_owned(), error))
}
