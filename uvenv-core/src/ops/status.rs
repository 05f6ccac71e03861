//! `status`: the state of the profiles.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::{
    OperationError, Session,
    backend_request::SelectedPackages,
    changed_backend::ChangedBackend,
    installed_state::InstalledState,
    sync::{CachedReport, known},
};
use crate::{
    environment::{Environment, Inspection, SyncRecord},
    lockfile::{Freshness, GitSource, seen_by_uv},
    model::{Name, Profile},
    monorepo::{InternalPackages, Monorepo, ProfileContext, ProfilePaths},
    report::{
        EnvironmentState, EnvironmentStatus, LockfileState, LockfileStatus, PackageOrigin, PackageStatus, Problem,
        ProfileStatus, PythonInfo, StatusReport,
    },
    sync_cache,
    uv::{self, Fetch, LockVerdict, messages::words},
};

/// Returns the state of all profiles. Nothing is downloaded or changed.
pub fn status(monorepo: &Monorepo, session: &Session) -> StatusReport {
    let mut packages: BTreeMap<Name, Vec<PackageOrigin>> = BTreeMap::new();
    let internal = monorepo.internal_packages();
    let mut profiles = Vec::new();
    for paths in &monorepo.profiles {
        profiles.push(match monorepo.context(paths.profile) {
            Ok(context) => {
                let inspection = ProfileInspection { context: &context, session };
                inspection.add_packages(&internal, &mut packages);
                inspection.status()
            }
            Err(error) => ProfileStatus { error: Some(Problem::new(&*error)), ..unknown(paths) },
        });
    }
    let packages = packages.into_iter().map(|(name, profiles)| PackageStatus { name, profiles });
    StatusReport { root: monorepo.root.clone(), profiles, packages: packages.collect() }
}

/// Whether it is known without uv that the lockfile satisfies its manifest: an environment is in sync with it.
pub(super) fn is_known_fresh(session: &Session, context: &ProfileContext<'_>) -> bool {
    let names: Vec<_> = context.backends().unwrap_or_default().iter().map(|backend| backend.name.clone()).collect();
    let environments = ProfileInspection { context, session }.environments(&names);
    environments.into_iter().any(|path| InspectedEnvironment::new(path, session).knows_the_lockfile())
}

/// Returns the status of a profile that cannot be read.
fn unknown(paths: &ProfilePaths) -> ProfileStatus {
    let lockfile = LockfileStatus { path: paths.lockfile(), state: LockfileState::Unreadable, reasons: Vec::new() };
    ProfileStatus {
        profile: paths.profile,
        manifest: paths.manifest(),
        backends: Vec::new(),
        lockfile,
        environments: Vec::new(),
        error: None,
    }
}

struct ProfileInspection<'a> {
    context: &'a ProfileContext<'a>,
    session: &'a Session,
}

