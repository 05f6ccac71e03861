//! The manifest: `pyproject.toml`, read with the place of everything that a message may point at.
//!
//! Only what uvenv acts on is read; what uv itself checks (keys it does not know, versions, markers) is left to uv.

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
pub use edit::{Edit, EditError, ManifestEditor, NewSource};
pub(crate) use native::{BuildSettings, BuildTables, ConfigSettings};
pub use requirement::Requirement;
pub use source::{GitReference, SourceKind, UvSource};

use crate::{
    error::{Diagnostic, Place},
    model::Name,
    toml::{Element, File, Node, Spanned, TomlError},
};

/// The file name of a manifest.
pub const FILE_NAME: &str = "pyproject.toml";

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Not readable as TOML, or a value of the wrong type.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// Neither `[project]` nor a workspace.
    #[error("`{}` has no `[project]` table", place.path())]
    NoProject {
        /// The start of the file.
        place: Place,
    },
    /// `[project]` without `name`.
    #[error("`[project]` in `{}` has no `name`", place.path())]
    NoName {
        /// The table.
        place: Place,
    },
    /// A string that does not start like a requirement.
    #[error("`{text}` in `{key}` is not a requirement")]
    Requirement {
        /// The dotted key.
        key: String,
        /// What stands there.
        text: String,
        /// Where.
        place: Place,
    },
    /// A source of no form that uv knows.
    #[error("the source of `{package}` names no `git`, `url`, `path`, `workspace` or `index`")]
    Source {
        /// The package.
        package: Name,
        /// The source.
        place: Place,
    },
    /// A git URL or reference that git could take for a command or for an option.
    #[error("the source of `{package}` has an unsafe {what}: `{text}`")]
    UnsafeGit {
        /// The package.
        package: Name,
        /// `git URL`, `tag`, …
        what: &'static str,
        /// What stands there.
        text: String,
        /// Where.
        place: Place,
    },
}

impl Diagnostic for ManifestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Toml(error) => error.code(),
            Self::NoProject { .. } | Self::NoName { .. } => "no-project",
            Self::Requirement { .. } => "invalid-requirement",
            Self::Source { .. } => "invalid-source",
            Self::UnsafeGit { .. } => "unsafe-git-source",
        }
    }

    fn help(&self) -> Option<String> {
        let text = match self {
            Self::Toml(error) => return error.help(),
            Self::NoProject { .. } => "add a `[project]` table with `name` and `version`",
            Self::NoName { .. } => "add `name = \"…\"` to the table",
            Self::Requirement { .. } => "write it as PEP 508 says: a name, then extras, versions and a marker",
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
            Self::Toml(error) => error.place(),
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
    /// `[project]` (PEP 621); a workspace's root may do without.
    pub project: Option<Project>,
    /// `[dependency-groups]` (PEP 735), and `[tool.uv] dev-dependencies` as the group `dev`.
    pub groups: BTreeMap<Name, Vec<GroupEntry>>,
    /// `[build-system] build-backend`.
    pub build_backend: Option<String>,
    /// `[build-system] requires`.
    pub build_requires: Vec<Requirement>,
    /// What has to do with builds from Rust.
    pub(crate) build: BuildTables,
    /// `[tool.uv]`.
    pub uv: UvTable,
    /// Whether there is a `[tool.uv]` table: uv takes settings from the nearest manifest that has one.
    pub has_uv_table: bool,
    /// Whether there is a `[tool.uvenv]` table, and where.
    pub uvenv: Option<Range<usize>>,
}

/// `[project]`.
#[derive(Clone, Debug)]
pub struct Project {
    /// The project's name.
    pub name: Spanned<Name>,
    /// `version`, where it is static.
    pub version: Option<Spanned<String>>,
    /// `requires-python`, as written.
    pub requires_python: Option<Spanned<String>>,
    /// `dependencies`.
    pub dependencies: Vec<Requirement>,
    /// `[project.optional-dependencies]`: the extras.
    pub extras: BTreeMap<Name, Extra>,
    /// `dynamic`: the fields that only a build knows.
    pub dynamic: Vec<String>,
}

/// An extra and its requirements.
#[derive(Clone, Debug)]
pub struct Extra {
    /// The extra's key.
    pub span: Range<usize>,
    /// What it adds.
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

/// `[tool.uv]`, as far as uvenv acts on it.
#[derive(Clone, Debug, Default)]
pub struct UvTable {
    /// `package`: whether uv builds and installs the project itself.
    pub package: Option<bool>,
    /// `managed = false`: uv leaves the project alone.
    pub is_unmanaged: bool,
    /// `[tool.uv.workspace]`.
    pub workspace: Option<Workspace>,
    /// `[tool.uv.sources]`, in the order of the file.
    pub sources: Vec<(Spanned<Name>, Vec<UvSource>)>,
    /// `conflicts`: sets of which at most one entry can be chosen.
    pub conflicts: Vec<ConflictSet>,
    /// `[[tool.uv.index]]`.
    pub indexes: Vec<Index>,
    /// `override-dependencies`, `constraint-dependencies` and the like for builds: requirements on what others depend on.
    pub constraints: Vec<Requirement>,
    /// `environments`: the markers that the lockfile is made for.
    pub environments: Vec<String>,
    /// `default-groups`; uv's own default is the group `dev`.
    pub default_groups: DefaultGroups,
    /// All keys that the table has.
    pub keys: Vec<Spanned<String>>,
}

/// `[tool.uv.workspace]`.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Glob patterns of the members' directories.
    pub members: Vec<Spanned<String>>,
    /// Glob patterns of directories that are no members.
    pub exclude: Vec<Spanned<String>>,
}

/// One set of `conflicts`.
#[derive(Clone, Debug)]
pub struct ConflictSet {
    /// The set.
    pub span: Range<usize>,
    /// What excludes each other.
    pub entries: Vec<ConflictEntry>,
}

/// One entry of a set of `conflicts`.
#[derive(Clone, Debug)]
pub struct ConflictEntry {
    /// The entry.
    pub span: Range<usize>,
    /// The package whose extra or group it is; the manifest's own where it is not said.
    pub package: Option<Name>,
    /// The extra or group. An entry that names a package alone has none.
    pub selector: Option<Selector>,
}

/// Something that a user of a project can switch on.
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
    /// Where the URL stands.
    pub span: Range<usize>,
    /// Whether only sources that name it take anything from it.
    pub is_explicit: bool,
}

