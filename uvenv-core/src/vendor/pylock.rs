//! The locks of a vendored directory, as `vendor` writes them: PEP 751 locks, with what uvenv itself records as
//! `[tool.uvenv]`.

#[cfg(feature = "full")]
mod exported;
#[cfg(feature = "full")]
mod written;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
#[cfg(feature = "full")]
use serde::Serialize;
use serde::{Deserialize, de::IgnoredAny};
use toml::{
    Deserializer,
    de::{DeTable, DeValue},
};

#[cfg(feature = "full")]
pub(crate) use self::{exported::Pylock, written::BuiltPackage};
use super::{VendoredDirectoryError, WHEELS, hash};
use crate::model::{Name, Profile};

/// The version of the format of `[tool.uvenv]`.
const SCHEMA: i64 = 3;

/// A lock that uvenv has made, with what it says.
#[derive(Clone, Debug)]
pub(crate) struct VendoredLock {
    pub(crate) path: Utf8PathBuf,
    pub(crate) facts: Facts,
    /// A name can occur several times, for different markers.
    pub(crate) packages: Vec<VendoredPackage>,
    pub(crate) requires_python: Option<String>,
}

/// A package in a vendored directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "PackageTable")]
pub(crate) struct VendoredPackage {
    pub(crate) name: Name,
    pub(crate) version: String,
    /// Where it is installed; everywhere without one.
    pub(crate) marker: Option<String>,
    /// At least one.
    pub(crate) wheels: Vec<VendoredWheel>,
}

/// A wheel in a vendored directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "WheelTable")]
pub(crate) struct VendoredWheel {
    pub(crate) file: String,
    /// In hexadecimal.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// What uvenv itself records in a lock, as `[tool.uvenv]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "full", derive(Serialize))]
pub(crate) struct Facts {
    pub(crate) purpose: Purpose,
    pub(crate) profile: Profile,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<Name>,
    /// The hashes of the profile's manifest and lockfile.
    pub(crate) manifest: String,
    pub(crate) lockfile: String,
    /// The versions of Python for which it was made: `3.11`.
    pub(crate) pythons: Vec<String>,
    /// The interpreters for which it was made: `cpython-3.11-linux-x86_64`.
    pub(crate) interpreters: Vec<String>,
    /// How they were asked for.
    pub(crate) requests: Vec<String>,
    /// The packages that were built, from commits and source distributions.
    pub(crate) built: Vec<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) pins: Vec<PinFacts>,
}

/// What a lock in a vendored directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "full", derive(Serialize))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    /// The environment of a profile.
    Environment,
    /// uv itself.
    Uv,
    /// The builds of the wheels.
    Builds,
}

/// A package that was built from a commit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "full", derive(Serialize))]
#[serde(rename_all = "kebab-case")]
pub(crate) struct PinFacts {
    pub(crate) name: Name,
    /// Without secrets.
    pub(crate) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) commit: String,
    pub(crate) tree: String,
    /// The hash of the annotated tag that `reference` names, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag_object: Option<String>,
    /// The signature in that tag. Nobody has verified it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subdirectory: Option<String>,
    /// What its build installs.
    pub(crate) requires: Vec<String>,
    /// The files that were built from it.
    pub(crate) wheels: Vec<String>,
}

impl PinFacts {
    /// Whether this version of a package was built from it.
    pub(crate) fn is_of(&self, name: &Name, version: &str) -> bool {
        self.name == *name && self.wheels.iter().any(|file| file.split('-').nth(1) == Some(version))
    }
}

impl VendoredLock {
    /// Reads the lock at `path`; `None` if somebody else has made it.
    pub(crate) fn read(path: &Utf8Path) -> Result<Option<Self>, VendoredDirectoryError> {
        let damaged = || VendoredDirectoryError::DamagedLock { lock: path.to_owned() };
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|_| damaged())?,
        };
        let table = DeTable::parse(&text).map_err(|_| damaged())?;
        if !is_ours(table.get_ref()) {
            return Ok(None);
        }
        let read = LockTable::deserialize(Deserializer::from(table)).map_err(|_| damaged())?;
        let LockTable { requires_python, packages, tool: ToolTable { uvenv } } = read;
        if uvenv.schema != SCHEMA || uvenv.checksum != checksum(&text, &uvenv.checksum) {
            return Err(damaged());
        }
        Ok(Some(Self { path: path.to_owned(), facts: uvenv.facts, packages, requires_python }))
    }

    /// Returns its wheels.
    pub(crate) fn wheels(&self) -> impl Iterator<Item = &VendoredWheel> {
        self.packages.iter().flat_map(|package| &package.wheels)
    }

    /// Whether it was vendored with the manifest whose text is `text`.
    pub(crate) fn is_from(&self, text: &str) -> bool {
        self.facts.manifest == hash(text.as_bytes())
    }

    /// Rejects another lockfile, whose text is `text`, than the one from which it was vendored.
    pub(crate) fn check_lockfile(&self, text: &str, shown: &Utf8Path) -> Result<(), VendoredDirectoryError> {
        if self.facts.lockfile == hash(text.as_bytes()) {
            return Ok(());
        }
        Err(VendoredDirectoryError::OtherLockfile { lock: self.path.clone(), lockfile: shown.to_owned() })
    }
}

