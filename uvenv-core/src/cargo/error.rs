//! Errors related to cargo.

use camino::Utf8PathBuf;

use crate::model::{Diagnostic, nearest, quoted};

/// Cargo failed, or the request to it was invalid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CargoError {
    /// There is no Cargo workspace to which the features could belong.
    #[error("`{flag}` selects Cargo features, but there is no `Cargo.toml` in `{root}`")]
    NoWorkspace {
        /// `--features`, …
        flag: &'static str,
        root: Utf8PathBuf,
    },
    /// `cargo metadata` failed.
    #[error("`cargo metadata` failed on `{manifest}`: {message}")]
    Metadata { manifest: Utf8PathBuf, message: String },
    /// The workspace does not have the package.
    #[error("the Cargo workspace has no package `{spec}`")]
    UnknownPackage { spec: String, available: Vec<String> },
    /// None of the selected packages has the feature.
    #[error("none of the selected packages ({}) has the feature `{feature}`", packages.join(", "))]
    UnknownFeature { feature: String, packages: Vec<String>, available: Vec<String> },
    /// Cargo's configuration cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    ConfigNotWritable { path: Utf8PathBuf, source: std::io::Error },
}

impl Diagnostic for CargoError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoWorkspace { .. } => "no-cargo-workspace",
            Self::Metadata { .. } => "cargo-failed",
            Self::UnknownPackage { .. } => "unknown-crate",
            Self::UnknownFeature { .. } => "unknown-feature",
            Self::ConfigNotWritable { .. } => "cargo-config-not-writable",
        }
    }

    fn help(&self) -> Option<String> {
        let suggestion =
            |wanted: &str, available: &[String]| match nearest(wanted, available.iter().map(String::as_str), 2) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None if available.is_empty() => "choose the backend with `--backend NAME`".to_owned(),
                None => format!("there are {}", quoted(available)),
            };
        Some(match self {
            Self::NoWorkspace { .. } => "choose the backend with `--backend NAME`".to_owned(),
            Self::Metadata { .. } => {
                "fix what cargo reports, or choose the backend with `--backend NAME`, which does not run cargo"
                    .to_owned()
            }
            Self::UnknownPackage { spec, available } => suggestion(spec, available),
            Self::UnknownFeature { feature, available, .. } => suggestion(feature, available),
            Self::ConfigNotWritable { path, .. } => {
                format!("get write permission for `{path}`, or use `cargo uvenv run -- cargo …`")
            }
        })
    }
}
