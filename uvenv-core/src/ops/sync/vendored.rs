//! Syncs from a vendored directory: without index, git and build tools. Everything is compared before anything is changed.

mod python;
mod uv;

use std::{collections::BTreeSet, panic::resume_unwind, thread, time::Instant};

use camino::Utf8Path;

use self::{
    python::{NewPython, PythonSearch, check_python},
    uv::find_uv,
};
use super::{
    LockMode, SyncRequest,
    execute::{ActiveSync, Recorder, python_of},
    plan::{backend_flags, changes},
    recorder::{CacheRecorder, PendingSync, refusal},
};
use crate::{
    backend::Selection,
    environment::{
        Changes, Distribution, Distributions, Environment, EnvironmentError, Inspection, Journal, Provenance, Source,
        SyncRecord,
    },
    fs::PrivateDirectory,
    model::{Interrupted, Name, Profile},
    monorepo::{Monorepo, ProfileContext},
    native::{CargoProfile, Watched},
    ops::{
        OperationError, Session,
        backend_request::{self, SelectedPackages},
        milliseconds, uv_failed,
        vendored_lock::vendored_lock,
    },
    report::SyncReport,
    sync_cache::SyncInputs,
    uv::{
        LockfileMode, SyncCommand, Uv,
        dist_info::{BUILD_INFO, CACHE_INFO, NO_SETTINGS, build_info},
        settings,
        variables::without_choices,
    },
    vendor::{KnownHashes, PinFacts, VendoredDirectoryError, VendoredSelection, WHEELS},
};

/// A sync from a vendored directory that is ready to be executed.
pub(super) struct VendoredSync<'m> {
    vendored: VendoredSelection,
    context: ProfileContext<'m>,
    selection: Selection,
    environment: Environment,
    flags: Vec<String>,
    /// The interpreter of a new environment; `None` if there is one that is kept.
    python: Option<NewPython>,
    /// `--python`.
    request: Option<String>,
    uv: Uv,
    is_frozen: bool,
    recreate: bool,
    keep_extraneous: bool,
}

impl<'m> VendoredSync<'m> {
    /// Plans to sync `profile` from `directory`.
    pub(super) fn new(
        monorepo: &'m Monorepo,
        session: &Session,
        profile: Profile,
        (request, directory): (&SyncRequest, &Utf8Path),
    ) -> crate::Result<Self> {
        reject_other_selections(request)?;
        let context = monorepo.context(profile)?;
        let available = SelectedPackages { names: &[], all: false }.backends(&context, session)?;
        let selection = backend_request::select(&context, session, &available, &request.backend, &[])?;
        let uv = find_uv(session, directory)?;
        let path = monorepo.environment(context.paths, selection.name(), &session.settings.variables);
        let environment = Environment::new(path);
        let vendored = compared(session, &uv, &context, (directory, selection.name(), request.lock))?;
        let is_as_vendored = vendored.lock.is_from(&context.manifest.file.text);
        let wanted = request.python.as_deref().filter(|python| !python.is_empty());
        let search = PythonSearch::new(session, &uv, &context.paths.directory, wanted);
        let found = environment.inspect()?;
        let may_have_another = matches!(found, Inspection::Ready(_)) && (search.has_request() || !is_as_vendored);
        let recreate = request.recreate
            || environment.moved_from(SyncRecord::read(&environment).as_ref()).is_some()
            || (may_have_another && search.finds_another_than(&environment)?);
        let python = if !recreate && is_usable(&environment)? {
            None
        } else {
            let may_guess = found == Inspection::Missing && is_as_vendored;
            let guess = if may_guess { search.guess() } else { None };
            Some(guess.map_or_else(|| search.find(), Ok)?)
        };
        Ok(Self {
            vendored,
            flags: backend_flags(&context, &available.list, &selection),
            is_frozen: matches!(request.lock, LockMode::Frozen { .. }),
            keep_extraneous: request.keep_extraneous,
            context,
            selection,
            environment,
            python,
            request: wanted.map(str::to_owned),
            uv,
            recreate,
        })
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }

