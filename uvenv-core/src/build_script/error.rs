//! What can go wrong in a build script beyond what can in any sync.

use std::process::ExitStatus;

use camino::Utf8PathBuf;

use crate::{
    model::{Diagnostic, Fault, Place},
    process::ending,
};

/// Why a build script cannot have its Python environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildScriptError {
    /// It is called outside of a build script.
    #[error("this is not a build script that cargo runs: `{variable}` is not set")]
    NotABuildScript {
        /// What cargo would have set.
        variable: &'static str,
    },
    /// A path that cargo gives is no Unicode.
    #[error("`{variable}` is not valid UTF-8: `{value}`")]
    NotUnicode {
        /// The variable.
        variable: &'static str,
        /// Its value, with what cannot be shown replaced.
        value: String,
    },
    /// Two crates want different backends in one environment.
    #[error("two GPU backends are selected for the environment `{environment}`: {}", sides(claims))]
    Conflict {
        /// The environment, as seen from the root.
        environment: Utf8PathBuf,
        /// The crates and what they select.
        claims: Box<[(String, String); 2]>,
        /// Where the configuration is: file and table.
        configuration: (&'static str, &'static str),
    },
    /// The sync failed.
    #[error("{error}")]
    Sync {
        /// Why.
        error: Box<crate::Error>,
        /// The way out that a build script has.
        help: String,
    },
    /// The program could not be started.
    #[error("`{command}` could not be started: {source}")]
    NotStarted {
        /// The command.
        command: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The program failed.
    #[error("`{command}` {}", ending(*status))]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// Cargo takes one line for a value.
    #[error("cargo cannot be told a value with a line break in it: {value:?}")]
    TwoLines {
        /// The value.
        value: String,
    },
    /// A crate that embeds Python needs a library of it.
    #[error("the Python `{python}` has no library to link with")]
    NoLibrary {
        /// The interpreter.
        python: Utf8PathBuf,
    },
}

fn sides(claims: &[(String, String); 2]) -> String {
    let side = |(package, backend): &(String, String)| format!("`{backend}` by the crate `{package}`");
    claims.each_ref().map(side).join(", ")
}

impl Diagnostic for BuildScriptError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotABuildScript { .. } => "not-a-build-script",
            Self::NotUnicode { .. } => "non-utf8-path",
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
                "call it in a `build.rs`; elsewhere, `uvenv_core::ops` has the same sync".to_owned()
            }
            Self::NotUnicode { .. } => "build in a directory whose path is UTF-8".to_owned(),
            Self::Conflict { configuration: (file, table), .. } => format!(
                "let both select the same one, or keep one environment for each backend: `env-per-backend = true` under \
                 `[{table}]` in `{file}` at the monorepo's root"
            ),
            Self::Sync { help, .. } => help.clone(),
            Self::NotStarted { .. } => "run `cargo uvenv sync --recreate` to have the environment made anew".to_owned(),
            Self::Failed { .. } => "what it said is above".to_owned(),
            Self::TwoLines { .. } => "use paths without line breaks".to_owned(),
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
