//! Reads a vendored directory.

#[cfg(feature = "full")]
use std::collections::BTreeMap;
use std::{collections::BTreeSet, io, iter};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Facts, KnownHashes, Purpose, VendoredDirectoryError, VendoredLock, VendoredWheel, WHEELS};
#[cfg(feature = "full")]
use super::{hash, hash_file, pylock::is_own_lock};
use crate::{
    fs::parallel,
    model::{Name, Profile},
};

/// A vendored directory, and its lock for one profile and backend.
#[derive(Clone, Debug)]
pub(crate) struct VendoredSelection {
    pub(crate) directory: Utf8PathBuf,
    pub(crate) lock: VendoredLock,
    /// The locks for everything else.
    others: Vec<VendoredLock>,
}

/// Returns the locks that uvenv has made in `directory`, by name.
pub(crate) fn locks_in(directory: &Utf8Path) -> Result<Vec<VendoredLock>, VendoredDirectoryError> {
    if !directory.is_dir() {
        return Err(VendoredDirectoryError::NoLock { directory: directory.to_owned() });
    }
    let mut names: Vec<_> = entries(directory)?.into_iter().filter(|name| is_lock(name)).collect();
    names.sort();
    names.into_iter().filter_map(|name| VendoredLock::read(&directory.join(name)).transpose()).collect()
}

/// Returns the paths of the locks that uvenv has made in `directory`, also those of other versions.
#[cfg(feature = "full")]
pub(crate) fn own_locks(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let names = entries(directory).unwrap_or_default().into_iter().filter(|name| is_lock(name));
    names.map(|name| directory.join(name)).filter(|path| is_own_lock(path)).collect()
}

/// Returns the names in a directory. No lock names a file whose name is not Unicode.
fn entries(directory: &Utf8Path) -> Result<Vec<String>, VendoredDirectoryError> {
    let unreadable = |source| VendoredDirectoryError::Unreadable { path: directory.to_owned(), source };
    let entries = std::fs::read_dir(directory).map_err(unreadable)?;
    entries.map(|entry| Ok(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned())).collect()
}

impl VendoredSelection {
    /// Reads `directory`, which must have a lock for the profile and the backend.
    pub(crate) fn read(
        directory: &Utf8Path,
        profile: Profile,
        backend: Option<&Name>,
    ) -> Result<Self, VendoredDirectoryError> {
        let mut locks = locks_in(directory)?;
        let environments = || locks.iter().filter(|lock| lock.facts.purpose == Purpose::Environment);
        let shown = |lock: &VendoredLock| match &lock.facts.backend {
            Some(backend) => format!("{} with {backend}", lock.facts.profile),
            None => lock.facts.profile.to_string(),
        };
        let available: Vec<_> = environments().map(shown).collect();
        let has_profile = environments().any(|lock| lock.facts.profile == profile);
        let directory = directory.to_owned();
        if available.is_empty() {
            return Err(VendoredDirectoryError::NoLock { directory });
        }
        if !has_profile {
            return Err(VendoredDirectoryError::OtherProfile { directory, profile, available });
        }
        let is_wanted = |lock: &VendoredLock| {
            let Facts { purpose, profile: of_lock, backend: with, .. } = &lock.facts;
            *purpose == Purpose::Environment && *of_lock == profile && with.as_ref() == backend
        };
        match locks.iter().position(is_wanted) {
            Some(index) => Ok(Self { directory, lock: locks.swap_remove(index), others: locks }),
            None => Err(VendoredDirectoryError::OtherBackend { directory, backend: backend.cloned(), available }),
        }
    }

    /// Returns all locks.
    pub(crate) fn locks(&self) -> impl Iterator<Item = &VendoredLock> {
        iter::once(&self.lock).chain(&self.others)
    }

    /// Returns the path of a wheel.
    pub(crate) fn path_of(&self, wheel: &VendoredWheel) -> Utf8PathBuf {
        self.directory.join(WHEELS).join(&wheel.file)
    }

    /// Returns the paths of the wheels of each package.
    #[cfg(feature = "full")]
    pub(crate) fn wheels_of_packages(&self) -> BTreeMap<Name, Vec<Utf8PathBuf>> {
        let mut wheels: BTreeMap<Name, Vec<Utf8PathBuf>> = BTreeMap::new();
        for package in &self.lock.packages {
            let paths = package.wheels.iter().map(|wheel| self.path_of(wheel));
            wheels.entry(package.name.clone()).or_default().extend(paths);
        }
        wheels
    }

    /// Compares the wheels of the lock with their hashes, on all cores, and rejects files that no lock names. What is known
    /// is not read again.
    pub(crate) fn check_files(&self, known: &KnownHashes) -> Result<(), VendoredDirectoryError> {
        let wheels: Vec<_> = self.lock.wheels().collect();
        let compare = |(): &mut (), wheel: &&VendoredWheel| {
            check_hash(&self.directory, wheel, known.of(&self.directory, &wheel.file))
        };
        let compared: Result<Vec<()>, _> = parallel::par_queue(&wheels, || (), compare).into_iter().collect();
        compared?;
        let named: BTreeSet<_> = self.locks().flat_map(VendoredLock::wheels).map(|wheel| wheel.file.as_str()).collect();
        let path = self.directory.join(WHEELS);
        match entries(&path)?.iter().find(|name| !named.contains(name.as_str())) {
            Some(name) => Err(VendoredDirectoryError::Surplus { file: path.join(name) }),
            None => Ok(()),
        }
    }
}

/// Rejects a wheel that does not have the hash in its lock.
#[cfg(feature = "full")]
pub(crate) fn check_wheel(directory: &Utf8Path, wheel: &VendoredWheel) -> Result<(), VendoredDirectoryError> {
    let hash = hash_file(&directory.join(WHEELS).join(&wheel.file));
    check_hash(directory, wheel, hash.map(|(sha256, _)| sha256))
}

/// Rejects a wheel whose hash, `found`, is not that in its lock.
fn check_hash(
    directory: &Utf8Path,
    wheel: &VendoredWheel,
    found: io::Result<String>,
) -> Result<(), VendoredDirectoryError> {
    let file = directory.join(WHEELS).join(&wheel.file);
    match found {
        Ok(sha256) if sha256 == wheel.sha256 => Ok(()),
        Ok(_) => Err(VendoredDirectoryError::Changed { file }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(VendoredDirectoryError::Missing { file }),
        Err(source) => Err(VendoredDirectoryError::Unreadable { path: file, source }),
    }
}

/// Reads a wheel, which must have the hash in its lock.
#[cfg(feature = "full")]
pub(crate) fn read_wheel(directory: &Utf8Path, wheel: &VendoredWheel) -> Result<Vec<u8>, VendoredDirectoryError> {
    let read = std::fs::read(directory.join(WHEELS).join(&wheel.file));
    let found = read.as_ref().map(|bytes| hash(bytes)).map_err(|error| error.kind().into());
    check_hash(directory, wheel, found)?;
    Ok(read.unwrap_or_default())
}

/// Whether a file is a lock by its name, which PEP 751 prescribes.
fn is_lock(name: &str) -> bool {
    let stem = name.strip_prefix("pylock.").and_then(|name| name.strip_suffix("toml"));
    stem.is_some_and(|name| name.is_empty() || name.ends_with('.'))
}
