//! What can be wrong with a bundle.

use std::io;

use camino::Utf8PathBuf;

use crate::model::{Diagnostic, Fault};

/// The error of a bundle that was not made, or cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BundleError {
    /// The running program is not one that could be put into a bundle.
    #[error("`{launcher}` is not a program that a bundle could bring along")]
    NoLauncher { launcher: Utf8PathBuf },
    /// The vendored directory does not have uv.
    #[error("`{directory}` has no uv, which a bundle brings along")]
    NoUv { directory: Utf8PathBuf },
    /// The file is not a bundle, or not a whole one.
    #[error("`{bundle}` is damaged: {problem}")]
    Damaged { bundle: Utf8PathBuf, problem: String },
    /// A bundle has no such command.
    #[error("a bundle has no command `{command}`, but {}", crate::model::quoted_or(available, "none"))]
    NoCommand { command: String, available: Vec<String> },
    /// A file could not be read or written.
    #[error("`{path}` cannot be used: {source}")]
    Io { path: Utf8PathBuf, source: io::Error },
}

impl BundleError {
    /// Returns a function for `map_err`.
    pub(crate) fn io(path: impl Into<Utf8PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl Diagnostic for BundleError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoLauncher { .. } => "no-bundle-launcher",
            Self::NoUv { .. } => "no-uv-for-bundle",
            Self::Damaged { .. } => "damaged-bundle",
            Self::NoCommand { .. } => "no-bundle-command",
            Self::Io { .. } => "bundle-io",
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::NoLauncher { .. } => "make the bundle on Linux, with a `cargo-uvenv` that cargo has installed",
                Self::NoUv { .. } => "vendor again with `cargo uvenv vendor --with-uv`",
                Self::Damaged { .. } => "copy it again, or make it again with `cargo uvenv bundle`",
                Self::NoCommand { .. } => "run a program with `run -- COMMAND`",
                Self::Io { .. } => {
                    "get permission for it, and space on the disk; `UVENV_CACHE_DIR` chooses where bundles are unpacked"
                }
            }
            .to_owned(),
        )
    }

    fn fault(&self) -> Fault {
        Fault::Request
    }
}
