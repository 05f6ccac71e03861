//! What `uv lock --check` says of a lockfile.

use super::messages::{is_damaged_lockfile_error, is_stale_lockfile_error, needs_network, reason_to_resolve, words};
use crate::process::Streamed;

/// What uv says of a lockfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LockVerdict {
    /// It satisfies the manifest.
    Fresh,
    /// It does not, for this reason, if uv was asked for it.
    Stale(Option<String>),
    /// uv cannot read it, for this reason.
    Damaged(String),
    /// uv cannot use the project at all, for this reason.
    Rejected(String),
    /// uv cannot tell without the network, or was not asked.
    Unknown(String),
}

impl LockVerdict {
    /// Reads the verdict from the result of `uv lock --check`, which ran without the network if `offline`. With
    /// `--verbose`, uv says why it resolves again. That is certain to change the lockfile, even if the resolution fails
    /// for lack of the network.
    pub(crate) fn of(streamed: &Streamed, offline: bool) -> Self {
        let stderr = &streamed.stderr;
        let reason = reason_to_resolve(stderr);
        let is_failed_resolution = streamed.status.code() == Some(1);
        if streamed.status.success() {
            Self::Fresh
        } else if is_stale_lockfile_error(stderr) || (is_failed_resolution && reason.is_some()) {
            Self::Stale(reason)
        } else if is_damaged_lockfile_error(stderr) {
            Self::Damaged(words(stderr))
        } else if (offline && is_failed_resolution) || needs_network(&words(stderr)) {
            Self::Unknown(words(stderr))
        } else {
            Self::Rejected(words(stderr))
        }
    }
}
