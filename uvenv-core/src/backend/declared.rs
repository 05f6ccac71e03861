//! Finds the backends that a manifest declares.
//!
//! Backends exclude each other and are about accelerators. The first property comes from uv's `conflicts`. The second
//! shows in the effect of a choice (it takes a package from a separate index) or in its name (`cu124`, `cpu`,
//! `rocm6.2`).

use super::{
    Backend, BackendError, CudaVersion,
    conflicts::{self, DeclaredEntry, index_sources},
};
use crate::{
    manifest::{Manifest, Requirement, Selector},
    model::{Name, Place, quoted},
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
        None => scope.conflicting(shown),
    }
}

struct Scope<'a> {
    root: &'a Manifest,
    projects: Vec<&'a Manifest>,
    target: BackendScope<'a>,
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
                variants: variants(project, selector),
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

    /// Returns the one choice between accelerators that the conflicts declare.
    fn conflicting(&self, shown: &str) -> crate::Result<Vec<Backend>> {
        let mut choices: Vec<(bool, Vec<Backend>)> = Vec::new();
        for group in conflicts::groups(self.root, &self.projects) {
            let backends: Vec<_> = group.entries.iter().filter_map(|entry| self.backend(*entry)).collect();
            if backends.len() < 2 {
                continue;
            }
            if let Some((a, b)) = group.compatible {
                let why = format!("`{a}` and `{b}` can be combined");
                return Err(unclear(shown, backends, why));
            }
            let has_all = |these: &[Backend], others: &[Backend]| {
                others.iter().all(|other| these.iter().any(|backend| backend.name == other.name))
            };
            // Several members with the same backends share one choice for the environment that contains them all.
            if choices.iter().any(|(_, known)| has_all(known, &backends) && has_all(&backends, known)) {
                continue;
            }
            let mut entries = group.entries.iter();
            let is_indexed =
                entries.any(|entry| index_sources(self.root, entry.project, entry.selector).next().is_some());
            choices.push((is_indexed, backends));
        }
        // A separate index is stronger evidence than a name.
        if choices.iter().any(|(is_indexed, _)| *is_indexed) {
            choices.retain(|(is_indexed, _)| *is_indexed);
        }
        let mut choices: Vec<_> = choices.into_iter().map(|(_, backends)| backends).collect();
        if choices.len() > 1 {
            let several = choices.iter().map(|backends| quoted(backends.iter().map(|backend| &backend.name)));
            let why = format!("there is more than one choice: {}", several.collect::<Vec<_>>().join("; "));
            return Err(unclear(shown, choices.swap_remove(0), why));
        }
        Ok(choices.pop().unwrap_or_default())
    }

    /// Returns the target's backend for an entry: the extra or group itself, or an extra of the target that forwards to
    /// it.
    fn backend(&self, entry: DeclaredEntry<'a>) -> Option<Backend> {
        let is_target = self.target_projects().iter().any(|project| project.path() == entry.project.path());
        let (project, selector, place) = if is_target {
            (entry.project, entry.selector.clone(), entry.holder.place(entry.span.clone()))
        } else {
            self.forwarded(&entry)?
        };
        Some(Backend {
            name: selector.name().clone(),
            variants: variants(project, &selector),
            selector,
            cuda: self.cuda(entry.project, entry.selector),
            place,
        })
    }

    fn forwarded(&self, entry: &DeclaredEntry<'a>) -> Option<(&'a Manifest, Selector, Place)> {
        let Selector::Extra(wanted) = entry.selector else { return None };
        let member = entry.project.name()?;
        let forwards = |requirement: &Requirement| requirement.name == *member && requirement.extras.contains(wanted);
        self.target_projects().into_iter().find_map(|project| {
            let extras = &project.project.as_ref()?.extras;
            let (name, extra) = extras.iter().find(|(_, extra)| extra.requirements.iter().any(forwards))?;
            Some((project, Selector::Extra(name.clone()), project.place(extra.span.clone())))
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
            let mut indexes = index_sources(self.root, project, selector);
            indexes.find_map(|(_, index)| CudaVersion::from_index(index_url(index)?))
        };
        let by_requirement = || {
            project
                .requirements_of(selector)
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

/// Returns the extras and groups of `project` that include `selector`.
fn variants(project: &Manifest, selector: &Selector) -> Vec<Name> {
    let extras = project.project.iter().flat_map(|project| project.extras.keys()).cloned().map(Selector::Extra);
    let groups = project.groups.keys().cloned().map(Selector::Group);
    let variants = extras.chain(groups).filter(|variant| conflicts::included(project, variant).contains(selector));
    variants.map(|variant| variant.name().clone()).collect()
}

fn unclear(shown: &str, backends: Vec<Backend>, why: String) -> crate::Error {
    BackendError::Unclear {
        manifest: shown.to_owned(),
        place: backends.first().map(|backend| backend.place.clone()),
        names: backends.into_iter().map(|backend| backend.name).collect(),
        why,
    }
    .into()
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

    /// Returns the message that says why the backends of the root are unclear.
    fn unclear(root: &str) -> String {
        let root = manifest("pyproject.toml", root);
        let error = backends(&root, [], BackendScope::Project(&root), None, "pyproject.toml").unwrap_err();
        assert_eq!(error.code(), "unclear-backends");
        error.to_string()
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
        assert_eq!(
            unclear(&project(&format!("{extras}{some}"))),
            "the GPU backends of `pyproject.toml` are unclear: its conflicts are about `cpu`, `cu124`, `xpu`, and `cu124` and \
             `xpu` can be combined"
        );
    }

    #[test]
    fn extras_that_include_a_backend_are_variants_of_it() {
        let text = project(
            r#"
            optional-dependencies = { cu12 = ["a"], cu13 = ["b"], test-cu12 = ["root[cu12]", "pytest"], test-cu13 = ["root[cu13]"], all = ["root[test-cu13]"] }
            [dependency-groups]
            bench = ["root[cu12]"]
            [tool.uv]
            conflicts = [
                [{ extra = "cu12" }, { extra = "cu13" }],
                [{ extra = "test-cu12" }, { extra = "test-cu13" }],
                [{ extra = "cu12" }, { extra = "test-cu13" }],
                [{ extra = "cu13" }, { extra = "test-cu12" }],
            ]
            "#,
        );
        assert_eq!(shown(&text, &[], None), ["extra cu12 -", "extra cu13 -"]);
        let root = manifest("pyproject.toml", &text);
        let found = backends(&root, [], BackendScope::Project(&root), None, "pyproject.toml").unwrap();
        let variants = |number: usize| found[number].variants.iter().map(Name::as_str).collect::<Vec<_>>();
        assert_eq!((variants(0), variants(1)), (vec!["test-cu12", "bench"], vec!["all", "test-cu13"]));
    }

    #[test]
    fn set_may_also_exclude_other_extras() {
        let text = project(
            r#"
            optional-dependencies = { cu124 = [], cu128 = [], legacy = ["numpy<2"] }
            [tool.uv]
            conflicts = [[{ extra = "cu124" }, { extra = "cu128" }, { extra = "legacy" }]]
            "#,
        );
        assert_eq!(shown(&text, &[], None), ["extra cu124 12.4", "extra cu128 12.8"]);
    }

    #[test]
    fn extra_without_an_index_is_a_backend_beside_others_with_one() {
        let text = project(
            r#"
            optional-dependencies = { stock = ["torch"], old = ["torch"], new = ["torch"], docs = [] }
            [tool.uv]
            conflicts = [[{ extra = "stock" }, { extra = "old" }, { extra = "new" }, { extra = "docs" }]]
            [tool.uv.sources]
            torch = [{ index = "a", extra = "old" }, { index = "b", extra = "new" }]
            [[tool.uv.index]]
            name = "b"
            url = "https://index.example.com/whl/nightly/cu128"
            "#,
        );
        assert_eq!(shown(&text, &[], None), ["extra stock -", "extra old -", "extra new 12.8"]);
    }

    #[test]
    fn two_choices_are_unclear_unless_only_one_selects_an_index() {
        let sets = r#"
            optional-dependencies = { cu124 = ["torch"], cu128 = ["torch"], jax-cpu = [], jax-cuda = [] }
            [tool.uv]
            conflicts = [[{ extra = "jax-cpu" }, { extra = "jax-cuda" }], [{ extra = "cu124" }, { extra = "cu128" }]]
            "#;
        let why = unclear(&project(sets));
        assert!(why.ends_with("there is more than one choice: `jax-cpu`, `jax-cuda`; `cu124`, `cu128`"), "{why}");
        let indexed = format!("{sets}[tool.uv.sources]\ntorch = [{{ index = \"a\", extra = \"cu124\" }}]\n");
        assert_eq!(shown(&project(&indexed), &[], None), ["extra cu124 12.4", "extra cu128 12.8"]);
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
