//! What `verify` says.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::PythonInfo;
use crate::{Name, monorepo::Profile};

/// An environment was compared with its lockfile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyReport {
    /// The profile.
    pub profile: Profile,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// The lockfile, or the manifest of the vendored directory.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub lockfile: Utf8PathBuf,
    /// Its Python.
    pub python: Option<PythonInfo>,
    /// So many distributions are installed.
    pub distributions: usize,
    /// So many files of theirs were looked at.
    pub files: usize,
    /// What is otherwise than it should be; empty where nothing is.
    pub findings: Vec<VerifyFinding>,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// Something in an environment that is otherwise than it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyFinding {
    /// What is wrong.
    pub kind: VerifyKind,
    /// The distribution.
    pub name: Name,
    /// The version or commit that the lockfile has.
    pub expected: Option<String>,
    /// The version or commit that is installed; of a file that cannot be read, why.
    pub found: Option<String>,
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub path: Option<Utf8PathBuf>,
}

/// What is wrong with a distribution or a file of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum VerifyKind {
    /// It is locked and not installed.
    Missing,
    /// It is installed and not locked.
    Extra,
    /// It is installed in another version.
    Version,
    /// It is installed from another commit than the pin is locked at, or not from git.
    Commit,
    /// A file is not what was installed.
    Changed,
    /// A file is gone.
    Gone,
    /// A file cannot be read.
    Unreadable,
}

impl VerifyFinding {
    pub(crate) fn new(kind: VerifyKind, name: &Name) -> Self {
        Self { kind, name: name.clone(), expected: None, found: None, path: None }
    }
}
