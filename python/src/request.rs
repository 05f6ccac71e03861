//! Converts requests from Python to requests of the core. The names are those of the command line's flags.

use std::{ffi::OsString, path::PathBuf};

use pyo3::prelude::*;
use uvenv_core::{
    Name, Profile, Variables,
    backend::Choice,
    cargo::FeatureSelection,
    check::{Level, LevelOverride},
    native::CargoProfile,
    ops::{
        BackendRequest, CheckRequest, FixMode, ImageOptions, ImageRequest, KernelRequest, LockMode, LockRequest,
        PromoteRequest, RunningPython, SyncRequest,
    },
};

use crate::{convert::utf8, failure::Failure};

/// The flags of `lock`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Lock {
    locked: bool,
    upgrade: bool,
    upgrade_package: Vec<String>,
    dry_run: bool,
}

impl Lock {
    pub(crate) fn request(self) -> Result<LockRequest, Failure> {
        let Self { locked, upgrade, upgrade_package: upgrade_packages, dry_run } = self;
        refuse_two([
            (locked && upgrade, "locked", "upgrade"),
            (locked && !upgrade_packages.is_empty(), "locked", "upgrade_package"),
        ])?;
        Ok(LockRequest { locked, upgrade, upgrade_packages, dry_run })
    }
}

/// The arguments of `image`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Image {
    backend: Option<String>,
    vendored: Option<PathBuf>,
    base: String,
    python: Option<String>,
    tag: Option<String>,
    output: Option<PathBuf>,
    push: Option<String>,
    workdir: PathBuf,
    user: Option<String>,
    entrypoint: Vec<String>,
    compression: String,
}

impl Image {
    pub(crate) fn request(self) -> Result<ImageRequest, Failure> {
        let Self { base, python, tag: name, push, user, entrypoint, .. } = self;
        if self.output.is_none() && push.is_none() {
            return Err(Failure::arguments("`output` or `push` is required"));
        }
        Ok(ImageRequest {
            backend: BackendRequest { choice: choice(self.backend)?, ..BackendRequest::default() },
            vendored: self.vendored.map(utf8).transpose()?,
            base,
            python,
            options: ImageOptions { workdir: utf8(self.workdir)?, user, entrypoint },
            compression: self.compression.parse().map_err(|problem: String| Failure::arguments(problem))?,
            name,
            output: self.output.map(utf8).transpose()?,
            push,
        })
    }
}

/// The flags of `sync` and `run`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Selection {
    backend: Option<String>,
    features: Vec<String>,
    all_features: bool,
    no_default_features: bool,
    #[pyo3(item("crate"))]
    crates: Vec<String>,
    workspace: bool,
    exclude: Vec<String>,
    frozen: bool,
    locked: bool,
    allow_stale: bool,
    extra: Vec<String>,
    group: Vec<String>,
    no_default_groups: bool,
    package: Vec<String>,
    all_packages: bool,
    python: Option<String>,
    release: bool,
    debug: bool,
    recreate: bool,
    uv_args: Vec<OsString>,
    vendored: Option<PathBuf>,
}

impl Selection {
    /// Converts the flags to a request. With `keep`, the backend of the last sync applies.
    pub(crate) fn request(self, variables: &Variables, keep: bool) -> Result<SyncRequest, Failure> {
        self.check()?;
        Ok(SyncRequest {
            lock: LockMode::new(self.frozen, self.locked, self.allow_stale, variables),
            backend: BackendRequest {
                choice: choice(self.backend)?,
                features: FeatureSelection {
                    packages: self.crates,
                    workspace: self.workspace,
                    exclude: self.exclude,
                    features: self.features,
                    all_features: self.all_features,
                    no_default_features: self.no_default_features,
                },
                decided: None,
                keep,
            },
            extras: names(&self.extra)?,
            groups: names(&self.group)?,
            no_default_groups: self.no_default_groups,
            packages: self.package,
            all_packages: self.all_packages,
            python: self.python.or_else(|| uvenv_core::uv::variables::python(variables).map(str::to_owned)),
            recreate: self.recreate,
            cargo_profile: match (self.release, self.debug) {
                (true, _) => Some(CargoProfile::Release),
                (false, true) => Some(CargoProfile::Debug),
                (false, false) => None,
            },
            uv_args: self.uv_args,
            vendored: match self.vendored {
                Some(path) => Some(utf8(path)?),
                None => uvenv_core::ops::vendored_directory(variables),
            },
            ..SyncRequest::default()
        })
    }

