//! The virtual environment of a profile. uv makes and changes it; uvenv inspects it, and removes it on request.

mod activation;
mod base;
mod distributions;
#[cfg(feature = "full")]
mod files;
#[cfg(feature = "full")]
mod integrity;
mod inventory;
mod journal;
mod layout;
#[cfg(feature = "vendored")]
mod provenance;
mod sync_record;
#[cfg(feature = "full")]
mod wheel_list;

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use thiserror::Error;

pub use self::activation::VariableEdit;
pub(crate) use self::base::System;
pub use self::base::{BaseInterpreter, PythonLibrary};
pub use self::distributions::{Changes, Distribution, Source};
#[cfg(feature = "full")]
pub(crate) use self::files::EnvironmentFile;
#[cfg(feature = "full")]
pub(crate) use self::integrity::{Comparison, FileDifferenceKind, Integrity};
use self::layout::Platform;
#[cfg(feature = "vendored")]
pub(crate) use self::provenance::Provenance;
pub(crate) use self::{
    activation::{Activation, Audience, BACKEND_HOLDS_FOR},
    distributions::Distributions,
    inventory::{has_lost_since_sync, has_same_names},
    journal::Journal,
    sync_record::SyncRecord,
};
use crate::{fs::atomic, model::Diagnostic, process::is_program};

/// The directory in an environment that has a file for each request whose dependencies are known.
pub(crate) const STATE_DIRECTORY: &str = ".uvenv-state";

/// The file in an environment that records what its native packages were built from.
pub(crate) const NATIVE_RECORD: &str = ".uvenv-native.json";

/// What uv and uvenv keep in an environment for themselves.
#[cfg(feature = "full")]
const MARKS_OF_USE: [&str; 4] = [".lock", sync_record::FILE, NATIVE_RECORD, STATE_DIRECTORY];

/// An environment, which may not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    root: Utf8PathBuf,
    platform: Platform,
}

/// What exists at the path of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inspection {
    /// Nothing, or an empty directory: uv will make the environment.
    Missing,
    /// An environment.
    Ready(Interpreter),
    /// An environment that must not be used. uv would replace some of these and fail on others. If `pyvenv.cfg` is
    /// missing and uv's cache is cold, it would change the *base* interpreter instead.
    Broken(Damage),
    /// Something that is not an environment, so uvenv must not change it.
    Foreign(Foreign),
}

/// The Python of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interpreter {
    /// The executable in the environment.
    pub executable: Utf8PathBuf,
    /// Its version, as in `pyvenv.cfg`: `3.11.7`.
    pub version: String,
    /// The directory of the base interpreter.
    pub home: String,
}

/// What is wrong with an environment.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Damage {
    /// `pyvenv.cfg` is missing.
    #[error("has no `pyvenv.cfg`")]
    NoConfiguration,
    /// `pyvenv.cfg` exists but cannot be read.
    #[error("has a `pyvenv.cfg` that cannot be read ({0})")]
    UnreadableConfiguration(String),
    /// `pyvenv.cfg` lacks a key.
    #[error("has a `pyvenv.cfg` without `{0}`")]
    IncompleteConfiguration(&'static str),
    /// The environment has no Python.
    #[error("has no `{0}`")]
    NoInterpreter(Utf8PathBuf),
    /// Its Python is a link to a file that no longer exists.
    #[error("has a broken link `{link}` to `{target}`")]
    BrokenLink {
        /// The link, relative to the environment.
        link: Utf8PathBuf,
        /// The target of the link.
        target: String,
    },
    /// Its Python is not an executable file.
    #[error("has a `{0}` that is not an executable file")]
    NotExecutable(Utf8PathBuf),
    /// The base interpreter no longer exists.
    #[error("was created from the Python in `{0}`, which no longer exists")]
    NoHome(String),
    /// The environment is itself a link to a directory that no longer exists.
    #[error("is a broken link to `{0}`")]
    BrokenRoot(String),
}

/// What exists instead of an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Foreign {
    /// A file.
    #[error("it is a file")]
    File,
    /// A directory with other content.
    #[error("it is a directory with other files")]
    Directory,
}

