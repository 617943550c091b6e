//! The layers of `ARCHITECTURE.md`: which folder may not know which.

#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "reads its own sources, which are there")]

use std::fs;
use std::path::Path;

use provision_core::mutant::Mutant;

/// A folder of `src`, and what its files never name (tests beside them may).
const NEVER: &[(&str, &[&str])] = &[
    ("dsl", &["stream", "machine", "plan", "exec", "sim", "driver", "embed"]),
    ("machine", &["plan", "exec", "sim", "driver", "embed"]),
    ("stream", &["plan", "exec", "sim", "driver", "embed", "provider"]),
    ("plan", &["machine", "exec", "sim", "driver", "embed"]),
    ("exec", &["sim", "driver", "embed"]),
    ("sim", &["stream", "plan", "exec", "driver", "embed"]),
    ("driver", &["plan", "exec", "sim", "embed"]),
];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn mutants_are_a_leaf_each_has_a_site_and_nothing_switches_one_on() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let leaf = fs::read_to_string(src.join("mutant.rs")).unwrap();
    assert!(!leaf.lines().any(|line| line.contains("crate::") && !line.trim_start().starts_with("//")));
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.retain(|(file, _)| !file.ends_with("mutant.rs"));
    for (file, text) in &files {
        assert!(!text.contains("mutant::with("), "{file}");
    }
    for mutant in Mutant::ALL {
        let site = format!("mutant::on(Mutant::{mutant:?})");
        assert!(files.iter().any(|(_, text)| text.contains(&site)), "{site} is nowhere");
    }
}

#[test]
fn no_layer_knows_one_above_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for (folder, never) in NEVER {
        let mut files = Vec::new();
        sources(&src.join(folder), &mut files);
        assert!(!files.is_empty(), "{folder} has no files");
        for (file, text) in files {
            // Documentation may point anywhere.
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for (number, line) in code.enumerate() {
                for layer in *never {
                    assert!(!line.contains(&format!("crate::{layer}")), "{file}, code line {}: {line}", number + 1);
                }
            }
        }
    }
}
