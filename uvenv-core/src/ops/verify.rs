//! `verify`: whether an environment is what its lockfile says, file by file.

use std::{collections::BTreeMap, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::{LockMode, Session, Shown, SyncPlan, SyncRequest, milliseconds, run::existing_environment, uv_failed};
use crate::{
    Name, cores,
    environment::{Alteration, Distribution, Distributions, Environment, InstalledFile, Record, Source, State},
    lockfile::{Lockfile, Package},
    monorepo::{Monorepo, Profile, ProfilePaths},
    process::Stderr,
    report::{PythonInfo, VerifyFinding, VerifyKind, VerifyReport},
    uv::{Appearance, Lock, SyncCommand},
    vendor::{self, Origin, VendorError, VendorManifest},
};

/// With it, a sync removes nothing.
const INEXACT: &str = "--inexact";

/// So many files are hashed by one core.
const FEW: usize = 50;

/// Which environment to verify.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// The backend that it is to have; else that of its last sync.
    pub backend: super::BackendRequest,
    /// The vendored directory that it is compared with, absolute; else with its lockfile.
    pub vendored: Option<Utf8PathBuf>,
}

/// What the lockfile wants of a distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    version: Option<String>,
    commit: Option<String>,
}

impl VerifyRequest {
    /// Compares the environment of `profile` with what uv would install into an empty one, with the selection of its last
    /// sync, and its files with what the distributions say of them. Nothing is changed, and the network is not needed.
    pub fn verify(&self, monorepo: &Monorepo, session: &Session, profile: Profile) -> crate::Result<VerifyReport> {
        let start = Instant::now();
        let lock = LockMode::Frozen { allow_stale: true };
        let request = SyncRequest { backend: self.backend.clone(), lock, ..SyncRequest::default() };
        let environment = existing_environment(monorepo, session, profile, &request)?;
        let installed = Distributions::read(&environment)?;
        let (reference, mut findings) = if let Some(directory) = &self.vendored {
            let wanted = vendored(session, profile, &environment, directory)?;
            (directory.join(vendor::FILE_NAME), compare(&wanted, &installed, |_| false))
        } else {
            let paths = monorepo.profile(profile)?;
            let findings = self.compare_with_lockfile(monorepo, session, &environment, &request, paths, &installed)?;
            (paths.lockfile(), findings)
        };
        let files = altered(&installed, &mut findings);
        let python = match environment.inspect()? {
            State::Ready(interpreter) => Some(PythonInfo::from(interpreter)),
            _ => None,
        };
        Ok(VerifyReport {
            profile,
            environment: environment.root().to_owned(),
            lockfile: reference,
            python,
            distributions: installed.iter().count(),
            files,
            findings,
            elapsed_ms: milliseconds(start.elapsed()),
        })
    }

    fn compare_with_lockfile(
        &self,
        monorepo: &Monorepo,
        session: &Session,
        environment: &Environment,
        request: &SyncRequest,
        paths: &ProfilePaths,
        installed: &Distributions,
    ) -> crate::Result<Vec<VerifyFinding>> {
        let lockfile = Lockfile::read(&paths.lockfile())?.ok_or_else(|| Shown::new(monorepo, paths).no_lockfile())?;
        let recorded = if self.backend.choice.is_none() { Record::read(environment) } else { None };
        let Record { selection, .. } = match recorded {
            Some(record) => record,
            None => SyncPlan::new(monorepo, session, paths.profile, request)?.record(),
        };
        let wanted = wanted(session, paths, environment, &selection, &lockfile)?;
        Ok(compare(&wanted, installed, |distribution| {
            // What a sync before the last one has installed is kept, as `run` does.
            let is_it = |package: &Package| package.version.as_ref() == Some(&distribution.version);
            selection.iter().any(|flag| flag == INEXACT) && lockfile.packages_named(&distribution.name).any(is_it)
        }))
    }
}

/// What a vendored directory has for an environment with this Python, on this machine.
fn vendored(
    session: &Session,
    profile: Profile,
    environment: &Environment,
    directory: &Utf8Path,
) -> crate::Result<BTreeMap<Name, Wanted>> {
    let manifest = VendorManifest::read(directory)?;
    let mismatch = |found: String, wanted: String| VendorError::Mismatch {
        directory: directory.to_owned(),
        found,
        wanted,
        options: format!("--profile {profile} -o {directory}"),
    };
    if manifest.profile != profile {
        return Err(mismatch(manifest.profile.to_string(), profile.to_string()).into());
    }
    let host = super::vendor::ask(session, &environment.executable())?;
    let fitting = host.target().and_then(|host| manifest.environment_for(&host));
    let Some(fitting) = fitting else {
        return Err(mismatch(manifest.targets(), host.to_string()).into());
    };
    let wanted = manifest.wheels_of(fitting).map(|wheel| {
        let commit = match &wheel.source {
            Origin::Git { commit, .. } => Some(commit.clone()),
            Origin::Wheel { .. } | Origin::Sdist { .. } => None,
        };
        (wheel.name.clone(), Wanted { version: Some(wheel.version.clone()), commit })
    });
    Ok(wanted.collect())
}

