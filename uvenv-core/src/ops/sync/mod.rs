//! `sync`: bring a profile's environment up to date with its lockfile.

mod cached;
mod execute;
mod plan;

use std::ffi::OsString;

pub(crate) use self::cached::Synced;
#[cfg(feature = "full")]
pub(super) use self::cached::{CachedReport, known};
pub use self::plan::SyncPlan;
#[cfg(feature = "full")]
pub(super) use self::plan::build_context;
use super::selection::BackendRequest;
use crate::{
    model::{Name, Variables},
    native::CargoProfile,
    uv::variables::{is_frozen, is_locked},
};

/// How a sync treats the lockfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockMode {
    /// dev: lock when needed, as uv does. staging and prod: the lockfile must satisfy the manifest and is not changed.
    #[default]
    Default,
    /// The lockfile must satisfy the manifest.
    Locked,
    /// Install what is locked. In staging and prod the pins must be those of the manifest.
    Frozen {
        /// Even if the pins are others.
        allow_stale: bool,
    },
}

impl LockMode {
    /// What the flags say, or where they say nothing the variables `UV_FROZEN` and `UV_LOCKED`.
    pub fn new(frozen: bool, locked: bool, allow_stale: bool, variables: &Variables) -> Self {
        let is_said = frozen || locked;
        let (frozen, locked) = (frozen || !is_said && is_frozen(variables), locked || !is_said && is_locked(variables));
        match (frozen, locked) {
            (true, _) => Self::Frozen { allow_stale },
            (false, true) => Self::Locked,
            (false, false) => Self::Default,
        }
    }
}

/// What to sync, and how.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    /// The lockfile.
    pub lock: LockMode,
    /// The backend.
    pub backend: BackendRequest,
    /// Extras beside the backend.
    pub extras: Vec<Name>,
    /// Groups beside the default ones.
    pub groups: Vec<Name>,
    /// Without the default groups.
    pub no_default_groups: bool,
    /// Members of the workspace, in place of the project itself.
    pub packages: Vec<String>,
    /// All members of the workspace.
    pub all_packages: bool,
    /// The interpreter for a new environment.
    pub python: Option<String>,
    /// Keep what is installed beyond the selection, as `run` does while the backend stays.
    pub keep_extraneous: bool,
    /// Remove the environment first.
    pub recreate: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// The Cargo profile of native packages; else what their own settings say.
    pub cargo_profile: Option<CargoProfile>,
    /// Passed to uv as it is.
    pub uv_args: Vec<OsString>,
}
