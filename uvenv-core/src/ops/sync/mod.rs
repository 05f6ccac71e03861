//! `sync`: brings a profile's environment up to date with its lockfile.

mod cached;
mod execute;
mod plan;
mod recorder;
#[cfg(feature = "vendored")]
mod vendored;

use std::ffi::OsString;

#[cfg(feature = "vendored")]
use camino::Utf8PathBuf;

pub use self::plan::SyncPlan;
#[cfg(feature = "full")]
pub(super) use self::{cached::known, recorder::CachedReport};
#[cfg(feature = "full")]
pub(super) use self::{
    execute::python_of,
    plan::{backend_flags, build_context},
};
use super::backend_request::BackendRequest;
use crate::{
    model::{Name, Variables},
    native::CargoProfile,
    uv::variables::{is_frozen, is_locked},
};

/// How a sync treats the lockfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockMode {
    /// In dev, lock if necessary, as uv does. In staging and prod, the lockfile must satisfy the manifest and is not
    /// changed.
    #[default]
    Default,
    /// The lockfile must satisfy the manifest.
    Locked,
    /// Install what is locked. In staging and prod, the locked pins must be those of the manifest.
    Frozen {
        /// Whether the pins may differ.
        allow_stale: bool,
    },
}

impl LockMode {
    /// Returns the mode given by the flags or, without flags, by the variables `UV_FROZEN` and `UV_LOCKED`.
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

/// Returns the directory to install from that `UVENV_VENDORED` names.
#[cfg(feature = "vendored")]
pub fn vendored_directory(variables: &Variables) -> Option<Utf8PathBuf> {
    variables.get("UVENV_VENDORED").filter(|path| !path.is_empty()).map(Utf8PathBuf::from)
}

/// What to sync, and how.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    /// How to treat the lockfile.
    pub lock: LockMode,
    /// The backend.
    pub backend: BackendRequest,
    /// Extras in addition to the backend.
    pub extras: Vec<Name>,
    /// Groups in addition to the default ones.
    pub groups: Vec<Name>,
    /// Whether to leave out the default groups.
    pub no_default_groups: bool,
    /// Members of the workspace to install instead of the project itself.
    pub packages: Vec<String>,
    /// Whether to install all members of the workspace.
    pub all_packages: bool,
    /// The interpreter for a new environment.
    pub python: Option<String>,
    /// Whether to keep packages that are not part of the selection, as `run` does while the backend is unchanged.
    pub keep_extraneous: bool,
    /// Whether to remove the environment first.
    pub recreate: bool,
    /// Whether nothing is changed.
    pub dry_run: bool,
    /// The Cargo profile of native packages; if `None`, their own settings apply.
    pub cargo_profile: Option<CargoProfile>,
    /// Arguments that are passed to uv unchanged.
    pub uv_args: Vec<OsString>,
    /// The directory to install from, made by `vendor`, if there is one.
    #[cfg(feature = "vendored")]
    pub vendored: Option<Utf8PathBuf>,
}
