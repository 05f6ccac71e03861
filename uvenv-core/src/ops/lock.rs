//! `lock`: make, update or check the lockfile of a profile.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use super::{Session, Shown, milliseconds, says_stale, uv_failed};
use crate::{
    lockfile::{Freshness, Lockfile, LockfileError, PackageSource, freshness},
    manifest::Manifest,
    model::{Name, Profile},
    monorepo::{Monorepo, ProfilePaths},
    process::{Invocation, Stderr},
    report::{LockReport, LockedChange},
    uv::{LockCommand, Uv},
};

/// What to lock, and how.
#[derive(Clone, Debug, Default)]
pub struct LockRequest {
    /// Only check that the lockfile satisfies the manifest.
    pub locked: bool,
    /// Take the newest versions of all packages.
    pub upgrade: bool,
    /// Take the newest version of these, with or without a specifier.
    pub upgrade_packages: Vec<String>,
    /// Write nothing.
    pub dry_run: bool,
}

/// A lock that is about to be done.
#[derive(Debug)]
pub struct LockPlan {
    /// The profile and its paths.
    pub paths: ProfilePaths,
    request: LockRequest,
    manifest: Manifest,
    freshness: Freshness,
    shown: Shown,
    uv: Uv,
    invocation: Invocation,
}

impl LockPlan {
    /// Plans to lock `profile`.
    pub fn new(monorepo: &Monorepo, session: &Session, profile: Profile, request: &LockRequest) -> crate::Result<Self> {
        let paths = monorepo.profile(profile)?.clone();
        #[cfg(feature = "upkeep")]
        super::promote::recover(&paths, &session.variables, session.observer())?;
        let manifest = monorepo.manifest(&paths)?;
        let freshness = match Lockfile::read(&paths.lockfile()) {
            Ok(lockfile) => {
                let members = monorepo.members_of(profile).iter().map(|member| &member.manifest);
                freshness(lockfile.as_ref(), &manifest, members)
            }
            // uv would lock from nothing in its place, and the versions that it held would be lost.
            Err(error) => return Err(error.into()),
        };
        let shown = Shown::new(monorepo, &paths);
        if request.locked && matches!(freshness, Freshness::Missing) {
            return Err(shown.no_lockfile().into());
        }
        let uv = session.uv()?.clone();
        let command = LockCommand {
            project: paths.directory.clone(),
            check: request.locked,
            upgrade: request.upgrade,
            upgrade_packages: request.upgrade_packages.clone(),
            dry_run: request.dry_run,
            offline: session.offline,
        };
        let invocation = command.invocation(&uv, &session.appearance);
        Ok(Self { paths, request: request.clone(), manifest, freshness, shown, uv, invocation })
    }

    /// Locks.
    pub fn execute(&self, session: &Session) -> crate::Result<LockReport> {
        let start = Instant::now();
        if self.request.locked
            && let Freshness::Stale(_) = self.freshness
        {
            return Err(self.shown.stale(self.freshness.changes(), false).into());
        }
        let path = self.paths.lockfile();
        let before = contents(&path)?;
        // A check has one line to say, which uvenv says itself.
        let stderr = if self.request.locked { Stderr::Capture } else { session.stderr(&[&self.manifest.file.text]) };
        let streamed = session.stream(&self.invocation, stderr)?;
        if !streamed.status.success() {
            if self.request.locked && says_stale(&streamed.stderr) {
                return Err(self.shown.stale(self.freshness.changes(), false).into());
            }
            #[cfg(feature = "remotes")]
            super::explain::pins(session, &self.manifest, &self.freshness)?;
            return Err(uv_failed(&self.invocation, streamed.status, &streamed, stderr).into());
        }
        let after = contents(&path)?;
        Ok(LockReport {
            profile: self.paths.profile,
            lockfile: path,
            changed: before.text != after.text,
            dry_run: self.request.dry_run,
            packages: changes(before.lockfile.as_ref(), after.lockfile.as_ref()),
            uv: (&self.uv).into(),
            elapsed_ms: milliseconds(start.elapsed()),
        })
    }
}

/// A lockfile's text and what it says; both empty where there is none.
struct Contents {
    text: String,
    lockfile: Option<Lockfile>,
}

fn contents(path: &camino::Utf8Path) -> Result<Contents, LockfileError> {
    let lockfile = Lockfile::read(path)?;
    let text = std::fs::read_to_string(path).unwrap_or_default();
    Ok(Contents { text, lockfile })
}

/// The packages whose versions differ between two lockfiles.
pub(super) fn changes(before: Option<&Lockfile>, after: Option<&Lockfile>) -> Vec<LockedChange> {
    let (before, after) = (versions(before), versions(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let of = |versions: &BTreeMap<Name, BTreeSet<String>>, name: &Name| -> Vec<String> {
        versions.get(name).into_iter().flatten().cloned().collect()
    };
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| LockedChange { name: name.clone(), from: of(&before, name), to: of(&after, name) })
        .collect()
}

fn versions(lockfile: Option<&Lockfile>) -> BTreeMap<Name, BTreeSet<String>> {
    let mut versions: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for package in lockfile.iter().flat_map(|lockfile| &lockfile.packages) {
        let version = match (&package.source, &package.version) {
            (PackageSource::Git(pin), _) => {
                let reference = pin.reference.as_ref().map_or("HEAD", |reference| reference.text.as_str());
                let commit = pin.commit.as_deref().unwrap_or_default();
                format!("{reference} ({})", commit.get(..8).unwrap_or(commit))
            }
            (_, Some(version)) => version.clone(),
            (_, None) => "dynamic".to_owned(),
        };
        versions.entry(package.name.clone()).or_default().insert(version);
    }
    versions
}
