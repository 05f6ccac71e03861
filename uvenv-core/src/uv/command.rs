//! uv's command lines, each built here from typed arguments.

use std::ffi::OsString;

use camino::Utf8PathBuf;

use super::{Uv, variables};
use crate::{manifest::Selector, process::Invocation};

/// How a command looks, for uv as for uvenv.
#[derive(Clone, Debug, Default)]
pub struct Appearance {
    /// `-q`.
    pub quiet: bool,
    /// `-v`, `-vv`: how often it was given, beyond the first, which is uvenv's own.
    pub verbose: u8,
    /// `--color`: `auto`, `always` or `never`.
    pub color: Option<&'static str>,
}

/// How a lockfile is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LockfileMode {
    /// Made or brought up to date when needed.
    #[default]
    Update,
    /// Checked; a stale one is an error.
    Check,
    /// Taken as it is.
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
    /// What to switch on.
    pub(crate) on: Vec<Selector>,
    /// Default groups to switch off.
    pub(crate) off: Vec<Selector>,
    pub(crate) no_default_groups: bool,
    pub(crate) packages: Vec<String>,
    pub(crate) all_packages: bool,
    pub(crate) python: Option<String>,
    pub(crate) inexact: bool,
    pub(crate) reinstall: Vec<String>,
    /// `PACKAGE:KEY=VALUE`: what the builder of a package is given.
    pub(crate) settings: Vec<String>,
    /// Variables for the builders.
    pub(crate) variables: Vec<(&'static str, String)>,
    pub(crate) dry_run: bool,
    /// Only say whether something would change.
    pub(crate) check: bool,
    pub(crate) offline: bool,
    /// What the user gave behind `--`.
    pub(crate) rest: Vec<OsString>,
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
    /// The flags that say what is installed, for a later look at whether it still is.
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

// `--name=value` in one argument: a value that starts with a dash stays a value.

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
    // What these ask for has become arguments; an activated environment is not the one that is meant.
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
