//! `sync`: bring a profile's environment up to date with its lockfile.

use std::{
    ffi::OsString,
    time::{Instant, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    OperationError, Session, Shown, milliseconds,
    recorded::{Answer, Asked},
    says_stale,
    selection::{self, BackendRequest, Packages},
    uv_failed,
};
use crate::{
    Name,
    backend::{Backend, Selection},
    environment::{Aside, Changes, Distributions, Environment, EnvironmentError, Interpreter, Journal, Record, State},
    lockfile::{Freshness, Lockfile, freshness, stale_pins},
    manifest::{Manifest, Selector},
    monorepo::{Monorepo, Profile, ProfilePaths},
    native::{self, CargoProfile, Choices, NativePackages, Stale, Surroundings},
    process::{Invocation, Stderr},
    report::{PythonInfo, Rebuilt, SyncPlanned, SyncReport},
    state::{self, Before, Refusal},
    uv::{Lock, SyncCommand, Uv},
    variables::Variables,
};

/// How a sync treats the lockfile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockMode {
    /// dev: lock when needed, as uv does. staging and prod: the lockfile must satisfy the manifest and is not changed.
    #[default]
    Default,
    /// The lockfile must satisfy the manifest.
    Locked,
    /// Install what is locked. In staging and prod the pins must be those of the manifest.
    Frozen {
        /// Even if the pins are others.
        allow_stale: bool,
    },
}

impl LockMode {
    /// What the flags say, or where they say nothing the variables `UV_FROZEN` and `UV_LOCKED`.
    pub fn new(frozen: bool, locked: bool, allow_stale: bool, variables: &Variables) -> Self {
        let on = |flag, variable| flag || (!frozen && !locked && variables.is_on(variable));
        match (on(frozen, "UV_FROZEN"), on(locked, "UV_LOCKED")) {
            (true, _) => Self::Frozen { allow_stale },
            (false, true) => Self::Locked,
            (false, false) => Self::Default,
        }
    }
}

/// What to sync, and how.
#[derive(Clone, Debug, Default)]
pub struct SyncRequest {
    /// The lockfile.
    pub lock: LockMode,
    /// The backend.
    pub backend: BackendRequest,
    /// Extras beside the backend.
    pub extras: Vec<Name>,
    /// Groups beside the default ones.
    pub groups: Vec<Name>,
    /// Without the default groups.
    pub no_default_groups: bool,
    /// Members of the workspace, in place of the project itself.
    pub packages: Vec<String>,
    /// All members of the workspace.
    pub all_packages: bool,
    /// The interpreter for a new environment.
    pub python: Option<String>,
    /// Keep what is installed beyond the selection, as `run` does while the backend stays.
    pub keep_extraneous: bool,
    /// Remove the environment first.
    pub recreate: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// The Cargo profile of native packages; else what their own settings say.
    pub cargo_profile: Option<CargoProfile>,
    /// Passed to uv as it is.
    pub uv_args: Vec<OsString>,
}