    pub(super) fn record(&self) -> SyncRecord {
        let backend = self.selection.choice();
        SyncRecord::new(self.context.profile, backend, self.flags.clone(), &self.environment)
    }

    /// Syncs. If there was nothing to do, records what that depended on, as the answer to `pending`.
    pub(super) fn answer(&self, session: &Session, pending: &PendingSync<'_>) -> crate::Result<SyncReport> {
        // With `--frozen`, the lock in the directory decides alone.
        let lockfile = if self.is_frozen { None } else { self.context.lockfile()? };
        let inputs = SyncInputs {
            start: pending.target.start(session),
            context: &self.context,
            locked: lockfile.map_or(&[], |lockfile| &lockfile.packages),
            environment: &self.environment,
            variables: &session.settings.child_view(),
            uv: &self.uv.path,
            // The lock in the directory is what is installed.
            is_frozen: true,
            python: self.request.as_deref(),
            backend: &self.selection.inputs,
            previous: &pending.previous(),
        };
        let refusal = refusal(&self.context, &self.selection);
        self.execute(session, &mut CacheRecorder::new(session, pending, inputs, (self.record(), refusal)))
    }

    /// Returns what is read in the vendored directory. A file that appears there changes the directory.
    fn watched(&self) -> Watched {
        let VendoredSelection { directory, lock, .. } = &self.vendored;
        let files = lock.wheels().map(|wheel| self.vendored.path_of(wheel));
        // The other locks tell which files are surplus.
        let locks = self.vendored.locks().map(|lock| lock.path.clone());
        let stamped = files.chain(locks).chain([directory.clone(), directory.join(WHEELS)]).collect();
        Watched { stamped, ..Watched::default() }
    }

