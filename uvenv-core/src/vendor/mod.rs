//! Vendored directories: all that an environment is made of, to make it where there is no network.

mod build;
mod download;
mod export;
mod manifest;
mod target;
mod wheel_name;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

pub use self::target::{Target, TargetPlatform, TargetPython};
pub(crate) use self::{
    build::{Builder, SourceTree},
    download::{Client, Tally},
    export::{Archive, ExportedPackage, ExportedSource, Location, read_export},
    manifest::{
        FILE_NAME, Origin, UV, VendorManifest, VendoredEnvironment, VendoredFile, VendoredWheel, WHEELS, altered,
    },
    target::{Host, Tags},
    wheel_name::{WheelName, wheel_in},
};

use crate::{
    Name,
    cache::CacheError,
    error::{Diagnostic, Fault, Place},
    git::GitError,
    observer::Interrupted,
    redact::redact,
};

/// Why something cannot be vendored, or what is vendored cannot be installed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VendorError {
    /// Text that names no Python or platform.
    #[error("`{option} {text}` {problem}")]
    Target {
        /// The option.
        option: &'static str,
        /// What it was given.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A directory with other things in it.
    #[error("`{directory}` is not empty, and nothing that uvenv has vendored")]
    Taken {
        /// The directory.
        directory: Utf8PathBuf,
    },
    /// A file that cannot be read or written.
    #[error("`{path}` cannot be used: {source}")]
    Unusable {
        /// The file or directory.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory without a manifest.
    #[error("`{directory}` has no `{}`, so nothing is vendored there", FILE_NAME)]
    NoManifest {
        /// The directory.
        directory: Utf8PathBuf,
    },
    /// A manifest that uvenv has not written.
    #[error("`{}` is damaged: {message}", place.path())]
    Damaged {
        /// What is wrong.
        message: String,
        /// Where.
        place: Place,
    },
    /// A manifest of a later version.
    #[error("`{path}` has version {version}, which this uvenv does not know")]
    Newer {
        /// The manifest.
        path: Utf8PathBuf,
        /// Its version.
        version: u32,
    },
    /// A directory that was vendored for something else.
    #[error("`{directory}` was vendored for {found}, not for {wanted}")]
    Mismatch {
        /// The directory.
        directory: Utf8PathBuf,
        /// What it is for.
        found: String,
        /// What it was to be for.
        wanted: String,
        /// The options with which to vendor what was wanted.
        options: String,
    },
    /// A directory that was vendored from another lockfile.
    #[error("`{directory}` was vendored from another `{lockfile}`")]
    OtherLockfile {
        /// The directory.
        directory: Utf8PathBuf,
        /// The lockfile, as seen from the root.
        lockfile: Utf8PathBuf,
        /// The options with which to vendor it.
        options: String,
    },
    /// Files that are not what was vendored.
    #[error("{}", in_words(.files))]
    Altered {
        /// The files, and what is wrong with each.
        files: Vec<(Utf8PathBuf, &'static str)>,
    },
    /// A package that is installed from the monorepo itself.
    #[error("`{name}` is installed from the directory `{path}`, which cannot be vendored")]
    LocalPackage {
        /// The package.
        name: Name,
        /// The directory, as the lockfile has it.
        path: String,
    },
    /// A package with nothing to install on a target.
    #[error("`{package}` has nothing that can be installed for {target}: {problem}")]
    NoWheel {
        /// The package and its version.
        package: String,
        /// The target.
        target: Box<Target>,
        /// What there is instead.
        problem: String,
    },
    /// A file that cannot be had.
    #[error("{url} could not be downloaded: {problem}")]
    Download {
        /// The file; without secrets.
        url: String,
        /// What happened.
        problem: String,
    },
    /// A file that is not the one that was locked.
    #[error("{url} is not what was locked: its {algorithm} is {found}, and the lockfile has {expected}")]
    Hash {
        /// The file; without secrets.
        url: String,
        /// The kind of the hash.
        algorithm: &'static str,
        /// What was locked.
        expected: String,
        /// What came.
        found: String,
    },
    /// A wheel that cannot be built.
    #[error("`{package}` could not be built: {problem}")]
    Build {
        /// The package and where it is from.
        package: String,
        /// What happened; without secrets.
        problem: String,
    },
    /// git has failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The cache is needed and cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The observer wanted the operation to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn in_words(files: &[(Utf8PathBuf, &'static str)]) -> String {
    let files = files.iter().map(|(path, problem)| format!("`{path}` {problem}"));
    files.collect::<Vec<_>>().join("; ")
}

impl VendorError {
    pub(crate) fn unusable(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unusable { path, source }
    }

    pub(crate) fn download(url: &str, problem: &impl ToString) -> Self {
        Self::Download { url: redact(url).into_owned(), problem: redact(&problem.to_string()).into_owned() }
    }

    pub(crate) fn offline(url: &str) -> Self {
        Self::download(url, &"it is not here yet, and `--offline` forbids the network")
    }

    pub(crate) fn target(option: &'static str, text: &str, problem: &str) -> Self {
        Self::Target { option, text: text.to_owned(), problem: problem.to_owned() }
    }
}

impl Diagnostic for VendorError {
    fn code(&self) -> &'static str {
        match self {
            Self::Target { .. } => "invalid-target",
            Self::Taken { .. } | Self::Unusable { .. } => "vendor-directory",
            Self::NoManifest { .. } | Self::Damaged { .. } | Self::Newer { .. } => "vendor-manifest",
            Self::Mismatch { .. } | Self::OtherLockfile { .. } => "vendor-mismatch",
            Self::Altered { .. } => "vendor-altered",
            Self::LocalPackage { .. } => "local-package",
            Self::NoWheel { .. } => "no-compatible-wheel",
            Self::Download { .. } | Self::Hash { .. } => "download-failed",
            Self::Build { .. } => "build-failed",
            Self::Git(error) => error.code(),
            Self::Cache(error) => error.code(),
            Self::Interrupted(interrupted) => interrupted.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Target { option: "--platform", .. } => {
                "name it as uv does, `x86_64-manylinux_2_28` or `aarch64-apple-darwin`, or by the tag of a wheel"
                    .to_owned()
            }
            Self::Target { .. } => "name a version of CPython, such as `3.12`".to_owned(),
            Self::Taken { .. } => "name a new directory, or empty this one".to_owned(),
            Self::Unusable { .. } => "check that it is there and that you may read and write it".to_owned(),
            Self::NoManifest { .. } => "make it with `cargo uvenv vendor`".to_owned(),
            Self::Damaged { .. } => "vendor it again, or bring it here again".to_owned(),
            Self::Newer { .. } => "update uvenv".to_owned(),
            Self::Mismatch { options, .. } | Self::OtherLockfile { options, .. } => {
                format!("make one with `cargo uvenv vendor {options}`")
            }
            Self::Altered { .. } => "vendor it again, or bring it here again: nothing was changed".to_owned(),
            Self::LocalPackage { .. } => "vendor staging or prod, where the internal packages come from git".to_owned(),
            Self::NoWheel { .. } => {
                "name other targets with `--python` and `--platform`, or vendor on such a machine".to_owned()
            }
            Self::Download { .. } => {
                "check the URL, the network and your credentials, and do it again: what is here already is kept"
                    .to_owned()
            }
            Self::Hash { .. } => "find out who has changed the file; if it is right as it is, lock again".to_owned(),
            Self::Build { .. } => return None,
            Self::Git(error) => return error.help(),
            Self::Cache(error) => return error.help(),
            Self::Interrupted(interrupted) => return interrupted.help(),
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Damaged { place, .. } => Some(place),
            Self::Git(error) => error.place(),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Altered { .. } | Self::Download { .. } | Self::Hash { .. } | Self::Build { .. } => Fault::Finding,
            Self::Git(error) => error.fault(),
            Self::Cache(error) => error.fault(),
            Self::Interrupted(interrupted) => interrupted.fault(),
            _ => Fault::Request,
        }
    }
}
