//! The report of a document about an environment.

use camino::Utf8PathBuf;
use serde::Serialize;
use serde_json::Value;

use super::{PythonInfo, UvInfo};
use crate::model::{Name, Profile};

/// `sbom-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SbomReport {
    /// The profile.
    pub profile: Profile,
    /// The backend of the environment, or `null`.
    pub backend: Option<Name>,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// Its Python.
    pub python: Option<PythonInfo>,
    /// The file that was written, or `null`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Utf8PathBuf>,
    /// The document, an object of CycloneDX 1.6.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, Value>"))]
    pub document: Value,
    /// The number of installed distributions.
    pub distributions: usize,
    /// The number of crates and libraries that are linked into them.
    pub embedded: usize,
    /// The distributions of which it is not known what is linked into them.
    pub unknown: Vec<Name>,
    /// The uv that was used.
    pub uv: UvInfo,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

impl SbomReport {
    /// Returns the text of the document, as it is written to the file.
    pub fn text(&self) -> String {
        format!("{:#}\n", self.document)
    }
}