/// The reason why an environment cannot be used or is not removed.
#[derive(Debug, Error)]
pub(crate) enum EnvironmentError {
    /// It is damaged.
    #[error("the environment `{environment}` {damage}")]
    Broken { environment: Utf8PathBuf, damage: Damage },
    /// Something else is at its path.
    #[error("`{path}` is not an environment: {found}")]
    Foreign { path: Utf8PathBuf, found: Foreign },
    /// It contains something that does not belong to an environment: a manifest or a repository.
    #[error("`{environment}` was not removed: it is an environment, but also contains `{name}`")]
    Inhabited { environment: Utf8PathBuf, name: &'static str },
    /// It cannot be changed.
    #[error("the environment `{environment}` cannot be changed: {path}: {source}")]
    NotWritable { environment: Utf8PathBuf, path: Utf8PathBuf, source: io::Error },
    /// It cannot be read.
    #[error("the environment `{environment}` cannot be read: {path}: {source}")]
    Unreadable { environment: Utf8PathBuf, path: Utf8PathBuf, source: io::Error },
    /// It is being synced by a process that waits for this one.
    #[error("the environment `{environment}` is being synced by a process that has started this one")]
    InUse { environment: Utf8PathBuf },
    /// Its Python did not answer a query.
    #[error("cannot query the Python `{python}`: {problem}")]
    Silent {
        python: Utf8PathBuf,
        /// Its output, or how it ended.
        problem: String,
    },
}

impl Diagnostic for EnvironmentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Broken { .. } => "broken-environment",
            Self::Foreign { .. } | Self::Inhabited { .. } => "not-an-environment",
            Self::NotWritable { .. } => "environment-not-writable",
            Self::Unreadable { .. } => "environment-unreadable",
            Self::Silent { .. } => "python-does-not-run",
            Self::InUse { .. } => "environment-in-use",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Broken { .. } => "add `--recreate` to remove it and create it again".to_owned(),
            Self::Foreign { path, .. } => {
                format!("move or remove `{path}`; uvenv does not remove it")
            }
            Self::Inhabited { name, .. } => {
                format!("move `{name}` out of it, or remove the environment yourself")
            }
            Self::NotWritable { path, .. } => format!("get write permission for `{path}`"),
            Self::Unreadable { path, .. } => format!("get read permission for `{path}`"),
            Self::InUse { .. } => "build the package that needs the environment outside of it: leave it out of the \
                                   manifest, or give its build script another profile"
                .to_owned(),
            Self::Silent { .. } => {
                "run `cargo uvenv sync --recreate` to recreate the environment with a working Python; `--python` \
                                    chooses another one"
                    .to_owned()
            }
        })
    }
}

impl Environment {
    /// Returns the environment at `root`.
    pub fn new(root: impl Into<Utf8PathBuf>) -> Self {
        Self { root: root.into(), platform: Platform::CURRENT }
    }

    /// Returns its directory.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Returns the directory of its programs: `bin`, or `Scripts` on Windows.
    pub fn scripts(&self) -> Utf8PathBuf {
        self.root.join(self.platform.scripts())
    }

    /// Returns the path of its interpreter.
    pub fn executable(&self) -> Utf8PathBuf {
        self.root.join(self.platform.python())
    }

    /// Returns the directory of its packages; `None` if it has no such directory.
    pub fn site_packages(&self) -> Option<Utf8PathBuf> {
        self.platform.site_packages(&self.root)
    }

    /// Whether uv writes a file at `path` when it makes an environment.
    #[cfg(feature = "full")]
    fn is_new_file(&self, path: &Utf8Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        if path.parent() == Some(&self.scripts()) {
            return layout::is_script_of_new_environment(name);
        }
        // What sets `sys.prefix` right for distutils (uv and virtualenv).
        path.parent() == self.site_packages().as_deref() && ["_virtualenv.py", "_virtualenv.pth"].contains(&name)
    }

