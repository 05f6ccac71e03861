//! Identifies the compiler without starting it each time.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::BuildContext;
use crate::{
    cargo::files::{TOOLCHAIN, rustup_home},
    fs::{digest::digest, stamp::stat_of},
    process::{Invocation, ending, on_path},
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
    let mut files: Vec<_> = rustc(context).into_iter().chain(chosen.filter(|path| path.is_file())).collect();
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

/// Returns the compiler's description of itself. An error is a sentence for the user.
pub(super) fn ask(directory: &Utf8Path, context: &BuildContext<'_>) -> Result<String, String> {
    let rustc = rustc(context).ok_or("rustc was not found on `PATH`")?;
    let command = Invocation::new(rustc.as_str()).arg("-vV").current_dir(directory);
    let answer = (context.child)(command).capture().map_err(|error| format!("`{rustc}` cannot be started: {error}"))?;
    if !answer.status.success() {
        let said = answer.stderr.lines().map(str::trim).find(|line| line.starts_with("error")).unwrap_or_default();
        return Err(format!("`rustc -vV` {}: {}", ending(answer.status), said.trim_start_matches("error: ")));
    }
    Ok(answer.stdout.lines().map(str::trim).collect::<Vec<_>>().join(", "))
}

fn rustc(context: &BuildContext<'_>) -> Option<Utf8PathBuf> {
    let named = context.variables.get("RUSTC").map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| on_path(context.variables, "rustc").next())
}
