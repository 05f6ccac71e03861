//! Why a monorepo, or a part of it, cannot be found.

use camino::Utf8PathBuf;

use super::ConfigError;
use crate::{
    manifest::ManifestError,
    model::{Diagnostic, Place, Profile},
};

/// A monorepo, or a part of it, that is not there.
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
    /// A path that was named and is not there, or is of the wrong kind.
    #[error("`{path}` {problem}")]
    NotAManifest {
        /// The path as it was given.
        path: Utf8PathBuf,
        /// What is there instead.
        problem: &'static str,
        /// What may be named.
        help: &'static str,
    },
    /// A directory that cannot be entered.
    #[error("cannot use the directory `{path}`: {source}")]
    Directory {
        /// The directory.
        path: Utf8PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A path that is no Unicode.
    #[error("the path `{path}` is not valid UTF-8")]
    NotUnicode {
        /// The path, with what cannot be shown replaced.
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
    /// The variable that names the profile names none.
    #[error("the variable `UVENV_PROFILE` names no profile: {problem}")]
    ProfileVariable {
        /// What is wrong with it.
        problem: String,
    },
    /// A manifest that is not that of a profile.
    #[error("`{path}` is not the manifest of a profile")]
    NotAProfile {
        /// The path as it was given.
        path: Utf8PathBuf,
        /// The manifests of the profiles.
        available: Vec<Utf8PathBuf>,
    },
    /// A workspace pattern that is none.
    #[error("the workspace pattern `{pattern}` is not valid: {message}")]
    Glob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
        /// Where it stands.
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
                "go into a monorepo, name one with `-C DIR`, or make one with `cargo uvenv new PATH`".to_owned()
            }
            Self::NotAManifest { help, .. } => (*help).to_owned(),
            Self::Directory { .. } => "check that the directory exists and may be read".to_owned(),
            Self::NotUnicode { .. } => "rename the directory, or work from a path that is UTF-8".to_owned(),
            Self::NoProfile { profile, available, .. } => format!(
                "the profiles here are {}; a profile `{profile}` needs `{profile}/pyproject.toml` with at least one internal \
                 package, or an entry under `profiles` in the configuration",
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
