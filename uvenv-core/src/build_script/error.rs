//! The errors of a build script that other syncs do not have.

use std::process::ExitStatus;

use camino::Utf8PathBuf;

use crate::{
    backend::Choice,
    model::{Diagnostic, Fault, Place},
    process::ending,
};

/// The error of a build script that cannot get its Python environment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildScriptError {
    /// The function was called outside a build script.
    #[error("this is not a build script run by cargo: `{variable}` is not set")]
    NotABuildScript { variable: &'static str },
    /// A path from cargo is not valid Unicode.
    #[error("`{variable}` is not valid UTF-8: `{value}`")]
    NotUnicode {
        variable: &'static str,
        /// Its value, with the invalid parts replaced.
        value: String,
    },
    /// The crate cannot sync from a vendored directory.
    #[cfg_attr(feature = "vendored", expect(dead_code, reason = "it can"))]
    #[error("`UVENV_VENDORED` is set, but this build script was compiled without the feature `vendored` of uvenv-core")]
    WithoutVendoring,
    /// Two crates require different backends in one environment.
    #[error("two GPU backends are selected for the environment `{environment}`: {}", sides(claims))]
    Conflict {
        /// The environment, relative to the root.
        environment: Utf8PathBuf,
        claims: Box<[(String, Choice); 2]>,
        /// The location of the configuration: file and table.
        configuration: (&'static str, &'static str),
    },
    /// The sync failed.
    #[error("{error}")]
    Sync { error: Box<crate::Error>, help: String },
    /// The program could not be started.
    #[error("`{command}` could not be started: {source}")]
    NotStarted { command: String, source: std::io::Error },
    /// The program failed.
    #[error("`{command}` {}", ending(*status))]
    Failed { command: String, status: ExitStatus },
    /// Cargo accepts only a single line as a value.
    #[error("cannot pass a value with a line break to cargo: {value:?}")]
    TwoLines { value: String },
    /// A crate that embeds Python requires a Python library.
    #[error("the Python `{python}` has no library to link to")]
    NoLibrary { python: Utf8PathBuf },
    /// PyO3 has chosen another Python than the environment's.
    #[error("PyO3 links to `{chosen}`, but the environment was created from `{python}`: a program cannot use both")]
    OtherPyo3 { chosen: String, python: Utf8PathBuf },
    /// The crate is compiled for another machine.
    #[error("the crate is compiled for {target}, but the environment's Python is for {host}")]
    OtherTarget { target: String, host: String },
}

fn sides(claims: &[(String, Choice); 2]) -> String {
    let side = |(package, backend): &(String, Choice)| format!("`{backend}` by the crate `{package}`");
    claims.each_ref().map(side).join(", ")
}

impl Diagnostic for BuildScriptError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotABuildScript { .. } => "not-a-build-script",
            Self::OtherPyo3 { .. } => "pyo3-uses-another-python",
            Self::OtherTarget { .. } => "cross-compilation",
            Self::NotUnicode { .. } => "non-utf8-path",
            Self::WithoutVendoring => "without-vendoring",
            Self::Conflict { .. } => "backend-conflict",
            Self::Sync { error, .. } => error.code(),
            Self::NotStarted { .. } => "command-not-started",
            Self::Failed { .. } => "command-failed",
            Self::TwoLines { .. } => "line-break",
            Self::NoLibrary { .. } => "no-python-library",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotABuildScript { .. } => {
                "call it in a `build.rs`; elsewhere, use the sync in `uvenv_core::ops`".to_owned()
            }
            Self::NotUnicode { .. } => "build in a directory whose path is valid UTF-8".to_owned(),
            Self::Conflict { configuration: (file, table), .. } => format!(
                "select the same backend in both, or use one environment per backend: set `env-per-backend = true` \
                 under `[{table}]` in `{file}` at the root of the monorepo"
            ),
            Self::WithoutVendoring => {
                "write `features = [\"vendored\"]` for uvenv-core in `[build-dependencies]`, or unset the variable"
                    .to_owned()
            }
            Self::Sync { help, .. } => help.clone(),
            Self::NotStarted { .. } => "run `cargo uvenv sync --recreate` to recreate the environment".to_owned(),
            Self::Failed { .. } => "see its output above".to_owned(),
            Self::TwoLines { .. } => "use paths without line breaks".to_owned(),
            Self::OtherPyo3 { python, .. } => {
                format!("build with `cargo uvenv run -- cargo build`, or set `PYO3_PYTHON` to `{python}`")
            }
            Self::OtherTarget { .. } => "do not link to Python when `TARGET` is not `HOST`".to_owned(),
            Self::NoLibrary { .. } => {
                "use an interpreter with a shared library: one that uv installs, or pyenv with `--enable-shared`"
                    .to_owned()
            }
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Sync { error, .. } => error.place(),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Sync { error, .. } => error.fault(),
            Self::Failed { .. } => Fault::Finding,
            _ => Fault::Request,
        }
    }
}
