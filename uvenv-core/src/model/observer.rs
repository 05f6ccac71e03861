//! Observers of a running operation: user interfaces that show progress somewhere other than on a terminal, and that
//! can stop the operation.

use std::time::Duration;

use serde::Serialize;

use crate::model::error::{Diagnostic, Fault};

/// How often an observer is asked whether to stop.
pub(crate) const PERIOD: Duration = Duration::from_millis(50);

/// Observes a running operation. Without an observer, uv uses the terminal and an operation cannot be stopped.
pub trait Observer: Send + Sync {
    /// Called when a step of uv starts, makes progress or ends.
    fn progress(&self, progress: &Progress);

    /// Called with a line for the user that is not part of the result, without secrets: output of uv, or a note about
    /// waiting for another process.
    fn say(&self, line: &str);

    /// Called with the command line of uv when it starts, without secrets.
    fn runs(&self, command: &str) {
        self.say(&format!("Running {command}"));
    }

    /// Whether the user sees all lines. If so, errors do not repeat uv's output.
    fn shows(&self) -> bool {
        false
    }

    /// Whether the operation must stop. Called about twenty times a second, on the operation's thread or one that works
    /// for it, while uv runs or the operation waits for another process.
    fn wants_stop(&self) -> bool;
}

/// What uv is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Progress {
    /// uv is choosing versions.
    Resolving {
        /// The current package.
        package: Option<String>,
    },
    /// uv has chosen all versions.
    Resolved {
        /// The number of packages.
        packages: u64,
    },
    /// uv is downloading and building the packages to install.
    Preparing {
        /// The number of packages that are ready.
        done: u64,
        /// The number of packages to prepare.
        total: u64,
    },
    /// uv is downloading a file.
    Downloading {
        /// The package.
        name: String,
        /// The number of bytes downloaded so far.
        bytes: u64,
        /// The total number of bytes, as precisely as uv shows it.
        total: Option<u64>,
    },
    /// uv has downloaded a file.
    Downloaded {
        /// The package.
        name: String,
    },
    /// uv is fetching a git repository.
    Fetching {
        /// Its URL, without secrets.
        url: String,
    },
    /// uv has fetched a git repository.
    Fetched {
        /// Its URL, without secrets.
        url: String,
    },
    /// uv is building a package.
    Building {
        /// The package.
        name: String,
    },
    /// uv has built a package.
    Built {
        /// The package.
        name: String,
    },
    /// uv is installing packages into the environment.
    Installing {
        /// The number of installed packages.
        done: u64,
        /// The number of packages to install.
        total: u64,
    },
}

/// The error of an operation that its observer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation was interrupted")]
#[non_exhaustive]
pub struct Interrupted;

impl Interrupted {
    /// Returns an error if `observer` wants to stop the operation.
    pub(crate) fn check(observer: &dyn Observer) -> Result<(), Self> {
        if observer.wants_stop() { Err(Self) } else { Ok(()) }
    }
}

impl Diagnostic for Interrupted {
    fn code(&self) -> &'static str {
        "interrupted"
    }

    fn help(&self) -> Option<String> {
        Some("run the command again: it first repairs what the interruption left unfinished".to_owned())
    }

    fn fault(&self) -> Fault {
        Fault::Finding
    }
}
