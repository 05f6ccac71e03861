//! What a sync would do, found out without changing anything.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::{LockMode, SyncRequest};
use crate::{
    backend::{Backend, Selection},
    environment::{Distributions, Environment, EnvironmentError, SyncRecord},
    lockfile::{Freshness, Lockfile, freshness, stale_pins},
    manifest::{Manifest, Selector},
    model::{Profile, Variables},
    monorepo::{Monorepo, ProfilePaths},
    native::{self, BuildChoices, BuildContext, NativePackages, Stale},
    ops::{
        Session, Shown,
        selection::{self, Packages},
    },
    process::Invocation,
    report::Rebuilt,
    uv::{Lock, SyncCommand, Uv},
};

/// A sync that is about to be done.
#[derive(Debug)]
pub struct SyncPlan {
    /// The profile and its paths.
    pub paths: ProfilePaths,
    /// The environment.
    pub environment: Utf8PathBuf,
    /// The backend.
    pub selection: Selection,
    pub(super) manifest: Manifest,
    pub(super) shown: Shown,
    pub(super) freshness: Freshness,
    pub(super) lockfile: Option<Lockfile>,
    pub(super) keep_extraneous: bool,
    pub(super) recreate: bool,
    pub(super) uv: Uv,
    pub(super) native: NativePackages,
    pub(super) root: Utf8PathBuf,
    pub(super) command: SyncCommand,
}

impl SyncPlan {
    /// Plans to sync `profile`.
    pub fn new(monorepo: &Monorepo, session: &Session, profile: Profile, request: &SyncRequest) -> crate::Result<Self> {
        let paths = monorepo.profile(profile)?.clone();
        let manifest = monorepo.manifest(&paths)?;
        let packages = Packages { names: &request.packages, all: request.all_packages };
        let backends = selection::target_backends(monorepo, &paths, &manifest, packages)?;
        let chosen: Vec<_> = request.extras.iter().chain(&request.groups).cloned().collect();
        let selection = selection::select(monorepo, session, &paths, &backends, &request.backend, &chosen)?;
        let (lockfile, freshness) = check_lockfile(monorepo, &paths, &manifest, request.lock)?;
        let environment = monorepo.environment(&paths, selection.name(), &session.variables);
        if !request.recreate {
            match Environment::new(environment.clone()).usable() {
                // An interrupted sync may have left it so, which is known once nobody else is at work on it.
                Err(EnvironmentError::Broken { .. }) if !request.dry_run => {}
                usable => drop(usable?),
            }
        }
        let keeps_backend = || {
            SyncRecord::read(&Environment::new(environment.clone()))
                .is_none_or(|record| record.backend == selection.choice().map(|choice| choice.to_string()))
        };
        let uv = session.uv()?.clone();
        let names: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
        // Like the backend, it is kept by `run`.
        let kept = || native::recorded_profile(&Environment::new(environment.clone()));
        let choices = BuildChoices {
            backends: &names,
            backend: selection.name(),
            profile: request.cargo_profile.or_else(|| if request.backend.keep { kept() } else { None }),
            uv_args: &request.uv_args,
        };
        let native = NativePackages::plan(monorepo, profile, &manifest, &choices, &session.child_view(), uv.version)?;
        let command = SyncCommand {
            project: paths.directory.clone(),
            environment: environment.clone(),
            lock: uv_lock(profile, request.lock),
            on: switched_on(&selection, request),
            off: switched_off(&backends, &selection, &manifest, request),
            no_default_groups: request.no_default_groups,
            packages: request.packages.clone(),
            all_packages: request.all_packages,
            python: request.python.clone(),
            inexact: request.keep_extraneous && keeps_backend(),
            dry_run: request.dry_run,
            offline: session.offline,
            settings: native.config.settings.clone(),
            variables: native.config.variables.clone(),
            rest: request.uv_args.clone(),
            ..SyncCommand::default()
        };
        Ok(Self {
            shown: Shown::new(monorepo, &paths),
            keep_extraneous: request.keep_extraneous,
            recreate: request.recreate,
            uv,
            native,
            root: monorepo.root.clone(),
            paths,
            environment,
            selection,
            manifest,
            freshness,
            lockfile,
            command,
        })
    }

    /// The installed native packages that would be built again. Changes nothing.
    pub fn rebuilds(&self, session: &Session) -> crate::Result<Vec<Rebuilt>> {
        Ok(installed(self.stale(session)?))
    }

