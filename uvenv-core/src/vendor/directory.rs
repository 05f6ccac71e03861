//! Reads a vendored directory, and what can be wrong with one.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Facts, Pylock, VendoredWheel, WHEELS, hash_file};
use crate::{
    fs::parallel,
    model::{Diagnostic, Fault, Name, Profile, quoted_or},
    process::on_new_lines,
};

/// A vendored directory that cannot be used for a sync. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VendoredDirectoryError {
    /// There is no lock that uvenv has made.
    #[error("`{directory}` is not a vendored directory: it has no lock of `cargo uvenv vendor`")]
    NoLock { directory: Utf8PathBuf },
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
            Self::Unreadable { .. } => "unreadable-vendored-file",
            Self::OtherProfile { .. } => "vendored-for-another-profile",
            Self::OtherBackend { .. } => "vendored-for-another-backend",
            Self::OtherLockfile { .. } => "vendored-from-another-lockfile",
            Self::OtherPython { .. } => "vendored-for-another-python",
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
                Self::Unreadable { .. } => "make it readable, or vendor again",
                Self::OtherProfile { .. } | Self::OtherBackend { .. } => {
                    "choose another with `--profile` or `--backend`, or vendor it too with `cargo uvenv vendor`"
                }
                Self::OtherLockfile { .. } => "vendor again with `cargo uvenv vendor`, or restore the lockfile",
                Self::OtherPython { .. } => "choose another with `--python`, or vendor for it with `cargo uvenv vendor --python`",
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

/// Returns the locks that uvenv has made in `directory`, by name.
pub(crate) fn locks_in(directory: &Utf8Path) -> Result<Vec<(Pylock, Facts)>, VendoredDirectoryError> {
    let unreadable = |source| VendoredDirectoryError::Unreadable { path: directory.to_owned(), source };
    let entries = match directory.read_dir_utf8() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(VendoredDirectoryError::NoLock { directory: directory.to_owned() });
        }
        entries => entries.map_err(unreadable)?,
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_owned()).collect();
    names.retain(|name| is_lock(name));
    names.sort();
    let locks = names.into_iter().filter_map(|name| {
        let lock = Pylock::read(&directory.join(name)).ok()??;
        let facts = lock.facts()?;
        Some((lock, facts))
    });
    Ok(locks.collect())
}

/// Returns the lock for the profile and the backend.
pub(crate) fn find_lock(
    directory: &Utf8Path,
    profile: Profile,
    backend: Option<&Name>,
) -> Result<(Pylock, Facts), VendoredDirectoryError> {
    let locks = locks_in(directory)?;
    let shown = |facts: &Facts| match &facts.backend {
        Some(backend) => format!("{} with {backend}", facts.profile),
        None => facts.profile.to_string(),
    };
    let available: Vec<_> = locks.iter().map(|(_, facts)| shown(facts)).collect();
    let of_profile: Vec<_> = locks.into_iter().filter(|(_, facts)| facts.profile == profile).collect();
    let directory = || directory.to_owned();
    if available.is_empty() {
        return Err(VendoredDirectoryError::NoLock { directory: directory() });
    }
    if of_profile.is_empty() {
        return Err(VendoredDirectoryError::OtherProfile { directory: directory(), profile, available });
    }
    let found = of_profile.into_iter().find(|(_, facts)| facts.backend.as_ref() == backend);
    found.ok_or_else(|| VendoredDirectoryError::OtherBackend {
        directory: directory(),
        backend: backend.cloned(),
        available,
    })
}

/// Compares the wheels of the lock with their hashes, on all cores, and rejects files that no lock names.
pub(crate) fn check_files(directory: &Utf8Path, lock: &Pylock) -> Result<(), VendoredDirectoryError> {
    let wheels: Vec<_> = lock.wheels().into_iter().flat_map(|(_, wheels)| wheels).collect();
    let compare = |(): &mut (), wheel: &VendoredWheel| {
        let file = directory.join(WHEELS).join(&wheel.file);
        match hash_file(&file) {
            Ok((sha256, _)) if sha256 == wheel.sha256 => Ok(()),
            Ok(_) => Err(VendoredDirectoryError::Changed { file }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(VendoredDirectoryError::Missing { file }),
            Err(source) => Err(VendoredDirectoryError::Unreadable { path: file, source }),
        }
    };
    let compared: Result<Vec<()>, _> = parallel::par_queue(&wheels, || (), compare).into_iter().collect();
    compared?;
    let named: Vec<_> =
        locks_in(directory)?.iter().flat_map(|(lock, _)| lock.wheels()).flat_map(|(_, all)| all).collect();
    let path = directory.join(WHEELS);
    let entries =
        path.read_dir_utf8().map_err(|source| VendoredDirectoryError::Unreadable { path: path.clone(), source })?;
    for entry in entries.flatten() {
        if named.iter().all(|wheel| wheel.file != entry.file_name()) {
            return Err(VendoredDirectoryError::Surplus { file: entry.into_path() });
        }
    }
    Ok(())
}

/// Whether a file is a lock by its name, which PEP 751 prescribes.
fn is_lock(name: &str) -> bool {
    let stem = name.strip_prefix("pylock.").and_then(|name| name.strip_suffix("toml"));
    stem.is_some_and(|name| name.is_empty() || name.ends_with('.'))
}
