//! Finds the backends that a manifest declares.
//!
//! Backends exclude each other and are about accelerators. The first property comes from uv's `conflicts`. The second
//! shows in the effect of a choice (it takes a package from a separate index) or in its name (`cu124`, `cpu`,
//! `rocm6.2`).

use std::collections::{BTreeMap, BTreeSet};

use super::{Backend, BackendError, CudaVersion};
use crate::{
    manifest::{Manifest, Requirement, Selector, SourceKind},
    model::Name,
};

/// The projects whose backends are looked up.
#[derive(Clone, Copy, Debug)]
pub enum BackendScope<'a> {
    /// One project: the manifest itself, or the member that `--package` names.
    Project(&'a Manifest),
    /// All members: `--all-packages`, or a workspace whose root is not a project.
    Workspace,
}

/// Returns the backends that `target` can be synced with, in the order in which the manifest declares them.
///
/// `configured` is the configuration's `backends`, which replaces what the conflicts declare. `shown` is the name of
/// the manifest in messages.
pub fn backends<'a>(
    root: &'a Manifest,
    members: impl IntoIterator<Item = &'a Manifest>,
    target: BackendScope<'a>,
    configured: Option<&[Name]>,
    shown: &str,
) -> crate::Result<Vec<Backend>> {
    let projects: Vec<_> = std::iter::once(root).chain(members).collect();
    let scope = Scope { root, projects, target };
    match configured {
        Some(names) => scope.configured(names, shown),
        None => Ok(scope.conflicting()),
    }
}

struct Scope<'a> {
    root: &'a Manifest,
    projects: Vec<&'a Manifest>,
    target: BackendScope<'a>,
}

/// An entry of a conflict set, with the project that declares its extra or group.
#[derive(Clone, Copy)]
struct DeclaredEntry<'a> {
    /// The manifest that declares the conflict.
    holder: &'a Manifest,
    project: &'a Manifest,
    selector: &'a Selector,
    span: &'a std::ops::Range<usize>,
}

impl<'a> DeclaredEntry<'a> {
    fn key(&self) -> (&'a camino::Utf8Path, &'a Selector) {
        (self.project.path(), self.selector)
    }
}

impl<'a> Scope<'a> {
    fn configured(&self, names: &[Name], shown: &str) -> crate::Result<Vec<Backend>> {
        let found: Vec<_> = names.iter().map(|name| (name, self.declared(name))).collect();
        // If the manifest has none of them, it has no backends. If it has only some of them, the others are missing.
        if found.iter().all(|(_, declared)| declared.is_none()) {
            return Ok(Vec::new());
        }
        let or_missing = |(name, declared): (&Name, Option<Backend>)| {
            declared.ok_or_else(|| BackendError::NotDeclared { name: name.clone(), manifest: shown.to_owned() })
        };
        Ok(found.into_iter().map(or_missing).collect::<Result<_, _>>()?)
    }

    /// Returns the target's extra or group `name` as a backend.
    fn declared(&self, name: &Name) -> Option<Backend> {
        let selectors = [Selector::Extra(name.clone()), Selector::Group(name.clone())];
        self.target_projects().into_iter().find_map(|project| {
            let (selector, span) =
                selectors.iter().find_map(|selector| Some((selector, span_of(project, selector)?)))?;
            Some(Backend {
                name: name.clone(),
                selector: selector.clone(),
                cuda: self.cuda(project, selector),
                place: project.place(span),
            })
        })
    }

