//! The manifest: `pyproject.toml`, parsed with the source location of everything that a message can point to.
//!
//! Reads only what uvenv uses. Everything that uv itself checks (unknown keys, versions, markers) is left to uv.

#[cfg(feature = "full")]
mod edit;
mod native;
mod requirement;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use camino::Utf8Path;

#[cfg(feature = "full")]
pub use edit::{Edit, ManifestEditor, NewSource};
pub(crate) use native::{BuildSettings, BuildTables, ConfigSettings};
pub use requirement::Requirement;
pub use source::{GitReference, SourceKind, UvSource};

use crate::{
    model::{Diagnostic, Name, Place},
    toml::{File, Node, Spanned, TomlError},
};

/// The file name of a manifest.
pub const FILE_NAME: &str = "pyproject.toml";

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    /// The file has neither a `[project]` table nor a workspace.
    #[error("`{}` has no `[project]` table", place.path())]
    NoProject { place: Place },
    /// `[project]` has no `name`.
    #[error("`[project]` in `{}` has no `name`", place.path())]
    NoName { place: Place },
    /// A string is not a valid requirement, judging by how it starts.
    #[error("`{text}` in `{key}` is not a valid requirement")]
    Requirement { key: String, text: String, place: Place },
    /// A source has none of the forms that uv supports.
    #[error("the source of `{package}` has no `git`, `url`, `path`, `workspace` or `index`")]
    Source { package: Name, place: Place },
    /// Git could mistake a URL or reference for a command or an option.
    #[error("the source of `{package}` has an unsafe {what}: `{text}`")]
    UnsafeGit {
        package: Name,
        /// Which value is unsafe: `git URL`, `tag`, …
        what: &'static str,
        text: String,
        place: Place,
    },
}

impl ManifestError {
    /// Whether `error` is that the file has neither a `[project]` table nor a workspace.
    pub(crate) fn is_no_project(error: &crate::Error) -> bool {
        matches!(error.downcast_ref(), Some(Self::NoProject { .. }))
    }
}

impl Diagnostic for ManifestError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoProject { .. } | Self::NoName { .. } => "no-project",
            Self::Requirement { .. } => "invalid-requirement",
            Self::Source { .. } => "invalid-source",
            Self::UnsafeGit { .. } => "unsafe-git-source",
        }
    }

    fn help(&self) -> Option<String> {
        let text = match self {
            Self::NoProject { .. } => "add a `[project]` table with `name` and `version`",
            Self::NoName { .. } => "add `name = \"…\"` to the table",
            Self::Requirement { .. } => "write it as in PEP 508: a name, then extras, versions and a marker",
            Self::Source { .. } => {
                "write it like `{ git = \"https://…\", tag = \"v0.1.2\" }` or `{ workspace = true }`"
            }
            Self::UnsafeGit { what: "git URL", .. } => {
                "use a URL that starts with `https://`, `ssh://`, `git://`, `http://` or `file://`"
            }
            Self::UnsafeGit { .. } => "use a name that does not start with `-` and has no spaces or control characters",
        };
        Some(text.to_owned())
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::NoProject { place }
            | Self::NoName { place }
            | Self::Requirement { place, .. }
            | Self::Source { place, .. }
            | Self::UnsafeGit { place, .. } => Some(place),
        }
    }
}

/// A `pyproject.toml`.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file and its text.
    pub file: File,
    /// `[project]` (PEP 621). The root of a workspace may omit it.
    pub project: Option<Project>,
    /// `[dependency-groups]` (PEP 735), including `[tool.uv] dev-dependencies` as the group `dev`.
    pub groups: BTreeMap<Name, Vec<GroupEntry>>,
    /// `[build-system] build-backend`.
    pub build_backend: Option<String>,
    /// `[build-system] requires`.
    pub build_requires: Vec<Requirement>,
    /// The tables that affect builds from Rust.
    pub(crate) build: BuildTables,
    /// `[tool.uv]`.
    pub uv: UvTable,
    /// Whether there is a `[tool.uv]` table: uv takes settings from the nearest manifest that has one.
    pub has_uv_table: bool,
    /// The location of the `[tool.uvenv]` table, if there is one.
    pub uvenv: Option<Range<usize>>,
}

