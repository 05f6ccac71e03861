//! The reasons why a monorepo, or a part of it, cannot be found.

use camino::Utf8PathBuf;

use super::ConfigError;
use crate::{
    manifest::ManifestError,
    model::{Diagnostic, Place, Profile},
};

/// A monorepo, or a part of it, that cannot be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// A manifest that cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A configuration that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No `pyproject.toml` in the directory or above.
    #[error(
        "no monorepo here: there is no `pyproject.toml` with a `[project]` table in `{start}` or any directory above it"
    )]
    NotFound {
        /// Where the search began.
        start: Utf8PathBuf,
    },
    /// A given path that does not exist or is of the wrong kind.
    #[error("`{path}` {problem}")]
    NotAManifest {
        /// The path as it was given.
        path: Utf8PathBuf,
        /// What exists instead.
        problem: &'static str,
        /// The kinds of paths that are accepted.
        help: &'static str,
    },
    /// A directory that cannot be entered.
    #[error("cannot use the directory `{path}`: {source}")]
    Directory {
        /// The directory.
        path: Utf8PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A path that is not Unicode.
    #[error("the path `{path}` is not valid UTF-8")]
    NotUnicode {
        /// The path; characters that cannot be displayed are replaced.
        path: String,
    },
    /// A profile that the monorepo does not have.
    #[error("the monorepo `{root}` has no profile `{profile}`")]
    NoProfile {
        /// The profile.
        profile: Profile,
        /// The monorepo's root.
        root: Utf8PathBuf,
        /// The profiles it has.
        available: Vec<Profile>,
    },
    /// A value of the profile variable that is not the name of a profile.
    #[error("the variable `UVENV_PROFILE` is not valid: {problem}")]
    ProfileVariable {
        /// What is wrong with it.
        problem: String,
    },
    /// A manifest that does not belong to a profile.
    #[error("`{path}` is not the manifest of a profile")]
    NotAProfile {
        /// The path as it was given.
        path: Utf8PathBuf,
        /// The manifests of the profiles.
        available: Vec<Utf8PathBuf>,
    },
    /// An invalid workspace pattern.
    #[error("the workspace pattern `{pattern}` is not valid: {message}")]
    Glob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
        /// The location of the pattern.
        place: Place,
    },
}

impl Diagnostic for DiscoveryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Manifest(error) => error.code(),
            Self::Config(error) => error.code(),
            Self::NotFound { .. } => "no-monorepo",
            Self::NotAManifest { .. } => "not-a-manifest",
            Self::Directory { .. } => "unreadable-directory",
            Self::NotUnicode { .. } => "non-utf8-path",
            Self::NoProfile { .. } | Self::ProfileVariable { .. } => "unknown-profile",
            Self::NotAProfile { .. } => "not-a-profile",
            Self::Glob { .. } => "invalid-value",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Manifest(error) => return error.help(),
            Self::Config(error) => return error.help(),
            Self::NotFound { .. } => {
                "change to a monorepo, select one with `-C DIR`, or create one with `cargo uvenv new PATH`".to_owned()
            }
            Self::NotAManifest { help, .. } => (*help).to_owned(),
            Self::Directory { .. } => "check that the directory exists and is readable".to_owned(),
            Self::NotUnicode { .. } => "rename the directory, or use a path that is valid UTF-8".to_owned(),
            Self::NoProfile { profile, available, .. } => format!(
                "the profiles are {}; the profile `{profile}` requires a `{profile}/pyproject.toml` with at least one \
                 internal package, or an entry under `profiles` in the configuration",
                quoted(available)
            ),
            Self::ProfileVariable { .. } => "set it to one of those, or unset it".to_owned(),
            Self::NotAProfile { available, .. } => format!("the manifests of the profiles are {}", quoted(available)),
            Self::Glob { .. } => "write it like `packages/*`".to_owned(),
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Manifest(error) => error.place(),
            Self::Config(error) => error.place(),
            Self::Glob { place, .. } => Some(place),
            _ => None,
        }
    }
}

fn quoted(items: &[impl std::fmt::Display]) -> String {
    items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}
