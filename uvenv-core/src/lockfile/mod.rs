//! The lockfile: `uv.lock`, read as a typed value, and how it stands to its manifest.

mod freshness;
mod git_source;
mod wire;

use std::{collections::BTreeMap, ops::Range};

use camino::Utf8Path;

pub use freshness::{Freshness, LockfileChange, Staleness, freshness, stale_pins};
pub(crate) use git_source::GitSource;
pub use git_source::{GitPin, LockedReference};

use crate::{
    error::{Diagnostic, Place},
    model::Name,
    toml::{File, TomlError},
};

/// The file name of a lockfile.
pub const FILE_NAME: &str = "uv.lock";

/// A lockfile that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockfileError {
    /// Not readable as TOML, or not what uv writes.
    #[error(transparent)]
    Toml(TomlError),
    /// Not what uv writes.
    #[error("the lockfile `{}` is damaged: {message}", place.path())]
    Damaged {
        /// What is wrong.
        message: String,
        /// Where.
        place: Place,
    },
    /// Written by a uv whose format this uvenv does not know.
    #[error("the lockfile `{}` has version {version}, and this uvenv reads version {}", place.path(), wire::VERSION)]
    Newer {
        /// The version in the file.
        version: u32,
        /// The version's place.
        place: Place,
    },
}

impl Diagnostic for LockfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::Toml(error) => error.code(),
            Self::Damaged { .. } => "damaged-lockfile",
            Self::Newer { .. } => "newer-lockfile",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Toml(error @ TomlError::Unreadable { .. }) => error.help(),
            Self::Toml(_) | Self::Damaged { .. } => {
                Some("restore the file from version control, or delete it and lock again".to_owned())
            }
            Self::Newer { .. } => Some("update uvenv and uv to versions that know it".to_owned()),
        }
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Toml(error) => error.place(),
            Self::Damaged { place, .. } | Self::Newer { place, .. } => Some(place),
        }
    }
}

/// A `uv.lock`.
#[derive(Clone, Debug)]
pub struct Lockfile {
    /// The file and its text.
    pub file: File,
    /// The revision of the format, 0 where none is given.
    pub revision: u32,
    /// `requires-python`: what all members together allow.
    pub requires_python: Option<String>,
    /// The workspace members it was made for; empty for a single project.
    pub members: Vec<Name>,
    /// The packages, in the order of the file. One name may stand several times, for different extras or platforms.
    pub packages: Vec<Package>,
}

/// A `[[package]]`.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: Name,
    /// Its version; a package with a dynamic version has none.
    pub version: Option<String>,
    /// Where it comes from.
    pub source: PackageSource,
    /// Where the file says so.
    pub span: Range<usize>,
    /// `[package.metadata]`, of packages whose metadata can change.
    pub metadata: Option<Metadata>,
}

/// Where a locked package comes from.
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
    /// A local directory, installed by copy.
    Directory(String),
    /// A local directory, installed as editable.
    Editable(String),
    /// A local project that is not installed itself.
    Virtual(String),
}

impl PackageSource {
    /// Whether the package is a directory of the monorepo or beside it.
    pub fn is_directory(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::Editable(_) | Self::Virtual(_))
    }

    /// The git repository, where it is one.
    pub fn git(&self) -> Option<&GitPin> {
        match self {
            Self::Git(pin) => Some(pin),
            _ => None,
        }
    }
}

/// What a package's manifest asked for when the lockfile was made.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `requires-dist`: dependencies and, with markers, those of extras.
    pub requires_dist: Vec<LockedRequirement>,
    /// `provides-extras`; not in every revision of the format.
    pub provides_extras: Option<Vec<Name>>,
    /// `requires-dev`: dependency groups.
    pub requires_dev: BTreeMap<Name, Vec<LockedRequirement>>,
}

/// A requirement as the lockfile keeps it.
#[derive(Clone, Debug)]
pub struct LockedRequirement {
    /// The package.
    pub name: Name,
    /// Its versions; requirements on directories, archives and git repositories have none.
    pub specifier: Option<String>,
    /// Whether it is to come from a package index.
    pub from_registry: bool,
    /// The git source that it is to come from; without a commit.
    pub git: Option<GitPin>,
}

impl Lockfile {
    /// Reads the lockfile at `path`; `None` where there is no such file.
    pub fn read(path: &Utf8Path) -> Result<Option<Self>, LockfileError> {
        match File::read(path) {
            Ok(file) => Self::from_file(&file).map(Some),
            Err(TomlError::Unreadable { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LockfileError::Toml(error)),
        }
    }

    /// Reads the lockfile's text.
    pub fn from_file(file: &File) -> Result<Self, LockfileError> {
        wire::read(file)
    }

    /// Where the lockfile says where `package` comes from.
    pub fn place(&self, package: &Package) -> Place {
        self.file.place(package.span.clone())
    }

    /// The packages called `name`.
    pub fn packages_named<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Package> {
        self.packages.iter().filter(move |package| package.name == *name)
    }

    /// What the git source of a manifest was locked as, if this is what was locked.
    ///
    /// Packages of one repository at one commit are all locked with the tag of one of them, whatever tag was asked for. What
    /// was is in the metadata of the project.
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

    /// What the projects that were locked asked of `name`.
    pub(crate) fn requirements_on<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a LockedRequirement> {
        let metadata = self.packages.iter().filter_map(|package| package.metadata.as_ref());
        let all =
            metadata.flat_map(|metadata| metadata.requires_dist.iter().chain(metadata.requires_dev.values().flatten()));
        all.filter(move |requirement| requirement.name == *name)
    }

    /// The git source of `name`, if it has one.
    pub fn git_pin<'a>(&'a self, name: &'a Name) -> Option<&'a GitPin> {
        self.packages_named(name).find_map(|package| package.source.git())
    }
}