/// `[project]`.
#[derive(Clone, Debug)]
pub struct Project {
    /// The project's name.
    pub name: Spanned<Name>,
    /// `version`, if it is static.
    pub version: Option<Spanned<String>>,
    /// `requires-python`, as written.
    pub requires_python: Option<Spanned<String>>,
    /// `dependencies`.
    pub dependencies: Vec<Requirement>,
    /// `[project.optional-dependencies]`: the extras.
    pub extras: BTreeMap<Name, Extra>,
    /// `dynamic`: the fields whose values are known only after a build.
    pub dynamic: Vec<String>,
}

/// An extra and its requirements.
#[derive(Clone, Debug)]
pub struct Extra {
    /// The location of the extra's key.
    pub span: Range<usize>,
    /// The requirements that the extra adds.
    pub requirements: Vec<Requirement>,
}

/// An entry of a dependency group.
#[derive(Clone, Debug)]
pub enum GroupEntry {
    /// A requirement.
    Requirement(Requirement),
    /// `{ include-group = "…" }`.
    Include(Name),
}

/// The parts of `[tool.uv]` that uvenv uses.
#[derive(Clone, Debug, Default)]
pub struct UvTable {
    /// `package`: whether uv builds and installs the project.
    pub package: Option<bool>,
    /// `managed = false`: uv does not manage the project.
    pub is_unmanaged: bool,
    /// `[tool.uv.workspace]`.
    pub workspace: Option<Workspace>,
    /// `[tool.uv.sources]`, in file order.
    pub sources: Vec<(Spanned<Name>, Vec<UvSource>)>,
    /// `conflicts`: sets of mutually exclusive entries.
    pub conflicts: Vec<ConflictSet>,
    /// `[[tool.uv.index]]`.
    pub indexes: Vec<Index>,
    /// `override-dependencies`, `constraint-dependencies` and their counterparts for builds: requirements that restrict
    /// the dependencies of other packages.
    pub constraints: Vec<Requirement>,
    /// `environments`: the markers that the lockfile covers.
    pub environments: Vec<String>,
    /// `default-groups`; uv's own default is the group `dev`.
    pub default_groups: DefaultGroups,
    /// All keys of the table.
    pub keys: Vec<Spanned<String>>,
}

/// `[tool.uv.workspace]`.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Glob patterns of the members' directories.
    pub members: Vec<Spanned<String>>,
    /// Glob patterns of directories that are not members.
    pub exclude: Vec<Spanned<String>>,
}

/// One set of `conflicts`.
#[derive(Clone, Debug)]
pub struct ConflictSet {
    /// The location of the set.
    pub span: Range<usize>,
    /// The mutually exclusive entries.
    pub entries: Vec<ConflictEntry>,
}

/// One entry of a set of `conflicts`.
#[derive(Clone, Debug)]
pub struct ConflictEntry {
    /// The location of the entry.
    pub span: Range<usize>,
    /// The package that has the extra or group; `None` if it is the manifest's own package.
    pub package: Option<Name>,
    /// The extra or group; `None` for an entry that names only a package.
    pub selector: Option<Selector>,
}

/// An extra or a dependency group, which users of a project can enable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// An extra (`uv sync --extra`).
    Extra(Name),
    /// A dependency group (`uv sync --group`).
    Group(Name),
}

impl Selector {
    /// The name of the extra or group.
    pub fn name(&self) -> &Name {
        match self {
            Self::Extra(name) | Self::Group(name) => name,
        }
    }
}

/// `[[tool.uv.index]]`.
#[derive(Clone, Debug)]
pub struct Index {
    /// The name that sources refer to.
    pub name: Option<String>,
    /// The index's URL.
    pub url: String,
    /// The location of the URL.
    pub span: Range<usize>,
    /// Whether packages come from this index only if a source names it.
    pub is_explicit: bool,
}

/// `default-groups`.
#[derive(Clone, Debug)]
pub enum DefaultGroups {
    /// `"all"`.
    All,
    /// The listed groups.
    List(Vec<Name>),
}

impl Default for DefaultGroups {
    fn default() -> Self {
        Self::List(Name::parse("dev").into_iter().collect())
    }
}

