//! The report of setting up a monorepo.

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
    /// The directory of the added package, relative to the root.
    #[serde(skip)]
    pub package: Option<Utf8PathBuf>,
    /// The files that were created or changed.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub written: Vec<Utf8PathBuf>,
    /// The files that were already complete, and stay unchanged.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub kept: Vec<Utf8PathBuf>,
    /// The new pins of staging and prod.
    pub pins: Vec<NewPin>,
    /// What could not be determined, and was left out.
    pub unknown: Vec<Problem>,
}

/// A package that a profile now pins.
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
