//! The members of a uv workspace.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use glob::{MatchOptions, Pattern};

use super::{DiscoveryError, has_manifest};
use crate::{
    fs::parallel,
    manifest::{self, Manifest, ManifestError, Workspace},
    model::{Name, error::Place},
};

/// So few manifests are read by one core.
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

/// What the patterns of a workspace select.
pub(super) struct Members {
    pub(super) members: Vec<Member>,
    pub(super) unmatched_patterns: Vec<Place>,
}

/// Reads the members that the workspace of `root` selects: uv's rules, with the crate that uv matches with.
pub(super) fn read(root: &Manifest) -> Result<Members, DiscoveryError> {
    let mut found = Members { members: Vec::new(), unmatched_patterns: Vec::new() };
    let Some(workspace) = &root.uv.workspace else {
        return Ok(found);
    };
    let directory = root.directory();
    let excluded = exclude_patterns(directory, workspace);
    let mut directories = BTreeSet::new();
    for pattern in &workspace.members {
        let place = root.place(pattern.span.clone());
        let matches = expand(directory, &pattern.value).map_err(|message| DiscoveryError::Glob {
            pattern: pattern.value.clone(),
            message,
            place: place.clone(),
        })?;
        if matches.is_empty() {
            found.unmatched_patterns.push(place);
        }
        directories.extend(matches);
    }
    directories.retain(|path| path != directory && !excluded.iter().any(|pattern| pattern.matches(path.as_str())));
    let mut directories: Vec<_> = directories.into_iter().collect();
    let read = parallel::par_chunks(&mut directories, MIN_LEN, |part| {
        part.iter().map(|path| member(path)).collect::<Vec<_>>()
    });
    for member in read.into_iter().flatten() {
        found.members.extend(member?);
    }
    Ok(found)
}

/// The member in `directory`, if there is one.
fn member(directory: &Utf8Path) -> Result<Option<Member>, ManifestError> {
    let manifest = match Manifest::read(&directory.join(manifest::FILE_NAME)) {
        // A directory of other tools' settings; uv has a word on it when it is asked.
        Err(ManifestError::NoProject { .. }) => return Ok(None),
        read => read?,
    };
    let name = manifest.name().filter(|_| !manifest.uv.is_unmanaged).cloned();
    Ok(name.map(|name| Member { name, directory: directory.to_owned(), manifest }))
}

/// Whether `directory` is a member of the workspace of `root`, by its path alone.
pub(super) fn includes(root: &Manifest, directory: &Utf8Path) -> bool {
    let Some(workspace) = &root.uv.workspace else {
        return false;
    };
    let matches = |pattern: &Pattern| pattern.matches_with(directory.as_str(), PATH_OPTIONS);
    let members = workspace.members.iter().filter_map(|pattern| absolute_pattern(root.directory(), &pattern.value));
    members.into_iter().any(|pattern| matches(&pattern))
        && !exclude_patterns(root.directory(), workspace).iter().any(|pattern| pattern.matches(directory.as_str()))
}

/// Whether the workspace of `root` leaves `directory` out.
pub(crate) fn is_excluded(root: &Manifest, directory: &Utf8Path) -> bool {
    let Some(workspace) = &root.uv.workspace else {
        return false;
    };
    exclude_patterns(root.directory(), workspace).iter().any(|pattern| pattern.matches(directory.as_str()))
}

/// As a file system is walked: `*` stays within one directory.
const PATH_OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

fn absolute_pattern(root: &Utf8Path, pattern: &str) -> Option<Pattern> {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    Pattern::new(&format!("{}/{pattern}", Pattern::escape(root.as_str()))).ok()
}

fn exclude_patterns(root: &Utf8Path, workspace: &Workspace) -> Vec<Pattern> {
    workspace.exclude.iter().filter_map(|pattern| absolute_pattern(root, &pattern.value)).collect()
}

/// The directories with a manifest that `pattern` matches.
fn expand(root: &Utf8Path, pattern: &str) -> Result<Vec<Utf8PathBuf>, String> {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let absolute = format!("{}/{pattern}", Pattern::escape(root.as_str()));
    let paths = glob::glob(&absolute).map_err(|error| error.msg.to_owned())?;
    // What cannot be read or is not Unicode is no member that uvenv could name.
    let paths = paths.filter_map(Result::ok).filter_map(|path| Utf8PathBuf::try_from(path).ok());
    Ok(paths.filter(|path| has_manifest(path)).collect())
}
