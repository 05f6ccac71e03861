//! Determines what a sync would do, without changing anything.

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use super::{LockMode, SyncRequest};
use crate::{
    backend::{Backend, BackendOrigin, Selection},
    environment::{Distributions, Environment, EnvironmentError, SyncRecord},
    lockfile::{LockfileChange, LockfileError, Staleness, stale_sources},
    manifest::{Manifest, Selector},
    model::{Profile, Variables},
    monorepo::{Monorepo, ProfileContext},
    native::{self, BuildChoices, BuildContext, NativePackages, Stale},
    ops::{
        OperationError, Session,
        backend_request::{self, SelectedPackages},
        changed_backend::ChangedBackend,
    },
    process::Invocation,
    report::Rebuilt,
    uv::{LockVerdict, LockfileMode, SyncCommand, Uv, settings, variables::with_urls},
};

/// A sync that is ready to be executed.
#[derive(Debug)]
pub struct SyncPlan<'m> {
    pub(in crate::ops) context: ProfileContext<'m>,
    /// The environment.
    pub environment: Utf8PathBuf,
    /// The backend.
    pub selection: Selection,
    pub(super) keep_extraneous: bool,
    /// Whether the packages to sync do not have the backend of the environment, which must not be lost.
    pub(super) guards_backend: bool,
    pub(super) recreate: bool,
    pub(super) uv: Uv,
    pub(super) native: NativePackages,
    pub(super) command: SyncCommand,
}

impl<'m> SyncPlan<'m> {
    /// Plans to sync `profile`.
    pub fn new(
        monorepo: &'m Monorepo,
        session: &Session,
        profile: Profile,
        request: &SyncRequest,
    ) -> crate::Result<Self> {
        #[cfg(feature = "vendored")]
        if request.vendored.is_some() {
            return Err(crate::vendor::VendoredDirectoryError::no_plan(request.dry_run).into());
        }
        let context = monorepo.context(profile)?;
        let packages = SelectedPackages { names: &request.packages, all: request.all_packages };
        let available = packages.backends(&context, session)?;
        let chosen: Vec<_> = request.extras.iter().chain(&request.groups).cloned().collect();
        let selection = backend_request::select(&context, session, &available, &request.backend, &chosen)?;
        let changes = changes(&context, request.lock, &session.settings.variables)?;
        let environment = monorepo.environment(context.paths, selection.name(), &session.settings.variables);
        let existing = Environment::new(environment.clone());
        let moved = if request.recreate { None } else { existing.moved_from(SyncRecord::read(&existing).as_ref()) };
        let moved = moved.map(|from| OperationError::moved(&context, &existing, from, true));
        let recreate = request.recreate || moved.is_some();
        if !recreate {
            match existing.usable() {
                // This may be the result of an interrupted sync. It is known only once no other process uses the
                // environment.
                Err(error)
                    if !request.dry_run && matches!(error.downcast_ref(), Some(EnvironmentError::Broken { .. })) => {}
                usable => drop(usable?),
            }
        }
        let uv = session.uv()?.clone();
        if !changes.is_empty() {
            check_freshness(&context, session, &uv, &changes)?;
        }
        let keeps = request.keep_extraneous || request.uv_args.iter().any(|argument| argument == "--inexact");
        let guards_backend =
            available.are_endangered(&context, &existing, &selection, (&request.packages, keeps && !recreate))?;
        session.warn(moved);
        let backends = &available.list;
        if !request.recreate
            && let Some(change) = ChangedBackend::find(&context, session, &uv, &existing, backends, packages)
        {
            let is_kept = selection.origin == BackendOrigin::LastSync && change.now.is_some();
            let error = change.error(&context, &existing);
            if is_kept {
                return Err(error.into());
            }
            session.warn([error]);
        }
        let native = native_packages(&context, session, request, (backends, &selection), &environment, &uv)?;
        // uv accepts no extra that the packages do not have.
        let own = if available.of_others { &Selection { backend: None, ..selection.clone() } } else { &selection };
        let command = SyncCommand {
            project: context.paths.directory.clone(),
            lock: uv_lock(profile, request.lock),
            on: switched_on(own, request),
            off: if available.of_others { Vec::new() } else { switched_off(backends, own, &context.manifest, request) },
            no_default_groups: request.no_default_groups,
            packages: request.packages.clone(),
            all_packages: request.all_packages,
            python: request.python.clone(),
            inexact: request.keep_extraneous && keeps_backend(&environment, &selection),
            dry_run: request.dry_run,
            offline: session.settings.offline,
            settings: native.config.settings.clone(),
            variables: native.config.variables.clone(),
            rest: request.uv_args.clone(),
            environment: environment.clone(),
            ..SyncCommand::default()
        };
        Ok(Self {
            context,
            keep_extraneous: request.keep_extraneous,
            guards_backend,
            recreate,
            uv,
            native,
            environment,
            selection,
            command,
        })
    }

    /// Returns the installed native packages that would be rebuilt. Changes nothing.
    pub fn rebuilds(&self, session: &Session) -> crate::Result<Vec<Rebuilt>> {
        Ok(installed(self.stale(session)?))
    }

    /// Returns the flags of uv that decide what is installed.
    #[cfg(feature = "full")]
    pub(in crate::ops) fn selection_flags(&self) -> Vec<String> {
        self.command.selection()
    }

    pub(super) fn stale(&self, session: &Session) -> crate::Result<Vec<Stale>> {
        if self.recreate {
            return Ok(Vec::new());
        }
        let environment = Environment::new(self.environment.clone());
        let (variables, child) = (session.settings.child_view(), |invocation| session.settings.child(invocation));
        let context = build_context(session, &self.context.monorepo.root, &variables, &child, true);
        Ok(self.native.check(&environment, &Distributions::read(&environment)?, &context).stale)
    }