    /// Rejects what is not as it was vendored, and an interpreter for which nothing was. Returns the interpreter of a new
    /// environment.
    fn check(&self, session: &Session) -> crate::Result<Option<NewPython>> {
        let known = KnownHashes::read(&self.vendored.directory, &session.settings.variables);
        // The files are compared meanwhile.
        let (python, files) = thread::scope(|scope| {
            let files = scope.spawn(|| self.vendored.check_files(&known));
            let python = self.checked_python(session);
            (python, files.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        files?;
        known.keep();
        python
    }

    fn checked_python(&self, session: &Session) -> crate::Result<Option<NewPython>> {
        let check = |python: &Utf8Path| check_python(session, &self.uv, python, &self.vendored.lock);
        let Some(python) = &self.python else {
            return match check(&self.environment.executable()) {
                // It will be made anew.
                Err(_) if Journal::shows_unfinished(&self.environment, &session.settings.variables) => {
                    self.found_python(session).map(Some)
                }
                checked => checked.map(|()| None),
            };
        };
        match check(&python.path) {
            Ok(()) => Ok(Some(python.clone())),
            Err(_) if python.guessed_from.is_some() => self.found_python(session).map(Some),
            Err(error) => Err(error),
        }
    }

    /// Asks uv for the interpreter of a new environment.
    fn found_python(&self, session: &Session) -> crate::Result<NewPython> {
        let directory = &self.context.paths.directory;
        let python = PythonSearch::new(session, &self.uv, directory, self.request.as_deref()).find()?;
        check_python(session, &self.uv, &python.path, &self.vendored.lock)?;
        Ok(python)
    }

    fn execute(&self, session: &Session, recorder: &mut dyn Recorder) -> crate::Result<SyncReport> {
        let start = Instant::now();
        // First, so that a change after the comparison is noticed the next time.
        recorder.before(&|| self.watched());
        let python = self.check(session)?;
        let mut active = ActiveSync::prepare(self.recreate, session, &self.environment)?;
        let is_recorded = active.is_whole();
        active.journal.begin(&self.environment, &active.before)?;
        if let Err(error) = self.install(session, &active, python) {
            active.give_up(&self.environment, &error)?;
            return Err(error);
        }
        let after = self.add_provenance()?;
        let changes = Changes::between(&active.before, &after);
        let record = self.record();
        record.write(&self.environment)?;
        let report = SyncReport {
            profile: self.context.profile,
            backend: self.selection.name().cloned(),
            backend_origin: self.selection.origin.to_string(),
            environment: self.environment.root().to_owned(),
            python: python_of(&self.environment)?,
            changed: !changes.is_empty(),
            installed: changes.installed,
            removed: changes.removed,
            rebuilt: Vec::new(),
            uv: (&self.uv).into(),
            uv_invoked: true,
            elapsed_ms: milliseconds(start.elapsed()),
        };
        active.finish(&self.environment, &report, |journal| {
            if is_recorded {
                recorder.after(&report, &after, None, journal);
            }
        })?;
        Ok(report)
    }

    /// Has uv make the environment, if there is none, and install, in one go.
    fn install(&self, session: &Session, active: &ActiveSync, python: Option<NewPython>) -> crate::Result<()> {
        let (project, command) = self.command(active)?;
        let sync = |python| self.call_uv(session, active, &SyncCommand { python, ..command.clone() });
        let check = |python: &Utf8Path| check_python(session, &self.uv, python, &self.vendored.lock);
        // What an interrupted sync has made was removed just now; another one may have ended well in the meantime.
        if self.environment.inspect()? != Inspection::Missing {
            let executable = self.environment.executable();
            return check(&executable).and_then(|()| sync(Some(executable.into_string())));
        }
        let python = python.map_or_else(|| self.found_python(session), Ok)?;
        let Some(files) = &python.guessed_from else { return sync(Some(python.path.into_string())) };
        for (name, text) in files {
            project.write(name, text)?;
        }
        let synced = sync(self.request.clone());
        let is_over = synced.as_ref().is_err_and(|error| error.downcast_ref::<Interrupted>().is_some());
        let is_missing = self.environment.inspect()? == Inspection::Missing;
        if is_over || is_missing || check(&self.environment.executable()).is_ok() {
            return synced;
        }
        // uv takes another one now. Nothing is lost: there was no environment.
        self.environment.remove()?;
        sync(Some(self.found_python(session)?.path.into_string()))
    }

    /// Returns the command that installs, without an interpreter, and the project that it needs.
    fn command(&self, active: &ActiveSync) -> crate::Result<(PrivateDirectory, SyncCommand)> {
        let name = self.context.manifest.name().map_or(self.context.profile.as_str(), Name::as_str);
        let (right, other): (Vec<_>, Vec<_>) = active.before.iter().partition(|one| self.has_right_source(one));
        let reinstall: BTreeSet<_> = active.suspects.iter().chain(other.iter().map(|one| &one.name)).collect();
        let is_kept = |pin: &&PinFacts| {
            !reinstall.contains(&pin.name) && right.iter().any(|one| pin.is_of(&one.name, &one.version))
        };
        let kept: Vec<_> = self.vendored.lock.facts.pins.iter().filter(is_kept).collect();
        let project = self.vendored.project(name, &kept)?;
        let command = SyncCommand {
            project: project.path().to_owned(),
            environment: self.environment.root().to_owned(),
            lock: LockfileMode::Frozen,
            inexact: self.keep_extraneous && SyncRecord::read(&self.environment) == Some(self.record()),
            reinstall: reinstall.into_iter().map(Name::to_string).collect(),
            variables: vec![("UV_CONFIG_FILE", project.path().join(settings::FILE_NAME).into_string())],
            offline: true,
            ..SyncCommand::default()
        };
        Ok((project, command))
    }

    fn call_uv(&self, session: &Session, active: &ActiveSync, command: &SyncCommand) -> crate::Result<()> {
        let invocation = without_choices(command.invocation(&self.uv, &session.settings.appearance));
        let stderr = session.settings.stderr(&[]);
        let invocation = active.journal.covers(invocation, &session.settings.child_view());
        let streamed = session.stream(&invocation, stderr)?;
        if streamed.status.success() { Ok(()) } else { Err(uv_failed(&invocation, &streamed, stderr).into()) }
    }

    /// Whether a distribution has the source that it should have: uv has only seen wheels.
    fn has_right_source(&self, distribution: &Distribution) -> bool {
        match (self.provenance(distribution), &distribution.source) {
            // An archive at a URL is known by its hash, which uv compares.
            (None, Source::Registry | Source::Archive { .. }) => true,
            // uv builds a pin again if its settings were others, and here nothing is built.
            (Some(pin), source) => pin.is_of(source) && has_no_build_settings(distribution),
            _ => false,
        }
    }

    fn provenance(&self, distribution: &Distribution) -> Option<Provenance<'_>> {
        let Distribution { name, version, .. } = distribution;
        let pin = self.vendored.lock.facts.pins.iter().find(|pin| pin.is_of(name, version))?;
        Some(Provenance {
            url: &pin.url,
            commit: &pin.commit,
            reference: pin.reference.as_deref(),
            subdirectory: pin.subdirectory.as_deref(),
        })
    }

    /// Writes where the distributions came from, as `uv sync` does, so that it does not install them again. Returns what is
    /// installed.
    fn add_provenance(&self) -> crate::Result<Distributions> {
        let locked: BTreeSet<_> = self.vendored.lock.packages.iter().map(|package| &package.name).collect();
        Distributions::read_updated(&self.environment, |distribution| {
            if !locked.contains(&distribution.name) {
                return Ok(false);
            }
            let direct_url = self.provenance(distribution).map(|provenance| provenance.direct_url());
            let is_built = self.vendored.lock.facts.built.contains(&distribution.name);
            let build_info = build_info(&self.uv).filter(|_| is_built);
            let mut files = vec![(CACHE_INFO, None)];
            files.extend(direct_url.as_deref().map(|text| ("direct_url.json", Some(text))));
            files.extend(build_info.map(|text| (BUILD_INFO, Some(text))));
            distribution.set_info(&files)
        })
    }
}

/// The vendored directory has one selection: that of the profile and the backend.
fn reject_other_selections(request: &SyncRequest) -> Result<(), VendoredDirectoryError> {
    let given = [
        ("extra", !request.extras.is_empty()),
        ("group", !request.groups.is_empty()),
        ("no-default-groups", request.no_default_groups),
        ("package", !request.packages.is_empty()),
        ("all-packages", request.all_packages),
        ("release", request.cargo_profile == Some(CargoProfile::Release)),
        ("debug", request.cargo_profile == Some(CargoProfile::Debug)),
        ("dry-run", request.dry_run),
    ];
    match given.into_iter().find(|(_, is_given)| *is_given) {
        Some((option, _)) => Err(VendoredDirectoryError::Option { option }),
        None if !request.uv_args.is_empty() => Err(VendoredDirectoryError::Arguments),
        None => Ok(()),
    }
}

/// Reads the directory, and rejects what was not made from the present lockfile, and a lockfile that is out of date.
fn compared(
    session: &Session,
    uv: &Uv,
    context: &ProfileContext<'_>,
    (directory, backend, mode): (&Utf8Path, Option<&Name>, LockMode),
) -> crate::Result<VendoredSelection> {
    let frozen = LockMode::Frozen { allow_stale: matches!(mode, LockMode::Frozen { allow_stale: true }) };
    let vendored = vendored_lock(directory, context, backend)?;
    // `vendor` has compared the lockfile with the manifest that was there.
    if !vendored.lock.is_from(&context.manifest.file.text) {
        changes(context, frozen, &session.settings.variables)?;
    }
    if !matches!(mode, LockMode::Frozen { .. }) {
        // Without network, uv often cannot tell.
        let verdict = session.lock_verdict(uv, &context.paths.directory, true);
        OperationError::reject(verdict, context, session, uv)?;
    }
    Ok(vendored)
}

/// Whether uv says of no settings that a distribution was built with.
fn has_no_build_settings(distribution: &Distribution) -> bool {
    match std::fs::read_to_string(distribution.folder().join(BUILD_INFO)) {
        Ok(text) => text.trim() == NO_SETTINGS,
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// Whether there is an environment that can be kept.
fn is_usable(environment: &Environment) -> crate::Result<bool> {
    match environment.usable() {
        Ok(usable) => Ok(usable.is_some()),
        // This may be the result of an interrupted sync. It is known only once no other process uses it.
        Err(error) if matches!(error.downcast_ref(), Some(EnvironmentError::Broken { .. })) => Ok(false),
        Err(error) => Err(error),
    }
}
