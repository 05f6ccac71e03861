//! What all rules look at, read once.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::Finding;
use crate::{
    lockfile::Lockfile,
    manifest::{Manifest, SourceKind},
    model::{
        Name, Profile, Variables,
        error::{Diagnostic, Place},
    },
    monorepo::{Monorepo, ProfilePaths},
};

/// The files of a monorepo, as far as they can be read.
pub(crate) struct Facts<'a> {
    pub(crate) monorepo: &'a Monorepo,
    pub(crate) variables: &'a Variables,
    /// The profiles whose manifest can be read, dev first.
    pub(crate) profiles: Vec<ProfileFacts>,
    /// The packages that the monorepo's own team makes.
    pub(crate) internal: BTreeSet<Name>,
    /// What could not be read, and why.
    pub(crate) unreadable: Vec<Finding>,
}

/// The files of one profile.
pub(crate) struct ProfileFacts {
    pub(crate) profile: Profile,
    pub(crate) paths: ProfilePaths,
    pub(crate) manifest: Manifest,
    pub(crate) lockfile: LockfileFacts,
}

/// A lockfile, as far as it can be read.
pub(crate) enum LockfileFacts {
    /// There is none.
    Missing,
    /// It is damaged, or too new.
    Unreadable,
    /// It was read.
    Read(Lockfile),
}

impl LockfileFacts {
    pub(crate) fn read(&self) -> Option<&Lockfile> {
        match self {
            Self::Read(lockfile) => Some(lockfile),
            Self::Missing | Self::Unreadable => None,
        }
    }
}

impl<'a> Facts<'a> {
    /// Reads the profiles of `monorepo` that are `chosen`; dev's manifest is always read, for what the others are compared
    /// with.
    pub(crate) fn read(monorepo: &'a Monorepo, variables: &'a Variables) -> Self {
        let mut facts =
            Self { monorepo, variables, profiles: Vec::new(), internal: BTreeSet::new(), unreadable: Vec::new() };
        for paths in &monorepo.profiles {
            match monorepo.manifest(paths) {
                Ok(manifest) => facts.add(paths, manifest),
                Err(error) => facts.cannot_read(paths.profile, &error),
            }
        }
        facts.internal = internal_packages(monorepo, &facts.profiles);
        facts
    }

    /// Has a profile be what it is to become.
    pub(crate) fn put(&mut self, becomes: ProfileFacts) {
        self.unreadable.retain(|finding| finding.profile != Some(becomes.profile));
        match self.profiles.iter_mut().find(|facts| facts.profile == becomes.profile) {
            Some(facts) => *facts = becomes,
            None => self.profiles.push(becomes),
        }
        self.internal = internal_packages(self.monorepo, &self.profiles);
    }

    fn add(&mut self, paths: &ProfilePaths, manifest: Manifest) {
        let lockfile = match Lockfile::read(&paths.lockfile()) {
            Ok(Some(lockfile)) => LockfileFacts::Read(lockfile),
            Ok(None) => LockfileFacts::Missing,
            Err(error) => {
                self.cannot_read(paths.profile, &error);
                LockfileFacts::Unreadable
            }
        };
        self.profiles.push(ProfileFacts { profile: paths.profile, paths: paths.clone(), manifest, lockfile });
    }

    fn cannot_read(&mut self, profile: Profile, error: &dyn Diagnostic) {
        self.unreadable.push(Finding::unreadable(profile, error));
    }

    /// The files of a profile, where there are any that can be read.
    pub(crate) fn profile(&self, profile: Profile) -> Option<&ProfileFacts> {
        self.profiles.iter().find(|facts| facts.profile == profile)
    }

    /// Whether `package` lies in the monorepo: a member of the workspace, or a directory that dev takes it from.
    pub(crate) fn is_made_here(&self, package: &Name) -> bool {
        self.monorepo.members.iter().any(|member| member.name == *package) || is_local(self.monorepo, package)
    }

    /// Staging and prod, as far as they are there.
    pub(crate) fn pinned(&self) -> impl Iterator<Item = &ProfileFacts> {
        self.profiles.iter().filter(|facts| facts.profile != Profile::Dev)
    }
}

impl ProfileFacts {
    /// A profile with a manifest and a lockfile that are not its files yet.
    pub(crate) fn new(paths: &ProfilePaths, manifest: Manifest, lockfile: Lockfile) -> Self {
        Self { profile: paths.profile, paths: paths.clone(), manifest, lockfile: LockfileFacts::Read(lockfile) }
    }

    /// Where a finding about the whole manifest, or about what it lacks, points: the project's name.
    pub(crate) fn heading(&self) -> Place {
        self.manifest.place(self.manifest.project.as_ref().map_or(0..0, |project| project.name.span.clone()))
    }

    /// Where the manifest asks for `package`.
    pub(crate) fn request(&self, package: &Name) -> Option<Place> {
        let requirement = self.manifest.requirements().find(|requirement| requirement.name == *package)?;
        Some(self.manifest.place(requirement.span.clone()))
    }

    /// The packages that the project itself asks for: its dependencies and those of its extras. Groups are for developers.
    pub(crate) fn direct(&self) -> BTreeSet<&Name> {
        let Some(project) = &self.manifest.project else {
            return BTreeSet::new();
        };
        let extras = project.extras.values().flat_map(|extra| &extra.requirements);
        project.dependencies.iter().chain(extras).map(|requirement| &requirement.name).collect()
    }
}

/// Whether dev, or a member of its workspace, takes `package` from a directory.
fn is_local(monorepo: &Monorepo, package: &Name) -> bool {
    dev_manifests(monorepo).flat_map(|manifest| manifest.sources_of(package)).any(|source| match &source.kind {
        SourceKind::Workspace => true,
        SourceKind::Path(path) => !is_archive(path.as_ref()),
        SourceKind::Git { .. } | SourceKind::Url(_) | SourceKind::Index(_) => false,
    })
}

/// The dev manifest and those of its workspace's members.
fn dev_manifests(monorepo: &Monorepo) -> impl Iterator<Item = &Manifest> {
    std::iter::once(&monorepo.dev).chain(monorepo.members.iter().map(|member| &member.manifest))
}

/// Whether a path names a wheel or a source archive, as somebody else makes them.
fn is_archive(path: &Utf8Path) -> bool {
    const EXTENSIONS: [&str; 12] = ["whl", "zip", "tar", "gz", "bz2", "xz", "lz", "lzma", "zst", "tgz", "tbz", "txz"];
    path.extension().is_some_and(|extension| EXTENSIONS.contains(&extension))
}

/// The workspace's members, what dev takes from a directory, and what only staging or prod take from git. What dev also takes
/// from git or from an index is somebody else's.
fn internal_packages(monorepo: &Monorepo, profiles: &[ProfileFacts]) -> BTreeSet<Name> {
    let mut names: BTreeSet<_> = monorepo.members.iter().map(|member| member.name.clone()).collect();
    let sources = dev_manifests(monorepo).flat_map(|manifest| &manifest.uv.sources).map(|(package, _)| &package.value);
    names.extend(sources.filter(|package| is_local(monorepo, package)).cloned());
    let of_dev: BTreeSet<_> = monorepo.dev.requirements().map(|requirement| &requirement.name).collect();
    for facts in profiles.iter().filter(|facts| facts.profile != Profile::Dev) {
        let from_git = |name: &Name| {
            facts.manifest.sources_of(name).iter().any(|source| matches!(source.kind, SourceKind::Git { .. }))
        };
        let direct = facts.direct();
        names.extend(direct.into_iter().filter(|name| !of_dev.contains(name) && from_git(name)).cloned());
    }
    names
}
