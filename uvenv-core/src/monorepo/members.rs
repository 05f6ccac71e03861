//! The members of a uv workspace.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{DiscoveryError, has_manifest};
use crate::{
    fs::parallel,
    manifest::{self, Manifest, ManifestError},
    model::{Name, Place},
    uv::workspace::WorkspaceGlobs,
};

/// The number of manifests for which a further thread is worth its cost.
const MIN_LEN: usize = 16;

/// A member of the dev manifest's workspace.
#[derive(Clone, Debug)]
pub struct Member {
    /// The package's name.
    pub name: Name,
    /// Its directory, absolute.
    pub directory: Utf8PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// The result of the patterns of a workspace.
pub(super) struct Members {
    pub(super) members: Vec<Member>,
    pub(super) unmatched_patterns: Vec<Place>,
}

/// Reads the members that the workspace of `root` selects. Follows uv's rules, and matches with the same crate as uv.
pub(super) fn read(root: &Manifest) -> crate::Result<Members> {
    let mut found = Members { members: Vec::new(), unmatched_patterns: Vec::new() };
    let (Some(workspace), Some(globs)) = (&root.uv.workspace, globs(root)) else { return Ok(found) };
    let mut directories = BTreeSet::new();
    for pattern in &workspace.members {
        let place = root.place(pattern.span.clone());
        let matches = globs.expand(&pattern.value).map_err(|message| DiscoveryError::Glob {
            pattern: pattern.value.clone(),
            message: message.to_owned(),
            place: place.clone(),
        })?;
        let matches: Vec<_> = matches.filter(|path| has_manifest(path)).collect();
        if matches.is_empty() {
            found.unmatched_patterns.push(place);
        }
        directories.extend(matches);
    }
    directories.retain(|path| path != root.directory() && !globs.is_excluded(path));
    let mut directories: Vec<_> = directories.into_iter().collect();
    let read = parallel::par_chunks(&mut directories, MIN_LEN, |part| {
        part.iter().map(|path| member(path)).collect::<Vec<_>>()
    });
    for member in read.into_iter().flatten() {
        found.members.extend(member?);
    }
    Ok(found)
}

/// Returns the member in `directory`, if there is one.
fn member(directory: &Utf8Path) -> crate::Result<Option<Member>> {
    let manifest = match Manifest::read(&directory.join(manifest::FILE_NAME)) {
        // The file has settings of other tools only. uv reports it if necessary.
        Err(error) if ManifestError::is_no_project(&error) => return Ok(None),
        read => read?,
    };
    let name = manifest.name().filter(|_| !manifest.uv.is_unmanaged).cloned();
    Ok(name.map(|name| Member { name, directory: directory.to_owned(), manifest }))
}

/// The patterns of the workspace of `root`, if it has one.
pub(crate) fn globs(root: &Manifest) -> Option<WorkspaceGlobs<'_>> {
    Some(WorkspaceGlobs::new(root.directory(), root.uv.workspace.as_ref()?))
}
