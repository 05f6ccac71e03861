//! The manifests that uv reads: those of the workspace, and those of all packages that come from this disk.

use std::collections::BTreeSet;

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};
use glob::Pattern;

use super::{
    fingerprint::FingerprintKind,
    watch_list::{Uncacheable, WatchList},
};
use crate::{
    lockfile::{Package, PackageSource},
    manifest::{self, Manifest, SourceKind},
    monorepo::globs,
    toml::Node,
    uv::cache_keys,
};

/// The maximum number of files that a pattern of a cache key may match.
const MAX_FILES: usize = 5_000;

/// Adds what uv compares with the lockfile of `project`, the root of a workspace, and what the `locked` packages are built
/// from.
pub(super) fn add(
    watch_list: &mut WatchList,
    project: &Manifest,
    known: &[&Manifest],
    locked: &[Package],
    is_frozen: bool,
) -> Result<(), Uncacheable> {
    let root = project.directory();
    let mut packages = PackageWatcher { watch_list, root, known, is_frozen };
    inputs_of_manifest(packages.watch_list, project)?;
    packages.check_static(project)?;
    let members = packages.members(project)?;
    let mut directories: BTreeSet<Utf8PathBuf> = members.clone();
    for package in locked {
        match &package.source {
            PackageSource::Directory(path) | PackageSource::Editable(path) | PackageSource::Virtual(path) => {
                let path = root.join(path);
                packages.watch_list.links(&path);
                // uv resolves `packages/../lib` and links, and uses the resulting path.
                directories.insert(path.canonicalize_utf8().unwrap_or(path));
            }
            PackageSource::Path(path) => {
                packages.watch_list.links(&root.join(path));
                packages.watch_list.stamp(root.join(path));
            }
            PackageSource::Url(_) if !is_frozen => {
                return Err(format!("`{}` comes from an archive that may have changed", package.name));
            }
            _ => {}
        }
    }
    directories.iter().try_for_each(|directory| packages.package(directory, members.contains(directory)))
}

/// Adds what decides which members `dev` has. uvenv reads the members even for another profile, because it must know
/// that the directory is a profile.
pub(super) fn add_members(watch_list: &mut WatchList, dev: &Manifest) -> Result<(), Uncacheable> {
    let mut packages = PackageWatcher { watch_list, root: dev.directory(), known: &[], is_frozen: true };
    packages.matches(dev).map(drop)
}

fn inputs_of_manifest(watch_list: &mut WatchList, manifest: &Manifest) -> Result<(), Uncacheable> {
    watch_list.content(manifest.path());
    watch_list.variables_in(&manifest.file.text)
}

struct PackageWatcher<'a> {
    watch_list: &'a mut WatchList,
    root: &'a Utf8Path,
    /// The manifests that have already been read.
    known: &'a [&'a Manifest],
    is_frozen: bool,
}

