//! `diff`: the differences between two profiles, or between a profile now and at a git revision.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use camino::Utf8Path;

use super::Session;
use crate::{
    backend::own_indexes,
    git::Git,
    lockfile::{GitSource, Lockfile, Package, PackageSource},
    manifest::{Manifest, Selector},
    model::{Diagnostic, Fault, Name, Profile, redact},
    monorepo::{InternalPackages, Monorepo, ProfileContext},
    report::{
        BackendDifference, DiffReport, DiffSideReport, InternalDifference, InternalOrigin, LockedChange,
        PythonDifference, PythonRequest,
    },
    toml::File,
};

/// A profile, now or at a git revision: `prod`, `prod@v1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffSide {
    /// The profile.
    pub profile: Profile,
    /// The revision.
    pub revision: Option<String>,
}

impl DiffSide {
    /// Reads what a user gives: two sides, one argument `A..B`, or a side at a revision, which is compared with now.
    ///
    /// ```
    /// use uvenv_core::ops::DiffSide;
    ///
    /// let (from, to) = DiffSide::pair("prod@v1.0..prod", None).unwrap();
    /// assert_eq!((from.to_string(), to.to_string()), ("prod@v1.0".into(), "prod".into()));
    /// assert_eq!(DiffSide::pair("prod@v1.0", None).unwrap(), (from, to));
    /// assert!(DiffSide::pair("prod", None).is_err());
    /// ```
    pub fn pair(one: &str, other: Option<&str>) -> crate::Result<(Self, Self)> {
        let read =
            |text: &str| text.parse().map_err(|problem| DiffError::InvalidSide { text: text.to_owned(), problem });
        let (from, to) = match (split(one), other) {
            (_, Some(other)) => (read(one)?, read(other)?),
            (Some((from, to)), None) => (read(from)?, read(to)?),
            (None, None) => {
                let from: Self = read(one)?;
                let to = Self { profile: from.profile, revision: None };
                (from, to)
            }
        };
        if from == to {
            return Err(DiffError::Same { side: from.to_string() }.into());
        }
        Ok((from, to))
    }
}

/// Splits `A..B`. A revision cannot contain two consecutive dots (git-check-ref-format(1)).
fn split(text: &str) -> Option<(&str, &str)> {
    text.split_once("..")
}

impl FromStr for DiffSide {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('@') {
            Some((_, "")) => Err("no revision follows `@`".to_owned()),
            Some((_, revision)) if revision.starts_with('-') => Err("a revision does not start with `-`".to_owned()),
            Some((profile, revision)) => Ok(Self { profile: profile.parse()?, revision: Some(revision.to_owned()) }),
            None => Ok(Self { profile: text.parse()?, revision: None }),
        }
    }
}

impl fmt::Display for DiffSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.profile),
            None => self.profile.fmt(f),
        }
    }
}

/// An error of a comparison of two sides.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiffError {
    /// The text is neither a profile nor a profile at a revision.
    #[error("`{text}` is neither a profile nor a profile at a revision: {problem}")]
    InvalidSide { text: String, problem: String },
    /// Both sides are the same.
    #[error("cannot compare `{side}` with itself")]
    Same { side: String },
    /// The file does not exist at the revision.
    #[error("`{path}` does not exist at `{revision}`")]
    NotThere {
        /// The file, relative to the root.
        path: String,
        revision: String,
    },
}

impl Diagnostic for DiffError {
    fn code(&self) -> &'static str {
        match self {
            Self::InvalidSide { .. } | Self::Same { .. } => "invalid-comparison",
            Self::NotThere { .. } => "not-at-revision",
        }
    }

    fn help(&self) -> Option<String> {
        Some(
            match self {
                Self::InvalidSide { .. } | Self::Same { .. } => {
                    "give two profiles, as in `staging prod`, or a revision, as in `prod@v1.0..prod`"
                }
                Self::NotThere { .. } => "use a revision that has it: `git log --oneline -- PATH` lists them",
            }
            .to_owned(),
        )
    }

    fn fault(&self) -> Fault {
        Fault::Request
    }
}

