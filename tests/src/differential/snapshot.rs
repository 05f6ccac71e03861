//! The parts of an environment and its lockfile that a sync may change.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use camino::Utf8Path;

/// The size from which on a file is large, in bytes.
const LARGE: u64 = 1 << 20;

/// Files with their contents, links with their targets, and which directories they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    File(Vec<u8>),
    /// A file that is too large to be kept, such as those of the real torch: its inode, its size and its time.
    Large(u64, u64, i64, i64),
    Link(PathBuf),
    /// A directory that a reinstallation makes anew: told apart by its inode and the time of its last change, as what is
    /// in it may be linked to uv's cache, and its times with it.
    Made(u64, i64, i64),
    Directory,
    Other,
}

impl Snapshot {
    /// Takes a snapshot of everything.
    pub(super) fn of(environment: &Utf8Path, lockfile: &Utf8Path) -> Self {
        let mut entries = BTreeMap::new();
        visit(environment.as_std_path(), &mut entries);
        if lockfile.is_file() {
            visit(lockfile.as_std_path(), &mut entries);
        }
        Self(entries)
    }

    /// Describes how `other` differs; empty if it is the same.
    pub(super) fn difference(&self, other: &Self) -> Vec<String> {
        let mut said = Vec::new();
        for (path, entry) in &self.0 {
            match other.0.get(path) {
                None => said.push(format!("{} is gone", path.display())),
                Some(now) if now != entry => {
                    said.push(format!("{} was changed: {}", path.display(), words(entry, now)));
                }
                Some(_) => {}
            }
        }
        let new = other.0.keys().filter(|path| !self.0.contains_key(*path));
        said.extend(new.map(|path| format!("{} is new", path.display())));
        said
    }
}

fn words(before: &Entry, after: &Entry) -> String {
    match (before, after) {
        (Entry::File(before), Entry::File(after)) => {
            let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
            let lines = before.lines().zip(after.lines()).find(|(before, after)| before != after);
            lines.map_or_else(|| "longer or shorter".to_owned(), |(before, after)| format!("{before:?}, now {after:?}"))
        }
        (Entry::Made(..), Entry::Made(..)) => "it was made anew".to_owned(),
        _ => format!("{before:?}, now {after:?}"),
    }
}

fn visit(path: &Path, entries: &mut BTreeMap<PathBuf, Entry>) {
    let Ok(metadata) = fs::symlink_metadata(path) else { return };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name == "__pycache__" || name == ".lock" || name.starts_with(".uvenv") {
        return;
    }
    let entry = if metadata.is_symlink() {
        fs::read_link(path).map_or(Entry::Other, Entry::Link)
    } else if metadata.is_file() && metadata.size() > LARGE {
        Entry::Large(metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec())
    } else if metadata.is_file() {
        fs::read(path).map_or(Entry::Other, Entry::File)
    } else if metadata.is_dir() {
        for inside in fs::read_dir(path).into_iter().flatten().flatten() {
            visit(&inside.path(), entries);
        }
        let is_made = name.ends_with(".dist-info");
        if is_made { Entry::Made(metadata.ino(), metadata.ctime(), metadata.ctime_nsec()) } else { Entry::Directory }
    } else {
        Entry::Other
    };
    entries.insert(path.to_owned(), entry);
}
