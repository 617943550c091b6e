//! Tells builds apart by a digest of the sources: see `provision_aws::BUILD`.

#![expect(clippy::disallowed_methods, reason = "reads the sources")]

use std::io;
use std::path::{Path, PathBuf};

/// FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): it tells apart what is different by accident.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=src");
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files)?;
    files.sort();
    let mut digest = OFFSET;
    for file in files {
        let text = std::fs::read(&file)?;
        for byte in file.to_string_lossy().bytes().chain([0]).chain(text).chain([0]) {
            digest = (digest ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    println!("cargo::rustc-env=PROVISION_AWS_DIGEST={digest:016x}");
    Ok(())
}

/// The Rust files below a folder, but for tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            found.push(path);
        }
    }
    Ok(())
}
