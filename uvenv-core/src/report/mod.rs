//! The reports of all commands. The command line prints them, and the Python package returns them.
//!
//! Each report is one JSON object with a `reason`. Later versions may add fields, but no field is removed and none
//! changes its meaning.

#[cfg(feature = "full")]
mod check;
#[cfg(feature = "full")]
mod diff;
#[cfg(feature = "full")]
mod init;
mod locked_change;
#[cfg(feature = "full")]
mod promote;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

pub use self::locked_change::LockedChange;
#[cfg(feature = "full")]
pub use self::{
    check::{CheckReport, ExplanationReport, FileChange, FindingReport, RelatedPlace},
    diff::{
        BackendDifference, DiffReport, DiffSideReport, InternalDifference, InternalOrigin, PythonDifference,
        PythonRequest,
    },
    init::{NewPin, SetUpReport},
    promote::{CommitSummary, CommitsBetween, PinnedRelease, PromoteReport, PromotedPackage, PromotionOutcome},
};

use crate::{
    backend::{CudaVersion, Detection},
    environment::Distribution,
    model::{Diagnostic, Name, Place, Profile, redact},
};

/// A message of a command.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "reason", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Message {
    /// A lockfile was created, updated or checked.
    LockFinished(LockReport),
    /// What `sync --dry-run` would do.
    SyncPlanned(SyncPlanned),
    /// An environment was brought up to date.
    SyncFinished(SyncReport),
    /// The variables that make programs use an environment.
    Environment(EnvReport),
    /// The state of the profiles.
    Status(StatusReport),
    /// The backends of the profiles.
    Backends(BackendsReport),
    /// What the driver says.
    BackendDetected(DetectionReport),
    /// A Jupyter kernel was installed.
    KernelInstalled(KernelReport),
    /// The Jupyter kernels that are uvenv's.
    Kernels(KernelsReport),
    /// A Jupyter kernel was removed.
    KernelRemoved(KernelReport),
    /// A monorepo was created.
    NewFinished(NewReport),
    /// The findings of a check.
    #[cfg(feature = "full")]
    CheckFinished(CheckReport),
    /// Pins were moved to newer releases.
    #[cfg(feature = "full")]
    PromoteFinished(PromoteReport),
    /// Two profiles were compared.
    #[cfg(feature = "full")]
    DiffFinished(DiffReport),
    /// Staging and prod were set up.
    #[cfg(feature = "full")]
    InitFinished(SetUpReport),
    /// A package was added to all profiles.
    #[cfg(feature = "full")]
    PackageAdded(SetUpReport),
    /// What a code means.
    #[cfg(feature = "full")]
    Explanation(ExplanationReport),
    /// A problem that does not stop the command.
    Warning(Problem),
    /// The command failed.
    Error(Problem),
}

/// The uv that was used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UvInfo {
    /// The executable.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Its version.
    pub version: String,
}

/// The Python of an environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonInfo {
    /// The executable in the environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Its version: `3.11.7`.
    pub version: String,
}

/// `lock-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockReport {
    /// The profile.
    pub profile: Profile,
    /// The lockfile.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub lockfile: Utf8PathBuf,
    /// Whether its content changed.
    pub changed: bool,
    /// Whether it was a dry run, which writes nothing.
    pub dry_run: bool,
    /// The packages whose locked versions changed.
    pub packages: Vec<LockedChange>,
    /// The uv that was used.
    pub uv: UvInfo,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// `sync-planned`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncPlanned {
    /// The profile.
    pub profile: Profile,
    /// The backend, or `null`.
    pub backend: Option<Name>,
    /// What selected the backend.
    pub backend_origin: String,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// Whether the environment would be removed first.
    pub recreate: bool,
    /// The native packages that would be rebuilt.
    pub rebuild: Vec<Rebuilt>,
    /// The uv command, as you would type it.
    pub command: String,
}

/// `sync-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncReport {
    /// The profile.
    pub profile: Profile,
    /// The backend, or `null`.
    pub backend: Option<Name>,
    /// What selected the backend.
    pub backend_origin: String,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// Its Python.
    pub python: Option<PythonInfo>,
    /// Whether a distribution was installed or removed.
    pub changed: bool,
    /// The distributions that were installed.
    pub installed: Vec<Distribution>,
    /// The distributions that were removed.
    pub removed: Vec<Distribution>,
    /// The native packages that were rebuilt, because their sources or build settings changed.
    pub rebuilt: Vec<Rebuilt>,
    /// The uv that was used.
    pub uv: UvInfo,
    /// Whether uv was started. It is not if an earlier sync shows that the environment is up to date.
    pub uv_invoked: bool,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A native package that was rebuilt.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rebuilt {
    /// The package.
    pub name: Name,
    /// Why: `crates/kernels/src/lib.rs has changed`.
    pub cause: String,
}

