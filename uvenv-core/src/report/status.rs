//! The report of `status`.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{Problem, PythonInfo};
use crate::model::{Name, Profile};

/// `status`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusReport {
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub root: Utf8PathBuf,
    /// The existing profiles.
    pub profiles: Vec<ProfileStatus>,
    /// The internal packages.
    pub packages: Vec<PackageStatus>,
}

/// The state of one profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileStatus {
    /// The profile.
    pub profile: Profile,
    /// Its manifest.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub manifest: Utf8PathBuf,
    /// Its backends.
    pub backends: Vec<Name>,
    /// Its lockfile.
    pub lockfile: LockfileStatus,
    /// Its environment; with one environment per backend, each that exists.
    pub environments: Vec<EnvironmentStatus>,
    /// Why the profile could not be examined.
    pub error: Option<Problem>,
}

/// The state of a lockfile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockfileStatus {
    /// The lockfile.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Its state.
    pub state: LockfileState,
    /// Why it is stale or cannot be read.
    pub reasons: Vec<String>,
}

/// The state of a lockfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LockfileState {
    /// It satisfies the manifest.
    Fresh,
    /// It does not.
    Stale,
    /// There is none.
    Missing,
    /// It cannot be read.
    Unreadable,
    /// uv cannot tell.
    Unknown,
}

/// The state of an environment.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentStatus {
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Its state.
    pub state: EnvironmentState,
    /// Its Python.
    pub python: Option<PythonInfo>,
    /// Whether uvenv did the last sync, so that the backend is known.
    pub recorded: bool,
    /// The backend of its last sync.
    pub backend: Option<Name>,
    /// More about the state.
    pub detail: Option<String>,
    /// Why uv had to determine the state, if the record of an earlier sync is out of date.
    pub uv_asked_because: Option<String>,
}

/// The state of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentState {
    /// It matches the lockfile and the options of its last sync.
    InSync,
    /// It is not.
    OutOfSync,
    /// It exists, but it is unknown whether it is in sync.
    Unknown,
    /// There is none.
    Missing,
    /// It is damaged, or its path holds something else.
    Broken,
}

/// Where an internal package comes from in each profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackageStatus {
    /// The package.
    pub name: Name,
    /// Its origin in each profile that has it.
    pub profiles: Vec<PackageOrigin>,
}

/// Where an internal package comes from in a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackageOrigin {
    /// The profile.
    pub profile: Profile,
    /// The version of a workspace member.
    pub version: Option<String>,
    /// Its tag, branch or revision in the manifest: `v0.1.2`.
    pub reference: Option<String>,
    /// The commit in the lockfile, if the lockfile has this pin.
    pub commit: Option<String>,
}
