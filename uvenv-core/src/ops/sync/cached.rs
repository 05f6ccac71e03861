//! Skips a sync if a previous one shows that there is nothing to do.

use std::time::Instant;

#[cfg(feature = "vendored")]
use super::vendored::VendoredSync;
use super::{
    SyncPlan, SyncRequest,
    recorder::{CacheRecorder, CachedReport, PendingSync, refusal},
};
use crate::{
    backend::Choice,
    environment::{BaseInterpreter, Environment, SyncRecord},
    model::Profile,
    monorepo::Monorepo,
    ops::{ProfileRequest, Session, milliseconds},
    report::SyncReport,
    sync_cache::{self, CacheEntry, CacheMiss, RequestKey, Uncacheable},
    uv::{self, LockfileMode},
};

/// An environment that is up to date.
#[derive(Debug)]
pub(crate) struct Synced {
    pub(crate) report: SyncReport,
    pub(crate) environment: Environment,
    pub(crate) record: SyncRecord,
    known: Option<(RequestKey, CacheEntry<CachedReport>)>,
}

impl SyncRequest {
    /// Syncs the profile that `target` names. If a previous sync recorded everything that its outcome depended on, and
    /// all of that is unchanged, uv is not started. `on_discovered` is called with the monorepo if the monorepo has to
    /// be read.
    pub fn sync(
        &self,
        session: &Session,
        target: &ProfileRequest,
        on_discovered: impl FnOnce(&Monorepo, Profile),
    ) -> crate::Result<SyncReport> {
        Ok(self.synced(session, target, on_discovered)?.report)
    }

    pub(in crate::ops) fn synced(
        &self,
        session: &Session,
        target: &ProfileRequest,
        on_discovered: impl FnOnce(&Monorepo, Profile),
    ) -> crate::Result<Synced> {
        let pending = match self.known(session, target) {
            Ok(synced) => return Ok(synced),
            Err(pending) => pending,
        };
        let (monorepo, profile) = target.find(session)?;
        on_discovered(&monorepo, profile);
        #[cfg(feature = "vendored")]
        if let Some(directory) = &self.vendored {
            let plan = VendoredSync::new(&monorepo, session, profile, (self, directory))?;
            let report = plan.answer(session, &pending)?;
            return Ok(Synced { report, environment: plan.environment().clone(), record: plan.record(), known: None });
        }
        let plan = SyncPlan::new(&monorepo, session, profile, self)?;
        ask(session, &plan, &pending)
    }

    /// Like [`sync`](Self::sync), for a monorepo that was read already. `before` is called with the environment and its
    /// new backend before anything is changed.
    pub(crate) fn synced_by(
        &self,
        session: &Session,
        target: &ProfileRequest,
        (monorepo, profile): (&Monorepo, Profile),
        before: impl FnOnce(&Environment, Option<&Choice>) -> crate::Result<()>,
    ) -> crate::Result<Synced> {
        let pending = match self.known(session, target) {
            Ok(synced) => {
                before(&synced.environment, synced.record.backend.as_ref())?;
                return Ok(synced);
            }
            Err(pending) => pending,
        };
        #[cfg(feature = "vendored")]
        if let Some(directory) = &self.vendored {
            let plan = VendoredSync::new(monorepo, session, profile, (self, directory))?;
            before(plan.environment(), plan.record().backend.as_ref())?;
            let report = plan.answer(session, &pending)?;
            return Ok(Synced { report, environment: plan.environment().clone(), record: plan.record(), known: None });
        }
        let plan = SyncPlan::new(monorepo, session, profile, self)?;
        before(&Environment::new(plan.environment.clone()), plan.record().backend.as_ref())?;
        ask(session, &plan, &pending)
    }

    /// Returns the recorded outcome, or the request that uv must answer.
    fn known<'a>(&self, session: &Session, target: &'a ProfileRequest) -> Result<Synced, Box<PendingSync<'a>>> {
        let start = Instant::now();
        // uv resolves relative paths in variables and requirements against the directory of the process.
        let current = std::env::current_dir().ok();
        let key = RequestKey::new(&(&session.settings.directory, current, session.settings.offline, target, self));
        if self.recreate || self.dry_run {
            return Err(Box::new(PendingSync { key, target, previous: None }));
        }
        match answer(session, &key) {
            Ok((environment, state)) => Ok(Synced {
                report: report(&state.answer, &environment, start),
                environment,
                record: state.record.clone(),
                known: Some((key, state)),
            }),
            Err(miss) => {
                session.settings.explain(&format!("calling uv: {}", miss.why));
                Err(Box::new(PendingSync { key, target, previous: miss.previous }))
            }
        }
    }
}