/// What uv would install into an empty environment with the same Python: it alone knows which markers and extras hold.
fn wanted(
    session: &Session,
    paths: &ProfilePaths,
    environment: &Environment,
    selection: &[String],
    lockfile: &Lockfile,
) -> crate::Result<BTreeMap<Name, Wanted>> {
    let nowhere = environment.root().with_file_name(".uvenv-nowhere");
    let command = SyncCommand {
        project: paths.directory.clone(),
        environment: nowhere,
        lock: Lock::Frozen,
        python: Some(environment.executable().into_string()),
        dry_run: true,
        offline: true,
        rest: selection.iter().filter(|flag| *flag != INEXACT).map(Into::into).collect(),
        ..SyncCommand::default()
    };
    let appearance = Appearance { color: Some("never"), ..Appearance::default() };
    let invocation = command.invocation(session.uv()?, &appearance);
    let streamed = session.stream(&invocation, Stderr::Capture)?;
    if !streamed.status.success() {
        return Err(uv_failed(&invocation, streamed.status, &streamed, Stderr::Capture).into());
    }
    let lines = streamed.stderr.lines().filter_map(|line| line.trim_start().strip_prefix("+ "));
    Ok(lines.filter_map(|line| read(line, lockfile)).collect())
}

/// Reads `six==1.17.0`, `bench-utils==0.1.2 (from git+https://…@COMMIT)` or `bench-utils @ git+https://…@COMMIT`.
fn read(line: &str, lockfile: &Lockfile) -> Option<(Name, Wanted)> {
    let (name, rest) = line.split_once([' ', '=']).unwrap_or((line, ""));
    let name = Name::parse(name)?;
    let version = rest.strip_prefix('=').map(|rest| rest.split(' ').next().unwrap_or(rest).to_owned());
    let url = rest.split_once("git+").map(|(_, url)| url.trim_end_matches(')'));
    let commit = url.and_then(|url| Some(url.rsplit_once('@')?.1.split('#').next()?.to_owned()));
    let locked = || lockfile.packages_named(&name).find_map(|package| package.version.clone());
    let version = version.or_else(locked);
    Some((name, Wanted { version, commit }))
}

fn compare(
    wanted: &BTreeMap<Name, Wanted>,
    installed: &Distributions,
    is_kept: impl Fn(&Distribution) -> bool,
) -> Vec<VerifyFinding> {
    let mut found: BTreeMap<&Name, Vec<&Distribution>> = BTreeMap::new();
    for distribution in installed.iter() {
        found.entry(&distribution.name).or_default().push(distribution);
    }
    let mut findings = Vec::new();
    for (name, wanted) in wanted {
        let Some(installed) = found.remove(name) else {
            let expected = wanted.version.clone();
            findings.push(VerifyFinding { expected, ..VerifyFinding::new(VerifyKind::Missing, name) });
            continue;
        };
        for distribution in installed {
            findings.extend(otherwise(wanted, distribution));
        }
    }
    let extra = found.into_values().flatten().filter(|distribution| !is_kept(distribution));
    findings.extend(extra.map(|distribution| VerifyFinding {
        found: Some(distribution.version.clone()),
        ..VerifyFinding::new(VerifyKind::Extra, &distribution.name)
    }));
    findings
}

/// What about `distribution` is not as it was wanted.
fn otherwise(wanted: &Wanted, distribution: &Distribution) -> Option<VerifyFinding> {
    let finding = |kind, expected: &str, found: &str| VerifyFinding {
        expected: Some(expected.to_owned()),
        found: Some(found.to_owned()),
        ..VerifyFinding::new(kind, &distribution.name)
    };
    if let Some(version) = wanted.version.as_deref().filter(|version| !is_same(version, &distribution.version)) {
        return Some(finding(VerifyKind::Version, version, &distribution.version));
    }
    let wanted = wanted.commit.as_deref()?;
    match &distribution.source {
        Source::Git { commit, .. } if commit == wanted => None,
        Source::Git { commit, .. } => Some(finding(VerifyKind::Commit, wanted, commit)),
        _ => Some(finding(VerifyKind::Commit, wanted, "not from git")),
    }
}

/// Whether two texts are one version (PEP 440): `1.0` and `1.0.0` are.
fn is_same(one: &str, other: &str) -> bool {
    let parse = |text: &str| text.parse::<pep440_rs::Version>().ok();
    one == other || parse(one).is_some_and(|one| parse(other) == Some(one))
}

/// Adds the files that are not what was installed, and says how many there are.
fn altered(installed: &Distributions, findings: &mut Vec<VerifyFinding>) -> usize {
    let mut files = Vec::new();
    for distribution in installed.iter() {
        match distribution.contents() {
            Ok(contents) => files.extend(contents.into_iter().map(|file| (distribution, file))),
            Err(problem) => findings.push(VerifyFinding {
                path: Some(distribution.record_file()),
                found: Some(problem),
                ..VerifyFinding::new(VerifyKind::Unreadable, &distribution.name)
            }),
        }
    }
    let count = files.len();
    let parts = cores::in_parts(&mut files, FEW, |files| {
        let finding = |(distribution, file): &mut (&Distribution, InstalledFile)| {
            let (kind, found) = match file.alteration()? {
                Alteration::Missing => (VerifyKind::Gone, None),
                Alteration::Changed => (VerifyKind::Changed, None),
                Alteration::Unreadable(problem) => (VerifyKind::Unreadable, Some(problem)),
            };
            Some(VerifyFinding { path: Some(file.path.clone()), found, ..VerifyFinding::new(kind, &distribution.name) })
        };
        files.iter_mut().filter_map(finding).collect::<Vec<_>>()
    });
    findings.extend(parts.into_iter().flatten());
    count
}
