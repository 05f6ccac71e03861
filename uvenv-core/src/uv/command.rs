//! uv's command lines, built from typed arguments.

use std::ffi::OsString;

use camino::Utf8PathBuf;

use super::{Uv, variables};
use crate::{manifest::Selector, process::Invocation};

/// The verbosity and colors of a command, both for uv and for uvenv.
#[derive(Clone, Debug, Default)]
pub struct Appearance {
    /// `-q`.
    pub quiet: bool,
    /// `-v`, `-vv`: how often it was given, not counting the first, which applies to uvenv only.
    pub verbose: u8,
    /// `--color`: `auto`, `always` or `never`.
    pub color: Option<&'static str>,
}

/// How uv treats a lockfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LockfileMode {
    /// Created or updated if needed.
    #[default]
    Update,
    /// Checked; a stale lockfile is an error.
    Check,
    /// Used as it is.
    Frozen,
}

/// `uv lock`.
#[derive(Clone, Debug, Default)]
pub(crate) struct LockCommand {
    pub(crate) project: Utf8PathBuf,
    pub(crate) check: bool,
    pub(crate) upgrade: bool,
    pub(crate) upgrade_packages: Vec<String>,
    pub(crate) dry_run: bool,
    pub(crate) offline: bool,
}

/// `uv sync`.
#[derive(Clone, Debug, Default)]
pub(crate) struct SyncCommand {
    pub(crate) project: Utf8PathBuf,
    pub(crate) environment: Utf8PathBuf,
    pub(crate) lock: LockfileMode,
    /// The extras and groups to enable.
    pub(crate) on: Vec<Selector>,
    /// The default groups to disable.
    pub(crate) off: Vec<Selector>,
    pub(crate) no_default_groups: bool,
    pub(crate) packages: Vec<String>,
    pub(crate) all_packages: bool,
    pub(crate) python: Option<String>,
    pub(crate) inexact: bool,
    pub(crate) reinstall: Vec<String>,
    /// `PACKAGE:KEY=VALUE`: the settings for the builder of a package.
    pub(crate) settings: Vec<String>,
    /// Variables for the builders.
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) dry_run: bool,
    /// Only check whether anything would change.
    pub(crate) check: bool,
    pub(crate) offline: bool,
    /// The user's arguments after `--`.
    pub(crate) rest: Vec<OsString>,
}

/// `uv export`: what the lockfile has for a selection, as requirements.
#[cfg(feature = "full")]
#[derive(Clone, Debug, Default)]
pub(crate) struct ExportCommand {
    pub(crate) project: Utf8PathBuf,
    /// The extra or group to enable.
    pub(crate) on: Option<Selector>,
}

#[cfg(feature = "full")]
impl ExportCommand {
    pub(crate) fn invocation(&self, uv: &Uv) -> Invocation {
        let flags = ["--frozen", "--offline", "--quiet", "--no-default-groups", "--no-header", "--no-annotate"];
        let base = base(uv, &Appearance::default(), "export", &self.project);
        base.args(flags).args(["--no-hashes", "--format=requirements-txt"]).args(self.on.iter().map(on_flag))
    }
}

/// `uv export` as a PEP 751 lock: what the lockfile has for a selection.
#[cfg(feature = "full")]
#[derive(Clone, Debug, Default)]
pub(crate) struct ExportPylockCommand {
    pub(crate) project: Utf8PathBuf,
    /// The flags of [`SyncCommand::selection`].
    pub(crate) selection: Vec<String>,
    /// The file to write. uv requires a name like `pylock.toml`.
    pub(crate) output: Utf8PathBuf,
    /// Otherwise, uv downloads what the lockfile has no hash for, as the index has none.
    pub(crate) offline: bool,
}

#[cfg(feature = "full")]
impl ExportPylockCommand {
    pub(crate) fn invocation(&self, uv: &Uv) -> Invocation {
        let flags = ["--frozen", "--quiet", "--no-emit-project", "--format=pylock.toml", "--output-file"];
        let base = base(uv, &Appearance::default(), "export", &self.project);
        base.args(flags).arg(self.output.as_str()).args(self.offline.then_some("--offline")).args(&self.selection)
    }
}

impl LockCommand {
    pub(crate) fn invocation(&self, uv: &Uv, appearance: &Appearance) -> Invocation {
        let flags = [
            (self.check, "--locked"),
            (self.upgrade, "--upgrade"),
            (self.dry_run, "--dry-run"),
            (self.offline, "--offline"),
        ];
        let packages = self.upgrade_packages.iter().map(|package| format!("--upgrade-package={package}"));
        base(uv, appearance, "lock", &self.project).args(switched_on(&flags)).args(packages)
    }
}

impl SyncCommand {
    /// Returns the flags that decide what is installed, for a later check whether the environment is still up to date.
    pub(crate) fn selection(&self) -> Vec<String> {
        let flags = [(self.no_default_groups, "--no-default-groups"), (self.all_packages, "--all-packages")];
        let flags = switched_on(&flags).into_iter().map(str::to_owned);
        let kept = self.inexact.then(|| "--inexact".to_owned());
        let selectors = self.on.iter().map(on_flag).chain(self.off.iter().map(off_flag));
        let packages = self.packages.iter().map(|package| format!("--package={package}"));
        flags.chain(selectors).chain(packages).chain(kept).collect()
    }

    pub(crate) fn invocation(&self, uv: &Uv, appearance: &Appearance) -> Invocation {
        let flags = [
            (self.lock == LockfileMode::Check, "--locked"),
            (self.lock == LockfileMode::Frozen, "--frozen"),
            (self.dry_run, "--dry-run"),
            (self.check, "--check"),
            (self.offline, "--offline"),
        ];
        let python = self.python.iter().map(|python| format!("--python={python}"));
        let reinstall = self.reinstall.iter().map(|package| format!("--reinstall-package={package}"));
        let settings = self.settings.iter().map(|setting| format!("--config-settings-package={setting}"));
        let base = base(uv, appearance, "sync", &self.project);
        let variables = self.variables.iter();
        variables
            .fold(base, |base, (name, value)| base.env(name, value))
            .env("UV_PROJECT_ENVIRONMENT", self.environment.as_str())
            .args(switched_on(&flags))
            .args(self.selection())
            .args(python)
            .args(reinstall)
            .args(settings)
            .args(&self.rest)
    }
}

// `--name=value` is one argument, so that a value that starts with a dash is not read as an option.

fn on_flag(selector: &Selector) -> String {
    match selector {
        Selector::Extra(name) => format!("--extra={name}"),
        Selector::Group(name) => format!("--group={name}"),
    }
}

fn off_flag(selector: &Selector) -> String {
    match selector {
        Selector::Extra(name) => format!("--no-extra={name}"),
        Selector::Group(name) => format!("--no-group={name}"),
    }
}

fn switched_on(flags: &[(bool, &'static str)]) -> Vec<&'static str> {
    flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag).collect()
}

fn base(uv: &Uv, appearance: &Appearance, command: &str, project: &Utf8PathBuf) -> Invocation {
    let mut invocation = uv.invocation().arg(command).arg("--project").arg(project.as_str());
    // These variables have been turned into arguments, and an activated environment is not the one to use.
    for name in variables::that_become_flags().chain(["VIRTUAL_ENV"]) {
        invocation = invocation.env_remove(name);
    }
    if appearance.quiet {
        invocation = invocation.arg("--quiet");
    }
    for _ in 0..appearance.verbose {
        invocation = invocation.arg("--verbose");
    }
    match appearance.color {
        Some(color) => invocation.arg("--color").arg(color),
        None => invocation,
    }
}