/// A sync that is about to be done.
#[derive(Debug)]
pub struct SyncPlan {
    /// The profile and its paths.
    pub paths: ProfilePaths,
    /// The environment.
    pub environment: Utf8PathBuf,
    /// The backend.
    pub selection: Selection,
    manifest: Manifest,
    shown: Shown,
    freshness: Freshness,
    lockfile: Option<Lockfile>,
    keep_extraneous: bool,
    recreate: bool,
    uv: Uv,
    native: NativePackages,
    root: Utf8PathBuf,
    command: SyncCommand,
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
            Record::read(&Environment::new(environment.clone()))
                .is_none_or(|record| record.backend == selection.choice().map(|choice| choice.to_string()))
        };
        let uv = session.uv()?.clone();
        let names: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
        // Like the backend, it is kept by `run`.
        let kept = || native::recorded_profile(&Environment::new(environment.clone()));
        let choices = Choices {
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
            settings: native.told.settings.clone(),
            variables: native.told.variables.clone(),
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

    /// Shows what would be done: the plan, and on stderr what uv would change.
    pub fn dry_run(&self, session: &Session) -> crate::Result<SyncPlanned> {
        let stale = self.stale(session)?;
        let reinstall = stale.iter().map(|stale| stale.name.to_string()).collect();
        let command = SyncCommand { reinstall, ..self.command.clone() };
        let invocation = command.invocation(&self.uv, &session.appearance);
        self.call_uv(session, &invocation)?;
        Ok(SyncPlanned {
            profile: self.paths.profile,
            backend: self.selection.name().cloned(),
            backend_origin: self.selection.origin.clone(),
            environment: self.environment.clone(),
            recreate: self.recreate,
            rebuild: installed(stale),
            command: invocation.to_string(),
        })
    }

    /// The installed native packages that would be built again. Changes nothing.
    pub fn rebuilds(&self, session: &Session) -> crate::Result<Vec<Rebuilt>> {
        Ok(installed(self.stale(session)?))
    }

    fn stale(&self, session: &Session) -> crate::Result<Vec<Stale>> {
        if self.recreate {
            return Ok(Vec::new());
        }
        let environment = Environment::new(self.environment.clone());
        let (variables, child) = (session.child_view(), |invocation| session.child(invocation));
        let around = surroundings(session, &self.root, &variables, &child, true);
        Ok(self.native.judge(&environment, &Distributions::read(&environment)?, &around).stale)
    }

    /// Syncs.
    pub fn execute(&self, session: &Session) -> crate::Result<SyncReport> {
        self.execute_and(session, |_| None::<()>, |(), _, _, _| {})
    }

    /// Syncs, and where nothing was to be done records what that depended on, as the answer to what is `asked`.
    pub(super) fn answer(
        &self,
        monorepo: &Monorepo,
        session: &Session,
        asked: &Asked<'_>,
    ) -> crate::Result<SyncReport> {
        let environment = Environment::new(self.environment.clone());
        let variables = session.child_view();
        let Some(lockfile) = &self.lockfile else { return self.execute(session) };
        let around = state::Surroundings {
            start: asked.target.start(session),
            monorepo: &monorepo.root,
            project: &self.manifest,
            dev: &monorepo.dev,
            lockfile,
            environment: &environment,
            manifests: monorepo.members_of(self.paths.profile).iter().map(|member| &member.manifest).collect(),
            variables: &variables,
            uv: &self.uv.path,
            is_frozen: self.command.lock == Lock::Frozen,
            python: self.command.python.as_deref(),
            backend: &self.selection.deciders,
            earlier: &asked.earlier.as_ref().map(state::State::earlier).unwrap_or_default(),
        };
        let look = |native: &native::Surroundings<'_>| {
            let native = self.native.watched(&environment, native);
            let looked = self.refusal(monorepo).map_or_else(|| Before::look(&around, native), Err);
            looked.map_err(|why| session.explain(&format!("the outcome is not recorded: {why}"))).ok()
        };
        let record = |before: Before, report: &SyncReport, after: &Distributions, journal: &Journal| {
            let (installed, recorded) = ((after, report.installed.as_slice()), (self.record(), journal.path()));
            // What a build has read is known after it, and was not looked at before.
            let built = report.installed.iter().find(|distribution| self.native.contains(&distribution.name));
            let recorded = match built {
                Some(built) => Err(format!("`{}` was just built from Rust", built.name)),
                None => before.record(&asked.question, Answer::of(report), &around, installed, recorded),
            };
            if let Err(why) = recorded {
                session.explain(&format!("the outcome is not recorded: {why}"));
            }
        };
        self.execute_and(session, look, record)
    }

    /// Why not even a sync with nothing to do says anything about the next one.
    fn refusal(&self, monorepo: &Monorepo) -> Option<Refusal> {
        #[cfg(feature = "upkeep")]
        if !super::warnings(monorepo, self.paths.profile).is_empty() {
            return Some("there are warnings to be seen".to_owned());
        }
        if !self.command.rest.is_empty() {
            return Some("uv is given arguments as they are".to_owned());
        }
        if monorepo.config.env_per_backend && self.selection.is_that_of_last_sync() {
            return Some("the backend is that of the only environment there is".to_owned());
        }
        None
    }

    /// Syncs; `look` is called before uv starts and, where it finds something, `record` when uv has ended well.
    fn execute_and<B>(
        &self,
        session: &Session,
        look: impl FnOnce(&Surroundings<'_>) -> Option<B>,
        record: impl FnOnce(B, &SyncReport, &Distributions, &Journal),
    ) -> crate::Result<SyncReport> {
        let start = Instant::now();
        let environment = Environment::new(self.environment.clone());
        let mut journal = Journal::open(&environment, &session.variables, session.observer())?;
        let was_interrupted = journal.interrupted().is_some();
        let aside = if self.recreate { Some(environment.set_aside()?) } else { None };
        let mut reinstall = if self.recreate { Vec::new() } else { prepare(&environment, &journal)? };
        let is_whole = reinstall.is_empty() && !self.recreate;
        let before = Distributions::read(&environment)?;
        let (variables, child) = (session.child_view(), |invocation| session.child(invocation));
        let around = surroundings(session, &self.root, &variables, &child, false);
        let mut judgement = self.native.judge(&environment, &before, &around);
        reinstall.extend(judgement.stale.iter().map(|stale| stale.name.to_string()));
        session.warnings.borrow_mut().append(&mut judgement.warnings);
        let is_to_change = !is_whole || judgement.stale.iter().any(|stale| stale.is_installed);
        let looked = if is_to_change { None } else { look(&around) };
        journal.begin(&environment)?;
        let command = SyncCommand { reinstall, ..self.command.clone() };
        let called = self.call_uv(session, &command.invocation(&self.uv, &session.appearance));
        let after = Distributions::read(&environment)?;
        if let Err(error) = called {
            let is_as_before = match aside {
                Some(aside) => aside.put_back().map(|()| !was_interrupted)?,
                // uv may have been stopped before it could say what it has done.
                None if matches!(error, crate::Error::Operation(OperationError::Interrupted(_))) => false,
                // A failure before anything was touched leaves nothing to heal.
                None => before == after && environment.inspect()? != State::Missing,
            };
            if is_as_before {
                journal.finish()?;
            }
            // A directory that cannot be written is a clearer word than what uv makes of it.
            environment.check_writable()?;
            return Err(error);
        }
        self.record().write(&environment)?;
        let changes = Changes::between(&before, &after);
        let mut rebuilt = installed(judgement.stale.clone());
        rebuilt.retain(|one| changes.installed.iter().any(|distribution| distribution.name == one.name));
        let around = Surroundings { now: SystemTime::now(), ..around };
        judgement.record(&environment, &after, &changes, &around)?;
        aside.map_or(Ok(()), Aside::discard)?;
        let python = match environment.inspect()? {
            State::Ready(interpreter) => Some(PythonInfo::from(interpreter)),
            _ => None,
        };
        let report = SyncReport {
            profile: self.paths.profile,
            backend: self.selection.name().cloned(),
            backend_origin: self.selection.origin.clone(),
            environment: self.environment.clone(),
            python,
            changed: !changes.is_empty(),
            installed: changes.installed,
            removed: changes.removed,
            rebuilt,
            uv: (&self.uv).into(),
            uv_invoked: true,
            elapsed_ms: milliseconds(start.elapsed()),
        };
        if let Some(looked) = looked {
            record(looked, &report, &after, &journal);
        }
        journal.finish()?;
        Ok(report)
    }

    fn call_uv(&self, session: &Session, invocation: &Invocation) -> crate::Result<()> {
        let stderr = session.stderr(&[&self.manifest.file.text]);
        let streamed = session.stream(invocation, stderr)?;
        if streamed.status.success() {
            return Ok(());
        }
        // uv sees more than the comparison of the files, such as constraints. What went to a terminal was not captured.
        let said_stale = || match stderr {
            Stderr::Inherit => session.uv_finds_stale(&self.uv, &self.paths.directory),
            Stderr::Tee | Stderr::Capture | Stderr::Follow | Stderr::Relay => says_stale(&streamed.stderr),
        };
        let is_stale = self.command.lock == Lock::Check && said_stale();
        Err(if is_stale {
            self.shown.stale(self.freshness.changes(), false).into()
        } else {
            uv_failed(invocation, streamed.status, &streamed, stderr).into()
        })
    }

    /// What the environment was synced with: what was asked for. A sync that had to be exact, because the backend was
    /// another, satisfies that too; were it recorded otherwise, the next one would make it look changed.
    pub(crate) fn record(&self) -> Record {
        let backend = self.selection.choice().map(|choice| choice.to_string());
        let asked = SyncCommand { inexact: self.keep_extraneous, ..self.command.clone() };
        Record::new(self.paths.profile, backend, asked.selection())
    }
}