impl ProfileInspection<'_> {
    fn status(&self) -> ProfileStatus {
        let (backends, error) = match self.context.backends() {
            Ok(backends) => (backends.iter().map(|backend| backend.name.clone()).collect(), None),
            Err(error) => (Vec::new(), Some(Problem::new(&*error))),
        };
        let environments: Vec<_> = self
            .environments(&backends)
            .into_iter()
            .map(|path| InspectedEnvironment::new(path, self.session))
            .collect();
        let is_known_fresh = environments.iter().any(InspectedEnvironment::knows_the_lockfile);
        let lockfile = self.lockfile(is_known_fresh);
        let environments = environments.into_iter().map(|inspected| self.environment(inspected)).collect();
        ProfileStatus { backends, lockfile, environments, error, ..unknown(self.context.paths) }
    }

    fn lockfile(&self, is_known_fresh: bool) -> LockfileStatus {
        let (state, reasons) = match self.context.freshness() {
            Err(error) => (LockfileState::Unreadable, vec![error.to_string()]),
            Ok(Freshness::Missing) => (LockfileState::Missing, Vec::new()),
            Ok(_) if is_known_fresh => (LockfileState::Fresh, Vec::new()),
            // uv decides. The files only show the reasons.
            Ok(freshness) => match (self.session.offline_verdict(self.context), freshness.changes()) {
                (LockVerdict::Fresh, _) => (LockfileState::Fresh, Vec::new()),
                (LockVerdict::Stale(reason), []) => (LockfileState::Stale, vec![seen_by_uv(reason.as_deref())]),
                (LockVerdict::Stale(_), changes) => {
                    (LockfileState::Stale, changes.iter().map(ToString::to_string).collect())
                }
                (LockVerdict::Damaged(why), _) => (LockfileState::Unreadable, vec![why]),
                (LockVerdict::Rejected(why) | LockVerdict::Unknown(why), _) => (LockfileState::Unknown, vec![why]),
            },
        };
        LockfileStatus { path: self.context.paths.lockfile(), state, reasons }
    }

    /// Returns the environments to examine: the only one or, with one environment per backend, those that exist.
    fn environments(&self, backends: &[Name]) -> Vec<Utf8PathBuf> {
        let path =
            |backend| self.context.monorepo.environment(self.context.paths, backend, &self.session.settings.variables);
        if !self.context.monorepo.config.env_per_backend || backends.is_empty() {
            return vec![path(None)];
        }
        let all = backends.iter().map(Some).chain([None]).map(path);
        all.filter(|path| path.exists()).collect()
    }

    fn environment(
        &self,
        InspectedEnvironment { environment, record, known }: InspectedEnvironment,
    ) -> EnvironmentStatus {
        let is_known = matches!(known, Some(Ok(_)));
        let mut status = EnvironmentStatus {
            path: environment.root().to_owned(),
            state: EnvironmentState::Missing,
            python: None,
            recorded: record.is_some(),
            backend: record.as_ref().and_then(chosen),
            detail: None,
            uv_asked_because: known.and_then(Result::err),
        };
        match environment.inspect() {
            Ok(Inspection::Missing) => {}
            Ok(Inspection::Ready(interpreter)) => {
                status.python = Some(PythonInfo::from(interpreter));
                let moved = environment.moved_from(record.as_ref());
                (status.state, status.detail) = match record {
                    _ if let Some(from) = moved => {
                        let moved = OperationError::moved(self.context, &environment, from, false);
                        (EnvironmentState::OutOfSync, Some(moved.to_string()))
                    }
                    None => (EnvironmentState::Unknown, Some("not synced by uvenv".to_owned())),
                    Some(_) if is_known => (EnvironmentState::InSync, None),
                    Some(_) if self.context.readable_lockfile().is_none() => {
                        (EnvironmentState::Unknown, Some("no lockfile".to_owned()))
                    }
                    Some(record) => match self.in_sync(&environment, &record) {
                        Ok(found) => found,
                        Err(error) => (EnvironmentState::Unknown, Some(error.to_string())),
                    },
                };
            }
            Ok(Inspection::Broken(damage)) => {
                status.state = EnvironmentState::Broken;
                status.detail = Some(damage.to_string());
            }
            Ok(Inspection::Foreign(foreign)) => {
                status.state = EnvironmentState::Broken;
                status.detail = Some(foreign.to_string());
            }
            Err(error) => {
                status.state = EnvironmentState::Unknown;
                status.detail = Some(error.to_string());
            }
        }
        status
    }

    /// Asks uv whether a sync with the selection of the last sync would change anything.
    fn in_sync(
        &self,
        environment: &Environment,
        record: &SyncRecord,
    ) -> crate::Result<(EnvironmentState, Option<String>)> {
        let uv = self.session.uv_with(Fetch::Never)?;
        let backend = chosen(record);
        let selection = (&*record.selection, backend.as_ref());
        let installed = match InstalledState::ask(self.context, self.session, uv, environment, selection) {
            Ok(installed) => installed,
            Err(error) => match uv::failure(&error) {
                Some((_, stderr)) => return Ok((EnvironmentState::Unknown, Some(words(stderr)))),
                None => return Err(error),
            },
        };
        if let Some(warning) = installed.warnings.first() {
            return Ok((EnvironmentState::Unknown, Some(warning.to_string())));
        }
        let stale = installed.stale.first();
        let detail = stale.map(|stale| format!("{} would be rebuilt: {}", stale.name, stale.cause));
        let is_in_sync = !installed.is_outdated && stale.is_none();
        let changed = || {
            let change = ChangedBackend::find(
                self.context,
                self.session,
                uv,
                environment,
                self.context.backends().ok()?,
                SelectedPackages { names: &[], all: false },
            )?;
            Some(change.error(self.context, environment).to_string())
        };
        let detail = detail.or_else(|| if is_in_sync { None } else { changed() });
        Ok((if is_in_sync { EnvironmentState::InSync } else { EnvironmentState::OutOfSync }, detail))
    }

    /// Adds the origins of the profile's internal packages.
    fn add_packages(&self, internal: &InternalPackages, packages: &mut BTreeMap<Name, Vec<PackageOrigin>>) {
        let profile = self.context.profile;
        for member in self.context.members() {
            let version =
                member.manifest.project.as_ref().and_then(|project| Some(project.version.as_ref()?.value.clone()));
            let version = version.or_else(|| Some("dynamic".to_owned()));
            let origin = PackageOrigin { profile, version, reference: None, commit: None };
            packages.entry(member.name.clone()).or_default().push(origin);
        }
        if profile == Profile::Dev {
            return;
        }
        for name in internal.iter() {
            let mut sources = self.context.manifest.sources_of(name).iter();
            if let Some(source) = sources.find_map(|source| GitSource::of(&source.kind)) {
                let text = source.reference.map_or("HEAD", |reference| &reference.text().value);
                let lockfile = self.context.readable_lockfile();
                let locked = lockfile.and_then(|lockfile| lockfile.locked_for(name, &source));
                let commit = locked.and_then(|(_, pin)| pin.commit.clone());
                let origin = PackageOrigin { profile, version: None, reference: Some(text.to_owned()), commit };
                packages.entry(name.clone()).or_default().push(origin);
            }
        }
    }
}

/// An environment, and what is known about it without running uv.
struct InspectedEnvironment {
    environment: Environment,
    record: Option<SyncRecord>,
    known: Option<Result<sync_cache::CacheEntry<CachedReport>, String>>,
}

impl InspectedEnvironment {
    fn new(path: Utf8PathBuf, session: &Session) -> Self {
        let environment = Environment::new(path);
        let record = SyncRecord::read(&environment);
        let known = record.as_ref().and_then(|record| known(session, &environment, record));
        Self { environment, record, known }
    }

    /// Whether it is known that the lockfile satisfies its manifest.
    fn knows_the_lockfile(&self) -> bool {
        matches!(&self.known, Some(Ok(state)) if !state.is_frozen)
    }
}

/// Returns the backend of the environment's last sync.
fn chosen(record: &SyncRecord) -> Option<Name> {
    record.backend.clone()?.into_name()
}
