//! The reasons why a monorepo, or a part of it, cannot be found.

use camino::Utf8PathBuf;

use crate::model::{Diagnostic, Place, Profile, quoted};

/// A monorepo, or a part of it, that cannot be found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscoveryError {
    /// No `pyproject.toml` in the directory or above.
    #[error(
        "no monorepo here: there is no `pyproject.toml` with a `[project]` table in `{start}` or any directory above it"
    )]
    NotFound { start: Utf8PathBuf },
    /// A given path that does not exist or is of the wrong kind.
    #[error("`{path}` {problem}")]
    NotAManifest { path: Utf8PathBuf, problem: &'static str, help: &'static str },
    /// A directory that cannot be entered.
    #[error("cannot use the directory `{path}`: {source}")]
    Directory { path: Utf8PathBuf, source: std::io::Error },
    /// A path that is not Unicode.
    #[error("the path `{path}` is not valid UTF-8")]
    NotUnicode {
        /// The path; characters that cannot be displayed are replaced.
        path: String,
    },
    /// A profile that the monorepo does not have.
    #[error("the monorepo `{root}` has no profile `{profile}`")]
    NoProfile { profile: Profile, root: Utf8PathBuf, available: Vec<Profile> },
    /// A value of the profile variable that is not the name of a profile.
    #[error("the variable `UVENV_PROFILE` is not valid: {problem}")]
    ProfileVariable { problem: String },
    /// A manifest that does not belong to a profile.
    #[error("`{path}` is not the manifest of a profile")]
    NotAProfile { path: Utf8PathBuf, available: Vec<Utf8PathBuf> },
    /// An invalid workspace pattern.
    #[error("the workspace pattern `{pattern}` is not valid: {message}")]
    Glob { pattern: String, message: String, place: Place },
}

impl Diagnostic for DiscoveryError {
    fn code(&self) -> &'static str {
        match self {
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
            Self::Glob { place, .. } => Some(place),
            _ => None,
        }
    }
}
