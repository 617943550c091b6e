//! Where a binary that is linked with shared libraries (feature `dynamic`) finds them when it is started by its path.
//! `cargo run` would do without.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment what it is for")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_DYNAMIC").is_none() {
        return;
    }
    // What cargo built, beside the binary; and the standard library, in the toolchain.
    let beside = if cfg!(target_os = "macos") { "@loader_path" } else { "$ORIGIN" };
    println!("cargo::rustc-link-arg-bins=-Wl,-rpath,{beside}/deps");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc).args(["--print", "target-libdir"]).output();
    match asked.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()) {
        Ok(libraries) if !libraries.is_empty() => println!("cargo::rustc-link-arg-bins=-Wl,-rpath,{libraries}"),
        Ok(_) | Err(_) => println!("cargo::warning=rustc doesn't say where its libraries are: use `cargo run`"),
    }
}
