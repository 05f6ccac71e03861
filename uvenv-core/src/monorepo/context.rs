//! A profile with its files, each of which is read once and passed on.

use std::{borrow::Cow, sync::OnceLock};

use camino::Utf8Path;

use super::{Member, Monorepo, ProfilePaths};
use crate::{
    backend::{self, Backend, BackendScope},
    lockfile::{Freshness, Lockfile, freshness},
    manifest::Manifest,
    model::Profile,
    toml::File,
};
#[cfg(feature = "full")]
use crate::{lockfile::GitSource, model::Name};

/// A profile as one operation sees it: its manifest and, once they have been requested, its lockfile and backends.
#[derive(Clone, Debug)]
pub struct ProfileContext<'m> {
    /// The monorepo.
    pub monorepo: &'m Monorepo,
    /// The profile.
    pub profile: Profile,
    /// The paths of its files.
    pub paths: &'m ProfilePaths,
    /// Its manifest.
    pub manifest: Cow<'m, Manifest>,
    lockfile_text: OnceLock<Option<File>>,
    lockfile: OnceLock<Option<Lockfile>>,
    freshness: OnceLock<Freshness>,
    backends: OnceLock<Vec<Backend>>,
}

impl<'m> ProfileContext<'m> {
    pub(super) fn new(monorepo: &'m Monorepo, paths: &'m ProfilePaths, manifest: Cow<'m, Manifest>) -> Self {
        Self {
            monorepo,
            profile: paths.profile,
            paths,
            manifest,
            lockfile_text: OnceLock::new(),
            lockfile: OnceLock::new(),
            freshness: OnceLock::new(),
            backends: OnceLock::new(),
        }
    }

    /// Returns the same profile with a lockfile that has not been written to its file yet.
    #[cfg(feature = "full")]
    pub(crate) fn with_lockfile(self, lockfile: Option<Lockfile>) -> Self {
        let text = lockfile.as_ref().map(|lockfile| lockfile.file.clone());
        Self { lockfile_text: text.into(), lockfile: lockfile.into(), freshness: OnceLock::new(), ..self }
    }

    /// Returns the workspace members that are locked together with the manifest.
    pub fn members(&self) -> &'m [Member] {
        self.monorepo.members_of(self.profile)
    }

    /// Returns the manifests of [`Self::members`].
    pub(crate) fn member_manifests(&self) -> impl Iterator<Item = &'m Manifest> + use<'m> {
        self.members().iter().map(|member| &member.manifest)
    }

    /// Returns the manifest and those of the members.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        std::iter::once(&*self.manifest).chain(self.member_manifests())
    }

    /// Returns the lockfile, if there is one.
    pub fn lockfile(&self) -> crate::Result<Option<&Lockfile>> {
        if let Some(known) = self.lockfile.get() {
            return Ok(known.as_ref());
        }
        let read = self.lockfile_text()?.map(Lockfile::from_file).transpose()?;
        Ok(self.lockfile.get_or_init(|| read).as_ref())
    }

    /// Returns the text of the lockfile, if there is one. It need not be valid.
    pub(crate) fn lockfile_text(&self) -> crate::Result<Option<&File>> {
        if let Some(known) = self.lockfile_text.get() {
            return Ok(known.as_ref());
        }
        let read = File::read_if_exists(&self.paths.lockfile())?;
        Ok(self.lockfile_text.get_or_init(|| read).as_ref())
    }

    /// Returns the lockfile, if there is one that can be read.
    #[cfg(feature = "full")]
    pub(crate) fn readable_lockfile(&self) -> Option<&Lockfile> {
        self.lockfile().ok().flatten()
    }

    /// Returns the URL of a git repository as the manifest has it, with the credentials that git needs; otherwise `locked`, the
    /// URL in the lockfile.
    #[cfg(feature = "full")]
    pub(crate) fn repository(&self, package: &Name, commit: Option<&str>, locked: &str) -> String {
        let lockfile = self.readable_lockfile();
        let mut sources = self.manifests().flat_map(|manifest| manifest.sources_of(package));
        let source = sources.find_map(|source| {
            let git = GitSource::of(&source.kind)?;
            let (_, pin) = lockfile?.locked_for(package, &git)?;
            (pin.commit.as_deref() == commit).then(|| git.url.to_owned())
        });
        source.unwrap_or_else(|| locked.to_owned())
    }

    /// Returns whether the lockfile satisfies the manifest and those of the members, as far as the files show.
    pub fn freshness(&self) -> crate::Result<&Freshness> {
        if let Some(known) = self.freshness.get() {
            return Ok(known);
        }
        let found = freshness(self.lockfile()?, &self.manifest, self.member_manifests());
        Ok(self.freshness.get_or_init(|| found))
    }

    /// Returns the backends of the manifest itself.
    pub fn backends(&self) -> crate::Result<&[Backend]> {
        if let Some(known) = self.backends.get() {
            return Ok(known);
        }
        let scope = match self.manifest.project {
            Some(_) => BackendScope::Project(&self.manifest),
            None => BackendScope::Workspace,
        };
        let found = self.backends_of(scope)?;
        Ok(self.backends.get_or_init(|| found))
    }

    /// Returns the backends that `scope`, the manifest or a member, can be synced with.
    pub(crate) fn backends_of(&self, scope: BackendScope<'_>) -> crate::Result<Vec<Backend>> {
        let configured = self.monorepo.config.backends.as_deref();
        backend::backends(&self.manifest, self.member_manifests(), scope, configured, self.manifest_name().as_str())
    }

    /// Returns the manifest's path relative to the root, as used in messages.
    pub(crate) fn manifest_name(&self) -> &Utf8Path {
        self.monorepo.relative(self.manifest.path())
    }

    /// Returns the lockfile's path relative to the root, as used in messages.
    pub(crate) fn lockfile_name(&self) -> camino::Utf8PathBuf {
        self.monorepo.relative(&self.paths.lockfile()).to_owned()
    }
}
