//! An account of an environment: a [CycloneDX] 1.6 document with what is installed, where it came from, and what is linked
//! into it.
//!
//! [CycloneDX]: https://cyclonedx.org/docs/1.6/json/

mod crates;
mod dependencies;
mod document;
mod embedded;
mod error;
mod license;
mod purl;

use camino::Utf8Path;

pub(crate) use self::{
    crates::crates_of_project,
    dependencies::DependencyGraph,
    document::Sbom,
    embedded::{Embedded, embedded},
    error::{SbomError, SbomWarning},
};
use crate::{
    environment::Distribution,
    model::{Name, Profile},
};

/// An environment to describe.
pub(crate) struct Subject<'a> {
    /// The project whose profile it is.
    pub(crate) project: Option<&'a Name>,
    pub(crate) project_version: Option<&'a str>,
    pub(crate) profile: Profile,
    pub(crate) backend: Option<&'a Name>,
    /// The hash of its lockfile.
    pub(crate) lockfile: String,
    /// The monorepo. Paths in it are shown relative to it, and others not at all.
    pub(crate) root: &'a Utf8Path,
    pub(crate) environment: &'a Utf8Path,
    pub(crate) python: PythonFacts,
    pub(crate) uv: String,
    pub(crate) parts: Vec<Part<'a>>,
    pub(crate) dependencies: DependencyGraph,
    /// When it was made, in seconds since 1970, if that is to be said: it makes two documents differ.
    pub(crate) time: Option<i64>,
}

/// The Python of an environment.
pub(crate) struct PythonFacts {
    /// `cpython`.
    pub(crate) implementation: String,
    /// `3.12.7`.
    pub(crate) version: String,
}

/// An installed distribution, and what is known of it.
pub(crate) struct Part<'a> {
    pub(crate) distribution: &'a Distribution,
    /// The wheel that it was installed from.
    pub(crate) wheel: Option<WheelFacts>,
    pub(crate) embedded: Embedded,
}

/// The wheel of a distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WheelFacts {
    /// Where it comes from, as the lockfile has it. The document has it without secrets.
    pub(crate) url: Option<String>,
    /// In hexadecimal.
    pub(crate) sha256: Option<String>,
}
