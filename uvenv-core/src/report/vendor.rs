//! The report of a vendoring.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::UvInfo;
use crate::model::{Name, Profile};

/// `vendor-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VendorReport {
    /// The profile.
    pub profile: Profile,
    /// The vendored directory.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub directory: Utf8PathBuf,
    /// Its locks: one for each backend.
    pub locks: Vec<VendoredLock>,
    /// The versions of Python for which it was made: `3.11`.
    pub pythons: Vec<String>,
    /// The number of its wheels.
    pub wheels: usize,
    /// Their size, in bytes.
    pub bytes: u64,
    /// The files that were downloaded.
    pub downloaded: Vec<String>,
    /// The wheels that were built.
    pub built: Vec<String>,
    /// The files that were removed, because no lock names them anymore.
    pub removed: Vec<String>,
    /// The uv that was used; `null` if nothing had to be done.
    pub uv: Option<UvInfo>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A lock in a vendored directory.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VendoredLock {
    /// The file, in the directory.
    pub file: String,
    /// The backend, or `null`.
    pub backend: Option<Name>,
    /// The number of packages.
    pub packages: usize,
}
