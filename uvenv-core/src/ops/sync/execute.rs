//! Executes a plan: the only part of a sync that starts uv to change an environment.

use std::time::{Instant, SystemTime};

use super::plan::{SyncPlan, build_context, installed};
use crate::{
    backend::Backend,
    environment::{
        Backup, Changes, Distribution, Distributions, Environment, Inspection, Interpreter, Journal, SyncRecord,
        has_same_names,
    },
    lockfile::LockfileError,
    model::{Interrupted, Name},
    native::{BuildContext, FreshnessReport, Stale, Watched},
    ops::{OperationError, Session, backend_request::subjects, error::BackendLoss, milliseconds, uv_failed},
    process::{Invocation, Stderr},
    report::{PythonInfo, SyncPlanned, SyncReport},
    uv::{self, Appearance, LockVerdict, LockfileMode, SyncCommand, messages::removed_packages},
};

/// Records what the outcome of a sync depended on.
pub(super) trait Recorder {
    /// Takes a snapshot before uv is started. `watched` is what the packages depend on.
    fn before(&mut self, watched: &dyn Fn() -> Watched);

    /// Records the outcome after uv has succeeded. `installed` is the content of the environment, and `built` a package
    /// whose build has just shown what it depends on.
    fn after(&mut self, report: &SyncReport, installed: &Distributions, built: Option<&Name>, journal: &Journal);
}

/// Records nothing.
impl Recorder for () {
    fn before(&mut self, _: &dyn Fn() -> Watched) {}

    fn after(&mut self, _: &SyncReport, _: &Distributions, _: Option<&Name>, _: &Journal) {}
}

