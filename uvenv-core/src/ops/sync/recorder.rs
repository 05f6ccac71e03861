//! Records what the outcome of a sync depended on, so that the next one with the same request need not ask uv.

use serde::{Deserialize, Serialize};

use super::execute::Recorder;
use crate::{
    backend::{BackendOrigin, Selection},
    environment::{Distributions, Journal, SyncRecord},
    model::{Name, Profile},
    monorepo::ProfileContext,
    native::Watched,
    ops::{ProfileRequest, Session},
    report::{PythonInfo, SyncReport, UvInfo},
    sync_cache::{CacheEntry, InputSnapshot, PreviousFingerprints, RequestKey, SyncInputs, Uncacheable},
};

/// The part of a report that stays the same as long as nothing changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CachedReport {
    pub(super) profile: Profile,
    pub(super) backend: Option<Name>,
    pub(super) backend_origin: String,
    pub(super) python: Option<PythonInfo>,
    pub(super) uv: UvInfo,
}

impl CachedReport {
    pub(super) fn of(report: &SyncReport) -> Self {
        Self {
            profile: report.profile,
            backend: report.backend.clone(),
            backend_origin: report.backend_origin.clone(),
            python: report.python.clone(),
            uv: report.uv.clone(),
        }
    }
}

/// A request that must be answered by uv.
pub(super) struct PendingSync<'a> {
    pub(super) key: RequestKey,
    pub(super) target: &'a ProfileRequest,
    /// The previous record, which is out of date.
    pub(super) previous: Option<CacheEntry<CachedReport>>,
}

impl PendingSync<'_> {
    /// Returns the fingerprints of the previous record.
    pub(super) fn previous(&self) -> PreviousFingerprints<'_> {
        self.previous.as_ref().map(CacheEntry::previous).unwrap_or_default()
    }
}

/// Returns why a sync of any kind cannot be cached even if it has nothing to do.
pub(super) fn refusal(context: &ProfileContext<'_>, selection: &Selection) -> Option<Uncacheable> {
    #[cfg(feature = "full")]
    if !crate::ops::warnings(context.monorepo, context.profile).is_empty() {
        return Some("there are warnings to show".to_owned());
    }
    let is_guessed = context.monorepo.config.env_per_backend && selection.origin == BackendOrigin::LastSync;
    is_guessed.then(|| "the backend is the one of the only existing environment".to_owned())
}

/// Records a sync in the environment, so that the next sync with the same request can use it.
pub(super) struct CacheRecorder<'a> {
    session: &'a Session,
    pending: &'a PendingSync<'a>,
    inputs: SyncInputs<'a>,
    record: SyncRecord,
    /// Why nothing is recorded.
    refusal: Option<Uncacheable>,
    /// The inputs before uv was started.
    snapshot: Option<InputSnapshot>,
}

impl<'a> CacheRecorder<'a> {
    pub(super) fn new(
        session: &'a Session,
        pending: &'a PendingSync<'a>,
        inputs: SyncInputs<'a>,
        (record, refusal): (SyncRecord, Option<Uncacheable>),
    ) -> Self {
        Self { session, pending, inputs, record, refusal, snapshot: None }
    }

    /// Returns the value of `outcome`. If there is none, tells the user why nothing is recorded, if such messages are
    /// enabled.
    fn explained<T>(&self, outcome: Result<T, Uncacheable>) -> Option<T> {
        outcome.map_err(|why| self.session.settings.explain(&format!("the sync is not cached: {why}"))).ok()
    }
}

impl Recorder for CacheRecorder<'_> {
    fn before(&mut self, watched: &dyn Fn() -> Watched) {
        let snapshot = self.refusal.take().map_or_else(|| InputSnapshot::take(&self.inputs, watched()), Err);
        self.snapshot = self.explained(snapshot);
    }

    fn after(&mut self, report: &SyncReport, installed: &Distributions, built: Option<&Name>, journal: &Journal) {
        let Some(snapshot) = self.snapshot.take() else { return };
        let (installed, recorded) = ((installed, report.installed.as_slice()), (self.record.clone(), journal.path()));
        // The inputs of a build are known only after the build, and were not part of the snapshot.
        let recorded = match built {
            Some(built) => Err(format!("`{built}` was just built from Rust")),
            None => snapshot.record(&self.pending.key, CachedReport::of(report), &self.inputs, installed, recorded),
        };
        self.explained(recorded);
    }
}
