//! A monorepo whose manifests change.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use fastrand::Rng;

use super::{changes, compare::Verdict, manifest::Manifest};
use crate::{Fixture, Index, Outcome, Uv, programs::scratch, remotes};

/// The backend of projects with a dynamic version. It needs no other package, so that builds are quick.
const BACKEND: &str = r#"
import pathlib
def get_requires_for_build_wheel(config_settings=None): return []
get_requires_for_build_editable = get_requires_for_build_wheel
def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = pathlib.Path(directory, "dynamic-0.1.0.dist-info")
    info.mkdir()
    import tomllib
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", "Version: " + pathlib.Path("VERSION").read_text()]
    lines += ["Requires-Python: " + project["requires-python"]]
    lines += ["Requires-Dist: " + requirement for requirement in project["dependencies"]]
    for extra, requirements in project.get("optional-dependencies", {}).items():
        lines += ["Provides-Extra: " + extra]
        for requirement in requirements:
            text, _, marker = requirement.partition(";")
            marker = f"({marker.strip()}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
            lines += [f"Requires-Dist: {text.strip()} ; {marker}"]
    info.joinpath("METADATA").write_text("\n".join(lines) + "\n")
    info.joinpath("WHEEL").write_text("Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    return info.name
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"#;

/// A monorepo, and what it was before the last change.
pub(super) struct World {
    fixture: Fixture,
    pub(super) rng: Rng,
    /// The profile that is changed and judged.
    pub(super) profile: &'static str,
    /// The manifests, by directory.
    pub(super) manifests: BTreeMap<String, Manifest>,
    /// Directories in `packages` without a manifest.
    pub(super) leftovers: Vec<String>,
    before: (BTreeMap<String, Manifest>, Vec<String>),
}

impl World {
    pub(super) fn new(mut rng: Rng) -> Self {
        let fixture = Fixture::new(Some(if rng.u8(..3) == 0 { Uv::Oldest } else { Uv::Newest }));
        let profile = if rng.u8(..3) == 0 { "prod" } else { "dev" };
        let indexes = ["small", "other"].map(|name| (name.to_owned(), Index::url(name)));
        let mut dev = Manifest::new("app");
        dev.dependencies = vec!["alpha-lib".to_owned(), "one".to_owned()];
        dev.sources.insert("one".to_owned(), "{ workspace = true }".to_owned());
        dev.members = vec!["packages/*".to_owned()];
        dev.settings.insert("package".to_owned(), "false".to_owned());
        dev.indexes = indexes.to_vec();
        let mut two = Manifest::new("two");
        two.dependencies = vec!["one".to_owned(), "beta-lib>=1.0".to_owned()];
        two.sources.insert("one".to_owned(), "{ workspace = true }".to_owned());
        let mut manifests = BTreeMap::from([
            (String::new(), dev),
            ("packages/one".to_owned(), Manifest::new("one")),
            ("packages/two".to_owned(), two),
        ]);
        for (name, directory) in [("one", ""), ("pinned", "py pkgs/pinned")] {
            let tree = |version| {
                let under = if directory.is_empty() { String::new() } else { format!("{directory}/") };
                let manifest = format!("[project]\nname = \"{name}\"\nversion = \"{version}\"\n");
                let inner = manifest.replace("version = \"", "version = \"1");
                vec![(format!("{under}pyproject.toml"), manifest), ("inner/pyproject.toml".to_owned(), inner)]
            };
            let versions = ["0.1.0", "0.1.1", "0.2.0"].map(|version| (version, tree(version)));
            remotes::make(&fixture.remote(name), &versions);
        }
        if profile == "prod" {
            let mut prod = Manifest::new("app");
            prod.dependencies = vec!["one".to_owned(), "alpha-lib".to_owned()];
            prod.settings.insert("package".to_owned(), "false".to_owned());
            prod.indexes = indexes.to_vec();
            let source = format!("{{ git = \"file://{}\", tag = \"v0.1.0\" }}", fixture.remote("one"));
            prod.sources.insert("one".to_owned(), source);
            manifests.insert("prod".to_owned(), prod);
        }
        let before = (manifests.clone(), Vec::new());
        let mut world = Self { fixture, rng, profile, manifests, leftovers: Vec::new(), before };
        world.write();
        assert_eq!(world.uv(&["lock"]).status(), Some(0), "{}", world.uv(&["lock"]));
        world
    }

    /// The directory of the profile's manifest.
    pub(super) fn directory(&self) -> &'static str {
        if self.profile == "prod" { "prod" } else { "" }
    }

    pub(super) fn remote(&self, package: &str) -> String {
        format!("file://{}", self.fixture.remote(package))
    }

    /// Makes a random change, and returns it in words.
    pub(super) fn change(&mut self) -> String {
        self.before = (self.manifests.clone(), self.leftovers.clone());
        let mut changes = vec![changes::change(self)];
        while self.rng.u8(..4) == 0 {
            changes.push(changes::change(self));
        }
        self.write();
        changes.join("; ")
    }

    /// Locks the change, or takes it back.
    pub(super) fn settle(&mut self, verdict: Verdict) {
        let is_locked = verdict == Verdict::Fresh || self.uv(&["lock"]).status() == Some(0);
        if !is_locked || self.rng.u8(..4) == 0 {
            (self.manifests, self.leftovers) = self.before.clone();
            self.write();
        }
        if self.rng.u8(..3) == 0 {
            self.uv(&["lock"]);
        }
    }

    fn write(&mut self) {
        let root = self.fixture.root();
        fs::remove_dir_all(root.join("packages")).ok();
        for (directory, manifest) in &self.manifests {
            let text = manifest.text(&mut self.rng);
            self.fixture.write(format!("{directory}/pyproject.toml").trim_start_matches('/'), text);
            self.fixture.write(format!("{directory}/backend.py").trim_start_matches('/'), BACKEND);
            self.fixture.write(format!("{directory}/VERSION").trim_start_matches('/'), "0.1.0");
        }
        for leftover in &self.leftovers {
            self.fixture.write(format!("packages/{leftover}/__pycache__/x.pyc"), "");
        }
    }

    pub(super) fn uv(&self, arguments: &[&str]) -> Outcome {
        let project = self.fixture.root().join(self.directory());
        let invocation = self.fixture.uv([arguments, &["--project", project.as_str()]].concat());
        invocation.env("UV_CACHE_DIR", scratch().join("verdicts-uv-cache")).run()
    }

    pub(super) fn uvenv(&self, arguments: &[&str]) -> Outcome {
        let invocation = self.fixture.uvenv(arguments).env("UV_CACHE_DIR", scratch().join("verdicts-uv-cache"));
        invocation.arg_json().run()
    }

    /// The manifests, for people.
    pub(super) fn files(&self) -> String {
        let mut shown = format!("with uv {:?}\n", self.fixture.which_uv());
        for directory in self.manifests.keys() {
            let path = format!("{directory}/pyproject.toml");
            let _ = writeln!(shown, "--- {path}\n{}", self.fixture.read(path.trim_start_matches('/')));
        }
        let lockfile = format!("{}/uv.lock", self.directory());
        let _ = writeln!(shown, "--- {lockfile}\n{}", self.fixture.read(lockfile.trim_start_matches('/')));
        shown
    }
}