    fn target_projects(&self) -> Vec<&'a Manifest> {
        match self.target {
            BackendScope::Project(project) => vec![project],
            BackendScope::Workspace => self.projects.clone(),
        }
    }

    fn conflicting(&self) -> Vec<Backend> {
        let mut choices: Vec<Vec<Backend>> = Vec::new();
        for choice in self.exclusive_choices() {
            let backends: Vec<_> = choice.iter().filter_map(|entry| self.backend(*entry)).collect();
            let names = |backends: &[Backend]| -> BTreeSet<Name> { backends.iter().map(|b| b.name.clone()).collect() };
            // Several members with the same backends share one choice for the environment that contains them all.
            let known = choices.iter().any(|known| names(known) == names(&backends));
            if backends.len() > 1 && !known {
                choices.push(backends);
            }
        }
        // A separate index is stronger evidence than a name.
        let by_index = |choice: &Vec<Backend>| choice.iter().any(|backend| backend.cuda.is_some());
        let best = choices.iter().position(by_index).unwrap_or(0);
        if choices.is_empty() { Vec::new() } else { choices.swap_remove(best) }
    }

    /// Returns the groups of accelerator entries whose members all exclude each other, whether through one conflict set
    /// or through several pairs.
    fn exclusive_choices(&self) -> Vec<Vec<DeclaredEntry<'a>>> {
        let mut entries: Vec<DeclaredEntry<'a>> = Vec::new();
        let mut excluding = BTreeSet::new();
        for set in self.accelerator_sets() {
            for entry in &set {
                if !entries.iter().any(|known| known.key() == entry.key()) {
                    entries.push(*entry);
                }
                excluding.extend(set.iter().map(|other| (entry.key(), other.key())));
            }
        }
        let mut choices: Vec<Vec<DeclaredEntry<'a>>> = Vec::new();
        for entry in entries {
            let neighbours = |choice: &Vec<DeclaredEntry<'a>>| {
                choice.iter().any(|other| excluding.contains(&(entry.key(), other.key())))
            };
            let (joined, mut rest): (Vec<_>, Vec<_>) = choices.into_iter().partition(neighbours);
            let mut choice: Vec<_> = joined.into_iter().flatten().collect();
            choice.push(entry);
            rest.push(choice);
            choices = rest;
        }
        choices.retain(|choice| choice.iter().all(|a| choice.iter().all(|b| excluding.contains(&(a.key(), b.key())))));
        choices
    }

    /// Returns the conflict sets whose entries are all about accelerators.
    fn accelerator_sets(&self) -> Vec<Vec<DeclaredEntry<'a>>> {
        let mut sets = Vec::new();
        for &holder in &self.projects {
            for set in &holder.uv.conflicts {
                let entries: Option<Vec<_>> = set
                    .entries
                    .iter()
                    .map(|entry| {
                        let project = match &entry.package {
                            None => holder,
                            Some(name) => *self.projects.iter().find(|project| project.name() == Some(name))?,
                        };
                        Some(DeclaredEntry { holder, project, selector: entry.selector.as_ref()?, span: &entry.span })
                    })
                    .collect();
                // A set may combine entries of several members that share one choice, so it is split by project.
                let mut by_project: BTreeMap<_, Vec<DeclaredEntry<'a>>> = BTreeMap::new();
                for entry in entries.into_iter().flatten() {
                    by_project.entry(entry.project.path()).or_default().push(entry);
                }
                sets.extend(by_project.into_values().filter(|entries| self.is_about_accelerators(entries)));
            }
        }
        sets
    }

    fn is_about_accelerators(&self, entries: &[DeclaredEntry<'a>]) -> bool {
        let chosen: Vec<BTreeSet<_>> =
            entries.iter().map(|entry| self.indexed_packages(entry.project, entry.selector)).collect();
        let shared = |set: &BTreeSet<&Name>| {
            set.iter().any(|package| chosen.iter().filter(|other| other.contains(package)).count() > 1)
        };
        entries.len() > 1
            && entries
                .iter()
                .zip(&chosen)
                .all(|(entry, set)| shared(set) || sounds_like_accelerator(entry.selector.name()))
    }

    /// Returns the packages that come from a separate index when `selector` is on.
    fn indexed_packages(&self, project: &'a Manifest, selector: &Selector) -> BTreeSet<&'a Name> {
        let chosen = self.index_sources(project, selector);
        chosen.map(|(package, _)| package).collect()
    }

    fn index_sources(&self, project: &'a Manifest, selector: &Selector) -> impl Iterator<Item = (&'a Name, &'a str)> {
        let holders = [Some(project), Some(self.root).filter(|root| root.path() != project.path())];
        let sources = holders.into_iter().flatten().flat_map(|holder| &holder.uv.sources);
        sources.flat_map(move |(package, sources)| {
            sources.iter().filter_map(move |source| match &source.kind {
                SourceKind::Index(index) if source.selector.as_ref() == Some(selector) => {
                    Some((&package.value, index.as_str()))
                }
                _ => None,
            })
        })
    }

    /// Returns the target's backend for an entry: the extra or group itself, or an extra of the target that forwards to
    /// it.
    fn backend(&self, entry: DeclaredEntry<'a>) -> Option<Backend> {
        let is_target = self.target_projects().iter().any(|project| project.path() == entry.project.path());
        let (name, selector, place) = if is_target {
            let selector = entry.selector.clone();
            (selector.name().clone(), selector, entry.holder.place(entry.span.clone()))
        } else {
            let (name, place) = self.forwarded(&entry)?;
            (name.clone(), Selector::Extra(name), place)
        };
        Some(Backend { name, selector, cuda: self.cuda(entry.project, entry.selector), place })
    }

    fn forwarded(&self, entry: &DeclaredEntry<'a>) -> Option<(Name, crate::model::error::Place)> {
        let Selector::Extra(wanted) = entry.selector else { return None };
        let member = entry.project.name()?;
        let forwards = |requirement: &Requirement| requirement.name == *member && requirement.extras.contains(wanted);
        self.target_projects().into_iter().find_map(|project| {
            let extras = &project.project.as_ref()?.extras;
            let (name, extra) = extras.iter().find(|(_, extra)| extra.requirements.iter().any(forwards))?;
            Some((name.clone(), project.place(extra.span.clone())))
        })
    }

    /// Returns the CUDA release of a backend. Its index is the most reliable source, then its requirements, then its
    /// name: `torch-cu12` may mean 12.8.
    fn cuda(&self, project: &'a Manifest, selector: &Selector) -> Option<CudaVersion> {
        let index_url = |name: &str| {
            let indexes = project.uv.indexes.iter().chain(&self.root.uv.indexes);
            indexes.into_iter().find(|index| index.name.as_deref() == Some(name)).map(|index| index.url.as_str())
        };
        let by_index = || {
            let mut indexes = self.index_sources(project, selector);
            indexes.find_map(|(_, index)| CudaVersion::from_index(index_url(index)?))
        };
        let by_requirement = || {
            requirements_of(project, selector)
                .into_iter()
                .find_map(|requirement| CudaVersion::from_requirement(&requirement.text))
        };
        let by_name = || selector.name().as_str().split('-').find_map(CudaVersion::from_tag);
        by_index().or_else(by_requirement).or_else(by_name)
    }
}

/// Returns where a project declares an extra or group; `None` if it has none with that name.
fn span_of(project: &Manifest, selector: &Selector) -> Option<std::ops::Range<usize>> {
    match selector {
        Selector::Extra(name) => project.project.as_ref()?.extras.get(name).map(|extra| extra.span.clone()),
        Selector::Group(name) => project.groups.get(name).map(|_| 0..0),
    }
}

fn requirements_of<'a>(project: &'a Manifest, selector: &Selector) -> Vec<&'a Requirement> {
    match selector {
        Selector::Extra(name) => {
            let extra = project.project.as_ref().and_then(|project| project.extras.get(name));
            extra.map_or_else(Vec::new, |extra| extra.requirements.iter().collect())
        }
        Selector::Group(name) => {
            let entries = project.groups.get(name).into_iter().flatten();
            entries
                .filter_map(|entry| match entry {
                    crate::manifest::GroupEntry::Requirement(requirement) => Some(requirement),
                    crate::manifest::GroupEntry::Include(_) => None,
                })
                .collect()
        }
    }
}

