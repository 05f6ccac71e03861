//! The inputs of a package's build.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs, mem,
    time::SystemTime,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{BuildContext, cargo_graph::Closure, package::NativePackage};
use crate::{
    cargo::files,
    fs::{digest::digest, parallel, stamp::FileStamp},
};

/// The number of files for which a further thread is worth its cost.
const MIN_LEN: usize = 200;

/// The variables that change what cargo builds. Compiler wrappers, such as sccache, do not.
pub(super) const VARIABLES: [&str; 4] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "CARGO_BUILD_TARGET"];

/// The recorded state of files. A missing file has no entry, so that a file that appears is a difference.
pub(super) type Files = HashMap<Utf8PathBuf, FileStamp>;

/// The inputs of a build, with their recorded state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildInputs {
    pub(super) files: Files,
    /// The inputs that are not files, by their names in messages.
    pub(super) facts: BTreeMap<String, String>,
}

/// The inputs that a build was observed to read, in addition to those that are known beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Discovered {
    /// Files, and directories that are read completely.
    pub(super) files: BTreeSet<Utf8PathBuf>,
    pub(super) variables: BTreeSet<String>,
}

/// Returns the files that decide what belongs to a package, including cargo's configuration. Some may not exist.
pub(super) fn keys(package: &NativePackage, closure: &Closure, context: &BuildContext<'_>) -> BTreeSet<Utf8PathBuf> {
    closure.manifests().chain(configuration(package, context)).collect()
}

fn configuration(package: &NativePackage, context: &BuildContext<'_>) -> BTreeSet<Utf8PathBuf> {
    let starts = package.crates.iter().filter_map(|path| path.parent()).chain([package.directory.as_path()]);
    let mut files: BTreeSet<_> = starts.flat_map(files::upwards).collect();
    files.extend(files::cargo_home(context.variables).map(|home| home.join("config.toml")));
    files
}

impl BuildInputs {
    /// Records all inputs. `before` is an earlier record, which is reused for unchanged files.
    pub(super) fn read(
        package: &NativePackage,
        closure: &Closure,
        discovered: &Discovered,
        before: Option<&Self>,
        context: &BuildContext<'_>,
    ) -> Self {
        let mut paths = configuration(package, context);
        paths.extend(walk(package, closure).files);
        paths.retain(|path| !(path.starts_with(&package.directory) && is_native(path)));
        paths.insert(closure.root.join("Cargo.toml"));
        // Only its dependencies matter, and `dependencies` records them.
        paths.remove(&closure.root.join("Cargo.lock"));
        paths.extend(discovered.files.iter().flat_map(|path| files_at(path)));
        Self {
            files: stamps_of(paths, before.map(|before| &before.files), context.now),
            facts: facts(closure, discovered, context),
        }
    }

    /// Returns the files that have other content `now`, but were modified before `time`.
    pub(super) fn changed_before(&self, now: &Self, time: SystemTime) -> impl Iterator<Item = Utf8PathBuf> {
        let differs =
            |(path, new): &(&Utf8PathBuf, &FileStamp)| !self.files.get(*path).is_some_and(|old| old.is_same(new));
        let is_older = move |path: &&Utf8PathBuf| {
            fs::metadata(path).and_then(|file| file.modified()).is_ok_and(|modified| modified <= time)
        };
        let changed: Vec<_> =
            now.files.iter().filter(differs).map(|(path, _)| path).filter(is_older).cloned().collect();
        changed.into_iter()
    }

    /// Describes a difference from `now`. `is_live` tells which files Python reads where they are; they are ignored.
    pub(super) fn difference(
        &self,
        now: &Self,
        root: &Utf8Path,
        is_live: impl Fn(&Utf8Path) -> bool,
    ) -> Option<String> {
        let missing = FileStamp::default();
        let added = now.files.keys().filter(|path| !self.files.contains_key(*path));
        let paths = self.files.keys().chain(added);
        let differs = paths.filter_map(|path| {
            let (old, new) = (self.files.get(path).unwrap_or(&missing), now.files.get(path).unwrap_or(&missing));
            let how = match (old.is_same(new), old.exists(), new.exists()) {
                (true, ..) => return None,
                _ if is_live(path) => return None,
                (_, _, false) => "is gone",
                (_, false, _) => "is new",
                _ => "has changed",
            };
            Some(format!("{} {how}", path.strip_prefix(root).unwrap_or(path)))
        });
        let facts: BTreeSet<_> = self.facts.keys().chain(now.facts.keys()).collect();
        let fact = || facts.iter().find(|fact| self.facts.get(**fact) != now.facts.get(**fact));
        // The minimum, so that the answer does not depend on the order in the map.
        differs.min().or_else(|| fact().map(|fact| format!("{fact} has changed")))
    }
}

pub(super) fn facts(
    closure: &Closure,
    discovered: &Discovered,
    context: &BuildContext<'_>,
) -> BTreeMap<String, String> {
    let names = VARIABLES.iter().copied().chain(discovered.variables.iter().map(String::as_str));
    let profile = context.variables.starting_with("CARGO_PROFILE_");
    let variables = names.chain(profile).filter_map(|name| {
        let value = context.variables.get_os(name)?.to_string_lossy();
        Some((format!("the variable {name}"), digest(value.as_bytes())))
    });
    let lock = ("Cargo.lock".to_owned(), closure.dependencies.clone());
    variables.chain([lock]).collect()
}