/// The files of a side.
struct LoadedSide<'m> {
    request: DiffSide,
    context: ProfileContext<'m>,
    python_version: Option<String>,
}

/// Compares two sides.
pub fn diff(monorepo: &Monorepo, session: &Session, from: &DiffSide, to: &DiffSide) -> crate::Result<DiffReport> {
    let from = LoadedSide::read(monorepo, session, from)?;
    let to = LoadedSide::read(monorepo, session, to)?;
    let pinned = [&from, &to].into_iter().filter(|side| side.request.profile != Profile::Dev);
    let internal = InternalPackages::new(monorepo, pinned.map(|side| &*side.context.manifest));
    let mut internal: BTreeSet<_> = internal.iter().cloned().collect();
    internal.extend(from.of_working_tree().chain(to.of_working_tree()).cloned());
    let (python, other) = (from.python(), to.python());
    Ok(DiffReport {
        internal: differences(from.origins(&internal), to.origins(&internal))
            .map(|(name, from, to)| InternalDifference { name, from, to })
            .collect(),
        packages: other_packages(&from, &to, &internal),
        backends: differences(from.backends()?, to.backends()?)
            .map(|(name, from, to)| BackendDifference { name, from, to })
            .collect(),
        python: (python != other).then_some(PythonDifference { from: python, to: other }),
        from: from.report(),
        to: to.report(),
    })
}

impl<'m> LoadedSide<'m> {
    fn read(monorepo: &'m Monorepo, session: &Session, request: &DiffSide) -> crate::Result<Self> {
        let paths = monorepo.profile(request.profile)?;
        let python = paths.directory.join(".python-version");
        let (context, python_version) = match &request.revision {
            None => (monorepo.context(request.profile)?, std::fs::read_to_string(python).ok()),
            Some(revision) => {
                let git = Git::find(&session.settings.variables)?.within(&monorepo.root);
                let show = |path: &Utf8Path| git.show(&monorepo.root, revision, path);
                let path = paths.manifest();
                let shown = monorepo.relative(&path).to_string();
                let manifest =
                    show(&path)?.ok_or_else(|| DiffError::NotThere { path: shown, revision: revision.clone() })?;
                let at = |path: &Utf8Path| format!("{path}@{revision}").into();
                let manifest = Manifest::from_file(File { path: at(&path), text: manifest.into() })?;
                let lockfile = show(&paths.lockfile())?
                    .map(|text| Lockfile::from_file(&File { path: at(&paths.lockfile()), text: text.into() }));
                let context = monorepo.context_of(paths, manifest).with_lockfile(lockfile.transpose()?);
                (context, show(&python)?)
            }
        };
        let first_line = |text: String| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
        let python_version = python_version.and_then(first_line);
        context.lockfile()?;
        Ok(Self { request: request.clone(), context, python_version })
    }

    fn lockfile(&self) -> Option<&Lockfile> {
        self.context.readable_lockfile()
    }

    fn report(&self) -> DiffSideReport {
        let DiffSide { profile, revision } = self.request.clone();
        DiffSideReport { profile, revision, is_locked: self.lockfile().is_some() }
    }

    fn python(&self) -> PythonRequest {
        let requires = self.context.manifest.project.as_ref().and_then(|project| project.requires_python.as_ref());
        PythonRequest {
            requires_python: requires.map(|requires| requires.value.clone()),
            python_version: self.python_version.clone(),
        }
    }

    fn packages(&self) -> impl Iterator<Item = &Package> {
        self.lockfile().into_iter().flat_map(|lockfile| &lockfile.packages)
    }

    /// Returns the packages that are locked from a directory, except the project itself.
    fn of_working_tree(&self) -> impl Iterator<Item = &Name> {
        let packages = self.packages().filter(|package| package.source.is_directory());
        packages.map(|package| &package.name).filter(|name| self.context.manifest.name() != Some(name))
    }

    /// Returns the origins of the internal packages.
    fn origins(&self, internal: &BTreeSet<Name>) -> BTreeMap<Name, InternalOrigin> {
        let others = internal.iter().filter(|name| self.context.manifest.name() != Some(name));
        others.filter_map(|name| Some((name.clone(), self.origin(name)?))).collect()
    }