impl DefaultGroups {
    /// Whether `group` is enabled by default.
    pub fn contains(&self, group: &Name) -> bool {
        match self {
            Self::All => true,
            Self::List(groups) => groups.contains(group),
        }
    }
}

impl Manifest {
    /// Reads the manifest at `path`.
    pub fn read(path: &Utf8Path) -> crate::Result<Self> {
        Self::from_file(File::read(path)?)
    }

    /// Parses the text of the manifest.
    pub fn from_file(file: File) -> crate::Result<Self> {
        let document = file.parse()?;
        let root = document.root();
        let project = match root.get("project")? {
            Some(node) => Some(Project::read(&node)?),
            None => None,
        };
        let tool = root.get("tool")?;
        let uv_node = get(tool.as_ref(), "uv")?;
        let uvenv = get(tool.as_ref(), "uvenv")?.map(|node| node.key_span());
        let uv = match &uv_node {
            Some(node) => UvTable::read(node)?,
            None => UvTable::default(),
        };
        let groups = read_groups(&root, uv_node.as_ref())?;
        let build_system = root.get("build-system")?;
        let build_backend = match get(build_system.as_ref(), "build-backend")? {
            Some(node) => Some(node.string()?.value),
            None => None,
        };
        let build_requires = match get(build_system.as_ref(), "requires")? {
            Some(list) => requirement::read_list(&list)?,
            None => Vec::new(),
        };
        let build = BuildTables::read(tool.as_ref());
        let has_uv_table = uv_node.is_some();
        if project.is_none() && uv.workspace.is_none() {
            return Err(ManifestError::NoProject { place: file.place(0..0) }.into());
        }
        Ok(Self { file, project, groups, build_backend, build_requires, build, uv, has_uv_table, uvenv })
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Utf8Path {
        &self.file.path
    }

    /// Returns the directory of the file.
    pub fn directory(&self) -> &Utf8Path {
        self.file.path.parent().unwrap_or(Utf8Path::new(""))
    }

    /// Returns a location in this manifest.
    pub fn place(&self, span: Range<usize>) -> Place {
        self.file.place(span)
    }

    /// Returns the name of the project, if it has one.
    pub fn name(&self) -> Option<&Name> {
        self.project.as_ref().map(|project| &project.name.value)
    }

    /// Returns all requirements: dependencies, extras and groups.
    pub fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        let project = self.project.iter().flat_map(|project| {
            project.dependencies.iter().chain(project.extras.values().flat_map(|extra| &extra.requirements))
        });
        let groups = self.groups.values().flatten().filter_map(|entry| match entry {
            GroupEntry::Requirement(requirement) => Some(requirement),
            GroupEntry::Include(_) => None,
        });
        project.chain(groups)
    }

    /// Returns the packages that the project itself requires: its dependencies and those of its extras. Groups are not
    /// included, because they are only for developers.
    pub(crate) fn direct_requirements(&self) -> BTreeSet<&Name> {
        let Some(project) = &self.project else { return BTreeSet::new() };
        let extras = project.extras.values().flat_map(|extra| &extra.requirements);
        project.dependencies.iter().chain(extras).map(|requirement| &requirement.name).collect()
    }

    /// Returns the location for messages about the whole file, or about something that it does not have: the name of
    /// the project.
    #[cfg(feature = "full")]
    pub(crate) fn heading(&self) -> Place {
        self.place(self.project.as_ref().map_or(0..0, |project| project.name.span.clone()))
    }

    /// Returns the location of the requirement on `package`.
    #[cfg(feature = "full")]
    pub(crate) fn place_of_requirement(&self, package: &Name) -> Option<Place> {
        let requirement = self.requirements().find(|requirement| requirement.name == *package)?;
        Some(self.place(requirement.span.clone()))
    }

    /// Whether the file has any requirement on `package`, including build requirements and constraints. Sources apply
    /// to all of them.
    #[cfg(feature = "full")]
    pub(crate) fn asks_for(&self, package: &Name) -> bool {
        let others = self.build_requires.iter().chain(&self.uv.constraints);
        self.requirements().chain(others).any(|requirement| requirement.name == *package)
    }