/// Whether a part of the name is a usual word for accelerators.
fn sounds_like_accelerator(name: &Name) -> bool {
    const WORDS: [&str; 10] = ["cpu", "cuda", "gpu", "hpu", "metal", "mps", "npu", "rocm", "tpu", "xpu"];
    name.as_str().split('-').any(|part| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        WORDS.contains(&word) || (word == "cu" && part.len() > word.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::File;

    fn manifest(path: &str, text: &str) -> Manifest {
        Manifest::from_file(File { path: path.into(), text: text.into() }).unwrap()
    }

    /// Returns the backends of the root itself: name, kind and CUDA release.
    fn shown(root: &str, members: &[Manifest], configured: Option<&[Name]>) -> Vec<String> {
        let root = manifest("pyproject.toml", root);
        let found = backends(&root, members, BackendScope::Project(&root), configured, "pyproject.toml").unwrap();
        show(&found)
    }

    fn show(backends: &[Backend]) -> Vec<String> {
        let show = |backend: &Backend| {
            let kind = match backend.selector {
                Selector::Extra(_) => "extra",
                Selector::Group(_) => "group",
            };
            let cuda = backend.cuda.map_or_else(|| "-".to_owned(), |cuda| cuda.to_string());
            format!("{kind} {} {cuda}", backend.name)
        };
        backends.iter().map(show).collect()
    }

    fn project(rest: &str) -> String {
        format!("[project]\nname = \"root\"\nversion = \"0.1.0\"\n{rest}")
    }

    #[test]
    fn conflicting_extras_with_accelerator_names_are_backends() {
        let text = project(
            r#"
            optional-dependencies = { cu124 = ["nvidia-cuda-runtime-cu12==12.4.127"], cu128 = [], docs = ["sphinx"] }
            [tool.uv]
            conflicts = [[{ extra = "cu124" }, { extra = "cu128" }], [{ extra = "docs" }, { group = "dev" }]]
            "#,
        );
        assert_eq!(shown(&text, &[], None), ["extra cu124 12.4", "extra cu128 12.8"]);
    }

    #[test]
    fn conflicting_groups_that_select_an_index_are_backends() {
        let text = project(
            r#"
            [dependency-groups]
            small = ["torch"]
            large = ["torch"]
            [tool.uv]
            default-groups = ["small"]
            conflicts = [[{ group = "small" }, { group = "large" }]]
            [tool.uv.sources]
            torch = [{ index = "here", group = "small" }, { index = "there", group = "large" }]
            [[tool.uv.index]]
            name = "here"
            url = "https://index.example.com/whl/cpu"
            [[tool.uv.index]]
            name = "there"
            url = "https://index.example.com/whl/cu126"
            "#,
        );
        assert_eq!(shown(&text, &[], None), ["group small -", "group large 12.6"]);
    }

    #[test]
    fn index_url_overrides_the_cuda_version_of_the_name() {
        let text = project(
            r#"
            optional-dependencies = { torch-cu12 = ["torch"], torch-cu11 = ["torch"] }
            [tool.uv]
            conflicts = [[{ extra = "torch-cu11" }, { extra = "torch-cu12" }]]
            [tool.uv.sources]
            torch = [{ index = "a", extra = "torch-cu11" }, { index = "b", extra = "torch-cu12" }]
            [[tool.uv.index]]
            name = "a"
            url = "https://index.example.com/whl/cu118"
            [[tool.uv.index]]
            name = "b"
            url = "https://index.example.com/whl/cu128"
            "#,
        );
        assert_eq!(shown(&text, &[], None), ["extra torch-cu11 11.8", "extra torch-cu12 12.8"]);
    }

    #[test]
    fn conflict_pairs_are_backends_only_if_all_exclude_each_other() {
        let all = r#"conflicts = [[{ extra = "cpu" }, { extra = "cu124" }], [{ extra = "cpu" }, { extra = "xpu" }], [{ extra = "xpu" }, { extra = "cu124" }]]"#;
        let some = r#"conflicts = [[{ extra = "cpu" }, { extra = "cu124" }], [{ extra = "cpu" }, { extra = "xpu" }]]"#;
        let extras = "optional-dependencies = { cpu = [], cu124 = [], xpu = [] }\n[tool.uv]\n";
        assert_eq!(
            shown(&project(&format!("{extras}{all}")), &[], None),
            ["extra cpu -", "extra cu124 12.4", "extra xpu -"]
        );
        assert_eq!(shown(&project(&format!("{extras}{some}")), &[], None), [""; 0]);
    }

    #[test]
    fn other_conflicts_are_not_backends() {
        let text = project(
            r#"
            optional-dependencies = { vllm = [], mcore = [], pydantic1 = [], pydantic2 = [] }
            [tool.uv]
            conflicts = [[{ extra = "vllm" }, { extra = "mcore" }], [{ extra = "pydantic1" }, { extra = "pydantic2" }]]
            "#,
        );
        assert_eq!(shown(&text, &[], None), [""; 0]);
    }

    fn models() -> Manifest {
        let text = r#"
            [project]
            name = "models"
            version = "0.1.0"
            optional-dependencies = { cu124 = ["torch==2.6.0+cu124"], cu128 = ["torch==2.7.0+cu128"] }
            "#;
        manifest("packages/models/pyproject.toml", text)
    }

    #[test]
    fn backend_extra_may_forward_to_a_member() {
        let text = project(
            r#"
            optional-dependencies = { gpu-old = ["models[cu124]"], gpu-new = ["models[cu128]"] }
            [tool.uv]
            conflicts = [[{ package = "models", extra = "cu124" }, { package = "models", extra = "cu128" }]]
            [tool.uv.workspace]
            members = ["packages/*"]
            "#,
        );
        assert_eq!(shown(&text, &[models()], None), ["extra gpu-old 12.4", "extra gpu-new 12.8"]);
    }

    #[test]
    fn member_backends_do_not_apply_to_a_root_without_them() {
        let text = project(
            r#"
            [tool.uv]
            conflicts = [[{ package = "models", extra = "cu124" }, { package = "models", extra = "cu128" }]]
            "#,
        );
        assert_eq!(shown(&text, &[models()], None), [""; 0]);
        let root = manifest("pyproject.toml", &text);
        let members = [models()];
        for target in [BackendScope::Project(&members[0]), BackendScope::Workspace] {
            let found = backends(&root, &members, target, None, "pyproject.toml").unwrap();
            assert_eq!(show(&found), ["extra cu124 12.4", "extra cu128 12.8"]);
        }
    }

    #[test]
    fn configuration_overrides_the_conflicts() {
        let text = project("optional-dependencies = { fast = [], slow = [], cu124 = [] }");
        let names = |names: &[&str]| names.iter().map(|name| Name::parse(name).unwrap()).collect::<Vec<_>>();
        assert_eq!(shown(&text, &[], Some(&names(&["slow", "fast"]))), ["extra slow -", "extra fast -"]);
        assert_eq!(shown(&text, &[], Some(&names(&["a", "b"]))), [""; 0]);
        let root = manifest("pyproject.toml", &text);
        let names = names(&["fast", "b"]);
        let error = backends(&root, &[], BackendScope::Project(&root), Some(&names), "pyproject.toml").unwrap_err();
        assert!(
            matches!(error.downcast_ref(), Some(BackendError::NotDeclared { name, .. }) if name.as_str() == "b"),
            "{error:?}"
        );
    }
}
