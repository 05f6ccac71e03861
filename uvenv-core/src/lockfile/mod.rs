//! The lockfile: `uv.lock`, parsed into typed values, and how it differs from its manifest.

mod freshness;
mod git_source;
mod index_sources;
mod staleness;
mod wire;

use std::{collections::BTreeMap, ops::Range};

use camino::Utf8Path;

pub use freshness::{freshness, stale_sources};
pub(crate) use git_source::GitSource;
pub use git_source::{GitPin, LockedReference};
pub(crate) use staleness::seen_by_uv;
pub use staleness::{Freshness, LockfileChange, Staleness};

use crate::{
    model::{Diagnostic, Name, Place},
    toml::File,
};

/// The file name of a lockfile.
pub const FILE_NAME: &str = "uv.lock";

/// A lockfile that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockfileError {
    /// The file is not valid TOML.
    #[error("{0}")]
    Syntax(crate::Error),
    /// The file does not have the format that uv writes.
    #[error("the lockfile `{}` is damaged: {message}", place.path())]
    Damaged { message: String, place: Place },
    /// The file was written by a version of uv whose format this uvenv does not support.
    #[error("the lockfile `{}` has version {version}, but this uvenv supports version {}", place.path(), wire::VERSION)]
    Newer { version: u32, place: Place },
}

impl LockfileError {
    /// The lockfile at `path` cannot be read by uv.
    pub(crate) fn damaged(path: &Utf8Path, why: String) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        Self::Damaged { message: why, place: Place::new(path, text.into(), 0..0) }
    }
}

impl Diagnostic for LockfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Syntax(_) | Self::Damaged { .. } => "damaged-lockfile",
            Self::Newer { .. } => "newer-lockfile",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Syntax(_) | Self::Damaged { .. } => {
                Some("restore the file from version control, or delete it and lock again".to_owned())
            }
            Self::Newer { .. } => Some("update uvenv and uv to versions that support it".to_owned()),
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Syntax(error) => error.place(),
            Self::Damaged { place, .. } | Self::Newer { place, .. } => Some(place),
        }
    }
}

/// A `uv.lock`.
#[derive(Clone, Debug)]
pub struct Lockfile {
    /// The file and its text.
    pub file: File,
    /// The revision of the format; 0 if the file has none.
    pub revision: u32,
    /// `requires-python`: the versions that all members support.
    pub requires_python: Option<String>,
    /// The workspace members that the lockfile covers; empty for a single project.
    pub members: Vec<Name>,
    /// The packages, in file order. A name can occur several times, for different extras or platforms.
    pub packages: Vec<Package>,
}

/// A `[[package]]`.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: Name,
    /// Its version; `None` for a package with a dynamic version.
    pub version: Option<String>,
    /// Its source.
    pub source: PackageSource,
    /// The location of the source in the file.
    pub span: Range<usize>,
    /// `[package.metadata]`, for packages whose metadata can change.
    pub metadata: Option<Metadata>,
}

/// The source of a locked package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackageSource {
    /// A package index, by URL or path.
    Registry(String),
    /// A git repository at a commit.
    Git(GitPin),
    /// An archive, by URL.
    Url(String),
    /// A local archive.
    Path(String),
    /// A local directory, installed as a copy.
    Directory(String),
    /// A local directory, installed as editable.
    Editable(String),
    /// A local project that is not itself installed.
    Virtual(String),
}

impl PackageSource {
    /// Whether the package is a directory, in the monorepo or next to it.
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::Editable(_) | Self::Virtual(_))
    }

    /// Returns the git source, if it is one.
    pub fn git(&self) -> Option<&GitPin> {
        match self {
            Self::Git(pin) => Some(pin),
            _ => None,
        }
    }
}

/// What a package's manifest required when the lockfile was created.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `requires-dist`: the dependencies and, with markers, the requirements of extras.
    pub requires_dist: Vec<LockedRequirement>,
    /// `provides-extras`; not present in every revision of the format.
    pub provides_extras: Option<Vec<Name>>,
    /// `requires-dev`: dependency groups.
    pub requires_dev: BTreeMap<Name, Vec<LockedRequirement>>,
}

/// A requirement in the lockfile.
#[derive(Clone, Debug)]
pub struct LockedRequirement {
    /// The package.
    pub name: Name,
    /// Its versions; `None` for requirements on directories, archives and git repositories.
    pub specifier: Option<String>,
    /// Whether the package must come from a package index.
    pub from_registry: bool,
    /// The git source that the package must come from, without a commit.
    pub git: Option<GitPin>,
}

impl Lockfile {
    /// Reads the lockfile at `path`; returns `None` if the file does not exist.
    pub fn read(path: &Utf8Path) -> crate::Result<Option<Self>> {
        File::read_if_exists(path)?.as_ref().map(Self::from_file).transpose()
    }

    /// Parses the text of the lockfile.
    pub fn from_file(file: &File) -> crate::Result<Self> {
        wire::read(file)
    }

    /// Whether uv wrote no metadata (its preview feature `lock-without-metadata`), so that the file does not show what the
    /// manifests required.
    fn is_without_metadata(&self) -> bool {
        self.revision >= 5 && self.packages.iter().all(|package| package.metadata.is_none())
    }

    /// Returns the location of the source of `package`.
    pub fn place(&self, package: &Package) -> Place {
        self.file.place(package.span.clone())
    }

    /// Returns the packages named `name`.
    pub fn packages_named<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Package> {
        self.packages.iter().filter(move |package| package.name == *name)
    }

    /// Returns what a git source of a manifest was locked as, if that source is the one that was locked.
    ///
    /// All packages of one repository at one commit are locked with the tag of one of them, whichever tag was
    /// requested. The metadata of the project has the requested tag.
    pub(crate) fn locked_for(&self, name: &Name, source: &GitSource<'_>) -> Option<(&Package, &GitPin)> {
        let packages = self.packages.iter().filter(|package| package.name == *name);
        let mut locked = packages.filter_map(|package| Some((package, package.source.git()?)));
        let exact = locked.clone().find(|(_, pin)| pin.satisfies(source));
        exact.or_else(|| {
            let of_requirement =
                |requirement: &LockedRequirement| requirement.git.as_ref().is_some_and(|pin| pin.satisfies(source));
            let was_asked = self.requirements_on(name).any(of_requirement);
            locked.find(|(_, pin)| was_asked && pin.is_same_directory(source))
        })
    }

    /// Returns the requirements on `name` of all locked projects.
    pub(crate) fn requirements_on<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a LockedRequirement> {
        let metadata = self.packages.iter().filter_map(|package| package.metadata.as_ref());
        let all =
            metadata.flat_map(|metadata| metadata.requires_dist.iter().chain(metadata.requires_dev.values().flatten()));
        all.filter(move |requirement| requirement.name == *name)
    }

    /// Returns the git source of `name`, if it has one.
    pub fn git_pin<'a>(&'a self, name: &'a Name) -> Option<&'a GitPin> {
        self.packages_named(name).find_map(|package| package.source.git())
    }
}