impl From<Interpreter> for PythonInfo {
    fn from(interpreter: Interpreter) -> Self {
        Self { path: interpreter.executable, version: interpreter.version }
    }
}

/// What the freshness of native packages is judged with in `session`.
pub(super) fn surroundings<'a>(
    session: &Session,
    root: &'a Utf8Path,
    variables: &'a Variables,
    child: &'a dyn Fn(Invocation) -> Invocation,
    only_look: bool,
) -> Surroundings<'a> {
    Surroundings { root, variables, child, offline: session.offline, only_look, now: SystemTime::now() }
}

/// What of `stale` is there to be built again; the rest would be new.
fn installed(stale: Vec<Stale>) -> Vec<Rebuilt> {
    let installed = stale.into_iter().filter(|stale| stale.is_installed);
    installed.map(|stale| Rebuilt { name: stale.name, cause: stale.cause }).collect()
}

/// Makes the environment one that uv can work on; the packages that must be installed again are the answer.
fn prepare(environment: &Environment, journal: &Journal) -> crate::Result<Vec<String>> {
    if let Some(interrupted) = journal.interrupted() {
        match environment.inspect()? {
            // The sync that was to make it was interrupted: it may lack anything, and nobody else's work is lost.
            State::Broken(_) | State::Ready(_) if interrupted.was_missing => environment.remove()?,
            State::Ready(_) => {
                let suspects = interrupted.suspects(environment)?;
                suspects.remove_remains(environment)?;
                return Ok(suspects.reinstall.iter().map(Name::to_string).collect());
            }
            _ => {}
        }
    }
    environment.usable()?;
    Ok(Vec::new())
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
