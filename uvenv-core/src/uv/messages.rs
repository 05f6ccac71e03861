//! Sentences of uv's by which an outcome is told where its exit status does not tell it. uv 0.7 to 0.13 word them
//! differently; what is compared is in all of them.

/// Whether uv refuses a lockfile that does not satisfy its manifest.
pub(crate) fn is_stale_lockfile_error(stderr: &str) -> bool {
    stderr.contains("needs to be updated")
}

/// Whether `uv sync --check` says that the environment is not in sync, rather than that it cannot tell.
#[cfg(feature = "full")]
pub(crate) fn is_outdated_environment(stderr: &str) -> bool {
    stderr.contains("outdated")
}