/// Whether a compiler makes `path` rather than reads it. An editable installation leaves such files among the sources.
pub(super) fn is_native(path: &Utf8Path) -> bool {
    matches!(path.extension(), Some("so" | "pyd" | "dylib" | "dll" | "pdb"))
}

/// Whether Python reads the file in place while the package is installed as editable.
pub(super) fn is_live(package: &NativePackage, closure: &Closure, discovered: &Discovered, path: &Utf8Path) -> bool {
    if !path.starts_with(&package.directory) || discovered.files.iter().any(|found| path.starts_with(found)) {
        return false;
    }
    if matches!(path.strip_prefix(&package.directory), Ok(name) if name == "pyproject.toml" || name == "setup.py") {
        return false;
    }
    let is_python = matches!(path.extension(), Some("py" | "pyi"));
    let is_in_crate = closure.crates.iter().any(|one| path.starts_with(&one.directory));
    let python = package.python_source();
    let holds_crate = |source: &Utf8Path| closure.crates.iter().any(|one| one.directory.starts_with(source));
    let is_in_python = python.is_some_and(|source| path.starts_with(&source) && !holds_crate(&source));
    is_python || is_in_python || !is_in_crate
}

/// The result of a walk through directories.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    pub(super) files: BTreeSet<Utf8PathBuf>,
    /// The directories that were walked.
    pub(super) directories: BTreeSet<Utf8PathBuf>,
    /// The files that caused a directory to be skipped.
    pub(super) marks: BTreeSet<Utf8PathBuf>,
}

/// Walks through the directories of a package's crates, and through its own.
pub(super) fn walk(package: &NativePackage, closure: &Closure) -> FoundFiles {
    let mut found = FoundFiles::default();
    for one in &closure.crates {
        Walk { skip_tests: !one.has_script, target: &closure.target }.directory(&one.directory, true, &mut found);
    }
    Walk { skip_tests: true, target: &closure.target }.directory(&package.directory, true, &mut found);
    found
}

/// A walk through the files of a crate or package.
struct Walk<'a> {
    /// Whether tests, benchmarks and examples are skipped, because only a build script could read them.
    skip_tests: bool,
    target: &'a Utf8Path,
}

impl Walk<'_> {
    fn directory(&self, directory: &Utf8Path, is_top: bool, found: &mut FoundFiles) {
        found.directories.insert(directory.to_owned());
        // A file whose name is not Unicode is not a Rust source. The build cannot read an unreadable directory either.
        let Ok(entries) = directory.read_dir_utf8() else { return };
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let Ok(kind) = entry.file_type() else { continue };
            if name.starts_with('.') || name == "__pycache__" || path.extension() == Some("pyc") {
                continue;
            }
            if !kind.is_dir() {
                found.files.insert(path.to_owned());
            } else if self.leaves_out(path, name, is_top) {
                found.marks.extend(mark(path));
            } else {
                self.directory(path, false, found);
            }
        }
    }

    fn leaves_out(&self, path: &Utf8Path, name: &str, is_top: bool) -> bool {
        path == self.target
            || path.extension() == Some("egg-info")
            || (is_top && matches!(name, "target" | "build" | "dist" | "node_modules"))
            || (is_top && self.skip_tests && matches!(name, "tests" | "benches" | "examples"))
            || mark(path).is_some()
    }
}

/// Returns the file that shows that a directory belongs to another package, an environment or a cache.
fn mark(directory: &Utf8Path) -> Option<Utf8PathBuf> {
    let marks = ["Cargo.toml", "pyvenv.cfg", "CACHEDIR.TAG"].map(|name| directory.join(name));
    marks.into_iter().find(|mark| mark.is_file())
}

/// Returns the compiled files under `directory`, where an editable installation leaves them.
pub(super) fn native_files(directory: &Utf8Path, target: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    let mut found = FoundFiles::default();
    Walk { skip_tests: false, target }.directory(directory, true, &mut found);
    found.files.retain(|path| is_native(path));
    found.files
}

/// Returns the files at or under `path`.
pub(super) fn files_at(path: &Utf8Path) -> BTreeSet<Utf8PathBuf> {
    found_at(path).files
}

/// Returns everything at or under `path`.
pub(super) fn found_at(path: &Utf8Path) -> FoundFiles {
    let mut found = FoundFiles::default();
    if path.is_dir() {
        Walk { skip_tests: false, target: Utf8Path::new("") }.directory(path, false, &mut found);
    } else {
        found.files.insert(path.to_owned());
    }
    found
}

/// Records the state of `paths`. `before` is an earlier record, which is reused for unchanged files.
pub(super) fn stamps_of(
    paths: impl IntoIterator<Item = Utf8PathBuf>,
    before: Option<&Files>,
    now: SystemTime,
) -> Files {
    let mut paths: Vec<_> = paths.into_iter().collect();
    let parts = parallel::par_chunks(&mut paths, MIN_LEN, |paths| {
        let stamp = |path: &mut Utf8PathBuf| {
            let seen = FileStamp::take(path, before.and_then(|before| before.get(path)), now);
            seen.exists().then(|| (mem::take(path), seen))
        };
        paths.iter_mut().filter_map(stamp).collect::<Vec<_>>()
    });
    parts.into_iter().flatten().collect()
}

/// Returns the subdirectories of `path`.
pub(super) fn directories(path: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten();
    let paths = entries.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok());
    paths.filter(|path| path.is_dir()).collect()
}
