//! Identifies the compiler without starting it each time.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::BuildContext;
use crate::{
    cargo::{
        files::{TOOLCHAIN, rustup_home},
        rustc,
    },
    fs::{digest::digest, stamp::stat_of},
};

/// Returns a key of the compiler that a build in `directory` would use, as far as files and variables determine it.
pub(super) fn key(directory: &Utf8Path, context: &BuildContext<'_>) -> String {
    let files = files(directory, context).into_iter();
    let mut parts: Vec<_> = files.map(|path| format!("{path} {:?}", stat_of(&path))).collect();
    parts.push(format!("{:?}", context.variables.get("RUSTUP_TOOLCHAIN")));
    digest(parts.join("\n").as_bytes())
}

/// The variables that determine the compiler.
pub(super) const VARIABLES: [&str; 6] = ["CARGO", "CARGO_HOME", "PATH", "RUSTC", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// Returns the files that determine the compiler.
pub(super) fn files(directory: &Utf8Path, context: &BuildContext<'_>) -> Vec<Utf8PathBuf> {
    let chosen = directory.ancestors().flat_map(|directory| TOOLCHAIN.map(|name| directory.join(name)));
    let mut files: Vec<_> =
        rustc::find(context.variables).into_iter().chain(chosen.filter(|path| path.is_file())).collect();
    if let Some(rustup) = rustup_home(context.variables) {
        files.push(rustup.join("settings.toml"));
        // Each update of a toolchain writes a file in this directory.
        let hashes = fs::read_dir(rustup.join("update-hashes")).into_iter().flatten();
        let mut hashes: Vec<_> =
            hashes.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok()).collect();
        hashes.sort();
        files.append(&mut hashes);
    }
    files
}

/// Returns the compiler's description of itself in one line. An error is a sentence for the user.
pub(super) fn ask(directory: &Utf8Path, context: &BuildContext<'_>) -> Result<String, String> {
    let description = rustc::describe(directory, context.variables, context.child)?;
    Ok(description.lines().map(str::trim).collect::<Vec<_>>().join(", "))
}
