//! Reads a vendored directory, and what can be wrong with one.

#[cfg(feature = "full")]
use std::collections::BTreeMap;
use std::{collections::BTreeSet, io, iter};

use camino::{Utf8Path, Utf8PathBuf};

#[cfg(feature = "full")]
use super::hash_file;
use super::{Facts, KnownHashes, PinFacts, Purpose, Pylock, VendoredPackage, VendoredWheel, WHEELS, hash, platform_in};
use crate::{
    fs::parallel,
    lockfile::Lockfile,
    model::{Diagnostic, Fault, Name, Profile, git_url, quoted_or},
    process::on_new_lines,
};

/// A vendored directory that cannot be used for a sync. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VendoredDirectoryError {
    /// There is no lock that uvenv has made.
    #[error("`{directory}` is not a vendored directory: it has no lock of `cargo uvenv vendor`")]
    NoLock { directory: Utf8PathBuf },
    /// A lock is not as `vendor` writes it.
    #[error("`{lock}` is damaged, or of another version of uvenv")]
    DamagedLock { lock: Utf8PathBuf },
    /// A file or directory cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable { path: Utf8PathBuf, source: std::io::Error },
    /// It was made for other profiles.
    #[error("`{directory}` was not vendored for {profile}, but for {}", quoted_or(available, "nothing"))]
    OtherProfile { directory: Utf8PathBuf, profile: Profile, available: Vec<String> },
    /// It was made for other backends.
    #[error("`{directory}` was not vendored with {}, but for {}", with(backend.as_ref()), quoted_or(available, "nothing"))]
    OtherBackend { directory: Utf8PathBuf, backend: Option<Name>, available: Vec<String> },
    /// It was made from another lockfile.
    #[error("`{lock}` was vendored from another `{lockfile}` than the present one")]
    OtherLockfile { lock: Utf8PathBuf, lockfile: Utf8PathBuf },
    /// It was made for other versions of Python.
    #[error("`{lock}` was not vendored for Python {python}, but for {}", available.join(" and "))]
    OtherPython { lock: Utf8PathBuf, python: String, available: Vec<String> },
    /// It was made for other platforms.
    #[error("`{lock}` was not vendored for {}, but for {}{}", platform_in(platform), available.iter().map(|one| platform_in(one)).collect::<Vec<_>>().join(" and "), on_new_lines(problem))]
    OtherPlatform {
        lock: Utf8PathBuf,
        platform: String,
        available: Vec<String>,
        /// uv's words.
        problem: String,
    },
    /// uv finds no interpreter.
    #[error("there is no Python for a new environment{}", on_new_lines(problem))]
    NoPython {
        /// uv's words.
        problem: String,
    },
    /// A file is not as it was vendored.
    #[error("`{file}` was changed since it was vendored")]
    Changed { file: Utf8PathBuf },
    /// A file is missing.
    #[error("`{file}` is missing")]
    Missing { file: Utf8PathBuf },
    /// A file is not part of what was vendored.
    #[error("`{file}` was not vendored")]
    Surplus { file: Utf8PathBuf },
    /// What is installed cannot be selected.
    #[error("`--{option}` cannot be used with a vendored directory")]
    Option { option: &'static str },
    /// The operation installs nothing from one.
    #[error("this command cannot use a vendored directory")]
    NotHere,
    /// Arguments for `uv sync`, which is not run.
    #[error("arguments for uv cannot be used with a vendored directory")]
    Arguments,
}

impl VendoredDirectoryError {
    /// A plan of a usual sync is asked for.
    pub(crate) fn no_plan(is_dry_run: bool) -> Self {
        if is_dry_run { Self::Option { option: "dry-run" } } else { Self::NotHere }
    }
}

fn with(backend: Option<&Name>) -> String {
    backend.map_or_else(|| "no backend".to_owned(), |name| format!("`{name}`"))
}