    pub(super) fn stale(&self, session: &Session) -> crate::Result<Vec<Stale>> {
        if self.recreate {
            return Ok(Vec::new());
        }
        let environment = Environment::new(self.environment.clone());
        let (variables, child) = (session.child_view(), |invocation| session.child(invocation));
        let context = build_context(session, &self.root, &variables, &child, true);
        Ok(self.native.check(&environment, &Distributions::read(&environment)?, &context).stale)
    }

    /// What the environment was synced with: what was asked for. A sync that had to be exact, because the backend was
    /// another, satisfies that too; were it recorded otherwise, the next one would make it look changed.
    pub(crate) fn record(&self) -> SyncRecord {
        let backend = self.selection.choice().map(|choice| choice.to_string());
        let pending = SyncCommand { inexact: self.keep_extraneous, ..self.command.clone() };
        SyncRecord::new(self.paths.profile, backend, pending.selection())
    }
}

/// What the freshness of native packages is judged with in `session`.
pub(in crate::ops) fn build_context<'a>(
    session: &Session,
    root: &'a Utf8Path,
    variables: &'a Variables,
    child: &'a dyn Fn(Invocation) -> Invocation,
    only_look: bool,
) -> BuildContext<'a> {
    BuildContext { root, variables, child, offline: session.offline, only_look, now: SystemTime::now() }
}

/// What of `stale` is there to be built again; the rest would be new.
pub(super) fn installed(stale: Vec<Stale>) -> Vec<Rebuilt> {
    let installed = stale.into_iter().filter(|stale| stale.is_installed);
    installed.map(|stale| Rebuilt { name: stale.name, cause: stale.cause }).collect()
}

/// Refuses a sync from a lockfile that is missing or that says other things than the manifest.
fn check_lockfile(
    monorepo: &Monorepo,
    paths: &ProfilePaths,
    manifest: &Manifest,
    mode: LockMode,
) -> crate::Result<(Option<Lockfile>, Freshness)> {
    let profile = paths.profile;
    let shown = Shown::new(monorepo, paths);
    let lockfile = Lockfile::read(&paths.lockfile())?;
    let members = monorepo.members_of(profile).iter().map(|member| &member.manifest);
    let found = freshness(lockfile.as_ref(), manifest, members);
    let changes = match (mode, profile, &found) {
        // uv locks when needed.
        (LockMode::Default, Profile::Dev, _) => Vec::new(),
        (_, _, Freshness::Missing) => {
            return Err(shown.no_lockfile().into());
        }
        (LockMode::Frozen { allow_stale: true }, ..) | (LockMode::Frozen { .. }, Profile::Dev, _) => Vec::new(),
        (LockMode::Frozen { .. }, ..) => lockfile.iter().flat_map(|lock| stale_pins(lock, manifest)).collect(),
        (_, _, Freshness::Stale(changes)) => changes.clone(),
        (_, _, Freshness::Fresh) => Vec::new(),
    };
    if changes.is_empty() {
        return Ok((lockfile, found));
    }
    Err(shown.stale(&changes, matches!(mode, LockMode::Frozen { .. })).into())
}

fn uv_lock(profile: Profile, mode: LockMode) -> Lock {
    match (mode, profile) {
        (LockMode::Frozen { .. }, _) => Lock::Frozen,
        (LockMode::Default, Profile::Dev) => Lock::Update,
        (LockMode::Default | LockMode::Locked, _) => Lock::Check,
    }
}

fn switched_on(selection: &Selection, request: &SyncRequest) -> Vec<Selector> {
    let extras = request.extras.iter().cloned().map(Selector::Extra);
    let groups = request.groups.iter().cloned().map(Selector::Group);
    let mut on: Vec<_> = selection.backend.iter().map(|backend| backend.selector.clone()).collect();
    for selector in extras.chain(groups) {
        if !on.contains(&selector) {
            on.push(selector);
        }
    }
    on
}

/// Backends that are groups and on by default, but not chosen.
fn switched_off(
    backends: &[Backend],
    selection: &Selection,
    manifest: &Manifest,
    request: &SyncRequest,
) -> Vec<Selector> {
    if request.no_default_groups {
        return Vec::new();
    }
    let others = backends.iter().filter(|backend| Some(&backend.name) != selection.name());
    others
        .map(|backend| backend.selector.clone())
        .filter(|selector| match selector {
            Selector::Group(group) => manifest.uv.default_groups.contains(group),
            Selector::Extra(_) => false,
        })
        .collect()
}
