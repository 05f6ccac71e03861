//! The report of an image.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::UvInfo;
use crate::model::{Name, Profile};

/// `image-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageReport {
    /// The profile.
    pub profile: Profile,
    /// The backend, or `null`.
    pub backend: Option<Name>,
    /// The base image, as it was named.
    pub base: String,
    /// The hash of its manifest: `sha256:…`; `null` for a root file system.
    pub base_digest: Option<String>,
    /// The version of its Python: `3.12`.
    pub python: String,
    /// The name of the image, with its registry and tag, or `null`.
    pub name: Option<String>,
    /// The hash of its manifest: `sha256:…`.
    pub digest: String,
    /// Its layers, the lowest first.
    pub layers: Vec<ImageLayer>,
    /// The layout or archive that was written, or `null`.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub output: Option<Utf8PathBuf>,
    /// The name in a registry that it was pushed to, or `null`.
    pub pushed: Option<String>,
    /// The number of distributions in its environment.
    pub distributions: usize,
    /// The uv that was used.
    pub uv: UvInfo,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageLayer {
    /// What is in it.
    pub content: ImageLayerContent,
    /// The hash of its file: `sha256:…`.
    pub digest: String,
    /// The size of its file, in bytes.
    pub size: u64,
}

/// What is in a layer of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ImageLayerContent {
    /// A part of the base image.
    Base,
    /// The environment with all packages that are not pinned to git tags.
    Packages,
    /// The internal packages, and the account of what was installed.
    InternalPackages,
}