    /// Returns the record of the sync: the requested settings. If the sync must be exact because the backend changes,
    /// the request is recorded all the same: the result satisfies it, and otherwise the next sync would appear to be a
    /// changed request.
    pub(crate) fn record(&self) -> SyncRecord {
        let backend = self.selection.choice();
        let pending = SyncCommand { inexact: self.keep_extraneous, ..self.command.clone() };
        let environment = Environment::new(self.environment.clone());
        SyncRecord::new(self.context.profile, backend, pending.selection(), &environment)
    }
}

/// Returns the inputs for determining in `session` whether native packages are up to date.
pub(in crate::ops) fn build_context<'a>(
    session: &Session,
    root: &'a Utf8Path,
    variables: &'a Variables,
    child: &'a dyn Fn(Invocation) -> Invocation,
    read_only: bool,
) -> BuildContext<'a> {
    BuildContext { root, variables, child, offline: session.settings.offline, read_only, now: SystemTime::now() }
}

/// Returns the packages of `stale` that are installed and would be rebuilt; the others would be new.
pub(super) fn installed(stale: Vec<Stale>) -> Vec<Rebuilt> {
    let installed = stale.into_iter().filter(|stale| stale.is_installed);
    installed.map(|stale| Rebuilt { name: stale.name, cause: stale.cause }).collect()
}

/// Whether the environment was last synced with the selected backend.
fn keeps_backend(environment: &Utf8Path, selection: &Selection) -> bool {
    let record = SyncRecord::read(&Environment::new(environment.to_owned()));
    record.is_none_or(|record| record.backend == selection.choice())
}

fn native_packages(
    context: &ProfileContext<'_>,
    session: &Session,
    request: &SyncRequest,
    (backends, selection): (&[Backend], &Selection),
    environment: &Utf8Path,
    uv: &Uv,
) -> crate::Result<NativePackages> {
    let names: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
    // `run` keeps it, as it keeps the backend.
    let kept = || native::recorded_profile(&Environment::new(environment.to_owned()));
    let choices = BuildChoices {
        backends: &names,
        backend: selection.name(),
        profile: request.cargo_profile.or_else(|| if request.backend.keep { kept() } else { None }),
        uv_args: &request.uv_args,
    };
    NativePackages::plan(context, &choices, &session.settings.child_view(), uv.version)
}

/// Returns why the lockfile does not seem to satisfy the manifest, where it must. Rejects a sync if it is missing, or if
/// it is to be installed as it is and has other pins.
pub(super) fn changes(
    context: &ProfileContext<'_>,
    mode: LockMode,
    variables: &Variables,
) -> crate::Result<Vec<Staleness>> {
    let lockfile = context.lockfile()?;
    match (mode, context.profile, lockfile) {
        // uv locks if necessary.
        (LockMode::Default, Profile::Dev, _) => Ok(Vec::new()),
        (_, _, None) => Err(OperationError::no_lockfile(context).into()),
        (LockMode::Frozen { allow_stale: true }, ..) | (LockMode::Frozen { .. }, Profile::Dev, _) => Ok(Vec::new()),
        (LockMode::Frozen { .. }, _, Some(lockfile)) => {
            // They may give the names of indexes other URLs.
            let has_other_indexes = with_urls().any(|name| variables.get(name).is_some())
                || context.paths.directory.join(settings::FILE_NAME).exists();
            let mut sources = stale_sources(lockfile, &context.manifest);
            sources.retain(|source| !has_other_indexes || !matches!(source.change, LockfileChange::Index { .. }));
            // uv does not compare them, so nobody else decides.
            if sources.is_empty() {
                Ok(Vec::new())
            } else {
                Err(OperationError::certainly_stale(context, &sources, true).into())
            }
        }
        _ => Ok(context.freshness()?.changes().to_vec()),
    }
}

/// Asks uv about a lockfile that seems to be stale because of `changes`. What uv cannot tell, the sync itself will.
fn check_freshness(
    context: &ProfileContext<'_>,
    session: &Session,
    uv: &Uv,
    changes: &[Staleness],
) -> crate::Result<()> {
    match session.final_lock_verdict(uv, &context.paths.directory) {
        LockVerdict::Stale(_) => Err(OperationError::certainly_stale(context, changes, false).into()),
        LockVerdict::Damaged(why) => Err(LockfileError::damaged(&context.paths.lockfile(), why).into()),
        LockVerdict::Fresh | LockVerdict::Rejected(_) | LockVerdict::Unknown(_) => Ok(()),
    }
}

fn uv_lock(profile: Profile, mode: LockMode) -> LockfileMode {
    match (mode, profile) {
        (LockMode::Frozen { .. }, _) => LockfileMode::Frozen,
        (LockMode::Default, Profile::Dev) => LockfileMode::Update,
        (LockMode::Default | LockMode::Locked, _) => LockfileMode::Check,
    }
}

/// Returns the flags of uv that select a backend of `context`.
#[cfg(feature = "vendored")]
pub(in crate::ops) fn backend_flags(
    context: &ProfileContext<'_>,
    backends: &[Backend],
    selection: &Selection,
) -> Vec<String> {
    let request = SyncRequest::default();
    let on = switched_on(selection, &request);
    let off = switched_off(backends, selection, &context.manifest, &request);
    SyncCommand { on, off, ..SyncCommand::default() }.selection()
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

/// Returns the backends that are default groups but were not chosen.
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
