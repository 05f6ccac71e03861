//! A project whose lockfile is a vendored lock, so that one `uv sync` makes the environment and installs the wheels.
//!
//! `uv pip sync` installs the lock itself, but into an environment that another uv has to make before, and it asks the new
//! interpreter what `uv sync` knows already.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{PinFacts, VendoredPackage, VendoredSelection, VendoredWheel, WHEELS};
use crate::{
    fs::{NoTemporaryDirectory, PrivateDirectory},
    uv::settings,
};

/// The version of uv's lockfiles that all versions of uv read which uvenv supports.
const LOCKFILE_VERSION: i64 = 1;

/// The version of the project, which is not installed.
const NOT_RELEASED: &str = "0";

#[derive(Serialize)]
struct Manifest<'a> {
    project: Project<'a>,
    tool: Tool,
}

/// The file of uv's settings, which replaces all others: in its cache, uv looks only for the wheels of its indexes.
#[derive(Serialize)]
struct SettingsFile {
    index: [Index; 1],
}

#[derive(Serialize)]
struct Index {
    url: Utf8PathBuf,
    default: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Project<'a> {
    name: &'a str,
    version: &'a str,
    requires_python: &'a str,
}

#[derive(Default, Serialize)]
struct Tool {
    uv: Settings,
}

/// The settings of uv: that it looks for no workspace around the project.
#[derive(Default, Serialize)]
struct Settings {
    workspace: Workspace,
}

#[derive(Default, Serialize)]
struct Workspace {
    members: [String; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Lockfile<'a> {
    version: i64,
    requires_python: &'a str,
    package: Vec<Package<'a>>,
}

#[derive(Serialize)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    source: Source,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<Dependency<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wheels: Vec<Wheel<'a>>,
}

#[derive(Serialize)]
struct Dependency<'a> {
    name: &'a str,
    version: &'a str,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'a str>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Git(String),
    Registry(Utf8PathBuf),
    Virtual(&'static str),
}

#[derive(Serialize)]
struct Wheel<'a> {
    path: &'a str,
    hash: String,
}

impl VendoredSelection {
    /// Returns a directory with the project, which has the name of the profile's. The pins that are `kept` are locked to
    /// their commits, so that uv finds what is installed, and asks no repository.
    pub(crate) fn project(&self, name: &str, kept: &[&PinFacts]) -> Result<PrivateDirectory, NoTemporaryDirectory> {
        let directory = PrivateDirectory::new()?;
        directory.write("pyproject.toml", text(&self.manifest(name)))?;
        directory
            .write(settings::FILE_NAME, text(&SettingsFile { index: [Index { url: self.wheels(), default: true }] }))?;
        directory.write("uv.lock", text(&self.lockfile(name, kept)))?;
        Ok(directory)
    }

    /// Returns the directory of the wheels, as it is named in the project. uv would look for a relative path there.
    fn wheels(&self) -> Utf8PathBuf {
        let wheels = self.directory.join(WHEELS);
        camino::absolute_utf8(&wheels).unwrap_or(wheels)
    }

    fn manifest<'a>(&'a self, name: &'a str) -> Manifest<'a> {
        Manifest {
            project: Project { name, version: NOT_RELEASED, requires_python: self.requires_python() },
            tool: Tool::default(),
        }
    }

    fn lockfile<'a>(&'a self, name: &'a str, kept: &[&PinFacts]) -> Lockfile<'a> {
        let wheels = self.wheels();
        let pin_of = |package: &VendoredPackage| kept.iter().find(|pin| pin.is_of(&package.name, &package.version));
        let source = |package: &VendoredPackage| match pin_of(package) {
            Some(pin) => Source::Git(git_source(pin)),
            None => Source::Registry(wheels.clone()),
        };
        let dependency = |package: &'a VendoredPackage| Dependency {
            name: package.name.as_str(),
            version: &package.version,
            source: source(package),
            marker: package.marker.as_deref(),
        };
        let root = Package {
            name,
            version: NOT_RELEASED,
            source: Source::Virtual("."),
            dependencies: self.lock.packages.iter().map(dependency).collect(),
            wheels: Vec::new(),
        };
        let package = |(package, wheels): (&'a VendoredPackage, BTreeSet<&'a VendoredWheel>)| {
            let wheels = if pin_of(package).is_some() { BTreeSet::new() } else { wheels };
            Package {
                name: package.name.as_str(),
                version: &package.version,
                source: source(package),
                dependencies: Vec::new(),
                wheels: wheels.into_iter().map(locked_wheel).collect(),
            }
        };
        Lockfile {
            version: LOCKFILE_VERSION,
            requires_python: self.requires_python(),
            package: [root].into_iter().chain(self.versions().map(package)).collect(),
        }
    }

    /// Returns the packages with their wheels, and a version that is in the lock several times, for different markers, only
    /// once.
    fn versions(&self) -> impl Iterator<Item = (&VendoredPackage, BTreeSet<&VendoredWheel>)> {
        let mut versions: BTreeMap<_, (&VendoredPackage, BTreeSet<&VendoredWheel>)> = BTreeMap::new();
        for package in &self.lock.packages {
            let version = versions.entry((&package.name, &package.version)).or_insert((package, BTreeSet::new()));
            version.1.extend(&package.wheels);
        }
        versions.into_values()
    }

    /// Returns the versions of Python that the project allows. The interpreter was compared before.
    fn requires_python(&self) -> &str {
        self.lock.requires_python.as_deref().unwrap_or(">=3")
    }
}

