//! A vendored directory: its locks, its wheels, and what else may be in it.

use std::{collections::BTreeSet, fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    fs::{cache::FileLock, parallel},
    model::Profile,
    ops::Session,
    process::Invocation,
    report::{VendorReport, VendoredLock},
    vendor::{self, Facts, Purpose, VendorError, VendoredWheel, WHEELS, check_wheel, own_locks},
};

/// The file that marks the directory, and that only one process can lock.
const MARK: &str = ".uvenv-vendored";

/// The file with the requirements of the builds and their hashes.
const BUILD_REQUIREMENTS: &str = "build-requirements.txt";

/// The directory for files until all are there, and for those that are not kept.
const STAGING: &str = ".staging";

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
        // A link in the place of the wheels would lead to files of somebody else.
        if (!mark.is_file() && !is_empty()) || path.join(WHEELS).is_symlink() {
            return Err(VendorError::Foreign { path: path.to_owned() }.into());
        }
        fs::create_dir_all(path).map_err(VendorError::io(path))?;
        fs::File::options().create(true).append(true).open(&mark).map_err(VendorError::io(&mark))?;
        let busy = || format!("is vendoring to {path}");
        let lock = FileLock::acquire(&mark, &session.settings.variables, session.settings.observer(), busy)?;
        Ok(Self { path: path.to_owned(), lock })
    }

    /// Returns a program that writes to the directory, and keeps the lock on it even if this process is killed.
    pub(super) fn covers(&self, program: Invocation) -> Invocation {
        program.holding(Arc::clone(self.lock.file()))
    }

    /// Returns a directory for files that are not kept.
    pub(super) fn staging(&self) -> Result<Utf8PathBuf, VendorError> {
        made(self.path.join(STAGING))
    }

    /// Returns the directory for wheels until all are there.
    pub(super) fn staged_wheels(&self) -> Result<Utf8PathBuf, VendorError> {
        made(self.path.join(STAGING).join(WHEELS))
    }

    /// Returns the directory for source distributions.
    pub(super) fn staged_archives(&self) -> Result<Utf8PathBuf, VendorError> {
        made(self.path.join(STAGING).join("archives"))
    }

    /// Returns the file for the requirements of builds, which begins with those of the last builds.
    pub(super) fn staged_requirements(&self) -> Result<Utf8PathBuf, VendorError> {
        let (old, new) = (self.path.join(BUILD_REQUIREMENTS), self.staging()?.join(BUILD_REQUIREMENTS));
        match fs::copy(&old, &new) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(VendorError::io(&old)(error)),
            _ => Ok(new),
        }
    }

    /// Whether it has what the last builds required.
    pub(super) fn has_requirements(&self) -> bool {
        self.path.join(BUILD_REQUIREMENTS).is_file()
    }

    /// Returns what the builds required; it is empty without any.
    pub(super) fn requirements_of_builds(&self, has_builds: bool) -> Result<String, VendorError> {
        if !has_builds {
            return Ok(String::new());
        }
        let staged = self.staging()?.join(BUILD_REQUIREMENTS);
        let path = if staged.is_file() { staged } else { self.path.join(BUILD_REQUIREMENTS) };
        fs::read_to_string(&path).map_err(VendorError::io(&path))
    }

    /// Returns the path of a wheel: where it was staged, or where an earlier run has put it.
    pub(super) fn staged_or_present(&self, file: &str) -> Result<Utf8PathBuf, VendorError> {
        let staged = self.staged_wheels()?.join(file);
        Ok(if staged.exists() { staged } else { self.path.join(WHEELS).join(file) })
    }

    /// Moves what was staged into its place.
    pub(super) fn take_staged(&self, wheels: &BTreeSet<String>) -> Result<(), VendorError> {
        let place = made(self.path.join(WHEELS))?;
        let staged = self.staged_wheels()?;
        let requirements = self.staging()?.join(BUILD_REQUIREMENTS);
        let wheels = wheels.iter().map(|file| (staged.join(file), place.join(file)));
        for (from, to) in wheels.chain([(requirements, self.path.join(BUILD_REQUIREMENTS))]) {
            match fs::rename(&from, &to) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(VendorError::io(&to)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the locks that uvenv has made.
    pub(super) fn locks(&self) -> impl Iterator<Item = vendor::VendoredLock> {
        // One that is damaged, or of another version, is replaced.
        own_locks(&self.path).into_iter().filter_map(|path| vendor::VendoredLock::read(&path).ok().flatten())
    }

    /// Whether the wheel is there, with its hash.
    pub(super) fn has(&self, wheel: &VendoredWheel) -> bool {
        check_wheel(&self.path, wheel).is_ok()
    }

    /// Returns a report if the directory has the locks that are `wanted`, and nothing else.
    pub(super) fn is_up_to_date(&self, wanted: Vec<(String, Facts)>) -> Option<VendorReport> {
        let mut found: Vec<_> = self.locks().collect();
        let profile = wanted.first()?.1.profile;
        let (mut locks, mut names_of_locks) = (Vec::new(), Vec::new());
        let mut wheels = BTreeSet::new();
        let mut pythons = BTreeSet::new();
        for (file, wanted) in wanted {
            let index = found.iter().position(|lock| lock.path.file_name() == Some(&file))?;
            let vendor::VendoredLock { facts, packages, .. } = found.swap_remove(index);
            let is_same = facts
                == Facts {
                    pins: facts.pins.clone(),
                    pythons: facts.pythons.clone(),
                    built: facts.built.clone(),
                    ..wanted
                };
            is_same.then_some(())?;
            names_of_locks.push(file.clone());
            if facts.purpose == Purpose::Environment {
                locks.push(VendoredLock { file, backend: facts.backend, packages: packages.len() });
            }
            wheels.extend(packages.into_iter().flat_map(|package| package.wheels));
            pythons.extend(facts.pythons);
        }
        let names: BTreeSet<_> = wheels.iter().map(|wheel| wheel.file.clone()).collect();
        let has_builds = self.has_requirements();
        let has_others = !self.others(&names, &names_of_locks, has_builds).is_empty();
        let wheels: Vec<_> = wheels.into_iter().collect();
        let are_whole = parallel::par_queue(&wheels, || (), |(), wheel| self.has(wheel)).into_iter().all(|has| has);
        let is_up_to_date = found.is_empty() && !has_others && are_whole;
        is_up_to_date.then(|| self.report(profile, locks, pythons.into_iter().collect(), &names))
    }

    /// Returns the report of what is there, without what was done.
    pub(super) fn report(
        &self,
        profile: Profile,
        locks: Vec<VendoredLock>,
        pythons: Vec<String>,
        wheels: &BTreeSet<String>,
    ) -> VendorReport {
        let size = |file: &String| fs::metadata(self.path.join(WHEELS).join(file)).map_or(0, |file| file.len());
        VendorReport {
            profile,
            directory: self.path.clone(),
            locks,
            pythons,
            wheels: wheels.len(),
            bytes: wheels.iter().map(size).sum(),
            downloaded: Vec::new(),
            built: Vec::new(),
            removed: Vec::new(),
            uv: None,
            elapsed_ms: 0,
        }
    }

    /// Returns what an earlier run has made and the locks do not name, relative to the directory. Other files stay.
    fn others(&self, wheels: &BTreeSet<String>, locks: &[String], has_builds: bool) -> Vec<String> {
        let is_old_lock = |name: &String| {
            let is_ours = || own_locks(&self.path).iter().any(|path| path.file_name() == Some(name));
            !locks.contains(name) && is_ours()
        };
        let is_other =
            |name: &String| name == STAGING || (!has_builds && name == BUILD_REQUIREMENTS) || is_old_lock(name);
        let mut others: Vec<_> = entries(&self.path).into_iter().filter(is_other).collect();
        let in_wheels = entries(&self.path.join(WHEELS)).into_iter();
        let is_other = |name: &String| Utf8Path::new(name).extension() == Some("whl") && !wheels.contains(name);
        others.extend(in_wheels.filter(is_other).map(|name| format!("{WHEELS}/{name}")));
        others
    }

    /// Removes what the locks do not name. Returns the names of what was removed, without the remains of this command.
    pub(super) fn remove_others(
        &self,
        wheels: &BTreeSet<String>,
        locks: &[String],
        has_builds: bool,
    ) -> Result<Vec<String>, VendorError> {
        let mut removed = self.others(wheels, locks, has_builds);
        for name in &removed {
            let path = self.path.join(name);
            let is_directory = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir());
            let done = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            done.map_err(VendorError::io(&path))?;
        }
        removed.retain(|name| name != STAGING);
        Ok(removed)
    }
}

fn entries(directory: &Utf8Path) -> Vec<String> {
    let entries = directory.read_dir_utf8().into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_owned()).collect();
    names.sort();
    names
}

fn made(path: Utf8PathBuf) -> Result<Utf8PathBuf, VendorError> {
    fs::create_dir_all(&path).map_err(VendorError::io(&path))?;
    Ok(path)
}
