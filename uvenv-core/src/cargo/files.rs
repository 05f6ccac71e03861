//! The files that control cargo and rustup (the Cargo book, "Configuration"; the rustup book, "Overrides").

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::Variables;

/// Cargo's configuration files, relative to a directory. If both exist, cargo uses the one without extension.
pub(crate) const CONFIGURATION: [&str; 2] = [".cargo/config", ".cargo/config.toml"];

/// The files that select a toolchain for a directory.
pub(crate) const TOOLCHAIN: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// Returns the files that cargo and rustup look for in `directory` and all its parents, whether or not they exist.
pub(crate) fn upwards(directory: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    directory.ancestors().flat_map(|above| CONFIGURATION.iter().chain(&TOOLCHAIN).map(|name| above.join(name)))
}

/// Returns cargo's home directory: `CARGO_HOME`, or else `.cargo` in the user's home directory.
pub(crate) fn cargo_home(variables: &Variables) -> Option<Utf8PathBuf> {
    home(variables, "CARGO_HOME", ".cargo")
}

/// Returns rustup's home directory: `RUSTUP_HOME`, or else `.rustup` in the user's home directory.
pub(crate) fn rustup_home(variables: &Variables) -> Option<Utf8PathBuf> {
    home(variables, "RUSTUP_HOME", ".rustup")
}

fn home(variables: &Variables, variable: &str, name: &str) -> Option<Utf8PathBuf> {
    let user = || variables.get("HOME").or_else(|| variables.get("USERPROFILE"));
    variables.get(variable).map(Utf8PathBuf::from).or_else(|| Some(Utf8Path::new(user()?).join(name)))
}