impl SyncPlan<'_> {
    /// Shows what would be done: the plan and, on stderr, the changes that uv would make.
    pub fn dry_run(&self, session: &Session) -> crate::Result<SyncPlanned> {
        let stale = self.stale(session)?;
        let reinstall = stale.iter().map(|stale| stale.name.to_string()).collect();
        let command = SyncCommand { reinstall, ..self.command.clone() };
        let invocation = command.invocation(&self.uv, &session.settings.appearance);
        self.call_uv(session, &invocation)?;
        Ok(SyncPlanned {
            profile: self.context.profile,
            backend: self.selection.name().cloned(),
            backend_origin: self.selection.origin.to_string(),
            environment: self.environment.clone(),
            recreate: self.recreate,
            rebuild: installed(stale),
            command: invocation.to_string(),
        })
    }

    /// Executes the plan.
    pub fn execute(&self, session: &Session) -> crate::Result<SyncReport> {
        self.execute_recorded(session, &mut ())
    }

    /// Executes the plan. If nothing has to be repaired or built, `recorder` records what the outcome depended on.
    pub(super) fn execute_recorded(&self, session: &Session, recorder: &mut dyn Recorder) -> crate::Result<SyncReport> {
        let start = Instant::now();
        let environment = Environment::new(self.environment.clone());
        let mut active = ActiveSync::prepare(self.recreate, session, &environment)?;
        let (variables, child) = (session.settings.child_view(), |invocation| session.settings.child(invocation));
        let context = build_context(session, &self.context.monorepo.root, &variables, &child, false);
        let mut native = self.native.check(&environment, &active.before, &context);
        session.warn(std::mem::take(&mut native.warnings));
        let is_recorded = active.is_whole() && !native.stale.iter().any(|stale| stale.is_installed);
        if is_recorded {
            recorder.before(&|| self.native.watched(&environment, &context));
        }
        let command = self.reinstalling(&active, &native);
        if self.guards_backend {
            self.guard_backend(session, &command)?;
        }
        active.journal.begin(&environment, &active.before)?;
        native.renew_times();
        let uv = command.invocation(&self.uv, &session.settings.appearance);
        if let Err(error) = self.call_uv(session, &active.journal.covers(uv, &variables)) {
            active.give_up(&environment, &error)?;
            return Err(error);
        }
        let after = Distributions::read(&environment)?;
        let changes = Changes::between(&active.before, &after);
        let record = self.record();
        let is_same_backend = SyncRecord::read(&environment).is_some_and(|old| old.backend == record.backend);
        match record.write(&environment) {
            // An environment that cannot be written, in which there was nothing to do.
            Err(_) if changes.is_empty() && is_same_backend => {}
            written => written?,
        }
        let stale = native.stale.clone();
        native.record(&environment, &after, &changes, &BuildContext { now: SystemTime::now(), ..context })?;
        let report = self.report(&environment, changes, stale, start)?;
        active.finish(&environment, &report, |journal| {
            if is_recorded {
                let built = report.installed.iter().map(|one| &one.name).find(|name| self.native.contains(name));
                recorder.after(&report, &after, built, journal);
            }
        })?;
        Ok(report)
    }

    /// Rejects a sync that would replace packages, except those of the workspace, because the backend may need them.
    fn guard_backend(&self, session: &Session, command: &SyncCommand) -> crate::Result<()> {
        let command = SyncCommand { dry_run: true, ..command.clone() };
        let appearance = Appearance { color: Some("never"), ..Appearance::default() };
        let streamed = session.stream(&command.invocation(&self.uv, &appearance), Stderr::Capture)?;
        let is_member = |name: &Name| self.context.manifests().any(|manifest| manifest.name() == Some(name));
        let replaced: Vec<_> = removed_packages(&streamed.stderr).filter(|name| !is_member(name)).collect();
        // If uv fails, it will fail again, and says why.
        if replaced.is_empty() || !streamed.status.success() {
            return Ok(());
        }
        Err(OperationError::PackageWithoutBackend {
            packages: subjects(&self.context, &self.command.packages),
            profile: self.context.profile,
            of_members: self.context.backends().is_ok_and(<[Backend]>::is_empty),
            environment: self.context.monorepo.relative(&self.environment).to_owned(),
            loss: BackendLoss::Replaced(replaced),
        }
        .into())
    }

    /// Returns the uv command, with all packages that must be reinstalled.
    fn reinstalling(&self, active: &ActiveSync, native: &FreshnessReport<'_>) -> SyncCommand {
        let stale = native.stale.iter().map(|stale| &stale.name);
        let reinstall = active.suspects.iter().chain(stale).map(Name::to_string).collect();
        SyncCommand { reinstall, ..self.command.clone() }
    }

    fn report(
        &self,
        environment: &Environment,
        changes: Changes,
        stale: Vec<Stale>,
        start: Instant,
    ) -> crate::Result<SyncReport> {
        let mut rebuilt = installed(stale);
        rebuilt.retain(|one| changes.installed.iter().any(|distribution| distribution.name == one.name));
        Ok(SyncReport {
            profile: self.context.profile,
            backend: self.selection.name().cloned(),
            backend_origin: self.selection.origin.to_string(),
            environment: self.environment.clone(),
            python: python_of(environment)?,
            changed: !changes.is_empty(),
            installed: changes.installed,
            removed: changes.removed,
            rebuilt,
            uv: (&self.uv).into(),
            uv_invoked: true,
            elapsed_ms: milliseconds(start.elapsed()),
        })
    }

    fn call_uv(&self, session: &Session, invocation: &Invocation) -> crate::Result<()> {
        let stderr = session.settings.stderr(&[&self.context.manifest.file.text]);
        let streamed = session.stream(invocation, stderr)?;
        if streamed.status.success() {
            return Ok(());
        }
        let verdict = match LockVerdict::of(&streamed, true) {
            verdict @ (LockVerdict::Stale(_) | LockVerdict::Damaged(_)) => verdict,
            // Output that went to a terminal was not captured.
            _ if self.command.lock == LockfileMode::Check || stderr == Stderr::Inherit => {
                session.lock_verdict(&self.uv, &self.context.paths.directory, true)
            }
            verdict => verdict,
        };
        Err(match verdict {
            // uv checks more than the comparison of the files does, such as constraints.
            LockVerdict::Stale(_) if self.command.lock == LockfileMode::Check => {
                OperationError::stale(&self.context, session, &self.uv)?.into()
            }
            LockVerdict::Damaged(why) => LockfileError::damaged(&self.context.paths.lockfile(), why).into(),
            _ => uv_failed(invocation, &streamed, stderr).into(),
        })
    }
}

impl From<Interpreter> for PythonInfo {
    fn from(interpreter: Interpreter) -> Self {
        Self { path: interpreter.executable, version: interpreter.version }
    }
}