    /// Returns where it was made, if it has been moved or copied since, so that the old path does not lead to it. Its
    /// programs, which start with the path of its interpreter, then start another one, or none, unless it was made to be
    /// moved. `record` is its record.
    pub(crate) fn moved_from(&self, record: Option<&SyncRecord>) -> Option<Utf8PathBuf> {
        let place = record.and_then(|record| record.place.clone()).or_else(|| self.activated_path())?;
        if place == self.root {
            return None;
        }
        let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
        let is_elsewhere = real(&self.root).is_some_and(|now| real(&place) != Some(now));
        (is_elsewhere && !self.is_relocatable()).then_some(place)
    }

    /// Returns the path that its script for shells sets, as uv and `venv` write it.
    fn activated_path(&self) -> Option<Utf8PathBuf> {
        let script = fs::read_to_string(self.scripts().join("activate")).ok()?;
        let value = script.lines().find_map(|line| line.trim().strip_prefix("VIRTUAL_ENV="))?;
        let path = Utf8PathBuf::from(value.trim_matches(['\'', '"']));
        path.is_absolute().then_some(path)
    }

    /// Whether its programs do not contain its path (`uv venv --relocatable`).
    fn is_relocatable(&self) -> bool {
        let configuration = fs::read_to_string(self.root.join("pyvenv.cfg")).unwrap_or_default();
        layout::configuration_value(&configuration, "relocatable").is_some_and(|value| value == "true")
    }

    /// Returns the directories where its interpreter, made from `base`, finds packages: its own directory and, if it
    /// was made with access to them, those of `base`.
    #[cfg(feature = "full")]
    pub(crate) fn all_site_packages(&self, base: &BaseInterpreter) -> Vec<Utf8PathBuf> {
        let configuration = fs::read_to_string(self.root.join("pyvenv.cfg")).unwrap_or_default();
        let shared = layout::configuration_value(&configuration, "include-system-site-packages");
        let shared = shared.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let of_base = if shared { base.site_packages.as_slice() } else { &[] };
        self.site_packages().into_iter().chain(of_base.iter().cloned()).collect()
    }

    /// Inspects the path. Starts and changes nothing.
    pub fn inspect(&self) -> crate::Result<Inspection> {
        let metadata = match fs::metadata(&self.root) {
            Ok(metadata) => metadata,
            // A link to a missing target, or to itself.
            Err(_) if self.root.is_symlink() => {
                return Ok(Inspection::Broken(Damage::BrokenRoot(link_target(&self.root))));
            }
            Err(error) if is_absent(&error) => return Ok(Inspection::Missing),
            Err(error) => return Err(self.unreadable(&self.root)(error).into()),
        };
        if !metadata.is_dir() {
            return Ok(Inspection::Foreign(Foreign::File));
        }
        let names = self.names()?;
        if names.is_empty() {
            return Ok(Inspection::Missing);
        }
        let configuration = self.root.join("pyvenv.cfg");
        Ok(match fs::read(&configuration) {
            Ok(bytes) => match self.interpreter(&String::from_utf8_lossy(&bytes)) {
                Ok(interpreter) => Inspection::Ready(interpreter),
                Err(damage) => Inspection::Broken(damage),
            },
            Err(error) if !is_absent(&error) => Inspection::Broken(Damage::UnreadableConfiguration(error.to_string())),
            Err(_) if configuration.is_symlink() => {
                Inspection::Broken(Damage::UnreadableConfiguration("broken link".to_owned()))
            }
            Err(_) if self.platform.is_remains(&self.root, &names) => Inspection::Broken(Damage::NoConfiguration),
            Err(_) => Inspection::Foreign(Foreign::Directory),
        })
    }

    /// Returns its Python, or `None` if uv will make the environment. Returns an error if it must not be used.
    pub fn usable(&self) -> crate::Result<Option<Interpreter>> {
        match self.inspect()? {
            Inspection::Missing => Ok(None),
            Inspection::Ready(interpreter) => Ok(Some(interpreter)),
            Inspection::Broken(damage) => {
                Err(EnvironmentError::Broken { environment: self.root.clone(), damage }.into())
            }
            Inspection::Foreign(found) => Err(EnvironmentError::Foreign { path: self.root.clone(), found }.into()),
        }
    }