/// Syncs with uv, and records what the outcome depended on.
fn ask(session: &Session, plan: &SyncPlan<'_>, pending: &PendingSync<'_>) -> crate::Result<Synced> {
    let report = plan.answer(session, pending)?;
    let environment = Environment::new(plan.environment.clone());
    Ok(Synced { report, environment, record: plan.record(), known: None })
}

/// Returns the recorded outcome for an environment whose record is `record`, for any request. The error is what has
/// changed.
#[cfg(feature = "full")]
pub(in crate::ops) fn known(
    session: &Session,
    environment: &Environment,
    record: &SyncRecord,
) -> Option<Result<CacheEntry<CachedReport>, String>> {
    // What was recorded is about another monorepo, which may still be there.
    if environment.moved_from(Some(record)).is_some() {
        return None;
    }
    let mut state = CacheEntry::newest(environment, record)?;
    let (uv, _) = uv::find(&session.settings.variables, session.settings.companion_uv.as_deref()).ok().flatten()?;
    Some(state.compare(&session.settings.child_view(), &uv).map(|_| state))
}

fn answer(
    session: &Session,
    key: &RequestKey,
) -> Result<(Environment, CacheEntry<CachedReport>), Box<CacheMiss<CachedReport>>> {
    let found = uv::find(&session.settings.variables, session.settings.companion_uv.as_deref());
    let Some((path, _)) = found.ok().flatten() else { return Err(CacheMiss::new("uv is not installed yet", None)) };
    CacheEntry::answering(key, &session.settings.child_view(), &path)
}

fn report(answer: &CachedReport, environment: &Environment, start: Instant) -> SyncReport {
    let CachedReport { profile, backend, backend_origin, python, uv } = answer.clone();
    SyncReport {
        profile,
        backend,
        backend_origin,
        environment: environment.root().to_owned(),
        python,
        changed: false,
        installed: Vec::new(),
        removed: Vec::new(),
        rebuilt: Vec::new(),
        uv,
        uv_invoked: false,
        elapsed_ms: milliseconds(start.elapsed()),
    }
}

impl Synced {
    /// Returns the interpreter from which the environment was created: the recorded one, or else the result of a query.
    pub(crate) fn base(&mut self, session: &Session) -> crate::Result<BaseInterpreter> {
        if let Some(base) = self.known.as_ref().and_then(|(_, state)| state.base.clone()) {
            return Ok(base);
        }
        let base =
            BaseInterpreter::ask(&self.environment.executable(), |invocation| session.settings.child(invocation))?;
        if let Some((key, state)) = &mut self.known {
            state.keep_base(&base, key, &self.environment);
        }
        Ok(base)
    }
}

impl SyncPlan<'_> {
    /// Syncs. If there was nothing to do, records what that depended on, as the answer to `pending`.
    fn answer(&self, session: &Session, pending: &PendingSync<'_>) -> crate::Result<SyncReport> {
        let Some(lockfile) = self.context.lockfile()? else { return self.execute(session) };
        let environment = Environment::new(self.environment.clone());
        let variables = session.settings.child_view();
        let inputs = sync_cache::SyncInputs {
            start: pending.target.start(session),
            context: &self.context,
            locked: &lockfile.packages,
            environment: &environment,
            variables: &variables,
            uv: &self.uv.path,
            is_frozen: self.command.lock == LockfileMode::Frozen,
            python: self.command.python.as_deref(),
            backend: &self.selection.inputs,
            previous: &pending.previous(),
        };
        let mut recorder = CacheRecorder::new(session, pending, inputs, (self.record(), self.refusal()));
        self.execute_recorded(session, &mut recorder)
    }

    /// Returns why a sync cannot be cached even if it has nothing to do.
    fn refusal(&self) -> Option<Uncacheable> {
        if !self.command.rest.is_empty() {
            return Some("there are extra arguments for uv".to_owned());
        }
        refusal(&self.context, &self.selection)
    }
}