/// Whether uvenv has made the lock at `path`, in whatever format.
#[cfg(feature = "full")]
pub(crate) fn is_own_lock(path: &Utf8Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    DeTable::parse(&text).is_ok_and(|table| is_ours(table.get_ref()))
}

fn is_ours(lock: &DeTable<'_>) -> bool {
    let tool = lock.get("tool").and_then(|tool| tool.get_ref().as_table());
    tool.is_some_and(|tool| tool.get("uvenv").map(toml::Spanned::get_ref).is_some_and(DeValue::is_table))
}

/// Returns the SHA-256 hash, in hexadecimal, of the text of a lock in which `present` is the checksum: that of the text with
/// an empty one. Anything else could be installed than what was vendored after a change of a version or a marker.
fn checksum(text: &str, present: &str) -> String {
    hash(text.replacen(&checksum_line(present), &checksum_line(""), 1).as_bytes())
}

/// Puts the checksum into a lock with an empty one.
#[cfg(any(test, feature = "full"))]
pub(super) fn sealed(text: &str) -> String {
    text.replacen(&checksum_line(""), &checksum_line(&checksum(text, "")), 1)
}

fn checksum_line(checksum: &str) -> String {
    format!("checksum = \"{checksum}\"\n")
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct LockTable {
    requires_python: Option<String>,
    packages: Vec<VendoredPackage>,
    tool: ToolTable,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "full", derive(Serialize))]
struct ToolTable {
    uvenv: OwnTable,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "full", derive(Serialize))]
struct OwnTable {
    schema: i64,
    checksum: String,
    #[serde(flatten)]
    facts: Facts,
}

#[derive(Deserialize)]
struct PackageTable {
    name: Name,
    version: Option<String>,
    marker: Option<String>,
    #[serde(default)]
    wheels: Vec<VendoredWheel>,
    archive: Option<IgnoredAny>,
    directory: Option<IgnoredAny>,
    sdist: Option<IgnoredAny>,
    vcs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct WheelTable {
    name: String,
    path: String,
    size: u64,
    hashes: Hashes,
    url: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Hashes {
    sha256: String,
}

/// The package has another form than `vendor` gives it, so that something else could be installed than what is compared.
#[derive(Debug, thiserror::Error)]
#[error("the package was not vendored")]
struct NotVendored;

impl TryFrom<PackageTable> for VendoredPackage {
    type Error = NotVendored;

    fn try_from(table: PackageTable) -> Result<Self, NotVendored> {
        let PackageTable { name, version, marker, wheels, archive, directory, sdist, vcs } = table;
        let is_elsewhere = [archive, directory, sdist, vcs].iter().any(Option::is_some);
        let in_name = || wheels.first()?.file.split('-').nth(1).map(str::to_owned);
        match version.or_else(in_name) {
            Some(version) if !is_elsewhere && !wheels.is_empty() => Ok(Self { name, version, marker, wheels }),
            _ => Err(NotVendored),
        }
    }
}

impl TryFrom<WheelTable> for VendoredWheel {
    type Error = NotVendored;

    fn try_from(table: WheelTable) -> Result<Self, NotVendored> {
        let WheelTable { name: file, path, size, hashes: Hashes { sha256 }, url } = table;
        let is_here = path == format!("{WHEELS}/{file}") && url.is_none() && !file.contains(['/', '\\']);
        if is_here { Ok(Self { file, sha256, size }) } else { Err(NotVendored) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::TestTree;

    const LOCK: &str = r#"lock-version = "1.0"
requires-python = ">=3.11"

[[packages]]
name = "a"
version = "1.0"
marker = "sys_platform == 'linux'"
wheels = [{ name = "a-1.0-py3-none-any.whl", path = "wheels/a-1.0-py3-none-any.whl", size = 3, hashes = { sha256 = "a0" } }]

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
built = []
"#;

    fn read(text: &str) -> Result<Option<VendoredLock>, VendoredDirectoryError> {
        let tree = TestTree::new();
        tree.write("pylock.toml", text);
        VendoredLock::read(&tree.join("pylock.toml"))
    }

    #[test]
    fn reads_what_was_vendored() {
        let lock = read(&sealed(LOCK)).unwrap().unwrap();
        let [package] = lock.packages.as_slice() else { panic!("one package") };
        assert_eq!((package.name.as_str(), package.wheels[0].size), ("a", 3));
        assert_eq!((lock.facts.profile, lock.facts.purpose), (Profile::Prod, Purpose::Environment));
        assert!(read(&LOCK.replace("uvenv", "others")).unwrap().is_none());
        assert!(read(LOCK).is_err(), "without a checksum");
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let text = sealed(LOCK);
        for index in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert!(!matches!(read(&changed), Ok(Some(_))), "{changed}");
        }
    }

    #[test]
    fn rejects_what_is_not_in_the_directory() {
        for (old, new) in [
            ("path = \"wheels/", "path = \"../"),
            ("size = 3", "size = 3, url = \"https://h/a.whl\""),
            ("version = \"1.0\"\nmarker", "version = \"1.0\"\nsdist = {}\nmarker"),
            ("schema = 3", "schema = 2"),
        ] {
            assert!(LOCK.contains(old), "{old}");
            assert!(read(&sealed(&LOCK.replacen(old, new, 1))).is_err(), "{new}");
        }
    }
}