/// `environment`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvReport {
    /// The profile.
    pub profile: Profile,
    /// The backend of the environment's last sync.
    pub backend: Option<Name>,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// The interpreter from which the environment was created.
    pub python: PythonInfo,
    /// The variables to change.
    pub variables: Vec<Variable>,
    /// Cargo's configuration, if writing it was requested.
    pub cargo_config: Option<CargoConfig>,
}

/// An environment variable that must be changed for programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// How it is changed.
    pub change: VariableChange,
    /// The directories to prepend; empty for the other changes.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub directories: Vec<Utf8PathBuf>,
    /// Its value after the change, starting from the variables of the command.
    pub value: Option<String>,
}

/// How a variable is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VariableChange {
    /// It is set to a value.
    Set,
    /// Directories are prepended to it.
    Prepend,
    /// It is unset.
    Unset,
}

/// Cargo's configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CargoConfig {
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Whether its content changed.
    pub changed: bool,
}

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

/// `backends`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendsReport {
    /// The existing profiles.
    pub profiles: Vec<ProfileBackends>,
    /// Why the Cargo features are unknown, if they are.
    pub features_unknown: Option<String>,
}

/// The backends of a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileBackends {
    /// The profile.
    pub profile: Profile,
    /// Its backends.
    pub backends: Vec<BackendInfo>,
}

/// A backend.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendInfo {
    /// Its name.
    pub name: Name,
    /// `extra` or `group`.
    pub kind: &'static str,
    /// The CUDA release of its packages.
    pub cuda: Option<CudaVersion>,
    /// The Cargo features that select it: `crate/feature`.
    pub features: Vec<String>,
}

/// `backend-detected`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DetectionReport {
    /// What the driver says.
    pub detected: Detection,
    /// What `auto` would choose for each profile.
    pub auto: Vec<AutoChoice>,
}

/// What `auto` would choose for a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoChoice {
    /// The profile.
    pub profile: Profile,
    /// The backend; `null` if no backend fits.
    pub backend: Option<Name>,
    /// Why.
    pub explanation: String,
}

/// `kernel-installed` or `kernel-removed`: a Jupyter kernel that starts in a profile's environment.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KernelReport {
    /// Its name, for the `--kernel` option of `jupyter`.
    pub name: String,
    /// The name that Jupyter shows.
    pub display_name: String,
    /// The directory of its kernelspec.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub root: Utf8PathBuf,
    /// The profile.
    pub profile: Profile,
    /// The backend, or `null`.
    pub backend: Option<Name>,
    /// The command that Jupyter starts.
    pub command: Vec<String>,
    /// Its state.
    pub state: KernelState,
}

/// Whether a kernel can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KernelState {
    /// Its monorepo exists.
    Ready,
    /// Its monorepo was removed or moved.
    NoMonorepo,
}

/// `kernels`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KernelsReport {
    /// The kernels, in the order in which Jupyter finds them.
    pub kernels: Vec<KernelReport>,
}

/// `new-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewReport {
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// The name of the project in the three manifests.
    pub project: Name,
    /// The internal packages.
    pub packages: Vec<String>,
    /// Whether a git repository was created for it; not if it is inside one already.
    pub repository: bool,
    /// The git repositories of the internal packages, if they were requested.
    pub remotes: Vec<NewRemote>,
}

/// The git repository of an internal package.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewRemote {
    /// The package.
    pub package: String,
    /// The path of the repository.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Its URL in the manifests.
    pub url: String,
    /// Its tags, oldest first.
    pub tags: Vec<NewTag>,
}

/// A tag of a new repository.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewTag {
    /// Its name.
    pub name: String,
    /// The commit that it points to.
    pub commit: String,
}

/// `error` or `warning`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// The stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    /// The file that caused it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Utf8PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// The column in it, in characters, from 1.
    pub column: Option<usize>,
}

impl Problem {
    /// Describes `error`, without secrets.
    pub fn new(error: &dyn Diagnostic) -> Self {
        let place = error.place();
        Self {
            code: error.code().to_owned(),
            message: redact(&error.to_string()).into_owned(),
            help: error.help().map(|help| redact(&help).into_owned()),
            file: place.map(|place| place.path().to_owned()),
            line: place.map(Place::line),
            column: place.map(Place::column),
        }
    }
}