    fn interpreter(&self, configuration: &str) -> Result<Interpreter, Damage> {
        let value = |key| layout::configuration_value(configuration, key);
        let version =
            value("version_info").or_else(|| value("version")).ok_or(Damage::IncompleteConfiguration("version"))?;
        let home = value("home").ok_or(Damage::IncompleteConfiguration("home"))?;
        let relative = self.platform.python();
        let executable = self.root.join(&relative);
        if !is_program(executable.as_std_path()) {
            return Err(match fs::metadata(&executable) {
                Ok(_) => Damage::NotExecutable(relative),
                Err(_) if executable.is_symlink() => {
                    Damage::BrokenLink { link: relative, target: link_target(&executable) }
                }
                Err(_) => Damage::NoInterpreter(relative),
            });
        }
        // On Windows, `python.exe` is a separate launcher, which remains when the base interpreter is removed.
        if self.platform == Platform::Windows && fs::metadata(home).is_err_and(|error| is_absent(&error)) {
            return Err(Damage::NoHome(home.to_owned()));
        }
        Ok(Interpreter { executable, version: version.to_owned(), home: home.to_owned() })
    }

    /// Checks that files can be created in it, or in the directory where it will be made.
    pub(crate) fn check_writable(&self) -> crate::Result<()> {
        let nearest = self.root.ancestors().find(|path| path.is_dir());
        for directory in nearest.map(Utf8Path::to_owned).into_iter().chain(self.site_packages()) {
            let probe = directory.join(format!(".uvenv-{}", std::process::id()));
            fs::write(&probe, "").and_then(|()| fs::remove_file(&probe)).map_err(self.not_writable(&directory))?;
        }
        Ok(())
    }

    /// Removes the environment, valid or broken, and nothing else: if it is a link to an environment, the link stays, and
    /// leads to an empty directory. The environment is first moved aside, so that a crash leaves either the whole
    /// environment or none.
    pub(crate) fn remove(&self) -> crate::Result<()> {
        self.back_up()?.discard()
    }

    /// Moves the environment aside, so that it can be restored if no new one can be made. If it is a link to an environment
    /// elsewhere, such as on a scratch disk, the new one is made there too, as `uv venv --clear` does.
    pub(crate) fn back_up(&self) -> crate::Result<Backup> {
        if let Inspection::Foreign(found) = self.inspect()? {
            return Err(EnvironmentError::Foreign { path: self.root.clone(), found }.into());
        }
        let place = self.place();
        let backed_up = |path| Backup { environment: self.clone(), place: place.clone(), path };
        if !place.exists() {
            // A link that leads nowhere.
            if self.root.is_symlink() {
                fs::remove_file(&self.root).map_err(self.not_writable(&self.root))?;
            }
            return Ok(backed_up(None));
        }
        if let Some(name) =
            ["pyproject.toml", "Cargo.toml", ".git", ".hg"].into_iter().find(|name| place.join(name).exists())
        {
            return Err(EnvironmentError::Inhabited { environment: self.root.clone(), name }.into());
        }
        let backup =
            backup_prefix(&place).map(|(parent, prefix)| parent.join(format!("{prefix}{}", std::process::id())));
        match backup.filter(|backup| fs::rename(&place, backup).is_ok()) {
            Some(backup) => {
                if self.root.is_symlink()
                    && let Err(error) = fs::create_dir(&place)
                {
                    backed_up(Some(backup)).restore()?;
                    return Err(self.not_writable(&place)(error).into());
                }
                Ok(backed_up(Some(backup)))
            }
            // A mount point, such as a container volume, cannot be renamed.
            None => self.remove_content().map(|()| backed_up(None)),
        }
    }

    /// Returns its directory, or the one that a link in its place leads to.
    fn place(&self) -> Utf8PathBuf {
        let target = if self.root.is_symlink() { self.root.canonicalize_utf8().ok() } else { None };
        target.unwrap_or_else(|| self.root.clone())
    }

    /// Removes what was moved aside by this removal and by earlier, interrupted ones.
    pub(crate) fn remove_backups(&self) -> crate::Result<()> {
        let place = self.place();
        let Some((parent, prefix)) = backup_prefix(&place) else { return Ok(()) };
        Ok(remove_backups(parent, &prefix).map_err(self.not_writable(parent))?)
    }

