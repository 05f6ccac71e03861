//! Compares the package indexes that a manifest names with those in the lockfile. Only what is certainly different counts,
//! because with `--frozen`, where uv compares nothing, this decides.

use super::{Lockfile, LockfileChange, PackageSource, Staleness};
use crate::{
    manifest::{Manifest, Requirement, SourceKind, UvSource},
    model::{Name, git_url},
};

/// Compares the index sources that apply to `manifest`, a member of the workspace of `root` or the root itself.
pub(super) fn compare_indexes(lockfile: &Lockfile, root: &Manifest, manifest: &Manifest) -> Vec<Staleness> {
    let mut found = Vec::new();
    for (package, sources) in &manifest.uv.sources {
        for source in sources {
            if let Some((wanted, locked)) = other_index(lockfile, (root, manifest), &package.value, source) {
                let change = LockfileChange::Index { manifest: wanted, locked };
                let place = Some(manifest.place(source.span.clone()));
                found.push(Staleness { package: package.value.clone(), change, place });
            }
        }
    }
    found
}

/// Returns the URLs of the index that `source` names and of the one that `package` is locked from, if they differ.
fn other_index(
    lockfile: &Lockfile,
    (root, manifest): (&Manifest, &Manifest),
    package: &Name,
    source: &UvSource,
) -> Option<(String, String)> {
    let SourceKind::Index(name) = &source.kind else { return None };
    // A marker may exclude the source, or the requirement, from the platforms that are locked.
    let is_certain = |requirement: &&Requirement| requirement.name == *package && !requirement.text.contains(';');
    let requirements = match &source.selector {
        Some(selector) => manifest.requirements_of(selector),
        None => manifest.project.iter().flat_map(|project| &project.dependencies).collect(),
    };
    if source.marker.is_some() || !requirements.iter().any(is_certain) {
        return None;
    }
    let mut indexes = manifest.uv.indexes.iter().chain(&root.uv.indexes);
    let wanted = remote(&indexes.find(|index| index.name.as_deref() == Some(name))?.url)?;
    let mut other = None;
    for locked in lockfile.packages_named(package) {
        match &locked.source {
            PackageSource::Registry(url) if remote(url)? != wanted => other = remote(url),
            _ => return None,
        }
    }
    Some((wanted, other?))
}

/// Returns the URL of an index on the network as uv locks it, without credentials.
fn remote(url: &str) -> Option<String> {
    let is_remote = url.starts_with("http://") || url.starts_with("https://");
    is_remote.then(|| git_url::canonical(url))
}