/// Returns a file of the project. Serialization cannot fail, because all keys and values are TOML.
fn text(content: &impl Serialize) -> String {
    toml::to_string(content).unwrap_or_default()
}

/// Returns a pin as uv's lockfiles have it.
fn git_source(pin: &PinFacts) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query = [("rev", &pin.reference), ("subdirectory", &pin.subdirectory)];
    let query: Vec<_> =
        query.iter().filter_map(|(key, text)| Some(format!("{key}={}", encoded(text.as_ref()?)))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}#{}", pin.url, query.join("&"), pin.commit)
}

fn locked_wheel(wheel: &VendoredWheel) -> Wheel<'_> {
    Wheel { path: &wheel.file, hash: format!("sha256:{}", wheel.sha256) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fs::TestTree, model::Profile, vendor::pylock::sealed};

    const LOCK: &str = r#"
requires-python = ">=3.11"

[[packages]]
name = "a"
version = "1.0"
wheels = [{ name = "a-1.0-py3-none-any.whl", path = "wheels/a-1.0-py3-none-any.whl", size = 3, hashes = { sha256 = "a0" } }]

[[packages]]
name = "b"
version = "1.0"
marker = "sys_platform == 'linux'"
wheels = [{ name = "b-1.0-l.whl", path = "wheels/b-1.0-l.whl", size = 3, hashes = { sha256 = "b0" } }]

[[packages]]
name = "b"
version = "1.0"
marker = "sys_platform == 'win32'"
wheels = [{ name = "b-1.0-w.whl", path = "wheels/b-1.0-w.whl", size = 3, hashes = { sha256 = "b1" } }]

[tool.uvenv]
schema = 3
checksum = ""
purpose = "environment"
profile = "prod"
manifest = "m"
lockfile = "l"
pythons = ["3.11"]
interpreters = []
requests = []
built = ["a"]

[[tool.uvenv.pins]]
name = "a"
url = "https://h/a.git"
reference = "a/v1"
subdirectory = "py"
commit = "c0"
tree = "t0"
requires = []
wheels = ["a-1.0-py3-none-any.whl"]
"#;

    #[test]
    fn locks_wheels_and_kept_pins() {
        let tree = TestTree::new();
        tree.write("pylock.toml", &sealed(LOCK));
        let selection = VendoredSelection::read(&tree.join(""), Profile::Prod, None).unwrap();
        let [pin] = selection.lock.facts.pins.as_slice() else { panic!("one pin") };
        let locked = |kept: &[&PinFacts]| {
            let project = selection.project("prod", kept).unwrap();
            std::fs::read_to_string(project.path().join("uv.lock")).unwrap()
        };
        let wheels = format!("[package.source]\nregistry = \"{}\"\n", tree.join(WHEELS));
        let (built, kept) = (locked(&[]), locked(&[pin]));
        let a = "[[package]]\nname = \"a\"\nversion = \"1.0\"\n\n";
        let wheel = "[[package.wheels]]\npath = \"a-1.0-py3-none-any.whl\"\nhash = \"sha256:a0\"\n";
        assert!(built.contains(&format!("{a}{wheels}\n{wheel}")), "{built}");
        // uv finds the commit of a pin that is installed, and asks no repository.
        let git = "[package.source]\ngit = \"https://h/a.git?rev=a%2Fv1&subdirectory=py#c0\"\n\n[[package]]\n";
        assert!(kept.contains(&format!("{a}{git}")), "{kept}");
        // One package with all wheels, which is required for each of its markers.
        for lock in [built, kept] {
            assert_eq!(lock.matches("[[package]]\nname = \"b\"\n").count(), 1, "{lock}");
            assert_eq!(lock.matches("[[package.dependencies]]\nname = \"b\"\n").count(), 2, "{lock}");
            assert_eq!(lock.matches("marker = \"sys_platform == '").count(), 2, "{lock}");
            assert!(lock.contains("b-1.0-l.whl") && lock.contains("b-1.0-w.whl"), "{lock}");
        }
    }
}
