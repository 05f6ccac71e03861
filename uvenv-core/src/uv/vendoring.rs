//! uv's command lines for vendored environments.

use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Appearance, Lock, Uv, command::shown};
use crate::process::Invocation;

/// `uv export`: what a lockfile has for any Python and platform, as `pylock.toml`.
#[derive(Clone, Debug)]
pub(crate) struct ExportCommand {
    pub(crate) project: Utf8PathBuf,
    pub(crate) lock: Lock,
    /// As [`super::SyncCommand::selection`] has it.
    pub(crate) selection: Vec<String>,
    pub(crate) offline: bool,
}

/// `uv python find`: the interpreter for a project.
#[derive(Clone, Debug)]
pub(crate) struct FindPythonCommand<'a> {
    pub(crate) project: &'a Utf8Path,
    /// A version or a path.
    pub(crate) asked: Option<&'a str>,
}

/// `uv build`: a wheel, as a sync would build it for the project.
#[derive(Clone, Debug)]
pub(crate) struct BuildCommand<'a> {
    /// Whose settings hold.
    pub(crate) project: &'a Utf8Path,
    pub(crate) python: &'a str,
    /// A directory or a source distribution.
    pub(crate) source: &'a Utf8Path,
    /// Where the wheel goes.
    pub(crate) directory: &'a Utf8Path,
    /// The time of all files in it, in seconds since 1970.
    pub(crate) time: u64,
    pub(crate) offline: bool,
}

/// `uv venv`: an empty environment.
#[derive(Clone, Debug)]
pub(crate) struct VenvCommand {
    pub(crate) environment: Utf8PathBuf,
    pub(crate) python: Utf8PathBuf,
    pub(crate) prompt: Option<String>,
}

/// `uv pip sync`: all that is listed, from a directory of wheels, and nothing else; or `uv pip install`, which keeps the rest.
#[derive(Clone, Debug)]
pub(crate) struct PipSyncCommand {
    /// The environment's.
    pub(crate) python: Utf8PathBuf,
    pub(crate) wheels: Utf8PathBuf,
    pub(crate) requirements: Utf8PathBuf,
    pub(crate) reinstall: Vec<String>,
    pub(crate) inexact: bool,
    pub(crate) dry_run: bool,
    /// What the user gave behind `--`.
    pub(crate) rest: Vec<OsString>,
}

impl ExportCommand {
    pub(crate) fn invocation(&self, uv: &Uv) -> Invocation {
        let lock = match self.lock {
            Lock::Frozen => Some("--frozen"),
            Lock::Check => Some("--locked"),
            Lock::Update => None,
        };
        let appearance = Appearance { quiet: true, ..Appearance::default() };
        shown(uv.invocation(), &appearance)
            .args(["export", "--format", "pylock.toml", "--no-header", "--project", self.project.as_str()])
            .args(lock)
            .args(self.offline.then_some("--offline"))
            .args(&self.selection)
    }
}

impl FindPythonCommand<'_> {
    pub(crate) fn invocation(&self, uv: &Uv) -> Invocation {
        shown(uv.invocation(), &Appearance::default())
            .args(["python", "find", "--system", "--project", self.project.as_str()])
            .args(self.asked)
    }
}

impl BuildCommand<'_> {
    /// `uv` is what starts it.
    pub(crate) fn invocation(&self, uv: Invocation) -> Invocation {
        let appearance = Appearance { color: Some("never"), ..Appearance::default() };
        shown(uv, &appearance)
            .args(["build", "--wheel", "--no-progress", "--project", self.project.as_str(), "--python", self.python])
            .args(["--out-dir", self.directory.as_str()])
            .args(self.offline.then_some("--offline"))
            .arg(self.source.as_str())
            .env("SOURCE_DATE_EPOCH", self.time.to_string())
    }
}

impl VenvCommand {
    pub(crate) fn invocation(&self, uv: &Uv, appearance: &Appearance) -> Invocation {
        let prompt = self.prompt.iter().map(|prompt| format!("--prompt={prompt}"));
        shown(uv.invocation(), appearance)
            .args(["venv", "--no-project", "--no-config", "--offline", "--python", self.python.as_str()])
            .args(prompt)
            .arg(self.environment.as_str())
    }
}

impl PipSyncCommand {
    pub(crate) fn invocation(&self, uv: &Uv, appearance: &Appearance) -> Invocation {
        let reinstall = self.reinstall.iter().map(|package| format!("--reinstall-package={package}"));
        // What is installed is settled: no settings may take from it or add to it.
        let settings = ["UV_CONSTRAINT", "UV_EXCLUDE_NEWER", "UV_NO_BINARY", "UV_NO_BINARY_PACKAGE", "UV_OVERRIDE"];
        let base = settings.into_iter().fold(shown(uv.invocation(), appearance), Invocation::env_remove);
        let how: &[&str] =
            if self.inexact { &["install", "--no-deps"] } else { &["sync", "--allow-empty-requirements"] };
        base.arg("pip")
            .args(how)
            .args(["--offline", "--no-config", "--no-index", "--no-build", "--require-hashes"])
            .args(["--python", self.python.as_str(), "--find-links", self.wheels.as_str()])
            .args(self.dry_run.then_some("--dry-run"))
            .args(reinstall)
            .args(&self.rest)
            .args(self.inexact.then_some("--requirements"))
            .arg(self.requirements.as_str())
    }
}
