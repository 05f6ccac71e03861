//! The builder of monorepos: packages, backends, profiles, crates.

use std::fmt::Write as _;

use crate::{
    Fixture, Index, Uv,
    remotes::{self, Tree},
};

/// What each remote has a tag for, in order.
const VERSIONS: [&str; 4] = ["0.1.2.dev0", "0.1.2", "0.1.3.dev0", "0.1.3"];

/// A monorepo that is yet to be laid out.
///
/// The dev manifest is called `bench` and depends on every package; the packages are workspace members in `packages/`,
/// built by `uv_build`. With remotes there are a staging manifest that pins `v0.1.2.dev0` and a prod manifest that pins
/// `v0.1.2`.
#[derive(Debug, Default)]
#[must_use]
pub struct Monorepo {
    uv: Option<Uv>,
    packages: Vec<Package>,
    backends: Vec<String>,
    remotes: bool,
    crates: Vec<(String, String)>,
    files: Vec<(String, Vec<u8>)>,
}

#[derive(Debug)]
struct Package {
    name: String,
    uses: Vec<String>,
    /// Where in its git repository it lies; empty for the top.
    subdirectory: &'static str,
}

impl Monorepo {
    /// An empty monorepo whose uvenv drives this uv.
    pub fn new(uv: Uv) -> Self {
        Self { uv: Some(uv), ..Self::default() }
    }

    /// An empty monorepo on a machine that has no uv.
    pub fn without_uv() -> Self {
        Self::default()
    }

    /// Adds an internal package.
    pub fn package(self, name: &str) -> Self {
        self.package_using(name, [])
    }

    /// Adds an internal package that depends on others.
    pub fn package_using<const N: usize>(mut self, name: &str, uses: [&str; N]) -> Self {
        self.packages.push(Package { name: name.to_owned(), uses: uses.map(str::to_owned).to_vec(), subdirectory: "" });
        self
    }

    /// Adds an internal package whose git repository has it in the folder `python`.
    pub fn package_in_subdirectory(mut self, name: &str) -> Self {
        self.packages.push(Package { name: name.to_owned(), uses: Vec::new(), subdirectory: "python" });
        self
    }

    /// Gives every manifest these backends: extras, each with torch from an explicit index, in conflict.
    pub fn backends<const N: usize>(mut self, names: [&str; N]) -> Self {
        self.backends = names.map(str::to_owned).to_vec();
        self
    }

    /// Makes a git remote for each package, and the staging and prod manifests that pin them.
    pub fn remotes(mut self) -> Self {
        self.remotes = true;
        self
    }

    /// Makes it a Cargo workspace too, with a library crate whose manifest goes on like this after `[package]`.
    pub fn rust_crate(mut self, name: &str, manifest: &str) -> Self {
        self.crates.push((name.to_owned(), manifest.to_owned()));
        self
    }

    /// Adds a file, or puts another in the place of one.
    pub fn file(mut self, path: &str, text: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), text.into()));
        self
    }

    /// Lays it out.
    pub fn build(self) -> Fixture {
        let fixture = Fixture::new(self.uv);
        for package in &self.packages {
            for (path, text) in package.tree("", "0.1.2") {
                fixture.write(format!("packages/{}/{path}", package.name), text);
            }
        }
        fixture.write("pyproject.toml", self.dev_manifest());
        if self.remotes {
            for package in &self.packages {
                let versions = VERSIONS.map(|version| (version, package.tree(package.subdirectory, version)));
                remotes::make(&fixture.remote(&package.name), &versions);
            }
            for (profile, tag) in [("staging", "v0.1.2.dev0"), ("prod", "v0.1.2")] {
                fixture.write(format!("{profile}/pyproject.toml"), self.pinned_manifest(&fixture, profile, tag));
            }
        }
        if !self.crates.is_empty() {
            fixture.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n");
        }
        for (name, manifest) in &self.crates {
            let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n");
            fixture.write(format!("crates/{name}/Cargo.toml"), package + manifest);
            fixture.write(format!("crates/{name}/src/lib.rs"), "");
        }
        for (path, text) in &self.files {
            fixture.write(path, text);
        }
        fixture
    }

    fn dev_manifest(&self) -> String {
        let sources: Vec<_> =
            self.packages.iter().map(|package| format!("{} = {{ workspace = true }}\n", package.name)).collect();
        let workspace =
            if self.packages.is_empty() { "" } else { "[tool.uv.workspace]\nmembers = [\"packages/*\"]\n\n" };
        self.manifest("bench", workspace, &sources.concat())
    }

    fn pinned_manifest(&self, fixture: &Fixture, profile: &str, tag: &str) -> String {
        let sources: Vec<_> = self
            .packages
            .iter()
            .map(|Package { name, subdirectory, .. }| {
                let remote = fixture.remote(name);
                let subdirectory = match *subdirectory {
                    "" => String::new(),
                    directory => format!(", subdirectory = \"{directory}\""),
                };
                format!("{name} = {{ git = \"file://{remote}\", tag = \"{tag}\"{subdirectory} }}\n")
            })
            .collect();
        self.manifest(&format!("bench-{profile}"), "", &sources.concat())
    }

    /// A manifest that depends on all packages: the same text in each profile, but for where they come from.
    fn manifest(&self, name: &str, workspace: &str, sources: &str) -> String {
        let names: Vec<String> = self.packages.iter().map(|package| format!("\"{}\"", package.name)).collect();
        let mut text = format!(
            "[project]\nname = \"{name}\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = [{}]\n\n",
            names.join(", "),
        );
        let mut conflicts = Vec::new();
        let mut torch = Vec::new();
        let mut indexes = String::new();
        if !self.backends.is_empty() {
            text += "[project.optional-dependencies]\n";
        }
        for backend in &self.backends {
            let _ = writeln!(text, "{backend} = [\"torch==2.6.0\"]");
            conflicts.push(format!("{{ extra = \"{backend}\" }}"));
            torch.push(format!("{{ index = \"pytorch-{backend}\", extra = \"{backend}\" }}"));
            let url = Index::url(backend);
            let _ = write!(
                indexes,
                "\n[[tool.uv.index]]\nname = \"pytorch-{backend}\"\nurl = \"{url}\"\nexplicit = true\n"
            );
        }
        text += "\n[tool.uv]\npackage = false\n";
        if !conflicts.is_empty() {
            let _ = writeln!(text, "conflicts = [[{}]]", conflicts.join(", "));
        }
        text += "\n";
        text += workspace;
        text += "[tool.uv.sources]\n";
        text += sources;
        if !torch.is_empty() {
            let _ = writeln!(text, "torch = [{}]", torch.join(", "));
        }
        text + &indexes
    }
}

impl Package {
    /// Its files at a version, under `directory`.
    fn tree(&self, directory: &str, version: &str) -> Tree {
        let Self { name, uses, .. } = self;
        let module = name.replace('-', "_");
        let uses: Vec<String> = uses.iter().map(|name| format!("\"{name}\"")).collect();
        let manifest = format!(
            "[project]\nname = \"{name}\"\nversion = \"{version}\"\nrequires-python = \">=3.9\"\n\
             dependencies = [{}]\n\n\
             [build-system]\nrequires = [\"uv_build>=0.7.16,<0.14\"]\nbuild-backend = \"uv_build\"\n",
            uses.join(", "),
        );
        let under = |path: String| {
            if directory.is_empty() { path } else { format!("{directory}/{path}") }
        };
        vec![
            (under("pyproject.toml".to_owned()), manifest),
            (under(format!("src/{module}/__init__.py")), format!("__version__ = \"{version}\"\n")),
        ]
    }
}
