//! Explains why a lock failed, if a remote can tell.

use super::Session;
use crate::{
    git::{Git, TagQuery},
    lockfile::{Freshness, LockfileChange},
    manifest::{GitReference, Manifest, SourceKind},
    model::Name,
    uv::variables::http_timeout,
};

/// Queries the remotes of the pins that are not locked yet, and fails with the problems found there. If there are none,
/// uv's own message is all there is.
pub(super) fn explain(session: &Session, manifest: &Manifest, freshness: &Freshness) -> crate::Result<()> {
    let Ok(git) = Git::find(&session.settings.variables) else { return Ok(()) };
    let git = git.within(manifest.directory());
    if session.settings.offline {
        return Ok(());
    }
    let mut pins = Vec::new();
    for (package, sources) in &manifest.uv.sources {
        let package = &package.value;
        let is_required = manifest.requirements().any(|requirement| requirement.name == *package);
        if !is_required || is_locked(freshness, package) {
            continue;
        }
        for source in sources {
            if let SourceKind::Git { url, reference: Some(GitReference::Tag(tag)), .. } = &source.kind {
                pins.push(TagQuery {
                    package: package.clone(),
                    url: url.value.clone(),
                    tag: tag.value.clone(),
                    url_place: manifest.place(url.span.clone()),
                    tag_place: manifest.place(tag.span.clone()),
                });
            }
        }
    }
    git.explain(&pins, http_timeout(&session.settings.variables), session.settings.observer())
}

/// Whether the lockfile has the same pin of the package as the manifest.
fn is_locked(freshness: &Freshness, package: &Name) -> bool {
    let concerns_pin =
        |change: &LockfileChange| matches!(change, LockfileChange::Pin { .. } | LockfileChange::Added { .. });
    match freshness {
        Freshness::Missing => false,
        Freshness::Fresh => true,
        Freshness::Stale(changes) => {
            !changes.iter().any(|change| change.package == *package && concerns_pin(&change.change))
        }
    }
}
