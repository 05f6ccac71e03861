//! Messages of uv that show a result if the exit status does not. The wording differs between uv 0.7 and 0.13; the
//! compared parts occur in all of these versions.

/// Whether uv rejects a lockfile because it does not satisfy its manifest.
pub(crate) fn is_stale_lockfile_error(stderr: &str) -> bool {
    stderr.contains("needs to be updated")
}

/// Whether `uv sync --check` reports that the environment is out of date, rather than that it cannot tell.
#[cfg(feature = "full")]
pub(crate) fn is_outdated_environment(stderr: &str) -> bool {
    stderr.contains("outdated")
}
