//! What `vendor` says.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::{Name, monorepo::Profile};

/// An environment was vendored.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VendorReport {
    /// The profile.
    pub profile: Profile,
    /// The backend.
    pub backend: Option<Name>,
    /// The directory.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub directory: Utf8PathBuf,
    /// The Pythons and platforms that it is for.
    pub targets: Vec<VendorTarget>,
    /// So many wheels are there.
    pub wheels: usize,
    /// How large they are together, in bytes.
    pub bytes: u64,
    /// The files that were downloaded now.
    pub downloaded: Vec<String>,
    /// The wheels that were built now.
    pub built: Vec<String>,
    /// The files that were removed, because nothing installs them any more.
    pub removed: Vec<String>,
    /// The wheels of uv itself.
    pub uv: Vec<String>,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// A Python and a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VendorTarget {
    /// The version of Python: `3.12`.
    pub python: String,
    /// The platform: `x86_64-manylinux_2_28`.
    pub platform: String,
    /// So many distributions are installed there.
    pub distributions: usize,
}
