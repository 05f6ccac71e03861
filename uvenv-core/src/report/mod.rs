//! The reports of all commands. The command line prints them, and the Python package returns them.
//!
//! Each report is one JSON object with a `reason`. Later versions may add fields, but no field is removed and none
//! changes its meaning.

#[cfg(feature = "full")]
mod backends;
#[cfg(feature = "full")]
mod bundle;
#[cfg(feature = "full")]
mod check;
#[cfg(feature = "full")]
mod diff;
#[cfg(feature = "full")]
mod diff_tables;
#[cfg(feature = "full")]
mod env;
#[cfg(feature = "full")]
mod image;
#[cfg(feature = "full")]
mod init;
#[cfg(feature = "full")]
mod kernel;
mod locked_change;
#[cfg(feature = "full")]
mod new;
#[cfg(feature = "full")]
mod promote;
#[cfg(feature = "full")]
mod sbom;
#[cfg(feature = "full")]
mod status;
#[cfg(feature = "full")]
mod vendor;
#[cfg(feature = "full")]
mod verify;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

pub use self::locked_change::LockedChange;
#[cfg(feature = "full")]
pub use self::{
    backends::{AutoChoice, BackendInfo, BackendsReport, DetectionReport, ProfileBackends},
    bundle::BundleReport,
    check::{CheckReport, ExplanationReport, FileChange, FindingReport, RelatedPlace},
    diff::{
        BackendDifference, DiffReport, DiffSideReport, InternalDifference, InternalOrigin, PythonDifference,
        PythonRequest,
    },
    diff_tables::DiffTable,
    env::{CargoConfig, EnvReport, Variable, VariableChange},
    image::{ImageLayer, ImageLayerContent, ImageReport},
    init::{NewPin, SetUpReport},
    kernel::{KernelReport, KernelState, KernelsReport},
    new::{NewRemote, NewReport, NewTag},
    promote::{
        BranchOutcome, CommitSummary, CommitsBetween, PinnedRelease, PromoteReport, PromotedPackage, PromotionBranch,
        PromotionOutcome,
    },
    sbom::SbomReport,
    status::{
        EnvironmentState, EnvironmentStatus, LockfileState, LockfileStatus, PackageOrigin, PackageStatus,
        ProfileStatus, StatusReport,
    },
    vendor::{VendorReport, VendoredLock},
    verify::{Difference, DifferenceKind, VerifyReport},
};

use crate::{
    environment::Distribution,
    model::{Diagnostic, Name, Place, Profile, redact},
};

/// A message of a command.
#[cfg(feature = "full")]
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
    CheckFinished(CheckReport),
    /// Pins were moved to newer releases.
    PromoteFinished(PromoteReport),
    /// Two profiles were compared.
    DiffFinished(DiffReport),
    /// A profile was vendored.
    VendorFinished(VendorReport),
    /// A bundle was made.
    BundleFinished(BundleReport),
    /// An image was made.
    ImageFinished(ImageReport),
    /// An environment was described.
    SbomFinished(SbomReport),
    /// An environment was compared with its lockfile.
    VerifyFinished(VerifyReport),
    /// Staging and prod were set up.
    InitFinished(SetUpReport),
    /// A package was added to all profiles.
    PackageAdded(SetUpReport),
    /// What a code means.
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
