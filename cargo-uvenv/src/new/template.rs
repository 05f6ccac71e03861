//! The files of a new monorepo, and the edits that adapt them to the new project. Everything else is kept byte for
//! byte.

use std::{borrow::Cow, collections::BTreeMap, fs};

use camino::Utf8Path;
use include_dir::{Dir, File, include_dir};
use toml_edit::{DocumentMut, Item, TableLike, Value};
use uvenv_core::{Name, report::NewRemote};

use super::not_writable;

static EXAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../examples/hyperbench");

/// The package that a starter monorepo does not have.
const MODEL: &str = "model-qwen2-5-vl";

/// The bindings between Rust and Python. They depend on `uvenv-core`, which is available only from this repository.
const BINDINGS: [&str; 4] =
    ["BINDINGS.md", "crates/hyperbench-show/", "crates/hyperbench-units/", "packages/bench-kernels/"];

/// The directory of `uvenv-core`.
const CORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../uvenv-core");

/// The manifests of the profiles.
const MANIFESTS: [&str; 3] = ["pyproject.toml", "staging/pyproject.toml", "prod/pyproject.toml"];

/// The directory of the internal packages.
const PACKAGES: &str = "packages/";

/// Which internal packages a new monorepo has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packages {
    /// All packages of the example except its model, which users write themselves, and except the bindings between the
    /// two languages.
    Starter,
    /// All packages of the example, on a machine that has the source code of uvenv.
    All,
}

