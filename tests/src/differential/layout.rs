//! Random monorepos.

use std::fmt::Write as _;

use camino::Utf8Path;
use fastrand::Rng;

use crate::{Fixture, Index, Uv, remotes};

/// The distributions of the index, each in versions 1.0, 1.1 and 2.0.
pub(super) const LIBRARIES: [&str; 3] = ["alpha-lib", "beta-lib", "gamma-lib"];

/// The parts of a monorepo.
#[derive(Debug)]
pub(super) struct Layout {
    /// The workspace members.
    pub(super) members: Vec<String>,
    /// How many of them the root depends on.
    installed: usize,
    path_dependency: Option<bool>,
    git_dependency: bool,
    pub(super) backends: bool,
    pub(super) profiles: Vec<&'static str>,
    is_package: bool,
    libraries: Vec<&'static str>,
    cargo: bool,
    keys: Vec<Option<&'static str>>,
}

/// Cache keys of the usual forms.
const KEYS: [&str; 7] = [
    r#"[{ file = "pyproject.toml" }, { file = "data/*.txt" }]"#,
    r#"[{ file = "**/*.txt" }]"#,
    r#"[{ file = "pyproject.toml" }, { env = "BUILD_NUMBER" }]"#,
    r#"[{ file = "pyproject.toml" }, { dir = "data" }]"#,
    r#"[{ file = "pyproject.toml" }, { file = "../../shared.txt" }]"#,
    r#"["pyproject.toml", "data/one.txt"]"#,
    r#"[{ file = "src/**/*.py" }, { file = "missing.txt" }]"#,
];

impl Layout {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let members: Vec<_> = (0..rng.usize(1..=5)).map(|number| format!("pkg-{number}")).collect();
        let keys = members.iter().map(|_| (rng.u8(..4) == 0).then(|| KEYS[rng.usize(..KEYS.len())])).collect();
        let profiles = match rng.u8(..4) {
            0 => vec!["dev", "staging", "prod"],
            1 => vec!["dev", "prod"],
            _ => vec!["dev"],
        };
        Self {
            // A profile with pins has at least one.
            installed: rng.usize(usize::from(profiles.len() > 1)..=members.len()),
            keys,
            path_dependency: (rng.u8(..3) == 0).then(|| rng.bool()),
            git_dependency: rng.u8(..4) == 0,
            backends: rng.bool(),
            profiles,
            is_package: rng.u8(..3) == 0,
            libraries: LIBRARIES.into_iter().filter(|_| rng.bool()).collect(),
            cargo: rng.u8(..6) == 0,
            members,
        }
    }

    /// Lays it out, with a git remote for each package that is pinned.
    pub(super) fn lay_out(&self, uv: Uv) -> Fixture {
        let fixture = Fixture::new(Some(uv));
        for (member, keys) in self.members.iter().zip(&self.keys) {
            let directory = format!("packages/{member}");
            package(&fixture, &directory, member, *keys, &self.used_by(member));
        }
        fixture.write("shared.txt", "shared\n");
        fixture.write("README.md", "A monorepo.\n");
        if self.path_dependency.is_some() {
            package(&fixture, "libs/lib-path", "lib-path", None, "");
        }
        let pinned: Vec<_> = self.pinned().map(str::to_owned).collect();
        for name in pinned.iter().map(String::as_str).chain(self.git_dependency.then_some("lib-git")) {
            let versions = ["0.1.2.dev0", "0.1.2", "0.1.3"].map(|version| (version, tree(name, version)));
            remotes::make(&fixture.remote(name), &versions);
        }
        if self.is_package {
            fixture.write("src/bench/__init__.py", "");
        }
        if self.cargo {
            fixture.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
            let features = "[features]\ndefault = [\"cu124\"]\ncu124 = []\ncu128 = []\n";
            let package = "[package]\nname = \"kernels\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n";
            fixture.write("crates/kernels/Cargo.toml", format!("{package}{features}"));
            fixture.write("crates/kernels/src/lib.rs", "");
        }
        fixture.write("pyproject.toml", self.dev_manifest(&fixture));
        for profile in &self.profiles[1..] {
            let tag = if *profile == "prod" { "v0.1.2" } else { "v0.1.2.dev0" };
            fixture.write(format!("{profile}/pyproject.toml"), self.pinned_manifest(&fixture, profile, tag, &pinned));
        }
        fixture
    }

    /// The members that are in all profiles.
    fn pinned(&self) -> impl Iterator<Item = &str> {
        let count = if self.profiles.len() > 1 { self.installed } else { 0 };
        self.members[..count].iter().map(String::as_str)
    }

    /// The dependencies of a member. One depends on the member before it, unless packages are pinned.
    fn used_by(&self, member: &str) -> String {
        let number = self.members.iter().position(|name| name == member).unwrap_or_default();
        match number.checked_sub(1) {
            Some(before) if self.profiles.len() == 1 && number % 2 == 1 => format!("\"{}\"", self.members[before]),
            _ => self.libraries.first().filter(|_| number == 0).map_or_else(String::new, |name| format!("\"{name}\"")),
        }
    }

    fn dev_manifest(&self, fixture: &Fixture) -> String {
        let mut names: Vec<&str> = self.members[..self.installed].iter().map(String::as_str).collect();
        let mut sources = String::new();
        for member in &names {
            let _ = writeln!(sources, "{member} = {{ workspace = true }}");
        }
        if let Some(editable) = self.path_dependency {
            names.push("lib-path");
            let _ = writeln!(sources, "lib-path = {{ path = \"libs/lib-path\", editable = {editable} }}");
        }
        if self.git_dependency {
            names.push("lib-git");
            let remote = fixture.remote("lib-git");
            let _ = writeln!(sources, "lib-git = {{ git = \"file://{remote}\", tag = \"v0.1.2\" }}");
        }
        let tables = if self.is_package { BUILD } else { "" };
        let workspace = "\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n";
        self.manifest("bench", &names, &sources, tables, self.is_package, workspace)
    }

    fn pinned_manifest(&self, fixture: &Fixture, profile: &str, tag: &str, pinned: &[String]) -> String {
        let mut sources = String::new();
        for name in pinned {
            let remote = fixture.remote(name);
            let _ = writeln!(sources, "{name} = {{ git = \"file://{remote}\", tag = \"{tag}\" }}");
        }
        let names: Vec<&str> = pinned.iter().map(String::as_str).collect();
        self.manifest(&format!("bench-{profile}"), &names, &sources, "", false, "")
    }

    fn manifest(&self, name: &str, uses: &[&str], sources: &str, tables: &str, package: bool, more: &str) -> String {
        let uses: Vec<_> = uses.iter().chain(&self.libraries).map(|name| format!("\"{name}\"")).collect();
        let (small, mut conflicts, mut torch, mut indexes) =
            (Index::url("small"), Vec::new(), Vec::new(), String::new());
        let mut text = format!(
            "[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = [{}]\n\n\
             [project.optional-dependencies]\nplots = [\"beta-lib\"]\n",
            uses.join(", "),
        );
        for backend in if self.backends { &["cu124", "cu128"][..] } else { &[] } {
            let _ = writeln!(text, "{backend} = [\"torch==2.6.0\"]");
            conflicts.push(format!("{{ extra = \"{backend}\" }}"));
            torch.push(format!("{{ index = \"pytorch-{backend}\", extra = \"{backend}\" }}"));
            let url = Index::url(backend);
            let _ = write!(
                indexes,
                "\n[[tool.uv.index]]\nname = \"pytorch-{backend}\"\nurl = \"{url}\"\nexplicit = true\n"
            );
        }
        text += "\n[dependency-groups]\ndev = [\"gamma-lib<2\"]\ndocs = [\"alpha-lib\"]\n";
        text += tables;
        let _ = write!(text, "\n[tool.uv]\npackage = {package}\n");
        if !conflicts.is_empty() {
            let _ = writeln!(text, "conflicts = [[{}]]", conflicts.join(", "));
        }
        text += more;
        let _ = write!(text, "\n[tool.uv.sources]\n{sources}");
        if !torch.is_empty() {
            let _ = writeln!(text, "torch = [{}]", torch.join(", "));
        }
        let _ = write!(text, "\n[[tool.uv.index]]\nname = \"small\"\nurl = \"{small}\"\n{indexes}");
        text
    }
}

