//! The compiler, as its version, without starting it each time.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::BuildContext;
use crate::{
    cargo::files::{TOOLCHAIN, rustup_home},
    fs::{digest::digest, stamp::stat_of},
    process::{Invocation, ending, on_path},
};

/// Stands for the compiler that a build in `directory` would use, as far as files and variables decide that.
pub(super) fn key(directory: &Utf8Path, context: &BuildContext<'_>) -> String {
    let files = files(directory, context).into_iter();
    let mut parts: Vec<_> = files.map(|path| format!("{path} {:?}", stat_of(&path))).collect();
    parts.push(format!("{:?}", context.variables.get("RUSTUP_TOOLCHAIN")));
    digest(parts.join("\n").as_bytes())
}

/// Variables by which the compiler is found.
pub(super) const VARIABLES: [&str; 6] = ["CARGO", "CARGO_HOME", "PATH", "RUSTC", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// The files that decide which compiler it is.
pub(super) fn files(directory: &Utf8Path, context: &BuildContext<'_>) -> Vec<Utf8PathBuf> {
    let chosen = directory.ancestors().flat_map(|directory| TOOLCHAIN.map(|name| directory.join(name)));
    let mut files: Vec<_> = rustc(context).into_iter().chain(chosen.filter(|path| path.is_file())).collect();
    if let Some(rustup) = rustup_home(context.variables) {
        files.push(rustup.join("settings.toml"));
        // Each update of a toolchain writes its file here.
        let hashes = fs::read_dir(rustup.join("update-hashes")).into_iter().flatten();
        let mut hashes: Vec<_> =
            hashes.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok()).collect();
        hashes.sort();
        files.append(&mut hashes);
    }
    files
}

/// What the compiler says of itself; why it does not is a sentence for the user.
pub(super) fn ask(directory: &Utf8Path, context: &BuildContext<'_>) -> Result<String, String> {
    let rustc = rustc(context).ok_or("there is no rustc on `PATH`")?;
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