/// Files by path, with `/` as the separator.
#[derive(Debug)]
pub(super) struct Template(BTreeMap<String, Cow<'static, [u8]>>);

impl Template {
    pub(super) fn of(packages: Packages) -> Self {
        let mut files = BTreeMap::new();
        collect(&EXAMPLE, &mut files);
        let mut template = Self(files);
        if packages == Packages::Starter {
            let model = format!("{PACKAGES}{MODEL}/");
            template.0.retain(|path, _| !BINDINGS.iter().chain([&&*model]).any(|left_out| path.starts_with(left_out)));
            for left_out in [MODEL, "bench-kernels"] {
                template.edit_manifests(|manifest| remove_package(manifest, left_out));
            }
            template.edit("Cargo.toml", without_bindings);
            template.edit("Cargo.lock", without_dependencies);
        } else {
            template.edit("Cargo.toml", |manifest| set(manifest, &["patch", "crates-io", "uvenv-core", "path"], CORE));
        }
        template
    }

    /// Returns the names of the internal packages.
    pub(super) fn packages(&self) -> Vec<String> {
        let manifests = self
            .0
            .keys()
            .filter_map(|path| path.strip_prefix(PACKAGES)?.strip_suffix("/pyproject.toml").map(str::to_owned));
        manifests.collect()
    }

    /// Returns the names of the internal packages that staging and prod take from git.
    pub(super) fn pinned(&self) -> Vec<String> {
        let prod = self.read("prod/pyproject.toml");
        let is_pinned = |name: &String| prod["tool"]["uv"]["sources"].get(name).is_some();
        self.packages().into_iter().filter(is_pinned).collect()
    }

    /// Returns the version in the manifest of `package`.
    pub(super) fn version(&self, package: &str) -> String {
        let manifest = self.read(&format!("{PACKAGES}{package}/pyproject.toml"));
        let version = manifest.get("project").and_then(|project| project.get("version"));
        version.and_then(Item::as_str).unwrap_or_default().to_owned()
    }

    /// Whether the project, or one of its extras, has a requirement on `name`.
    pub(super) fn depends_on(&self, name: &Name) -> bool {
        MANIFESTS.iter().any(|path| {
            let manifest = self.read(path);
            let Some(project) = manifest.get("project").and_then(Item::as_table_like) else { return false };
            let extras = project.get("optional-dependencies").and_then(Item::as_table_like);
            let extras = extras.into_iter().flat_map(|extras| extras.iter().map(|(_, item)| item));
            let mut lists = project.get("dependencies").into_iter().chain(extras);
            lists.any(|list| {
                let list = list.as_array().into_iter().flatten();
                list.into_iter().any(|requirement| required(requirement).as_ref() == Some(name))
            })
        })
    }

    /// Sets the project name in the three manifests.
    pub(super) fn name_project(&mut self, name: &Name) {
        self.edit_manifests(|manifest| set(manifest, &["project", "name"], name.as_str()));
    }

    /// Makes the manifests take the internal packages from `remotes`.
    pub(super) fn pin_to(&mut self, remotes: &[NewRemote]) {
        self.edit_manifests(|manifest| {
            for remote in remotes {
                set(manifest, &["tool", "uv", "sources", &remote.package, "git"], &remote.url);
            }
        });
    }

    /// Writes all files below `root`.
    pub(super) fn write_to(&self, root: &Utf8Path) -> uvenv_core::Result<()> {
        self.0.iter().try_for_each(|(path, content)| write(&root.join(path), content))
    }

    /// Writes the files of `package` below `root`, as in its release `version`.
    pub(super) fn write_package(&self, package: &str, version: &str, root: &Utf8Path) -> uvenv_core::Result<()> {
        let prefix = format!("{PACKAGES}{package}/");
        for (path, content) in &self.0 {
            match path.strip_prefix(&prefix) {
                Some("pyproject.toml") => {
                    let mut manifest = self.read(path);
                    set(&mut manifest, &["project", "version"], version);
                    write(&root.join("pyproject.toml"), manifest.to_string().as_bytes())?;
                }
                Some(path) => write(&root.join(path), content)?,
                None => {}
            }
        }
        Ok(())
    }

    fn edit_manifests(&mut self, edit: impl Fn(&mut DocumentMut)) {
        for path in MANIFESTS {
            self.edit(path, &edit);
        }
    }

    fn edit(&mut self, path: &str, edit: impl FnOnce(&mut DocumentMut)) {
        let mut document = self.read(path);
        edit(&mut document);
        self.0.insert(path.to_owned(), Cow::Owned(document.to_string().into_bytes()));
    }

    /// Returns the TOML file at `path`. It is compiled in, and every test of `new` reads it.
    fn read(&self, path: &str) -> DocumentMut {
        let text = self.0.get(path).and_then(|content| std::str::from_utf8(content).ok());
        text.and_then(|text| text.parse().ok()).expect("these files of the template are TOML")
    }
}

fn collect(directory: &'static Dir<'_>, files: &mut BTreeMap<String, Cow<'static, [u8]>>) {
    for file in directory.files().filter(|file| is_source(file.path())) {
        files.insert(path_of(file), Cow::Borrowed(file.contents()));
    }
    for directory in directory.dirs().filter(|directory| is_source(directory.path())) {
        collect(directory, files);
    }
}

/// Whether `path` is not one of the build outputs that the example contains after someone has worked in it.
fn is_source(path: &std::path::Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    !(["target", "uv.lock", "__pycache__"].contains(&name) || name.starts_with(".venv"))
}

fn path_of(file: &File<'_>) -> String {
    let parts: Vec<_> = file.path().iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn write(path: &Utf8Path, content: &[u8]) -> uvenv_core::Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(not_writable(parent))?;
    Ok(fs::write(path, content).map_err(not_writable(path))?)
}

/// Replaces the string under `keys`, if it exists. Keeps the text around it.
fn set(document: &mut DocumentMut, keys: &[&str], text: &str) {
    let mut item = Some(document.as_item_mut());
    for key in keys {
        item = item.and_then(|item| item.as_table_like_mut()?.get_mut(key));
    }
    if let Some(value) = item.and_then(Item::as_value_mut) {
        let decor = value.decor().clone();
        *value = Value::from(text);
        *value.decor_mut() = decor;
    }
}

/// Removes the requirements on `package`, any group that becomes empty, and the source of `package`.
fn remove_package(manifest: &mut DocumentMut, package: &str) {
    let name = Name::parse(package);
    let keep = |requirement: &Value| required(requirement) != name;
    let project = table(manifest, &["project"]);
    let requirements = project.and_then(|project| project.get_mut("dependencies")?.as_array_mut());
    if let Some(requirements) = requirements {
        requirements.retain(keep);
    }
    if let Some(groups) = table(manifest, &["dependency-groups"]) {
        let is_left = |group: &Item| group.as_array().is_none_or(|group| group.iter().any(keep));
        let empty: Vec<_> = groups.iter().filter(|(_, group)| !is_left(group)).map(|(key, _)| key.to_owned()).collect();
        for group in empty {
            groups.remove(&group);
        }
        if groups.is_empty() {
            manifest.remove("dependency-groups");
        }
    }
    if let Some(sources) = table(manifest, &["tool", "uv", "sources"]) {
        sources.remove(package);
    }
}

/// Removes the crates in [`BINDINGS`], and everything that only they need, from the Cargo workspace.
fn without_bindings(manifest: &mut DocumentMut) {
    manifest.remove("patch");
    if let Some(workspace) = table(manifest, &["workspace"]) {
        // All remaining crates build without Python.
        workspace.remove("default-members");
        if let Some(members) = workspace.get_mut("members").and_then(Item::as_array_mut) {
            members.retain(|member| !member.as_str().is_some_and(|path| path.starts_with(PACKAGES)));
        }
    }
    if let Some(dependencies) = table(manifest, &["workspace", "dependencies"]) {
        for name in ["hyperbench-units", "pyo3", "uvenv-core"] {
            dependencies.remove(name);
        }
    }
}

/// Reduces Cargo's lockfile to the two crates that a starter has in `crates/` and that have no other dependencies.
fn without_dependencies(lockfile: &mut DocumentMut) {
    if let Some(packages) = lockfile.get_mut("package").and_then(Item::as_array_of_tables_mut) {
        packages.retain(|package| {
            let name = package.get("name").and_then(Item::as_str);
            name.is_some_and(|name| ["hyperbench", "hyperbench-kernels"].contains(&name))
        });
    }
}

fn table<'a>(document: &'a mut DocumentMut, keys: &[&str]) -> Option<&'a mut dyn TableLike> {
    let item = document.as_item_mut();
    keys.iter().try_fold(item, |item, key| item.as_table_like_mut()?.get_mut(key))?.as_table_like_mut()
}

