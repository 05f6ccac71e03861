//! Internal packages: those that the monorepo's own team makes.

use std::collections::BTreeSet;

use super::Monorepo;
use crate::{
    manifest::{Manifest, SourceKind},
    model::Name,
};

/// The names of the internal packages:
///
/// - the members of the workspace;
/// - the packages that dev, or a member, takes from a directory;
/// - the packages that staging or prod require from git, unless dev or a member requires them too: such a package is
///   someone else's.
///
/// The groups of staging and prod are for developers and do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternalPackages {
    local: BTreeSet<Name>,
    pinned: BTreeSet<Name>,
}

impl InternalPackages {
    /// Finds the internal packages of a monorepo. `pinned` are the manifests of staging and prod, as far as they are
    /// known.
    pub fn new<'a>(monorepo: &Monorepo, pinned: impl IntoIterator<Item = &'a Manifest>) -> Self {
        let local = local(monorepo);
        let manifests = || std::iter::once(&monorepo.dev).chain(monorepo.members.iter().map(|member| &member.manifest));
        let of_dev: BTreeSet<_> = manifests().flat_map(Manifest::requirements).map(|asked| &asked.name).collect();
        let mut names = BTreeSet::new();
        for manifest in pinned {
            let is_from_git =
                |name: &Name| manifest.sources_of(name).iter().any(|one| matches!(one.kind, SourceKind::Git { .. }));
            let direct = manifest.direct_requirements().into_iter();
            names.extend(direct.filter(|name| !of_dev.contains(name) && is_from_git(name)).cloned());
        }
        Self { pinned: names.difference(&local).cloned().collect(), local }
    }

    /// Whether `package` is an internal package.
    pub fn contains(&self, package: &Name) -> bool {
        self.local.contains(package) || self.pinned.contains(package)
    }

    /// Whether the sources of `package` are in the monorepo, or in a directory next to it.
    pub fn is_local(&self, package: &Name) -> bool {
        self.local.contains(package)
    }

    /// Returns all internal packages, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Name> {
        let all: BTreeSet<_> = self.local.iter().chain(&self.pinned).collect();
        all.into_iter()
    }
}

fn local(monorepo: &Monorepo) -> BTreeSet<Name> {
    let mut names: BTreeSet<_> = monorepo.members.iter().map(|member| member.name.clone()).collect();
    let manifests = || std::iter::once(&monorepo.dev).chain(monorepo.members.iter().map(|member| &member.manifest));
    let is_local = |kind: &SourceKind| match kind {
        SourceKind::Workspace => true,
        SourceKind::Path(path) => !is_archive(path.as_ref()),
        SourceKind::Git { .. } | SourceKind::Url(_) | SourceKind::Index(_) => false,
    };
    for (package, sources) in manifests().flat_map(|manifest| &manifest.uv.sources) {
        if sources.iter().any(|source| is_local(&source.kind)) {
            names.insert(package.value.clone());
        }
    }
    names
}

/// Whether a path names a wheel or a source archive, which other people make.
fn is_archive(path: &camino::Utf8Path) -> bool {
    const EXTENSIONS: [&str; 12] = ["whl", "zip", "tar", "gz", "bz2", "xz", "lz", "lzma", "zst", "tgz", "tbz", "txz"];
    path.extension().is_some_and(|extension| EXTENSIONS.contains(&extension))
}