/// `default-groups`.
#[derive(Clone, Debug)]
pub enum DefaultGroups {
    /// `"all"`.
    All,
    /// The groups named.
    List(Vec<Name>),
}

impl Default for DefaultGroups {
    fn default() -> Self {
        Self::List(Name::parse("dev").into_iter().collect())
    }
}

impl DefaultGroups {
    /// Whether `group` is switched on by default.
    pub fn contains(&self, group: &Name) -> bool {
        match self {
            Self::All => true,
            Self::List(groups) => groups.contains(group),
        }
    }
}

impl Manifest {
    /// Reads the manifest at `path`.
    pub fn read(path: &Utf8Path) -> Result<Self, ManifestError> {
        Self::from_file(File::read(path)?)
    }

    /// Reads the manifest's text.
    pub fn from_file(file: File) -> Result<Self, ManifestError> {
        let document = file.parse()?;
        let root = Node::root(&file, &document);
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
            return Err(ManifestError::NoProject { place: file.place(0..0) });
        }
        Ok(Self { file, project, groups, build_backend, build_requires, build, uv, has_uv_table, uvenv })
    }

    /// The path of the file.
    pub fn path(&self) -> &Utf8Path {
        &self.file.path
    }

    /// The directory of the file.
    pub fn directory(&self) -> &Utf8Path {
        self.file.path.parent().unwrap_or(Utf8Path::new(""))
    }

    /// A place in this manifest.
    pub fn place(&self, span: Range<usize>) -> Place {
        self.file.place(span)
    }

    /// The name of the project, where it has one.
    pub fn name(&self) -> Option<&Name> {
        self.project.as_ref().map(|project| &project.name.value)
    }

    /// All requirements: dependencies, extras and groups.
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

    /// The packages that the project itself requires: its dependencies and those of its extras. Groups are for developers.
    pub(crate) fn direct_requirements(&self) -> BTreeSet<&Name> {
        let Some(project) = &self.project else { return BTreeSet::new() };
        let extras = project.extras.values().flat_map(|extra| &extra.requirements);
        project.dependencies.iter().chain(extras).map(|requirement| &requirement.name).collect()
    }

    /// Where a message about the whole file, or about what it lacks, points: the project's name.
    #[cfg(feature = "full")]
    pub(crate) fn heading(&self) -> Place {
        self.place(self.project.as_ref().map_or(0..0, |project| project.name.span.clone()))
    }

    /// Where the file asks for `package`.
    #[cfg(feature = "full")]
    pub(crate) fn place_of_requirement(&self, package: &Name) -> Option<Place> {
        let requirement = self.requirements().find(|requirement| requirement.name == *package)?;
        Some(self.place(requirement.span.clone()))
    }

    /// Whether anything in the file asks for `package`: sources hold for all of these.
    #[cfg(feature = "full")]
    pub(crate) fn asks_for(&self, package: &Name) -> bool {
        let others = self.build_requires.iter().chain(&self.uv.constraints);
        self.requirements().chain(others).any(|requirement| requirement.name == *package)
    }

    /// Whether only a build knows what the project depends on.
    pub(crate) fn has_dynamic_requirements(&self) -> bool {
        let fields = self.project.iter().flat_map(|project| &project.dynamic);
        fields.into_iter().any(|field| matches!(field.as_str(), "dependencies" | "optional-dependencies"))
    }

    /// The sources of `package`; none where nothing is said of it.
    pub fn sources_of(&self, package: &Name) -> &[UvSource] {
        let mut sources = self.uv.sources.iter();
        sources.find(|(name, _)| name.value == *package).map_or(&[], |(_, sources)| sources)
    }
}

