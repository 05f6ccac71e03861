//! `verify`: compares what is installed with the lockfile, and each file with what was installed.

use std::{collections::BTreeMap, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BackendRequest, Session,
    backend_request::SelectedPackages,
    changed_backend::ChangedBackend,
    installed_state::{Installation, InstalledState},
    milliseconds,
    sync::python_of,
    vendored_lock::vendored_lock,
};
use crate::{
    environment::{Comparison, Distribution, Distributions, FileDifferenceKind, Integrity, Source},
    lockfile::Package,
    model::{Name, Profile},
    monorepo::{Monorepo, ProfileContext},
    report::{Difference, DifferenceKind, VerifyReport},
    uv::messages::{PlannedAction, PlannedChange},
    vendor::KnownHashes,
};

/// A request to verify an environment.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// The backend that the environment must have, or whose environment is meant.
    pub backend: BackendRequest,
    /// Whether to trust files of the right size that are older than the installation.
    pub fast: bool,
    /// The vendored directory from which the environment should have been installed.
    pub vendored: Option<Utf8PathBuf>,
}

impl VerifyRequest {
    /// Verifies the environment of `profile`. Changes nothing.
    pub fn verify(&self, monorepo: &Monorepo, session: &Session, profile: Profile) -> crate::Result<VerifyReport> {
        let start = Instant::now();
        let Installation { environment, backend, selection } =
            Installation::find(monorepo, session, profile, &self.backend)?;
        let context = monorepo.context(profile)?;
        let uv = session.uv()?;
        let state = InstalledState::ask(&context, session, uv, &environment, (&selection, backend.as_ref()))?;
        let distributions = Distributions::read(&environment)?;
        let comparison = if self.fast { Comparison::SizesAndTimes } else { Comparison::Hashes };
        let wheels = match &self.vendored {
            Some(directory) => vendored_wheels(directory, &context, backend.as_ref())?,
            None => BTreeMap::new(),
        };
        let integrity = Integrity::check(&environment, &distributions, &wheels, comparison)?;
        let mut differences = Vec::new();
        if state.is_outdated {
            let packages = SelectedPackages { names: &[], all: false };
            let backends = context.backends().unwrap_or_default();
            let change = ChangedBackend::find(&context, session, uv, &environment, backends, packages);
            differences.extend(change.and_then(of_backend));
        }
        let installed = Installed { context: &context, distributions: &distributions };
        differences.extend(installed.differences(&state.changes));
        differences.extend(state.stale.into_iter().map(|stale| Difference {
            installed: Some(stale.cause),
            ..difference(DifferenceKind::Outdated, Some(stale.name))
        }));
        session.warn(state.warnings);
        differences.extend(integrity.differences.into_iter().map(|one| {
            let kind = match one.kind {
                FileDifferenceKind::Changed => DifferenceKind::ChangedFile,
                FileDifferenceKind::Missing => DifferenceKind::MissingFile,
                FileDifferenceKind::Added => DifferenceKind::AddedFile,
                FileDifferenceKind::Unverifiable => DifferenceKind::UnverifiableFile,
            };
            let file = one.path.strip_prefix(environment.root()).unwrap_or(&one.path).to_owned();
            Difference { file: Some(file), ..difference(kind, one.distribution) }
        }));
        differences.sort();
        Ok(VerifyReport {
            profile,
            backend,
            environment: environment.root().to_owned(),
            python: python_of(&environment)?,
            fast: self.fast,
            vendored: self.vendored.clone(),
            distributions: distributions.iter().count(),
            files: integrity.files,
            bytes: integrity.bytes,
            differences,
            uv: uv.into(),
            elapsed_ms: milliseconds(start.elapsed()),
        })
    }
}