    /// Removes the beginnings of an environment, which nothing identifies as one yet: directories and files as uv makes
    /// them, and nothing else. It must be known that an interrupted sync has made them.
    pub(crate) fn remove_beginnings(&self) -> crate::Result<()> {
        if self.platform.are_beginnings(&self.root, &self.names()?) { self.remove_content() } else { Ok(()) }
    }

    /// Removes the content of the environment. What identifies it goes last, so that a crash leaves a broken
    /// environment rather than something that is not recognized as one.
    fn remove_content(&self) -> crate::Result<()> {
        let mut names = self.names()?;
        names.sort_by_key(|name| layout::MARKS.contains(&name.as_str()) || name == self.platform.scripts());
        for name in names {
            let path = self.root.join(name);
            let removed = match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
                Ok(_) => fs::remove_file(&path),
                Err(error) => Err(error),
            };
            removed.map_err(self.not_writable(&path))?;
        }
        Ok(())
    }

    /// Returns the names in the root directory. A name that is not Unicode never identifies an environment.
    fn names(&self) -> crate::Result<Vec<String>> {
        Ok(fs::read_dir(&self.root)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect())
            .map_err(self.unreadable(&self.root))?)
    }

    /// Writes `record` as one of uvenv's own files in it, which has this name.
    pub(crate) fn write_record(&self, name: &str, record: &impl Serialize) -> crate::Result<()> {
        let path = self.root.join(name);
        Ok(serde_json::to_vec(record)
            .map_err(io::Error::from)
            .and_then(|text| atomic::replace_own(&path, &text))
            .map_err(self.not_writable(&path))?)
    }

    pub(crate) fn not_writable(&self, path: &Utf8Path) -> impl FnOnce(io::Error) -> EnvironmentError {
        let (environment, path) = (self.root.clone(), path.to_owned());
        move |source| EnvironmentError::NotWritable { environment, path, source }
    }

    fn unreadable(&self, path: &Utf8Path) -> impl FnOnce(io::Error) -> EnvironmentError {
        let (environment, path) = (self.root.clone(), path.to_owned());
        move |source| EnvironmentError::Unreadable { environment, path, source }
    }
}

/// Returns where an environment in `place` is moved aside to: the directory, and the start of its name there.
fn backup_prefix(place: &Utf8Path) -> Option<(&Utf8Path, String)> {
    Some((place.parent()?, format!(".{}.removed-", place.file_name()?.trim_start_matches('.'))))
}

/// An environment that was moved aside. Mount points cannot be restored.
#[derive(Debug)]
#[must_use]
pub(crate) struct Backup {
    environment: Environment,
    /// Where it was.
    place: Utf8PathBuf,
    path: Option<Utf8PathBuf>,
}

impl Backup {
    /// Removes the backup, and those of earlier, interrupted removals.
    pub(crate) fn discard(self) -> crate::Result<()> {
        if self.path.is_some() { self.environment.remove_backups() } else { Ok(()) }
    }

    /// Moves the backup back, and replaces what was made in its place since. Returns whether there was one.
    pub(crate) fn restore(self) -> crate::Result<bool> {
        let (Some(backup), place) = (&self.path, &self.place) else { return Ok(false) };
        if place.exists() {
            fs::remove_dir_all(place).map_err(self.environment.not_writable(place))?;
        }
        fs::rename(backup, place).map_err(self.environment.not_writable(place))?;
        Ok(true)
    }
}

/// Removes the backups of this removal and of earlier, interrupted ones.
fn remove_backups(parent: &Utf8Path, prefix: &str) -> io::Result<()> {
    for entry in parent.read_dir_utf8()?.flatten() {
        if entry.file_name().starts_with(prefix) && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Makes one of uvenv's own directories in an environment. What a link in its place leads to is not uvenv's.
pub(crate) fn make_own_directory(path: &Utf8Path) -> io::Result<()> {
    if path.is_symlink() {
        return Err(io::Error::other(format!("`{path}` is a link")));
    }
    fs::create_dir_all(path)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn link_target(link: &Utf8Path) -> String {
    fs::read_link(link).map_or_else(|error| error.to_string(), |target| target.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests;