impl PackageWatcher<'_> {
    /// Returns the directories of the members.
    fn members(&mut self, project: &Manifest) -> Result<BTreeSet<Utf8PathBuf>, Uncacheable> {
        let mut found = BTreeSet::new();
        for directory in self.matches(project)? {
            let is_hidden = directory.file_name().is_some_and(|name| name.starts_with('.'));
            if directory.join(manifest::FILE_NAME).is_file() {
                found.insert(directory);
            } else if (directory.is_dir() && !is_hidden) || directory.is_symlink() {
                // uv fails on such a directory, or ignores it according to git's rules.
                return Err(format!("`{directory}` matches the workspace members but has no manifest"));
            }
        }
        Ok(found)
    }

    /// Returns the matches of the workspace patterns. Adds everything that decides which of them are members.
    fn matches(&mut self, project: &Manifest) -> Result<Vec<Utf8PathBuf>, Uncacheable> {
        let mut found = Vec::new();
        for pattern in project.uv.workspace.iter().flat_map(|workspace| &workspace.members) {
            found.extend(self.expand(&pattern.value)?);
        }
        let is_excluded = |path: &Utf8Path| globs(project).is_some_and(|globs| globs.is_excluded(path));
        found.retain(|directory| directory != self.root && !is_excluded(directory));
        for directory in &found {
            self.watch_list.content(directory.join(manifest::FILE_NAME));
            // uv fails on a directory or a link without a manifest, which may appear.
            if directory.exists() {
                self.watch_list.links(directory);
            } else {
                self.watch_list.add(FingerprintKind::Link, directory);
            }
        }
        Ok(found)
    }

    /// Returns the directories that a pattern matches, and possibly more.
    fn expand(&mut self, pattern: &str) -> Result<Vec<Utf8PathBuf>, Uncacheable> {
        let mut found = vec![self.root.to_owned()];
        for part in pattern.split('/').filter(|part| !matches!(*part, "" | ".")) {
            if part == "**" {
                return Err(format!("the workspace pattern `{pattern}` matches directories at any depth"));
            }
            let is_pattern = part.contains(['*', '?', '[']);
            let matches = Pattern::new(part).map_err(|error| error.to_string())?;
            let mut next = Vec::new();
            for directory in found {
                if !is_pattern {
                    next.push(directory.join(part));
                    continue;
                }
                let entries = directory.read_dir_utf8().into_iter().flatten().flatten();
                let entries = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_file()));
                next.extend(entries.filter(|entry| matches.matches(entry.file_name())).map(Utf8DirEntry::into_path));
                self.watch_list.add(FingerprintKind::Folders, directory);
            }
            found = next;
        }
        Ok(found)
    }

    /// Adds a package in a directory: its manifest, and what its cache keys name.
    fn package(&mut self, directory: &Utf8Path, is_member: bool) -> Result<(), Uncacheable> {
        let read;
        let is_it = |known: &&&Manifest| known.directory().as_str() == directory.as_str();
        let manifest = if let Some(manifest) = self.known.iter().find(is_it) {
            manifest
        } else {
            read = Manifest::read(&directory.join(manifest::FILE_NAME)).map_err(|error| error.to_string())?;
            &read
        };
        inputs_of_manifest(self.watch_list, manifest)?;
        self.check_static(manifest)?;
        let is_root = directory == self.root;
        if !is_root && manifest.uv.workspace.is_some() {
            return Err(format!("`{directory}` has its own workspace"));
        }
        if !is_root && !is_member {
            self.check_above(directory)?;
        }
        // A manifest that appears between a member and the root would remove the member from the workspace.
        self.watch_list.upwards(directory, &[manifest::FILE_NAME]);
        if manifest.uv.keys.iter().any(|key| key.value == cache_keys::SETTING) {
            return self.cache_keys(manifest);
        }
        self.watch_list.add(FingerprintKind::Package, directory);
        let source = directory.join(cache_keys::DEFAULT_DIRECTORY);
        if source.is_symlink() {
            // The target of the link could be replaced without a trace in this directory.
            self.watch_list.add(FingerprintKind::Identity, source);
        }
        for path in cache_keys::default_files(directory) {
            // A file that appears changes the directory, but for what a link leads to.
            if path.exists() || path.is_symlink() {
                self.watch_list.stamp(path);
            }
        }
        Ok(())
    }

    /// Refuses dependencies that only a build can tell. They come from uv's cache, which anything may empty.
    fn check_static(&self, manifest: &Manifest) -> Result<(), Uncacheable> {
        let is_static = manifest.project.is_some() || manifest.uv.workspace.is_some();
        if (!is_static || manifest.has_dynamic_requirements()) && !self.is_frozen {
            return Err(format!("the dependencies of `{}` are known only after a build", manifest.path()));
        }
        let elsewhere = |kind: &SourceKind| matches!(kind, SourceKind::Url(_));
        let mut sources = manifest.uv.sources.iter().flat_map(|(_, sources)| sources);
        if !self.is_frozen && sources.any(|source| elsewhere(&source.kind)) {
            return Err(format!("`{}` has a source that may have changed", manifest.path()));
        }
        Ok(())
    }

    /// Refuses a package that belongs to another workspace, which uv would read as well.
    fn check_above(&self, directory: &Utf8Path) -> Result<(), Uncacheable> {
        for above in directory.ancestors().skip(1).filter(|above| *above != self.root) {
            let path = above.join(manifest::FILE_NAME);
            if path.is_file() && Manifest::read(&path).map_or(true, |manifest| manifest.uv.workspace.is_some()) {
                return Err(format!("`{directory}` may belong to the workspace of `{path}`"));
            }
        }
        Ok(())
    }

    /// Adds the cache keys that a package has instead of uv's default ones.
    fn cache_keys(&mut self, manifest: &Manifest) -> Result<(), Uncacheable> {
        let document = manifest.file.parse().map_err(|error| error.to_string())?;
        let root = document.root();
        let mut keys = Some(root);
        for name in ["tool", "uv", cache_keys::SETTING] {
            keys = keys.and_then(|node| node.get(name).ok().flatten());
        }
        let keys = keys.map(|keys| keys.elements()).transpose().map_err(|error| error.to_string())?;
        let keys = keys.unwrap_or_default();
        keys.iter().try_for_each(|key| self.cache_key(manifest.directory(), key))
    }

    fn cache_key(&mut self, directory: &Utf8Path, key: &Node<'_>) -> Result<(), Uncacheable> {
        let text = |name: &str| key.get_string(name).ok().flatten().map(|text| text.value);
        let file = if key.is_table() { text("file") } else { key.string().ok().map(|text| text.value) };
        match (file, text("dir"), text("env")) {
            (Some(pattern), ..) => self.files(directory, &pattern),
            (_, Some(path), _) => {
                self.watch_list.add(FingerprintKind::Identity, directory.join(path));
                Ok(())
            }
            (.., Some(name)) => {
                self.watch_list.variables.insert(name);
                Ok(())
            }
            _ => Err(format!("`cache-keys` in `{directory}` has entries other than files, directories and variables")),
        }
    }

    /// Adds the files that a key names. For a pattern, these are all files below its fixed prefix.
    fn files(&mut self, directory: &Utf8Path, pattern: &str) -> Result<(), Uncacheable> {
        let is_pattern = |part: &&str| part.contains(['*', '?', '[', '{', '!']);
        let parts: Vec<_> = pattern.split('/').collect();
        let fixed: Vec<_> = parts.iter().take_while(|part| !is_pattern(part)).copied().collect();
        let base = directory.join(fixed.join("/"));
        if fixed.len() == parts.len() {
            self.watch_list.stamp(base);
            return Ok(());
        }
        let mut waiting = vec![base];
        let mut left = MAX_FILES;
        while let Some(directory) = waiting.pop() {
            for entry in directory.read_dir_utf8().into_iter().flatten().flatten() {
                left = left.checked_sub(1).ok_or_else(|| format!("`{pattern}` matches too many files"))?;
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => waiting.push(entry.into_path()),
                    _ => self.watch_list.stamp(entry.into_path()),
                }
            }
            self.watch_list.stamp(directory);
        }
        Ok(())
    }
}
