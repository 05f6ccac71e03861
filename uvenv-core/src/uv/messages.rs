//! Messages of uv that show a result if the exit status does not. The wording differs between uv 0.7 and 0.13; the
//! compared parts occur in all of these versions.

use crate::model::Name;

/// Whether uv rejects a lockfile because it does not satisfy its manifest.
pub(crate) fn is_stale_lockfile_error(stderr: &str) -> bool {
    stderr.contains("needs to be updated")
}

/// Returns the packages that `uv sync --dry-run` would remove or replace by another version.
pub(crate) fn removed_packages(stderr: &str) -> impl Iterator<Item = Name> {
    let removed = stderr.lines().filter_map(|line| line.trim().strip_prefix("- "));
    removed.filter_map(|package| Name::parse(package.split_once("==")?.0))
}

/// Whether `uv sync --check` reports that the environment is out of date, rather than that it cannot tell.
pub(crate) fn is_outdated_environment(stderr: &str) -> bool {
    stderr.contains("outdated")
}
