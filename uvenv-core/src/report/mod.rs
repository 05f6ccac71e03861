//! The outcomes of all commands, as the one set of messages that the command line prints and Python returns.
//!
//! Each message is one JSON object with a `reason`. Fields may be added in later versions; none is removed or changes its
//! meaning.

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
    /// A profile's lockfile was made, brought up to date or checked.
    LockFinished(LockReport),
    /// What `sync --dry-run` would do.
    SyncPlanned(SyncPlanned),
    /// An environment was brought up to date.
    SyncFinished(SyncReport),
    /// What programs must see to use an environment.
    Environment(EnvReport),
    /// How the profiles stand.
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
    /// A monorepo was laid out.
    NewFinished(NewReport),
    /// What contradicts itself, drifts apart or will not install.
    #[cfg(feature = "full")]
    CheckFinished(CheckReport),
    /// Pins were moved to newer releases.
    #[cfg(feature = "full")]
    PromoteFinished(PromoteReport),
    /// What differs between two profiles.
    #[cfg(feature = "full")]
    DiffFinished(DiffReport),
    /// Staging and prod were set up.
    #[cfg(feature = "full")]
    InitFinished(SetUpReport),
    /// A package was put into all profiles.
    #[cfg(feature = "full")]
    PackageAdded(SetUpReport),
    /// What a code means.
    #[cfg(feature = "full")]
    Explanation(ExplanationReport),
    /// Something to look at that stops nothing.
    Warning(Problem),
    /// The command failed.
    Error(Problem),
}

/// The uv that did the work.
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
    /// Whether its content is another one now.
    pub changed: bool,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The packages whose locked versions are others now.
    pub packages: Vec<LockedChange>,
    /// The uv that locked.
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
    /// The backend, `null` without one.
    pub backend: Option<Name>,
    /// Why this backend.
    pub backend_origin: String,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// Whether the environment would be removed first.
    pub recreate: bool,
    /// The native packages that would be built again.
    pub rebuild: Vec<Rebuilt>,
    /// The call of uv, as one would type it.
    pub command: String,
}

/// `sync-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyncReport {
    /// The profile.
    pub profile: Profile,
    /// The backend, `null` without one.
    pub backend: Option<Name>,
    /// Why this backend.
    pub backend_origin: String,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// Its Python.
    pub python: Option<PythonInfo>,
    /// Whether a distribution was installed or removed.
    pub changed: bool,
    /// What is new in the environment.
    pub installed: Vec<Distribution>,
    /// What is gone.
    pub removed: Vec<Distribution>,
    /// The native packages that were built again, because their sources or how they are built have changed.
    pub rebuilt: Vec<Rebuilt>,
    /// The uv that synced.
    pub uv: UvInfo,
    /// Whether it was started. It is not where it is known from an earlier sync that nothing is to be done.
    pub uv_invoked: bool,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A native package that was built again.
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
    /// The interpreter that it was made from.
    pub python: PythonInfo,
    /// The variables that programs must see otherwise.
    pub variables: Vec<Variable>,
    /// Cargo's configuration, where it was to be written.
    pub cargo_config: Option<CargoConfig>,
}

/// A variable that programs must see otherwise.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub change: VariableChange,
    /// What is put before what it has; empty for the other changes.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub directories: Vec<Utf8PathBuf>,
    /// What it is then, as seen from the command's own variables.
    pub value: Option<String>,
}

/// What becomes of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VariableChange {
    /// It gets a value.
    Set,
    /// Directories are put before those that it has.
    Prepend,
    /// It is taken away.
    Unset,
}

/// Cargo's configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CargoConfig {
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Whether its content is another one now.
    pub changed: bool,
}

/// `status`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StatusReport {
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub root: Utf8PathBuf,
    /// The profiles that there are.
    pub profiles: Vec<ProfileStatus>,
    /// The internal packages.
    pub packages: Vec<PackageStatus>,
}

/// How one profile stands.
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
    /// Its environment; with one environment per backend, each that is there.
    pub environments: Vec<EnvironmentStatus>,
    /// Why the profile could not be looked at.
    pub error: Option<Problem>,
}

/// How a lockfile stands.
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

/// How an environment stands.
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
    /// Whether it was last synced by uvenv, so that its backend is known.
    pub recorded: bool,
    /// The backend of its last sync.
    pub backend: Option<Name>,
    /// More about the state.
    pub detail: Option<String>,
    /// Why uv had to be asked for it, where what was known of an earlier sync no longer holds.
    pub uv_asked_because: Option<String>,
}

/// The state of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EnvironmentState {
    /// It is what its last selection and the lockfile say.
    InSync,
    /// It is not.
    OutOfSync,
    /// It is there, and whether it is in sync cannot be told.
    Unknown,
    /// There is none.
    Missing,
    /// It is damaged, or something else is in its place.
    Broken,
}

/// Where an internal package comes from, profile by profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackageStatus {
    /// The package.
    pub name: Name,
    /// For each profile that has it.
    pub profiles: Vec<PackageOrigin>,
}

/// Where an internal package comes from in a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PackageOrigin {
    /// The profile.
    pub profile: Profile,
    /// Its version, of a workspace member.
    pub version: Option<String>,
    /// Its tag, branch or revision in the manifest: `v0.1.2`.
    pub reference: Option<String>,
    /// The commit in the lockfile, where the lockfile has this pin.
    pub commit: Option<String>,
}

/// `backends`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendsReport {
    /// The profiles that there are.
    pub profiles: Vec<ProfileBackends>,
    /// Why the Cargo features are not known, if they are not.
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
    /// What `auto` would choose, profile by profile.
    pub auto: Vec<AutoChoice>,
}

/// What `auto` would choose for a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoChoice {
    /// The profile.
    pub profile: Profile,
    /// The backend; `null` where nothing fits.
    pub backend: Option<Name>,
    /// Why.
    pub explanation: String,
}

/// `kernel-installed` or `kernel-removed`: a Jupyter kernel that starts in a profile's environment.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KernelReport {
    /// Its name, as `jupyter` takes it for `--kernel`.
    pub name: String,
    /// What people see.
    pub display_name: String,
    /// The directory of its kernelspec.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub root: Utf8PathBuf,
    /// The profile.
    pub profile: Profile,
    /// The backend, `null` without one.
    pub backend: Option<Name>,
    /// What Jupyter starts.
    pub command: Vec<String>,
    /// Its state.
    pub state: KernelState,
}

/// Whether a kernel can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KernelState {
    /// Its monorepo is there.
    Ready,
    /// Its monorepo is gone or was moved.
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
    /// Whether it was made a git repository; not where it lies in one already.
    pub repository: bool,
    /// The git repositories of the internal packages, if they were asked for.
    pub remotes: Vec<NewRemote>,
}

/// The git repository of an internal package.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewRemote {
    /// The package.
    pub package: String,
    /// Where the repository is.
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
    /// The commit that it names.
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
    /// What mends it.
    pub help: Option<String>,
    /// The file that is to blame.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Utf8PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// The column in it, in characters, from 1.
    pub column: Option<usize>,
}

impl Problem {
    /// The same as `error` says, without secrets.
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
