//! What differs between two profiles.

use serde::Serialize;

use super::LockedChange;
use crate::model::{Name, Profile};

/// `diff-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiffReport {
    /// What is compared.
    pub from: DiffSideReport,
    /// What it is compared with.
    pub to: DiffSideReport,
    /// The internal packages that differ, by name.
    pub internal: Vec<InternalDifference>,
    /// The other packages whose locked versions differ, by name.
    pub packages: Vec<LockedChange>,
    /// The backends that differ, by name.
    pub backends: Vec<BackendDifference>,
    /// What the sides say of Python, where that differs.
    pub python: Option<PythonDifference>,
}

impl DiffReport {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.internal.is_empty() && self.packages.is_empty() && self.backends.is_empty() && self.python.is_none()
    }
}

/// One side: a profile, now or at a revision.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DiffSideReport {
    /// The profile.
    pub profile: Profile,
    /// The git revision; none for the files as they are.
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
    /// Where the first side has it from; none where it does not have it.
    pub from: Option<InternalOrigin>,
    /// Where the second side has it from.
    pub to: Option<InternalOrigin>,
}

/// Where an internal package comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InternalOrigin {
    /// Its locked version.
    pub version: Option<String>,
    /// Its tag, branch or revision, of a git source.
    pub reference: Option<String>,
    /// Its locked commit, of a git source.
    pub commit: Option<String>,
    /// Its directory, of a package that is taken from the working tree.
    pub directory: Option<String>,
}

/// A backend that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendDifference {
    /// The backend.
    pub name: Name,
    /// The requirements that it adds on the first side; none where that does not have it.
    pub from: Option<Vec<String>>,
    /// The requirements that it adds on the second side.
    pub to: Option<Vec<String>>,
}

/// What two sides say of Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonDifference {
    /// The first side.
    pub from: PythonRequest,
    /// The second side.
    pub to: PythonRequest,
}

/// What a profile says of Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PythonRequest {
    /// `requires-python` of the manifest.
    pub requires_python: Option<String>,
    /// The first line of `.python-version` beside it.
    pub python_version: Option<String>,
}