    fn origin(&self, name: &Name) -> Option<InternalOrigin> {
        let mut sources = self.context.manifest.sources_of(name).iter();
        let source = sources.find_map(|source| GitSource::of(&source.kind));
        let asked = self.context.manifest.asks_for(name).then_some(source).flatten();
        let reference = asked.as_ref().map(|source| {
            source.reference.map_or_else(|| "HEAD".to_owned(), |reference| reference.text().value.clone())
        });
        let pinned = asked.and_then(|source| self.lockfile()?.locked_for(name, &source));
        let package = match (pinned, &reference) {
            (Some((package, _)), _) => Some(package),
            // Another pin is locked, so the manifest's pin is not locked yet.
            (None, Some(_)) => None,
            (None, None) => self.packages().find(|package| package.name == *name),
        };
        let Some(package) = package else {
            return reference.map(|reference| InternalOrigin {
                version: None,
                reference: Some(reference),
                commit: None,
                directory: None,
            });
        };
        Some(origin(package, reference))
    }

    /// Returns the backends, each with the requirements that it adds.
    fn backends(&self) -> crate::Result<BTreeMap<Name, Vec<String>>> {
        let backends = self.context.backends()?.iter();
        Ok(backends.map(|backend| (backend.name.clone(), self.adds(&backend.selector))).collect())
    }

    fn adds(&self, selector: &Selector) -> Vec<String> {
        let manifest = &*self.context.manifest;
        let requirements = manifest.requirements_of(selector).into_iter().map(|requirement| requirement.text.clone());
        let groups = manifest.groups_included_by(selector).map(|group| format!("the group {group}"));
        let indexes = own_indexes(manifest, selector).into_iter();
        let indexes =
            indexes.flat_map(|(package, urls)| urls.into_iter().map(move |url| format!("{package} from {url}")));
        requirements.chain(groups).chain(indexes).collect()
    }
}

fn origin(package: &Package, reference: Option<String>) -> InternalOrigin {
    let (reference, commit, directory) = match &package.source {
        PackageSource::Git(pin) => {
            let locked = || pin.reference.as_ref().map(|reference| reference.text.clone());
            (reference.or_else(locked), pin.commit.clone(), None)
        }
        PackageSource::Directory(path) | PackageSource::Editable(path) | PackageSource::Virtual(path) => {
            (None, None, Some(path.clone()))
        }
        PackageSource::Registry(url) | PackageSource::Url(url) | PackageSource::Path(url) => {
            (Some(redact(url).into_owned()), None, None)
        }
    };
    InternalOrigin { version: package.version.clone(), reference, commit, directory }
}

/// Returns the entries in which the two sides differ.
fn differences<T: PartialEq + Clone>(
    from: BTreeMap<Name, T>,
    mut to: BTreeMap<Name, T>,
) -> impl Iterator<Item = (Name, Option<T>, Option<T>)> {
    let mut all: BTreeMap<Name, (Option<T>, Option<T>)> = BTreeMap::new();
    for (name, one) in from {
        let other = to.remove(&name);
        all.insert(name, (Some(one), other));
    }
    all.extend(to.into_iter().map(|(name, other)| (name, (None, Some(other)))));
    all.into_iter().filter(|(_, (from, to))| from != to).map(|(name, (from, to))| (name, from, to))
}

/// Returns the packages that are not internal and whose versions differ. If a side is not locked, its versions are
/// unknown.
fn other_packages(from: &LoadedSide<'_>, to: &LoadedSide<'_>, internal: &BTreeSet<Name>) -> Vec<LockedChange> {
    let (Some(one), Some(other)) = (from.lockfile(), to.lockfile()) else { return Vec::new() };
    let projects = [from.context.manifest.name(), to.context.manifest.name()];
    let is_other = |name: &Name| !internal.contains(name) && !projects.contains(&Some(name));
    LockedChange::between(Some(one), Some(other)).into_iter().filter(|change| is_other(&change.name)).collect()
}