/// Returns the wheels of each package in a vendored directory, which must be whole and of the present lockfile.
fn vendored_wheels(
    directory: &Utf8Path,
    context: &ProfileContext<'_>,
    backend: Option<&Name>,
) -> crate::Result<BTreeMap<Name, Vec<Utf8PathBuf>>> {
    let selection = vendored_lock(directory, context, backend)?;
    selection.check_files(&KnownHashes::default())?;
    Ok(selection.wheels_of_packages())
}

fn difference(kind: DifferenceKind, distribution: Option<Name>) -> Difference {
    Difference { kind, distribution, file: None, installed: None, expected: None }
}

/// Without another backend, the distributions that are missing say all.
fn of_backend(change: ChangedBackend) -> Option<Difference> {
    Some(Difference {
        installed: Some(change.now?.to_string()),
        expected: Some(change.recorded.to_string()),
        ..difference(DifferenceKind::WrongBackend, None)
    })
}

/// The distributions of an environment, and the lockfile that they should satisfy.
struct Installed<'a> {
    context: &'a ProfileContext<'a>,
    distributions: &'a Distributions,
}

impl Installed<'_> {
    /// Returns what `changes`, those that uv would make, mean.
    fn differences(&self, changes: &[PlannedChange]) -> Vec<Difference> {
        let mut by_name: BTreeMap<&Name, PlannedVersions<'_>> = BTreeMap::new();
        for PlannedChange { action, name, version } in changes {
            let planned = by_name.entry(name).or_default();
            if *action != PlannedAction::Install {
                planned.removed.push(version.as_deref());
            }
            if *action != PlannedAction::Remove {
                planned.installed.push(version.as_deref());
            }
        }
        by_name.into_iter().map(|(name, planned)| self.difference(name, &planned)).collect()
    }

    fn difference(&self, name: &Name, planned: &PlannedVersions<'_>) -> Difference {
        let locked = self.locked(name);
        let locked_version = || Some(locked?.version.as_deref()?.to_owned());
        let versions = |versions: &[Option<&str>]| {
            let versions: Vec<_> = versions.iter().copied().flatten().collect();
            (!versions.is_empty()).then(|| versions.join(", "))
        };
        let locked_commit = || locked?.source.git()?.commit.as_deref();
        let mut has = versions(&planned.removed);
        let mut expected = versions(&planned.installed);
        let kind = match (&*planned.removed, &*planned.installed) {
            (_, []) => DifferenceKind::ExtraDistribution,
            ([], _) => {
                expected = expected.or_else(locked_version);
                DifferenceKind::MissingDistribution
            }
            _ => {
                let commits = self.commit(name).zip(locked_commit());
                let commits = commits.filter(|(commit, locked)| commit != locked);
                expected = expected.or_else(locked_version);
                match commits {
                    _ if expected.is_some() && has != expected => DifferenceKind::WrongVersion,
                    Some((commit, locked)) => {
                        (has, expected) = (Some(commit.to_owned()), Some(locked.to_owned()));
                        DifferenceKind::WrongCommit
                    }
                    None => DifferenceKind::Outdated,
                }
            }
        };
        Difference { installed: has, expected, ..difference(kind, Some(name.clone())) }
    }

    /// Returns the commit from which a distribution was installed.
    fn commit(&self, name: &Name) -> Option<&str> {
        let is_named = |one: &&Distribution| one.name == *name;
        self.distributions.iter().filter(is_named).find_map(|distribution| match &distribution.source {
            Source::Git { commit, .. } => Some(commit.as_str()),
            _ => None,
        })
    }

    /// Returns the only package of this name in the lockfile.
    fn locked(&self, name: &Name) -> Option<&Package> {
        let mut packages = self.context.readable_lockfile()?.packages.iter().filter(|package| package.name == *name);
        packages.next().filter(|_| packages.next().is_none())
    }
}

/// The versions of a package that uv would remove and install; `None` for one that is not built yet.
#[derive(Default)]
struct PlannedVersions<'a> {
    removed: Vec<Option<&'a str>>,
    installed: Vec<Option<&'a str>>,
}
