//! The report of a bundle.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::model::{Name, Profile};

/// `bundle-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BundleReport {
    /// The profile.
    pub profile: Profile,
    /// The backend, or `null`.
    pub backend: Option<Name>,
    /// The file that was written.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub file: Utf8PathBuf,
    /// Its size, in bytes.
    pub size: u64,
    /// The hash of what is in it: `sha256:…`.
    pub digest: String,
    /// The number of wheels for the environment.
    pub wheels: usize,
    /// The versions of Python for which they were vendored: `3.11`.
    pub pythons: Vec<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}
