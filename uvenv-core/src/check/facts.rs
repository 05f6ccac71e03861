//! The facts that all rules use, read once.

use std::collections::BTreeMap;

use super::Finding;
use crate::{
    backend::{Backend, CudaVersion},
    lockfile::LockfileError,
    model::{Diagnostic, Name, Profile, Variables},
    monorepo::{InternalPackages, Monorepo, ProfileContext},
    uv::{ExportedPackage, LockVerdict},
};

/// The files of a monorepo that can be read.
pub(crate) struct Facts<'a> {
    pub(crate) monorepo: &'a Monorepo,
    pub(crate) variables: &'a Variables,
    /// The profiles whose manifests can be read, dev first.
    pub(crate) profiles: Vec<ProfileContext<'a>>,
    pub(crate) internal: InternalPackages,
    /// The files that could not be read, and why.
    pub(crate) unreadable: Vec<Finding>,
    /// What uv says of the lockfiles, where it was asked.
    pub(crate) verdicts: BTreeMap<Profile, LockVerdict>,
    /// What the fresh lockfiles of profiles with backends have for each.
    pub(crate) locked: BTreeMap<Profile, LockedBackends>,
}

/// What a lockfile has for each backend.
#[derive(Debug)]
pub(crate) struct LockedBackends {
    pub(crate) by_backend: Vec<(Backend, Vec<ExportedPackage>)>,
    /// What it has if no backend is chosen.
    pub(crate) without: Vec<ExportedPackage>,
}

impl LockedBackends {
    /// Returns the CUDA versions of a backend's packages, each with a package that shows it.
    pub(crate) fn cuda(packages: &[ExportedPackage]) -> BTreeMap<CudaVersion, &ExportedPackage> {
        packages.iter().filter_map(|package| Some((cuda_of(package)?, package))).collect()
    }
}

/// Returns the CUDA version that a package is built for, or contains.
pub(crate) fn cuda_of(package: &ExportedPackage) -> Option<CudaVersion> {
    CudaVersion::from_requirement(&format!("{}=={}", package.name, package.version))
}

impl<'a> Facts<'a> {
    /// Reads all profiles of `monorepo`.
    pub(crate) fn read(monorepo: &'a Monorepo, variables: &'a Variables) -> Self {
        let mut facts = Self {
            monorepo,
            variables,
            profiles: Vec::new(),
            internal: InternalPackages::default(),
            unreadable: Vec::new(),
            verdicts: BTreeMap::new(),
            locked: BTreeMap::new(),
        };
        for profile in monorepo.profiles.iter().map(|paths| paths.profile) {
            match monorepo.context(profile) {
                Ok(context) => facts.add(context),
                Err(error) => facts.cannot_read(profile, &*error),
            }
        }
        facts.update_internal();
        facts
    }

    /// Replaces a profile with its future version.
    pub(crate) fn put(&mut self, becomes: ProfileContext<'a>) {
        self.unreadable.retain(|finding| finding.profile != Some(becomes.profile));
        match self.profiles.iter_mut().find(|known| known.profile == becomes.profile) {
            Some(known) => *known = becomes,
            None => self.profiles.push(becomes),
        }
        self.update_internal();
    }

    /// Adds what uv says of the lockfiles. That uv cannot read one is a finding.
    pub(crate) fn add_verdicts(&mut self, verdicts: BTreeMap<Profile, LockVerdict>) {
        for (profile, verdict) in &verdicts {
            let LockVerdict::Damaged(why) = verdict else { continue };
            if let Some(path) = self.profile(*profile).map(|context| context.paths.lockfile()) {
                self.cannot_read(*profile, &LockfileError::damaged(&path, why.clone()));
            }
        }
        self.verdicts = verdicts;
    }

    fn add(&mut self, context: ProfileContext<'a>) {
        if let Err(error) = context.lockfile() {
            self.cannot_read(context.profile, &*error);
        }
        self.profiles.push(context);
    }

    fn update_internal(&mut self) {
        self.internal = InternalPackages::new(self.monorepo, self.pinned().map(|context| &*context.manifest));
    }

    fn cannot_read(&mut self, profile: Profile, error: &dyn Diagnostic) {
        self.unreadable.push(Finding::unreadable(profile, error));
    }

    /// Returns a profile; `None` if it does not exist or cannot be read.
    pub(crate) fn profile(&self, profile: Profile) -> Option<&ProfileContext<'a>> {
        self.profiles.iter().find(|context| context.profile == profile)
    }

    /// Whether `package` is in the monorepo: a workspace member, or a directory from which dev takes it.
    pub(crate) fn is_made_here(&self, package: &Name) -> bool {
        self.internal.is_local(package)
    }

    /// Returns staging and prod, as far as they exist.
    pub(crate) fn pinned(&self) -> impl Iterator<Item = &ProfileContext<'a>> {
        self.profiles.iter().filter(|context| context.profile != Profile::Dev)
    }
}
