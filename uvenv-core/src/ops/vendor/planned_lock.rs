//! The locks of a vendored directory, before they are written.

use camino::Utf8PathBuf;

use crate::{
    model::Name,
    vendor::{Purpose, Pylock, Selected, Target},
};

/// The name of the lock of uv. No backend has one like it: its name has no `_`.
pub(super) const UV_LOCK: &str = "pylock.with_uv.toml";

/// The name of the lock of build requirements.
pub(super) const BUILDS_LOCK: &str = "pylock.with_build_requirements.toml";

/// A lock to write.
pub(super) struct PlannedLock {
    pub(super) file: String,
    pub(super) purpose: Purpose,
    pub(super) backend: Option<Name>,
    /// Where uv wrote what it is made from. Paths in that are relative to it.
    pub(super) path: Utf8PathBuf,
    pub(super) pylock: Pylock,
    pub(super) targets: Vec<Target>,
    /// What each of them selects.
    pub(super) selected: Vec<Selected>,
}
