//! A project whose lockfile is a vendored lock, so that one `uv sync` makes the environment and installs the wheels.
//!
//! `uv pip sync` installs the lock itself, but into an environment that another uv has to make before, and it asks the new
//! interpreter what `uv sync` knows already.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{PinFacts, VendoredPackage, VendoredSelection, VendoredWheel, WHEELS};
use crate::fs::{NoTemporaryDirectory, PrivateDirectory};

/// The version of uv's lockfiles that all versions of uv read which uvenv supports.
const LOCKFILE_VERSION: i64 = 1;

/// The version of the project, which is not installed.
const NOT_RELEASED: &str = "0";

impl VendoredSelection {
    /// Returns a directory with the project, which has the name of the profile's. The pins that are `kept` are locked to
    /// their commits, so that uv finds what is installed, and asks no repository.
    pub(crate) fn project(&self, name: &str, kept: &[&PinFacts]) -> Result<PrivateDirectory, NoTemporaryDirectory> {
        let directory = PrivateDirectory::new()?;
        directory.write("pyproject.toml", self.manifest(name).to_string())?;
        directory.write("uv.lock", self.lockfile(name, kept).to_string())?;
        Ok(directory)
    }

    fn manifest(&self, name: &str) -> DocumentMut {
        let mut project = Table::new();
        project.insert("name", value(name));
        project.insert("version", value(NOT_RELEASED));
        project.insert("requires-python", value(self.requires_python()));
        // uv looks for no workspace around it.
        let mut workspace = Table::new();
        workspace.insert("members", value(Array::new()));
        let mut uv = implicit_table();
        uv.insert("workspace", Item::Table(workspace));
        let mut tool = implicit_table();
        tool.insert("uv", Item::Table(uv));
        DocumentMut::from(Table::from_iter([("project", Item::Table(project)), ("tool", Item::Table(tool))]))
    }

    fn lockfile(&self, name: &str, kept: &[&PinFacts]) -> DocumentMut {
        let wheels = self.directory.join(WHEELS);
        // uv would look for a relative path in the project.
        let wheels = camino::absolute_utf8(&wheels).unwrap_or(wheels);
        let pin_of = |package: &VendoredPackage| kept.iter().find(|pin| pin.is_of(&package.name, &package.version));
        let source = |package: &VendoredPackage| {
            InlineTable::from_iter([match pin_of(package) {
                Some(pin) => ("git", git_source(pin)),
                None => ("registry", wheels.as_str().to_owned()),
            }])
        };
        let dependency = |package: &VendoredPackage| {
            let mut table = InlineTable::new();
            table.insert("name", package.name.as_str().into());
            table.insert("version", package.version.as_str().into());
            table.insert("source", Value::InlineTable(source(package)));
            if let Some(marker) = &package.marker {
                table.insert("marker", marker.as_str().into());
            }
            table
        };
        let mut root = Table::new();
        root.insert("name", value(name));
        root.insert("version", value(NOT_RELEASED));
        root.insert("source", value(InlineTable::from_iter([("virtual", ".")])));
        root.insert("dependencies", value(self.lock.packages.iter().map(dependency).collect::<Array>()));
        let mut packages = ArrayOfTables::new();
        packages.push(root);
        for (package, wheels) in self.versions() {
            let mut locked = Table::new();
            locked.insert("name", value(package.name.as_str()));
            locked.insert("version", value(&package.version));
            locked.insert("source", value(source(package)));
            if pin_of(package).is_none() {
                locked.insert("wheels", value(wheels.into_iter().map(locked_wheel).collect::<Array>()));
            }
            packages.push(locked);
        }
        let mut document = DocumentMut::new();
        document.insert("version", value(LOCKFILE_VERSION));
        document.insert("requires-python", value(self.requires_python()));
        document.insert("package", Item::ArrayOfTables(packages));
        document
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

/// Returns a pin as uv's lockfiles have it.
fn git_source(pin: &PinFacts) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query = [("rev", &pin.reference), ("subdirectory", &pin.subdirectory)];
    let query: Vec<_> =
        query.iter().filter_map(|(key, text)| Some(format!("{key}={}", encoded(text.as_ref()?)))).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}#{}", pin.url, query.join("&"), pin.commit)
}

fn locked_wheel(wheel: &VendoredWheel) -> InlineTable {
    InlineTable::from_iter([("path", wheel.file.clone()), ("hash", format!("sha256:{}", wheel.sha256))])
}

fn implicit_table() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fs::TestTree, model::Profile};

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
schema = 2
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
        tree.write("pylock.toml", LOCK);
        let selection = VendoredSelection::read(&tree.join(""), Profile::Prod, None).unwrap();
        let [pin] = selection.lock.facts.pins.as_slice() else { panic!("one pin") };
        let locked = |kept: &[&PinFacts]| {
            let project = selection.project("prod", kept).unwrap();
            std::fs::read_to_string(project.path().join("uv.lock")).unwrap()
        };
        let wheels = format!("source = {{ registry = \"{}\" }}", tree.join(WHEELS));
        let (built, kept) = (locked(&[]), locked(&[pin]));
        assert!(
            built.contains(&format!(
                "{wheels}\nwheels = [{{ path = \"a-1.0-py3-none-any.whl\", hash = \"sha256:a0\" }}]"
            )),
            "{built}"
        );
        // uv finds the commit of a pin that is installed, and asks no repository.
        assert!(
            kept.contains("version = \"1.0\"\nsource = { git = \"https://h/a.git?rev=a%2Fv1&subdirectory=py#c0\" }\n"),
            "{kept}"
        );
        // One package with all wheels, which is required for each of its markers.
        for lock in [built, kept] {
            assert_eq!(lock.matches("name = \"b\"\n").count(), 1, "{lock}");
            assert_eq!(
                lock.matches("sys_platform == 'linux'").count() + lock.matches("sys_platform == 'win32'").count(),
                2
            );
            assert!(lock.contains("b-1.0-l.whl") && lock.contains("b-1.0-w.whl"), "{lock}");
        }
    }
}
