//! `cargo metadata`, as all who need it ask for it.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    model::Variables,
    process::{Invocation, ending, on_path},
};

/// What cargo may do to find its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anything.
    Full,
    /// No network.
    Offline,
    /// No network, and no changes: `Cargo.lock` must be up to date.
    ReadOnly,
}

impl Access {
    fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Full => &[],
            Self::Offline => &["--offline"],
            Self::ReadOnly => &["--locked", "--offline"],
        }
    }
}

/// What cargo says about the workspace of `manifest`, as JSON (the Cargo book, "cargo metadata"). `child` gives the program
/// the variables that it is to see.
///
/// # Errors
///
/// Why there is no answer: a sentence for the user.
pub(crate) fn metadata(
    manifest: &Utf8Path,
    access: Access,
    variables: &Variables,
    child: impl Fn(Invocation) -> Invocation,
) -> Result<String, String> {
    let cargo = find(variables).ok_or("there is no cargo on `PATH`")?;
    let directory = manifest.parent().unwrap_or(Utf8Path::new("."));
    // All features: what one of them needs is an input once it is on, and no harm before.
    let command = Invocation::new(cargo.as_str())
        .args(["metadata", "--format-version", "1", "--all-features", "--manifest-path", manifest.as_str()])
        .args(access.flags())
        .current_dir(directory);
    let answer = child(command).capture().map_err(|error| format!("`{cargo}` cannot be started: {error}"))?;
    if !answer.status.success() {
        let said = answer.stderr.lines().map(str::trim).find(|line| line.starts_with("error")).unwrap_or_default();
        return Err(format!("`cargo metadata` {}: {}", ending(answer.status), said.trim_start_matches("error: ")));
    }
    Ok(answer.stdout)
}

/// The cargo to ask: the one that runs us (`CARGO`, as the Cargo book has it), or one on `PATH`.
pub(crate) fn find(variables: &Variables) -> Option<Utf8PathBuf> {
    let running = variables.get("CARGO").map(Utf8PathBuf::from);
    running.or_else(|| on_path(variables, "cargo").next())
}