/// Returns the package of `requirement`.
fn required(requirement: &Value) -> Option<Name> {
    let text = requirement.as_str()?;
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c));
    Name::parse(&text[..end.unwrap_or(text.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &Template, path: &str) -> String {
        String::from_utf8(template.0[path].to_vec()).unwrap()
    }

    #[test]
    fn removing_a_package_changes_only_its_own_lines() {
        let (all, starter) = (Template::of(Packages::All), Template::of(Packages::Starter));
        for path in &MANIFESTS[1..] {
            let whole = text(&all, path);
            let kept: Vec<_> = whole.split_inclusive('\n').filter(|line| !line.contains(MODEL)).collect();
            assert_eq!(text(&starter, path), kept.concat(), "{path}");
            assert_eq!(whole.lines().count(), kept.len() + 2, "{path}: a requirement and a source");
        }
    }

    #[test]
    fn starter_has_no_rust_python_bindings() {
        let starter = Template::of(Packages::Starter);
        for (path, content) in &starter.0 {
            let content = String::from_utf8_lossy(content);
            for word in ["\"bench-kernels", "hyperbench-show", "hyperbench-units", "pyo3", "uvenv-core", "native"] {
                assert!(!path.contains(word) && !content.contains(word), "{word} in {path}:\n{content}");
            }
        }
        let manifest = text(&starter, "Cargo.toml");
        assert!(manifest.starts_with("[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n"), "{manifest}");
        assert!(manifest.ends_with("pedantic = { level = \"warn\", priority = -1 }\n"), "{manifest}");
        assert_eq!(text(&starter, "Cargo.lock").matches("[[package]]").count(), 2);
    }

    #[test]
    fn template_files_match_the_example() {
        let all = Template::of(Packages::All);
        let example = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hyperbench");
        for path in all.0.keys().filter(|path| *path != "Cargo.toml") {
            assert_eq!(all.0[path], fs::read(example.join(path)).unwrap(), "{path}");
        }
        assert!(all.0.contains_key(".gitignore") && all.0.contains_key("Cargo.lock"));
    }

    #[test]
    fn finds_the_package_name_of_a_requirement() {
        for (requirement, package) in [
            ("\"Model_Qwen2.5_vl [x]>=1\"", Some(MODEL)),
            ("\"bench-utils\"", Some("bench-utils")),
            ("\"bench-utils-x\"", Some("bench-utils-x")),
            ("1", None),
        ] {
            let value: Value = requirement.parse().unwrap();
            assert_eq!(required(&value), package.and_then(Name::parse), "{requirement}");
        }
    }

    #[test]
    fn replacing_a_string_keeps_layout_and_comments() {
        let mut manifest: DocumentMut = "[project]\nname   =\t\"x\"  # why\n".parse().unwrap();
        set(&mut manifest, &["project", "name"], "y");
        set(&mut manifest, &["project", "nothing", "here"], "y");
        assert_eq!(manifest.to_string(), "[project]\nname   =\t\"y\"  # why\n");
    }

    #[test]
    fn build_outputs_are_not_part_of_the_template() {
        for path in ["target", "a/.venv", ".venv-cu124", "prod/uv.lock", "a/__pycache__"] {
            assert!(!is_source(path.as_ref()), "{path}");
        }
        for path in ["Cargo.lock", "targets", "a/uv.py", ".gitignore"] {
            assert!(is_source(path.as_ref()), "{path}");
        }
    }

    #[test]
    fn detects_a_project_name_that_is_also_a_dependency() {
        let starter = Template::of(Packages::Starter);
        for (name, taken) in [("bench-utils", true), ("nvidia-cuda-runtime-cu12", true), (MODEL, false)] {
            assert_eq!(starter.depends_on(&Name::parse(name).unwrap()), taken, "{name}");
        }
    }
}
