//! The workspace of dev: its manifests, and the git submodules that contain its members.

use camino::{Utf8Path, Utf8PathBuf};

use super::Facts;
use crate::{
    git::{Git, Submodule},
    manifest::Manifest,
    model::{Name, Place},
    monorepo::globs,
    uv::cache_keys,
};

/// Returns the manifests that are locked together: those of the root and of the members.
pub(super) fn manifests<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a Manifest> {
    let members = facts.monorepo.members.iter().map(|member| &member.manifest);
    std::iter::once(&facts.monorepo.dev).chain(members)
}

/// Whether anything in the workspace requires `package`. uv does not look at the sources of other packages.
pub(super) fn requires(facts: &Facts<'_>, package: &Name) -> bool {
    manifests(facts).any(|manifest| manifest.asks_for(package))
}

/// Returns the submodules whose directories are empty or whose URLs git does not know. Without git there are none.
pub(super) fn lost_submodules(facts: &Facts<'_>) -> Vec<Submodule> {
    let Ok(git) = Git::find(facts.variables) else { return Vec::new() };
    let mut submodules = git.submodules(&facts.monorepo.root);
    // A submodule that was cloned manually works without an entry.
    submodules.retain(|submodule| !submodule.is_initialised && !cache_keys::has_package(&submodule.directory));
    submodules
}

/// Returns the lost submodule that contains `directory`.
pub(super) fn submodule_of(facts: &Facts<'_>, directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let directories = lost_submodules(facts).into_iter().map(|submodule| submodule.directory);
    directories.into_iter().find(|submodule| directory.starts_with(submodule))
}

/// Returns the lost submodule whose directory is named like the package.
pub(super) fn uninitialised(facts: &Facts<'_>, package: &str) -> Option<Utf8PathBuf> {
    let is_meant = |directory: &Utf8PathBuf| {
        directory.file_name().and_then(Name::parse).is_some_and(|name| name.as_str() == package)
    };
    lost_submodules(facts).into_iter().map(|submodule| submodule.directory).find(is_meant)
}

/// Returns the place of the workspace member pattern that selects `directory`.
pub(super) fn selected_by(facts: &Facts<'_>, directory: &Utf8Path) -> Option<Place> {
    let dev = &facts.monorepo.dev;
    let pattern = globs(dev)?.selects(directory)?;
    Some(dev.place(pattern.span.clone()))
}