    /// Whether the dependencies of the project are known only after a build.
    pub(crate) fn has_dynamic_requirements(&self) -> bool {
        let fields = self.project.iter().flat_map(|project| &project.dynamic);
        fields.into_iter().any(|field| matches!(field.as_str(), "dependencies" | "optional-dependencies"))
    }

    /// Returns the sources of `package`; empty if it has none.
    pub fn sources_of(&self, package: &Name) -> &[UvSource] {
        let mut sources = self.uv.sources.iter();
        sources.find(|(name, _)| name.value == *package).map_or(&[], |(_, sources)| sources)
    }

    /// Returns the requirements of an extra or group, without those of the groups that it includes.
    pub(crate) fn requirements_of(&self, selector: &Selector) -> Vec<&Requirement> {
        match selector {
            Selector::Extra(name) => {
                let extra = self.project.as_ref().and_then(|project| project.extras.get(name));
                extra.into_iter().flat_map(|extra| &extra.requirements).collect()
            }
            Selector::Group(name) => {
                let entries = self.groups.get(name).into_iter().flatten();
                let requirements = entries.filter_map(|entry| match entry {
                    GroupEntry::Requirement(requirement) => Some(requirement),
                    GroupEntry::Include(_) => None,
                });
                requirements.collect()
            }
        }
    }

    /// Returns the groups that `selector` includes, without those that these include. Extras include none.
    pub(crate) fn groups_included_by(&self, selector: &Selector) -> impl Iterator<Item = &Name> {
        let entries = match selector {
            Selector::Extra(_) => None,
            Selector::Group(name) => self.groups.get(name),
        };
        entries.into_iter().flatten().filter_map(|entry| match entry {
            GroupEntry::Include(group) => Some(group),
            GroupEntry::Requirement(_) => None,
        })
    }
}

/// Returns the value of `key` in a table that may be missing.
fn get<'a>(node: Option<&Node<'a>>, key: &str) -> crate::Result<Option<Node<'a>>> {
    node.map_or(Ok(None), |node| node.get(key))
}

fn key_name(key: &str, node: &Node<'_>) -> crate::Result<Name> {
    Ok(Name::parse(key).ok_or_else(|| TomlError::Name {
        key: node.key().to_owned(),
        text: key.to_owned(),
        place: node.place(),
    })?)
}

impl Project {
    fn read(node: &Node<'_>) -> crate::Result<Self> {
        let Some(name) = node.get("name")? else { return Err(ManifestError::NoName { place: node.place() }.into()) };
        let name = Spanned { value: name.name()?, span: name.span() };
        let mut extras = BTreeMap::new();
        if let Some(table) = node.get("optional-dependencies")? {
            for (key, list) in table.entries()? {
                let extra = Extra { span: list.key_span(), requirements: requirement::read_list(&list)? };
                extras.insert(key_name(key, &list)?, extra);
            }
        }
        let dependencies = match node.get("dependencies")? {
            Some(list) => requirement::read_list(&list)?,
            None => Vec::new(),
        };
        let dynamic = match node.get("dynamic")? {
            Some(list) => list.strings()?.into_iter().map(|text| text.value).collect(),
            None => Vec::new(),
        };
        Ok(Self {
            name,
            version: node.get("version")?.map(|node| node.string()).transpose()?,
            requires_python: node.get("requires-python")?.map(|node| node.string()).transpose()?,
            dependencies,
            extras,
            dynamic,
        })
    }
}

fn read_groups(root: &Node<'_>, uv: Option<&Node<'_>>) -> crate::Result<BTreeMap<Name, Vec<GroupEntry>>> {
    let mut groups: BTreeMap<Name, Vec<GroupEntry>> = BTreeMap::new();
    if let Some(table) = root.get("dependency-groups")? {
        for (key, list) in table.entries()? {
            let mut entries = Vec::new();
            for element in list.elements()? {
                if !element.is_table() {
                    entries.push(GroupEntry::Requirement(requirement::read(&element)?));
                } else if let Some(included) = element.get("include-group")? {
                    entries.push(GroupEntry::Include(included.name()?));
                }
            }
            groups.insert(key_name(key, &list)?, entries);
        }
    }
    // The older spelling of the group `dev`. uv still reads it in addition to the newer one.
    if let (Some(list), Some(dev)) = (get(uv, "dev-dependencies")?, Name::parse("dev")) {
        let requirements = requirement::read_list(&list)?;
        groups.entry(dev).or_default().extend(requirements.into_iter().map(GroupEntry::Requirement));
    }
    Ok(groups)
}

