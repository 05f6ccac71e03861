//! The compiler that cargo starts.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    model::Variables,
    process::{Invocation, ending, on_path},
};

/// Returns the compiler: that of `RUSTC` (the Cargo book, "Environment Variables") or the first on `PATH`.
pub(crate) fn find(variables: &Variables) -> Option<Utf8PathBuf> {
    let named = variables.get("RUSTC").map(Utf8PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| on_path(variables, "rustc").next())
}

/// Returns the compiler's description of itself, the lines of `rustc -vV`, as a build in `directory` would get it. `child`
/// gives the process its variables.
///
/// # Errors
///
/// Returns a sentence for the user.
pub(crate) fn describe(
    directory: &Utf8Path,
    variables: &Variables,
    child: impl FnOnce(Invocation) -> Invocation,
) -> Result<String, String> {
    let rustc = find(variables).ok_or("rustc was not found on `PATH`")?;
    let command = Invocation::new(rustc.as_str()).arg("-vV").current_dir(directory);
    let answer = child(command).capture().map_err(|error| format!("`{rustc}` cannot be started: {error}"))?;
    if !answer.status.success() {
        let said = answer.stderr.lines().map(str::trim).find(|line| line.starts_with("error")).unwrap_or_default();
        return Err(format!("`rustc -vV` {}: {}", ending(answer.status), said.trim_start_matches("error: ")));
    }
    Ok(answer.stdout)
}
