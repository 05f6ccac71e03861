//! What setting a monorepo up reports.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::Problem;
use crate::model::{Name, Profile};

/// `init-finished` or `package-added`.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SetUpReport {
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub root: Utf8PathBuf,
    /// The files that were made or changed.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub written: Vec<Utf8PathBuf>,
    /// The files that have what they need, and are as they were.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub kept: Vec<Utf8PathBuf>,
    /// What staging and prod pin now.
    pub pins: Vec<NewPin>,
    /// What could not be known, and was left out.
    pub unknown: Vec<Problem>,
}

/// A package that a profile pins now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewPin {
    /// The profile.
    pub profile: Profile,
    /// The package.
    pub name: Name,
    /// Its git repository, without secrets.
    pub url: String,
    /// The tag.
    pub tag: String,
}