/// `key` of a table that need not be there itself.
fn get<'a>(node: Option<&Node<'a>>, key: &str) -> Result<Option<Node<'a>>, TomlError> {
    node.map_or(Ok(None), |node| node.get(key))
}

fn key_name(key: &str, node: &Node<'_>) -> Result<Name, TomlError> {
    Name::parse(key).ok_or_else(|| TomlError::Name {
        key: node.key().to_owned(),
        text: key.to_owned(),
        place: node.place(),
    })
}

impl Project {
    fn read(node: &Node<'_>) -> Result<Self, ManifestError> {
        let Some(name) = node.get("name")? else { return Err(ManifestError::NoName { place: node.place() }) };
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

fn read_groups(root: &Node<'_>, uv: Option<&Node<'_>>) -> Result<BTreeMap<Name, Vec<GroupEntry>>, ManifestError> {
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
    // uv's older spelling of the group `dev`, which it still reads beside the newer one.
    if let (Some(list), Some(dev)) = (get(uv, "dev-dependencies")?, Name::parse("dev")) {
        let requirements = requirement::read_list(&list)?;
        groups.entry(dev).or_default().extend(requirements.into_iter().map(GroupEntry::Requirement));
    }
    Ok(groups)
}

impl UvTable {
    fn read(node: &Node<'_>) -> Result<Self, ManifestError> {
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
                |key| -> Result<_, TomlError> { workspace.get(key)?.map_or(Ok(Vec::new()), |node| node.strings()) };
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
            // uv takes one marker as well as a list of them.
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

/// Requirements, some with a word on the version that runs: `{ requirement = "torch", match-runtime = true }`.
fn read_extra_build_dependencies(list: &Node<'_>) -> Result<Vec<Requirement>, ManifestError> {
    let mut requirements = Vec::new();
    for element in list.elements()? {
        if !element.is_table() {
            requirements.push(requirement::read(&element)?);
        } else if let Some(inner) = element.get("requirement")?.and_then(|node| node.as_element()) {
            requirements.push(requirement::read(&inner)?);
        }
    }
    Ok(requirements)
}

fn read_conflicts(node: &Node<'_>) -> Result<Vec<ConflictSet>, TomlError> {
    let read_entry = |entry: &Element<'_>| -> Result<ConflictEntry, TomlError> {
        let name = |key| entry.get(key)?.map(|node| node.name()).transpose();
        let selector = match (name("extra")?, name("group")?) {
            (Some(extra), _) => Some(Selector::Extra(extra)),
            (None, group) => group.map(Selector::Group),
        };
        Ok(ConflictEntry { span: entry.span(), package: name("package")?, selector })
    };
    let read_set = |set: &Element<'_>| -> Result<ConflictSet, TomlError> {
        let entries: Result<_, _> = set.elements()?.iter().map(read_entry).collect();
        Ok(ConflictSet { span: set.span(), entries: entries? })
    };
    node.elements()?.iter().map(read_set).collect()
}
