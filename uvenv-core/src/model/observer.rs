//! Who follows an operation while it goes on: a face that shows progress elsewhere than on a terminal, and that may stop it.

use std::time::Duration;

use serde::Serialize;

use crate::model::error::{Diagnostic, Fault};

/// How often an observer is asked whether to stop.
pub(crate) const PERIOD: Duration = Duration::from_millis(50);

/// Follows an operation while it goes on. Without one, uv has the terminal and an operation ends when it ends.
pub trait Observer: Send + Sync {
    /// A step of uv has begun, goes on or is done.
    fn progress(&self, progress: &Progress);

    /// A line for the user that is no part of the outcome, without secrets: what uv says, a wait for another process.
    fn say(&self, line: &str);

    /// The command line of uv that starts now, without secrets.
    fn runs(&self, command: &str) {
        self.say(&format!("Running {command}"));
    }

    /// Whether the user gets to see all lines. Errors then do not repeat what uv has said.
    fn shows(&self) -> bool {
        false
    }

    /// Whether the operation is to stop. Asked on the operation's thread, some twenty times a second, while uv runs and
    /// while another process is waited for.
    fn wants_stop(&self) -> bool;
}

/// What uv is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Progress {
    /// Versions are being chosen.
    Resolving {
        /// The package that is looked at.
        package: Option<String>,
    },
    /// All versions are chosen.
    Resolved {
        /// How many packages there are.
        packages: u64,
    },
    /// What is to be installed is being downloaded and built.
    Preparing {
        /// How many packages are ready.
        done: u64,
        /// How many there are to get ready.
        total: u64,
    },
    /// A file is being downloaded.
    Downloading {
        /// The package.
        name: String,
        /// How much is here, in bytes.
        bytes: u64,
        /// How much it is, in bytes, as exactly as uv shows it.
        total: Option<u64>,
    },
    /// A file is here.
    Downloaded {
        /// The package.
        name: String,
    },
    /// A git repository is being fetched.
    Fetching {
        /// Its URL, without secrets.
        url: String,
    },
    /// A git repository is here.
    Fetched {
        /// Its URL, without secrets.
        url: String,
    },
    /// A package is being built.
    Building {
        /// The package.
        name: String,
    },
    /// A package is built.
    Built {
        /// The package.
        name: String,
    },
    /// Packages are being put into the environment.
    Installing {
        /// How many are there.
        done: u64,
        /// How many there are to install.
        total: u64,
    },
}

/// Why an operation ended early: its observer wanted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operation was interrupted")]
#[non_exhaustive]
pub struct Interrupted;

impl Interrupted {
    /// An error if `observer` wants the operation to stop.
    pub(crate) fn check(observer: &dyn Observer) -> Result<(), Self> {
        if observer.wants_stop() { Err(Self) } else { Ok(()) }
    }
}

impl Diagnostic for Interrupted {
    fn code(&self) -> &'static str {
        "interrupted"
    }

    fn help(&self) -> Option<String> {
        Some("do it again: what was left half-done is mended first".to_owned())
    }

    fn fault(&self) -> Fault {
        Fault::Finding
    }
}
