//! A vendored directory: its locks, its wheels, and what else may be in it.

use std::{collections::BTreeSet, fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    fs::{cache::FileLock, digest, parallel},
    model::Variables,
    ops::Session,
    process::Invocation,
    report::{VendorReport, VendoredLock},
    vendor::{Facts, Pylock, VendorContext, VendorError, VendoredWheel, WHEELS, hash_file, locks_in},
};

/// The file that marks the directory, and that only one process can lock.
const MARK: &str = ".uvenv-vendored";

/// The file with the requirements of the builds and their hashes.
pub(super) const BUILD_REQUIREMENTS: &str = "build-requirements.txt";

/// The directory for files that are needed only while the directory is made.
pub(super) const SOURCES: &str = ".sources";

/// A directory that this process alone writes.
pub(super) struct VendoredDirectory {
    pub(super) path: Utf8PathBuf,
    lock: FileLock,
}

impl VendoredDirectory {
    /// Opens the directory at `path`, or makes it. Rejects a directory with something else in it.
    pub(super) fn open(path: &Utf8Path, session: &Session) -> crate::Result<Self> {
        let mark = path.join(MARK);
        let is_empty = || path.read_dir_utf8().map_or(!path.exists(), |mut entries| entries.next().is_none());
        if !mark.is_file() && !is_empty() {
            return Err(VendorError::Foreign { path: path.to_owned() }.into());
        }
        fs::create_dir_all(path).map_err(VendorError::io(path))?;
        let busy = || format!("is vendoring to {path}");
        let lock = FileLock::acquire(&mark, &session.settings.variables, session.settings.observer(), busy)?;
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Returns a program that writes to the directory, and keeps the lock on it even if this process is killed.
    pub(super) fn covers(&self, program: Invocation) -> Invocation {
        program.holding(Arc::clone(self.lock.file()))
    }

    /// Returns a directory for files that are not kept.
    pub(super) fn scratch(&self) -> Result<Utf8PathBuf, VendorError> {
        let path = self.path.join(SOURCES);
        fs::create_dir_all(&path).map_err(VendorError::io(&path))?;
        Ok(path)
    }

    /// Returns the locks that uvenv has made.
    pub(super) fn locks(&self) -> impl Iterator<Item = (Pylock, Facts)> {
        locks_in(&self.path).unwrap_or_default().into_iter()
    }

    /// Whether the wheel is there, with its hash.
    pub(super) fn has(&self, wheel: &VendoredWheel) -> bool {
        let path = self.path.join(WHEELS).join(&wheel.file);
        fs::metadata(&path).is_ok_and(|file| file.is_file() && file.len() == wheel.size)
            && hash_file(&path).is_ok_and(|(sha256, _)| sha256 == wheel.sha256)
    }

    /// Returns a report if the directory has the locks that are `wanted`, and nothing else.
    pub(super) fn is_up_to_date(&self, wanted: Vec<(String, Facts)>) -> Option<VendorReport> {
        let mut found: Vec<_> = self.locks().collect();
        let profile = wanted.first()?.1.profile;
        let mut locks = Vec::new();
        let mut wheels = BTreeSet::new();
        let mut pythons = BTreeSet::new();
        for (file, wanted) in wanted {
            let index = found.iter().position(|(lock, _)| lock.path().file_name() == Some(&file))?;
            let (lock, facts) = found.swap_remove(index);
            let is_same = facts
                == Facts {
                    pins: facts.pins.clone(),
                    pythons: facts.pythons.clone(),
                    built: facts.built.clone(),
                    ..wanted
                };
            is_same.then_some(())?;
            let packages = lock.wheels();
            locks.push(VendoredLock { file, backend: facts.backend, packages: packages.len() });
            wheels.extend(packages.into_iter().flat_map(|(_, wheels)| wheels));
            pythons.extend(facts.pythons);
        }
        let names: BTreeSet<_> = wheels.iter().map(|wheel| wheel.file.clone()).collect();
        let has_builds = self.path.join(BUILD_REQUIREMENTS).is_file();
        let has_others = !self.others(&names, &locks, has_builds).is_empty();
        let wheels: Vec<_> = wheels.into_iter().collect();
        let are_whole = parallel::par_queue(&wheels, || (), |(), wheel| self.has(wheel)).into_iter().all(|has| has);
        (found.is_empty() && !has_others && are_whole).then(|| VendorReport {
            profile,
            directory: self.path.clone(),
            locks,
            pythons: pythons.into_iter().collect(),
            wheels: wheels.len(),
            bytes: wheels.iter().map(|wheel| wheel.size).sum(),
            downloaded: Vec::new(),
            built: Vec::new(),
            removed: Vec::new(),
            uv: None,
            elapsed_ms: 0,
        })
    }

    /// Returns what the locks do not name, relative to the directory.
    fn others(&self, wheels: &BTreeSet<String>, locks: &[VendoredLock], has_builds: bool) -> Vec<String> {
        let is_needed = |name: &String| {
            name == MARK
                || name == WHEELS
                || (has_builds && name == BUILD_REQUIREMENTS)
                || locks.iter().any(|lock| lock.file == *name)
        };
        let mut others: Vec<_> = entries(&self.path).into_iter().filter(|name| !is_needed(name)).collect();
        let in_wheels = entries(&self.path.join(WHEELS)).into_iter().filter(|name| !wheels.contains(name));
        others.extend(in_wheels.map(|name| format!("{WHEELS}/{name}")));
        others
    }

    /// Removes what the locks do not name. Returns the names of what was removed, without the remains of this command.
    pub(super) fn remove_others(
        &self,
        wheels: &BTreeSet<String>,
        locks: &[VendoredLock],
        has_builds: bool,
    ) -> Result<Vec<String>, VendorError> {
        let mut removed = self.others(wheels, locks, has_builds);
        for name in &removed {
            let path = self.path.join(name);
            let is_directory = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
            let done = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            done.map_err(VendorError::io(&path))?;
        }
        removed.retain(|name| !name.trim_start_matches("wheels/").starts_with('.'));
        Ok(removed)
    }
}

fn entries(directory: &Utf8Path) -> Vec<String> {
    let entries = directory.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort();
    names
}

/// Returns the directory in which wheels are built. Its path gets into some wheels, so it is the same each time.
pub(super) fn build_directory(variables: &Variables) -> Utf8PathBuf {
    let temporary = variables.get("TMPDIR").filter(|path| Utf8Path::new(path).is_absolute()).unwrap_or("/tmp");
    let temporary = if cfg!(windows) { variables.get("TEMP").unwrap_or(temporary) } else { temporary };
    let user = digest::digest(variables.get("HOME").unwrap_or_default().as_bytes());
    Utf8Path::new(temporary).join(format!("uvenv-builds-{}", &user[..8]))
}

/// Waits until no other process builds there.
pub(super) fn lock_builds(place: &Utf8Path, context: &VendorContext<'_>) -> crate::Result<FileLock> {
    let lock = Utf8PathBuf::from(format!("{place}.lock"));
    FileLock::acquire(&lock, context.variables, context.observer, || "is building wheels".to_owned())
}