const BUILD: &str = "\n[build-system]\nrequires = [\"uv_build>=0.7.16,<0.14\"]\nbuild-backend = \"uv_build\"\n";

/// The manifest of an internal package.
pub(super) fn package_manifest(name: &str, version: &str, uses: &str) -> String {
    format!(
        "[project]\nname = \"{name}\"\nversion = \"{version}\"\nrequires-python = \">=3.9\"\ndependencies = [{uses}]\n{BUILD}"
    )
}

fn package(fixture: &Fixture, directory: &str, name: &str, keys: Option<&str>, uses: &str) {
    for (path, text) in tree(name, "0.1.2") {
        fixture.write(format!("{directory}/{path}"), text);
    }
    let mut manifest = package_manifest(name, "0.1.2", uses);
    if uses.contains("pkg-") {
        let _ = write!(manifest, "\n[tool.uv.sources]\n{} = {{ workspace = true }}\n", uses.trim_matches('"'));
    }
    if let Some(keys) = keys {
        let _ = write!(manifest, "\n[tool.uv]\ncache-keys = {keys}\n");
        fixture.write(format!("{directory}/data/one.txt"), "one\n");
        fixture.write(format!("{directory}/data/two.txt"), "two\n");
    }
    fixture.write(Utf8Path::new(directory).join("pyproject.toml"), manifest);
}

fn tree(name: &str, version: &str) -> remotes::Tree {
    let module = name.replace('-', "_");
    vec![
        ("pyproject.toml".to_owned(), package_manifest(name, version, "")),
        (format!("src/{module}/__init__.py"), format!("__version__ = \"{version}\"\n")),
    ]
}
