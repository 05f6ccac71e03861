//! The files that cargo and rustup go by (the Cargo book, "Configuration"; the rustup book, "Overrides").

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::Variables;

/// Cargo's configuration in a directory, relative to it. Where there are both, cargo takes the one without extension.
pub(crate) const CONFIGURATION: [&str; 2] = [".cargo/config", ".cargo/config.toml"];

/// What chooses a toolchain in a directory.
pub(crate) const TOOLCHAIN: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];

/// The files, there or not, that cargo and rustup look for in `directory` and all above it.
pub(crate) fn upwards(directory: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    directory.ancestors().flat_map(|above| CONFIGURATION.iter().chain(&TOOLCHAIN).map(|name| above.join(name)))
}

/// Cargo's home: `CARGO_HOME`, else `.cargo` in the user's.
pub(crate) fn cargo_home(variables: &Variables) -> Option<Utf8PathBuf> {
    home(variables, "CARGO_HOME", ".cargo")
}

/// rustup's home: `RUSTUP_HOME`, else `.rustup` in the user's.
pub(crate) fn rustup_home(variables: &Variables) -> Option<Utf8PathBuf> {
    home(variables, "RUSTUP_HOME", ".rustup")
}

fn home(variables: &Variables, variable: &str, name: &str) -> Option<Utf8PathBuf> {
    let user = || variables.get("HOME").or_else(|| variables.get("USERPROFILE"));
    variables.get(variable).map(Utf8PathBuf::from).or_else(|| Some(Utf8Path::new(user()?).join(name)))
}
