//! The differences between two profiles.

use serde::Serialize;

use super::LockedChange;
use crate::model::{Name, Profile};

/// `diff-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiffReport {
    /// The first side.
    pub from: DiffSideReport,
    /// The second side.
    pub to: DiffSideReport,
    /// The internal packages that differ, by name.
    pub internal: Vec<InternalDifference>,
    /// The other packages whose locked versions differ, by name.
    pub packages: Vec<LockedChange>,
    /// The backends that differ, by name.
    pub backends: Vec<BackendDifference>,
    /// The Python that each side requires, if that differs.
    pub python: Option<PythonDifference>,
}

impl DiffReport {
    /// Whether there are no differences.
    pub fn is_empty(&self) -> bool {
        self.internal.is_empty() && self.packages.is_empty() && self.backends.is_empty() && self.python.is_none()
    }
}

/// One side: a profile, now or at a revision.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DiffSide"))]
pub struct DiffSideReport {
    /// The profile.
    pub profile: Profile,
    /// The git revision; none for the current files.
    pub revision: Option<String>,
    /// Whether there is a lockfile; without one, only the manifests are compared.
    pub is_locked: bool,
}

/// An internal package that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InternalDifference {
    /// The package.
    pub name: Name,
    /// Where it comes from on the first side; none if it is not there.
    pub from: Option<InternalOrigin>,
    /// Where it comes from on the second side.
    pub to: Option<InternalOrigin>,
}

/// Where an internal package comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InternalOrigin {
    /// Its locked version.
    pub version: Option<String>,
    /// The tag, branch or revision of a git source.
    pub reference: Option<String>,
    /// The locked commit of a git source.
    pub commit: Option<String>,
    /// The directory of a package from the working tree.
    pub directory: Option<String>,
}

/// A backend that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendDifference {
    /// The backend.
    pub name: Name,
    /// The requirements that it adds on the first side; none if it is not there.
    pub from: Option<Vec<String>>,
    /// The requirements that it adds on the second side.
    pub to: Option<Vec<String>>,
}

/// The Python that each of two sides requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonDifference {
    /// The first side.
    pub from: PythonRequest,
    /// The second side.
    pub to: PythonRequest,
}

/// The Python that a profile requires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonRequest {
    /// `requires-python` of the manifest.
    pub requires_python: Option<String>,
    /// The first line of `.python-version` beside it.
    pub python_version: Option<String>,
}