    /// Rejects what the command line rejects.
    fn check(&self) -> Result<(), Failure> {
        refuse_two([
            (self.frozen && self.locked, "frozen", "locked"),
            (self.release && self.debug, "release", "debug"),
            (self.all_packages && !self.package.is_empty(), "all_packages", "package"),
        ])?;
        if self.allow_stale && !self.frozen {
            return Err(only_for("allow_stale", "frozen"));
        }
        Ok(())
    }
}

/// The flags of `check`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Check {
    profile: Vec<String>,
    remote: bool,
    deny: Vec<String>,
    warn: Vec<String>,
    allow: Vec<String>,
    fix: bool,
    dry_run: bool,
}

impl Check {
    pub(crate) fn request(self) -> Result<CheckRequest, Failure> {
        let fix_mode = match (self.fix, self.dry_run) {
            (false, false) => FixMode::No,
            (true, false) => FixMode::Write,
            (true, true) => FixMode::DryRun,
            (false, true) => return Err(only_for("dry_run", "fix")),
        };
        let levels = [(Level::Allow, self.allow), (Level::Warn, self.warn), (Level::Deny, self.deny)];
        let levels = levels
            .into_iter()
            .flat_map(|(level, codes)| codes.into_iter().map(move |code| LevelOverride { code, level, place: None }));
        let profiles = self.profile.iter().map(|name| profile(name)).collect::<Result<_, _>>()?;
        Ok(CheckRequest { profiles, remote: self.remote, levels: levels.collect(), fix_mode })
    }
}

/// The flags of `promote`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Promote {
    to: String,
    packages: Vec<String>,
    pre: bool,
    exact: bool,
    from_local: bool,
    dry_run: bool,
    commit: bool,
    branch: Option<String>,
}

impl Promote {
    pub(crate) fn request(self) -> Result<PromoteRequest, Failure> {
        let Self { to, packages, pre, exact, from_local, dry_run, commit, branch } = self;
        refuse_two([
            (pre && exact, "pre", "exact"),
            (dry_run && commit, "dry_run", "commit"),
            (branch.is_some() && commit, "branch", "commit"),
            (branch.is_some() && dry_run, "branch", "dry_run"),
        ])?;
        let packages =
            packages.iter().map(|text| text.parse().map_err(Failure::arguments)).collect::<Result<_, _>>()?;
        Ok(PromoteRequest { profile: profile(&to)?, packages, pre, exact, from_local, dry_run, commit, branch })
    }
}

/// The arguments of `kernel install` that describe the kernel.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Kernel {
    name: Option<String>,
    display_name: Option<String>,
    prefix: Option<PathBuf>,
    launcher: Vec<String>,
}

impl Kernel {
    /// Converts the arguments to a request; `sync` describes what the environment must have.
    pub(crate) fn request(self, sync: SyncRequest) -> Result<KernelRequest, Failure> {
        let Self { name, display_name, prefix, launcher } = self;
        Ok(KernelRequest { name, display_name, prefix: prefix.map(utf8).transpose()?, launcher, sync })
    }
}

/// The interpreter that makes the call.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Running {
    implementation: String,
    version: [u8; 3],
    free_threaded: bool,
}

impl From<Running> for RunningPython {
    fn from(running: Running) -> Self {
        let Running { implementation, version, free_threaded } = running;
        Self { implementation, version: version.into(), free_threaded }
    }
}

/// Parses `NAME`, `auto` or `none`.
pub(crate) fn choice(backend: Option<String>) -> Result<Option<Choice>, Failure> {
    backend.map(|text| Choice::parse(&text).map_err(Failure::arguments)).transpose()
}

fn names(texts: &[String]) -> Result<Vec<Name>, Failure> {
    let name =
        |text: &String| Name::parse(text).ok_or_else(|| Failure::arguments(format!("`{text}` is not a valid name")));
    texts.iter().map(name).collect()
}

/// Parses the name of a profile.
pub(crate) fn profile(name: &str) -> Result<Profile, Failure> {
    name.parse().map_err(Failure::arguments)
}

/// Returns the error for an argument that requires another one.
fn only_for(one: &str, other: &str) -> Failure {
    let message = format!("`{one}` requires `{other}`");
    Failure::Arguments { message, help: Some(format!("add `{other}=True`")) }
}

/// Rejects pairs of mutually exclusive arguments if both are given.
fn refuse_two<const N: usize>(pairs: [(bool, &str, &str); N]) -> Result<(), Failure> {
    let Some((_, one, other)) = pairs.into_iter().find(|(both, ..)| *both) else { return Ok(()) };
    let message = format!("`{one}` and `{other}` cannot be used together");
    Err(Failure::Arguments { message, help: Some(format!("remove `{one}` or `{other}`")) })
}