impl Diagnostic for VendoredDirectoryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoLock { .. } => "no-vendored-lock",
            Self::DamagedLock { .. } => "damaged-vendored-lock",
            Self::Unreadable { .. } => "unreadable-vendored-file",
            Self::OtherProfile { .. } => "vendored-for-another-profile",
            Self::OtherBackend { .. } => "vendored-for-another-backend",
            Self::OtherLockfile { .. } => "vendored-from-another-lockfile",
            Self::OtherPython { .. } => "vendored-for-another-python",
            Self::OtherPlatform { .. } => "vendored-for-another-platform",
            Self::NoPython { .. } => "no-python-for-vendored",
            Self::Changed { .. } => "changed-vendored-file",
            Self::Missing { .. } => "missing-vendored-file",
            Self::Surplus { .. } => "surplus-vendored-file",
            Self::Option { .. } | Self::NotHere | Self::Arguments => "vendored-selection",
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::NoLock { .. } => "make it with `cargo uvenv vendor -o DIR`",
                Self::DamagedLock { .. } => "vendor again with `cargo uvenv vendor`",
                Self::Unreadable { .. } => "make it readable, or vendor again",
                Self::OtherProfile { .. } | Self::OtherBackend { .. } => {
                    "choose another with `--profile` or `--backend`, or vendor again and name all: `cargo uvenv vendor \
                     --backend A --backend B`"
                }
                Self::OtherLockfile { .. } => "vendor again with `cargo uvenv vendor`, or restore the lockfile",
                Self::OtherPython { .. } => "choose another with `--recreate --python`, or vendor for it with `cargo uvenv vendor --python`",
                Self::OtherPlatform { .. } => "vendor for it, on such a machine or with `cargo uvenv vendor --platform`",
                Self::NoPython { .. } => "install one for which it was vendored, or name it with `--python`",
                Self::Changed { .. } | Self::Missing { .. } => {
                    "copy the directory again, or repair it with `cargo uvenv vendor`"
                }
                Self::Surplus { .. } => "remove it, or vendor again with `cargo uvenv vendor`",
                Self::NotHere => "sync with `--vendored` first, and leave it and `UVENV_VENDORED` out here",
                Self::Option { .. } | Self::Arguments => {
                    "the directory has what `cargo uvenv vendor` has selected: leave the option out, or sync without `--vendored`"
                }
            }
            .to_owned(),
        )
    }

    fn fault(&self) -> Fault {
        Fault::Request
    }
}

/// A lock that uvenv has made, with what it says.
#[derive(Clone, Debug)]
pub(crate) struct VendoredLock {
    pub(crate) path: Utf8PathBuf,
    pub(crate) facts: Facts,
    /// A name can occur several times, for different markers.
    pub(crate) packages: Vec<VendoredPackage>,
    pub(crate) requires_python: Option<String>,
}

/// A vendored directory, and its lock for one profile and backend.
#[derive(Clone, Debug)]
pub(crate) struct VendoredSelection {
    pub(crate) directory: Utf8PathBuf,
    pub(crate) lock: VendoredLock,
    /// The locks for everything else.
    others: Vec<VendoredLock>,
}

impl VendoredLock {
    /// Reads the lock at `path`; `None` if somebody else has made it.
    pub(crate) fn read(path: &Utf8Path) -> Result<Option<Self>, VendoredDirectoryError> {
        let damaged = || VendoredDirectoryError::DamagedLock { lock: path.to_owned() };
        let Some(lock) = Pylock::read(path).map_err(|_| damaged())?.filter(Pylock::is_ours) else { return Ok(None) };
        let (facts, packages) = lock.facts().zip(lock.vendored_packages()).ok_or_else(damaged)?;
        Ok(Some(Self { path: path.to_owned(), facts, packages, requires_python: lock.requires_python() }))
    }

    /// Returns its wheels.
    pub(crate) fn wheels(&self) -> impl Iterator<Item = &VendoredWheel> {
        self.packages.iter().flat_map(|package| &package.wheels)
    }

    /// Rejects another lockfile than the one from which it was vendored.
    pub(crate) fn check_lockfile(&self, lockfile: &Lockfile, shown: &Utf8Path) -> Result<(), VendoredDirectoryError> {
        let lock = || self.path.clone();
        if self.facts.lockfile != hash(lockfile.file.text.as_bytes()) {
            return Err(VendoredDirectoryError::OtherLockfile { lock: lock(), lockfile: shown.to_owned() });
        }
        // Where the pins come from, nothing else would tell.
        let is_locked = |pin: &PinFacts| {
            let mut sources = lockfile.packages_named(&pin.name).filter_map(|package| package.source.git());
            sources.any(|source| {
                source.commit.as_ref() == Some(&pin.commit)
                    && git_url::canonical(&source.url) == git_url::canonical(&pin.url)
            })
        };
        if self.facts.pins.iter().all(is_locked) {
            Ok(())
        } else {
            Err(VendoredDirectoryError::DamagedLock { lock: lock() })
        }
    }
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
    let is_ours = |path: &Utf8PathBuf| matches!(Pylock::read(path), Ok(Some(lock)) if lock.is_ours());
    names.map(|name| directory.join(name)).filter(is_ours).collect()
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
