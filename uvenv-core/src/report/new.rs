//! The report of `new`.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::model::Name;

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