/// Returns the Python of an environment, if it has one.
pub(in crate::ops) fn python_of(environment: &Environment) -> crate::Result<Option<PythonInfo>> {
    Ok(match environment.inspect()? {
        Inspection::Ready(interpreter) => Some(PythonInfo::from(interpreter)),
        _ => None,
    })
}

/// A sync that has locked the environment: its state before uv, and how to recover if uv fails.
pub(super) struct ActiveSync {
    pub(super) journal: Journal,
    was_interrupted: bool,
    /// The previous environment, if it is replaced.
    backup: Option<Backup>,
    /// The packages that an interrupted sync may have damaged.
    pub(super) suspects: Vec<Name>,
    pub(super) before: Distributions,
}

impl ActiveSync {
    /// Waits for the environment, and repairs it so that uv can use it.
    pub(super) fn prepare(recreate: bool, session: &Session, environment: &Environment) -> crate::Result<Self> {
        let journal = Journal::open(environment, &session.settings.variables, session.settings.observer())?;
        let backup = if recreate { Some(environment.back_up()?) } else { None };
        let suspects = if recreate { Vec::new() } else { repair(environment, &journal)? };
        let before = Distributions::read(environment)?;
        Ok(Self { was_interrupted: journal.interrupted().is_some(), journal, backup, suspects, before })
    }

    /// Whether the environment is in the state in which a successful sync left it.
    pub(super) fn is_whole(&self) -> bool {
        self.suspects.is_empty() && self.backup.is_none()
    }

    /// Ends a sync that went well. `before_end` is called if its outcome is whole.
    pub(super) fn finish(
        mut self,
        environment: &Environment,
        report: &SyncReport,
        before_end: impl FnOnce(&Journal),
    ) -> crate::Result<()> {
        self.backup.take().map_or(Ok(()), Backup::discard)?;
        if self.was_interrupted {
            environment.remove_backups()?;
        }
        // On a full disk, uv may end well all the same. The mark then has the next sync repair what it has left.
        if report.python.is_some() && report.installed.iter().all(Distribution::is_listed) {
            before_end(&self.journal);
            self.journal.finish_sync(environment, report.changed)?;
        }
        Ok(())
    }

    /// Restores what can be restored. The journal keeps its mark, unless it is certain that nothing was changed.
    pub(super) fn give_up(mut self, environment: &Environment, error: &crate::Error) -> crate::Result<()> {
        let is_as_before = match self.backup.take() {
            Some(backup) => backup.restore()?,
            None => self.is_as_before(environment, error)?,
        };
        if is_as_before && !self.was_interrupted {
            self.journal.finish()?;
        }
        // An error about a directory that cannot be written is clearer than the message that uv would give.
        environment.check_writable()
    }

    /// Whether uv has failed before it changed anything. What uv removes first are files, which only the lists of the
    /// distributions show.
    fn is_as_before(&self, environment: &Environment, error: &crate::Error) -> crate::Result<bool> {
        let was_killed = uv::failure(error).is_some_and(|(status, _)| status.code().is_none());
        if was_killed || error.downcast_ref::<Interrupted>().is_some() {
            return Ok(false);
        }
        let was_missing = self.journal.interrupted().is_some_and(|begun| begun.was_missing);
        Ok(match environment.inspect()? {
            Inspection::Missing => was_missing,
            Inspection::Ready(_) if !was_missing => {
                let after = Distributions::read(environment)?;
                self.before == after && after.are_whole() && has_same_names(environment)
            }
            _ => false,
        })
    }
}

/// Repairs the environment so that uv can use it. Returns the packages that must be reinstalled.
fn repair(environment: &Environment, journal: &Journal) -> crate::Result<Vec<Name>> {
    if let Some(interrupted) = journal.interrupted() {
        match environment.inspect()? {
            // The sync that should have created it was interrupted: anything may be missing, and it contains nobody
            // else's work.
            Inspection::Broken(_) | Inspection::Ready(_) if interrupted.was_missing => environment.remove()?,
            Inspection::Foreign(_) if interrupted.was_missing => environment.remove_beginnings()?,
            Inspection::Ready(_) => return interrupted.clean(environment),
            _ => {}
        }
    }
    environment.usable()?;
    Ok(Vec::new())
}