impl UvTable {
    fn read(node: &Node<'_>) -> crate::Result<Self> {
        let mut table = Self {
            package: node.get("package")?.map(|node| node.bool()).transpose()?,
            keys: node
                .entries()?
                .into_iter()
                .map(|(key, node)| Spanned { value: key.to_owned(), span: node.key_span() })
                .collect(),
            is_unmanaged: node.get("managed")?.map(|node| node.bool()).transpose()? == Some(false),
            ..Self::default()
        };
        if let Some(workspace) = node.get("workspace")? {
            let patterns =
                |key| -> crate::Result<_> { workspace.get(key)?.map_or(Ok(Vec::new()), |node| node.strings()) };
            table.workspace = Some(Workspace { members: patterns("members")?, exclude: patterns("exclude")? });
        }
        if let Some(sources) = node.get("sources")? {
            for (key, node) in sources.entries()? {
                let name = key_name(key, &node)?;
                let list = source::read(&name, &node)?;
                table.sources.push((Spanned { value: name, span: node.key_span() }, list));
            }
        }
        if let Some(conflicts) = node.get("conflicts")? {
            table.conflicts = read_conflicts(&conflicts)?;
        }
        if let Some(indexes) = node.get("index")? {
            for index in indexes.elements()? {
                let name = index.get_string("name")?.map(|name| name.value);
                if let Some(Spanned { value: url, span }) = index.get_string("url")? {
                    let is_explicit = index.get("explicit")?.is_some_and(|node| node.bool().unwrap_or_default());
                    table.indexes.push(Index { name, url, span, is_explicit });
                }
            }
        }
        for key in ["override-dependencies", "constraint-dependencies", "build-constraint-dependencies"] {
            if let Some(list) = node.get(key)? {
                table.constraints.extend(requirement::read_list(&list)?);
            }
        }
        if let Some(packages) = node.get("extra-build-dependencies")? {
            for (_, list) in packages.entries()? {
                table.constraints.extend(read_extra_build_dependencies(&list)?);
            }
        }
        if let Some(environments) = node.get("environments")? {
            // uv accepts a single marker as well as a list of markers.
            table.environments = if environments.is_list() {
                environments.strings()?.into_iter().map(|text| text.value).collect()
            } else {
                vec![environments.string()?.value]
            };
        }
        if let Some(groups) = node.get("default-groups")? {
            table.default_groups = if groups.is_list() {
                DefaultGroups::List(groups.names()?)
            } else if groups.string()?.value == "all" {
                DefaultGroups::All
            } else {
                return Err(groups.type_error("an array of group names, or `\"all\"`").into());
            };
        }
        Ok(table)
    }
}

/// Reads requirements. An entry can also say that it must match the version at runtime:
/// `{ requirement = "torch", match-runtime = true }`.
fn read_extra_build_dependencies(list: &Node<'_>) -> crate::Result<Vec<Requirement>> {
    let mut requirements = Vec::new();
    for element in list.elements()? {
        if !element.is_table() {
            requirements.push(requirement::read(&element)?);
        } else if let Some(inner) = element.get("requirement")? {
            requirements.push(requirement::read(&inner)?);
        }
    }
    Ok(requirements)
}

fn read_conflicts(node: &Node<'_>) -> crate::Result<Vec<ConflictSet>> {
    let read_entry = |entry: &Node<'_>| -> crate::Result<ConflictEntry> {
        let name = |key| entry.get(key)?.map(|node| node.name()).transpose();
        let selector = match (name("extra")?, name("group")?) {
            (Some(extra), _) => Some(Selector::Extra(extra)),
            (None, group) => group.map(Selector::Group),
        };
        Ok(ConflictEntry { span: entry.span(), package: name("package")?, selector })
    };
    let read_set = |set: &Node<'_>| -> crate::Result<ConflictSet> {
        let entries: Result<_, _> = set.elements()?.iter().map(read_entry).collect();
        Ok(ConflictSet { span: set.span(), entries: entries? })
    };
    node.elements()?.iter().map(read_set).collect()
}
