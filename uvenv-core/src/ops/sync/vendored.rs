//! Syncs from a vendored directory: without index, git and build tools. Everything is compared before anything is changed.

mod python;
mod uv;

use std::{collections::BTreeSet, panic::resume_unwind, thread, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use self::{
    python::{check_python, find_python, has_other_python},
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
        Changes, Distribution, Distributions, Environment, EnvironmentError, Inspection, Provenance, Source, SyncRecord,
    },
    fs::parallel,
    model::{Name, Profile},
    monorepo::{Monorepo, ProfileContext},
    native::{CargoProfile, Watched},
    ops::{
        OperationError, Session,
        backend_request::{self, SelectedPackages},
        milliseconds, uv_failed,
        vendored_lock::vendored_lock,
    },
    process::{Invocation, Stderr},
    report::SyncReport,
    sync_cache::SyncInputs,
    uv::{
        Uv, interpreter,
        pip_sync::{BUILD_INFO, CACHE_INFO, PipSyncCommand, build_info},
    },
    vendor::{KnownHashes, VendoredDirectoryError, VendoredLock, WHEELS, check_files, own_locks},
};

/// A sync from a vendored directory that is ready to be executed.
pub(super) struct VendoredSync<'m> {
    directory: Utf8PathBuf,
    context: ProfileContext<'m>,
    selection: Selection,
    environment: Environment,
    lock: VendoredLock,
    flags: Vec<String>,
    /// Whether there is an environment that is kept.
    exists: bool,
    /// `--python`.
    request: Option<String>,
    uv: Uv,
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
        let frozen = LockMode::Frozen { allow_stale: matches!(request.lock, LockMode::Frozen { allow_stale: true }) };
        changes(&context, frozen, &session.settings.variables)?;
        let lock = vendored_lock(directory, &context, selection.name())?;
        let uv = find_uv(session, directory)?;
        if !matches!(request.lock, LockMode::Frozen { .. }) {
            // Without network, uv often cannot tell.
            let verdict = session.lock_verdict(&uv, &context.paths.directory, true);
            OperationError::reject(verdict, &context, session, &uv)?;
        }
        let path = monorepo.environment(context.paths, selection.name(), &session.settings.variables);
        let environment = Environment::new(path);
        let recreate = request.recreate
            || environment.moved_from(SyncRecord::read(&environment).as_ref()).is_some()
            || has_other_python(session, &uv, &context, &environment, request.python.as_deref())?;
        let exists = !recreate
            && match environment.usable() {
                Ok(usable) => usable.is_some(),
                // This may be the result of an interrupted sync. It is known only once no other process uses it.
                Err(error) if matches!(error.downcast_ref(), Some(EnvironmentError::Broken { .. })) => false,
                Err(error) => return Err(error),
            };
        Ok(Self {
            directory: directory.to_owned(),
            flags: backend_flags(&context, &available.list, &selection),
            keep_extraneous: request.keep_extraneous,
            context,
            selection,
            environment,
            lock,
            exists,
            request: request.python.clone(),
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
        let Some(lockfile) = self.context.lockfile()? else { return self.execute(session, &mut ()) };
        let inputs = SyncInputs {
            start: pending.target.start(session),
            context: &self.context,
            lockfile,
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
        let wheels = self.directory.join(WHEELS);
        let files = self.lock.wheels().map(|wheel| wheels.join(&wheel.file));
        // The other locks tell which files are surplus.
        let locks = own_locks(&self.directory).into_iter();
        let stamped = files.chain(locks).chain([self.directory.clone(), wheels.clone()]).collect();
        Watched { stamped, ..Watched::default() }
    }

    /// Rejects what is not as it was vendored, and an interpreter for which nothing was. Returns the interpreter of a new
    /// environment.
    fn check(&self, session: &Session) -> crate::Result<Option<String>> {
        let known = KnownHashes::read(&self.directory, &session.settings.variables);
        // The files are compared meanwhile.
        let (python, files) = thread::scope(|scope| {
            let files = scope.spawn(|| check_files(&self.directory, &self.lock, &known));
            let python = if self.exists {
                check_python(session, &self.uv, &self.environment.executable(), &self.lock).map(|()| None)
            } else {
                self.new_python(session).map(Some)
            };
            (python, files.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        files?;
        known.keep();
        python
    }

    /// Returns the interpreter of a new environment.
    fn new_python(&self, session: &Session) -> crate::Result<String> {
        let python = find_python(session, &self.uv, &self.context, self.request.as_deref())?;
        check_python(session, &self.uv, Utf8Path::new(&python), &self.lock)?;
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
        let after = Distributions::read(&self.environment)?;
        self.add_provenance(&after)?;
        let after = Distributions::read(&self.environment)?;
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

    fn install(&self, session: &Session, active: &ActiveSync, python: Option<String>) -> crate::Result<()> {
        let variables = session.settings.child_view();
        // What an interrupted sync has made was removed just now.
        if self.environment.inspect()? == Inspection::Missing {
            let python = python.map_or_else(|| self.new_python(session), Ok)?;
            let name = self.context.manifest.name();
            let make = interpreter::make_environment(&self.uv, &python, name, self.environment.root(), true);
            run(session, &active.journal.covers(make, &variables), Stderr::Capture)?;
        }
        let command = PipSyncCommand {
            environment: self.environment.root().to_owned(),
            lock: self.lock.path.clone(),
            inexact: self.keep_extraneous && SyncRecord::read(&self.environment) == Some(self.record()),
            reinstall: active.suspects.iter().cloned().chain(self.of_other_sources(&active.before)).collect(),
        };
        let invocation = command.invocation(&self.uv, &session.settings.appearance);
        let stderr = session.settings.stderr(&[]);
        run(session, &active.journal.covers(invocation, &variables), stderr)
    }

    /// Returns the installed distributions that have the right version, but another source: uv compares versions only.
    fn of_other_sources(&self, before: &Distributions) -> Vec<Name> {
        let is_right = |distribution: &Distribution| match (self.provenance(distribution), &distribution.source) {
            // An archive at a URL is known by its hash, which uv compares.
            (None, Source::Registry | Source::Archive { .. }) => true,
            (Some(pin), Source::Git { commit, .. }) => pin.commit == commit,
            _ => false,
        };
        before.iter().filter(|distribution| !is_right(distribution)).map(|one| one.name.clone()).collect()
    }

    fn provenance(&self, distribution: &Distribution) -> Option<Provenance<'_>> {
        let Distribution { name, version, .. } = distribution;
        let pin = self.lock.facts.pins.iter().find(|pin| pin.is_of(name, version))?;
        Some(Provenance {
            url: &pin.url,
            commit: &pin.commit,
            reference: pin.reference.as_deref(),
            subdirectory: pin.subdirectory.as_deref(),
        })
    }

    /// Writes where the distributions came from, as `uv sync` does, so that it does not install them again.
    fn add_provenance(&self, installed: &Distributions) -> crate::Result<()> {
        let locked: BTreeSet<_> = self.lock.packages.iter().map(|(name, _)| name).collect();
        let distributions: Vec<_> =
            installed.iter().filter(|distribution| locked.contains(&distribution.name)).collect();
        let add = |(): &mut (), distribution: &&Distribution| -> crate::Result<()> {
            let direct_url = self.provenance(distribution).map(|provenance| provenance.direct_url());
            let is_built = self.lock.facts.built.contains(&distribution.name);
            let build_info = build_info(&self.uv).filter(|_| is_built);
            let mut files = vec![(CACHE_INFO, None)];
            files.extend(direct_url.as_deref().map(|text| ("direct_url.json", Some(text))));
            files.extend(build_info.map(|text| (BUILD_INFO, Some(text))));
            let path = distribution.folder();
            Ok(distribution.set_info(&files).map_err(self.environment.not_writable(path))?)
        };
        parallel::par_queue(&distributions, || (), add).into_iter().collect()
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

fn run(session: &Session, invocation: &Invocation, stderr: Stderr) -> crate::Result<()> {
    let streamed = session.stream(invocation, stderr)?;
    if streamed.status.success() { Ok(()) } else { Err(uv_failed(invocation, &streamed, stderr).into()) }
}
