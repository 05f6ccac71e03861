//! Runs `cargo metadata` for everything that needs it.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    model::Variables,
    process::{Invocation, ending, on_path},
};

/// What cargo may do to produce its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// No restrictions.
    Full,
    /// No network access.
    Offline,
    /// No network access and no changes: `Cargo.lock` must be up to date.
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

/// Returns cargo's metadata for the workspace of `manifest`, as JSON (the Cargo book, "cargo metadata"). `child` sets
/// the variables that the program sees.
///
/// # Errors
///
/// Returns a sentence for the user if there is no metadata.
pub(crate) fn metadata(
    manifest: &Utf8Path,
    access: Access,
    variables: &Variables,
    child: impl Fn(Invocation) -> Invocation,
) -> Result<String, String> {
    let cargo = find(variables).ok_or("cargo was not found on `PATH`")?;
    let directory = manifest.parent().unwrap_or(Utf8Path::new("."));
    // With all features: a dependency of any feature is an input once that feature is enabled, and harmless before.
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

/// Returns the cargo to run: the one that runs this process (`CARGO`, see the Cargo book), or one on `PATH`.
pub(crate) fn find(variables: &Variables) -> Option<Utf8PathBuf> {
    let running = variables.get("CARGO").map(Utf8PathBuf::from);
    running.or_else(|| on_path(variables, "cargo").next())
}
