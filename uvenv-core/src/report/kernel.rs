//! The reports of `kernel`.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::model::{Name, Profile};

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
