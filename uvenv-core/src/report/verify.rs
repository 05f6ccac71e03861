//! The report of a verification.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{PythonInfo, UvInfo};
use crate::model::{Name, Profile};

/// `verify-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifyReport {
    /// The profile.
    pub profile: Profile,
    /// The backend that the environment is to have, or `null`.
    pub backend: Option<Name>,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// Its Python.
    pub python: Option<PythonInfo>,
    /// Whether files of the right size that are older than the installation were trusted.
    pub fast: bool,
    /// The vendored directory with whose wheels the files were compared; without one, the lists in the environment count.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub vendored: Option<Utf8PathBuf>,
    /// The number of installed distributions.
    pub distributions: usize,
    /// The number of files that were compared.
    pub files: usize,
    /// The size of these files, in bytes.
    pub bytes: u64,
    /// What is not as it should be, by kind, distribution and file.
    pub differences: Vec<Difference>,
    /// The uv that was used.
    pub uv: UvInfo,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// Something in an environment that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// What kind of difference it is.
    pub kind: DifferenceKind,
    /// The distribution, or the one to which the file belongs.
    pub distribution: Option<Name>,
    /// The file, relative to the environment.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Utf8PathBuf>,
    /// What the environment has: a version, a commit or a backend.
    pub installed: Option<String>,
    /// What it should have.
    pub expected: Option<String>,
}

/// The kinds of differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The packages of another backend are installed.
    WrongBackend,
    /// A distribution of the lockfile is not installed.
    MissingDistribution,
    /// A distribution is installed that the lockfile does not have.
    ExtraDistribution,
    /// Another version is installed.
    WrongVersion,
    /// A distribution from git was installed from another commit.
    WrongCommit,
    /// The right version is installed, but uv would install it again: it comes from another source, or its sources have
    /// changed.
    Outdated,
    /// A file is not as it was installed.
    ChangedFile,
    /// A file was removed after the installation.
    MissingFile,
    /// A file was added after the installation: no distribution lists it.
    AddedFile,
    /// A file that cannot be compared: it cannot be read, or its hash is of an unknown kind.
    UnverifiableFile,
}

impl DifferenceKind {
    /// Returns its name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongBackend => "wrong-backend",
            Self::MissingDistribution => "missing-distribution",
            Self::ExtraDistribution => "extra-distribution",
            Self::WrongVersion => "wrong-version",
            Self::WrongCommit => "wrong-commit",
            Self::Outdated => "outdated",
            Self::ChangedFile => "changed-file",
            Self::MissingFile => "missing-file",
            Self::AddedFile => "added-file",
            Self::UnverifiableFile => "unverifiable-file",
        }
    }
}
