//! PEP 751 locks: what uv exports, and what a vendored directory has.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::{VendorError, WHEELS};
use crate::model::{Name, Profile};

/// The version of the format of `[tool.uvenv]`.
const SCHEMA: i64 = 2;

/// A lock.
#[derive(Clone, Debug)]
pub(crate) struct Pylock {
    path: Utf8PathBuf,
    document: DocumentMut,
}

/// A wheel in a vendored directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VendoredWheel {
    pub(crate) file: String,
    /// In hexadecimal.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// What a lock in a vendored directory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The environment of a profile.
    Environment,
    /// uv itself.
    Uv,
    /// The builds of the wheels.
    Builds,
}

impl Purpose {
    const ALL: [Self; 3] = [Self::Environment, Self::Uv, Self::Builds];

    fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Uv => "uv",
            Self::Builds => "builds",
        }
    }
}

/// What uvenv itself records in a lock, as `[tool.uvenv]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) purpose: Purpose,
    pub(crate) profile: Profile,
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
    pub(crate) pins: Vec<PinFacts>,
}

/// A package that was built from a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PinFacts {
    pub(crate) name: Name,
    /// Without secrets.
    pub(crate) url: String,
    pub(crate) reference: Option<String>,
    pub(crate) commit: String,
    pub(crate) tree: String,
    /// The hash of the annotated tag that `reference` names, if it names one.
    pub(crate) tag_object: Option<String>,
    /// The signature in that tag. Nobody has verified it.
    pub(crate) signature: Option<String>,
    pub(crate) subdirectory: Option<String>,
    /// The files that were built from it.
    pub(crate) wheels: Vec<String>,
}

impl PinFacts {
    /// Whether this version of a package was built from it.
    pub(crate) fn is_of(&self, name: &Name, version: &str) -> bool {
        self.name == *name && self.wheels.iter().any(|file| file.split('-').nth(1) == Some(version))
    }
}

/// The wheels of a package that was built, one for each interpreter that needs its own, and what it was built from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BuiltPackage {
    pub(crate) wheels: Vec<VendoredWheel>,
    pub(crate) pin: Option<PinFacts>,
}

impl Pylock {
    /// Reads the text of a lock at `path`.
    pub(crate) fn parse(path: &Utf8Path, text: &str) -> Result<Self, VendorError> {
        let document = text.parse().map_err(|error: toml_edit::TomlError| VendorError::Io {
            path: path.to_owned(),
            source: std::io::Error::other(error.to_string().trim_end().to_owned()),
        })?;
        Ok(Self { path: path.to_owned(), document })
    }

    /// Reads the lock at `path`; `None` if there is no such file.
    pub(crate) fn read(path: &Utf8Path) -> Result<Option<Self>, VendorError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(VendorError::io(path)(error)),
        }
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    fn packages(&self) -> impl Iterator<Item = &Table> {
        self.document.get("packages").and_then(Item::as_array_of_tables).into_iter().flatten()
    }

    /// Returns the version of a package.
    pub(crate) fn version(&self, index: usize) -> Option<&str> {
        self.packages().nth(index)?.get("version")?.as_str()
    }

    /// Returns the packages, each with its wheels; `None` if they are not as [`Self::vendored`] writes them, so that something
    /// else could be installed than what is compared.
    pub(crate) fn wheels(&self) -> Option<Vec<(Name, Vec<VendoredWheel>)>> {
        const ELSEWHERE: [&str; 4] = ["archive", "directory", "sdist", "vcs"];
        let wheel = |wheel: &Value| {
            let wheel = wheel.as_inline_table()?;
            let file = wheel.get("name")?.as_str()?;
            let is_here = wheel.get("path")?.as_str()? == format!("{WHEELS}/{file}") && !wheel.contains_key("url");
            (is_here && !file.contains(['/', '\\'])).then_some(())?;
            Some(VendoredWheel {
                file: file.to_owned(),
                sha256: wheel.get("hashes")?.as_inline_table()?.get("sha256")?.as_str()?.to_owned(),
                size: u64::try_from(wheel.get("size")?.as_integer()?).ok()?,
            })
        };
        let package = |package: &Table| {
            ELSEWHERE.iter().all(|key| !package.contains_key(key)).then_some(())?;
            let name = Name::parse(package.get("name")?.as_str()?)?;
            let wheels: Vec<_> = package.get("wheels")?.as_array()?.iter().map(wheel).collect::<Option<_>>()?;
            (!wheels.is_empty()).then_some((name, wheels))
        };
        self.packages().map(package).collect()
    }

    /// Returns the lock of a vendored directory: the packages that have `wheels`, which are given by the number of the
    /// package, from 0.
    pub(crate) fn vendored(&self, wheels: &BTreeMap<usize, Vec<VendoredWheel>>, facts: &Facts) -> String {
        let mut document = DocumentMut::new();
        document.insert("lock-version", value("1.0"));
        for key in ["environments", "requires-python"] {
            if let Some(item) = self.document.get(key) {
                document.insert(key, item.clone());
            }
        }
        document.insert("created-by", value("cargo-uvenv"));
        let mut packages = ArrayOfTables::new();
        for (index, package) in self.packages().enumerate() {
            let Some(wheels) = wheels.get(&index) else { continue };
            let mut vendored = Table::new();
            for key in ["name", "version", "marker", "requires-python", "dependencies"] {
                if let Some(item) = package.get(key) {
                    vendored.insert(key, item.clone());
                }
            }
            vendored.insert("wheels", Item::Value(array(wheels)));
            packages.push(vendored);
        }
        // A lock has this key even without packages.
        let packages = if packages.is_empty() { value(Array::new()) } else { Item::ArrayOfTables(packages) };
        document.insert("packages", packages);
        let mut tool = Table::new();
        tool.set_implicit(true);
        tool.insert("uvenv", Item::Table(facts.table()));
        document.insert("tool", Item::Table(tool));
        document.to_string()
    }

    /// Whether uvenv has made it, in whatever format.
    pub(crate) fn is_ours(&self) -> bool {
        self.document.get("tool").is_some_and(|tool| tool.get("uvenv").is_some())
    }

    /// Returns what uvenv has recorded; `None` if it has not made this lock, or in another format.
    pub(crate) fn facts(&self) -> Option<Facts> {
        let table = self.document.get("tool")?.get("uvenv")?.as_table()?;
        let text = |table: &Table, key: &str| Some(table.get(key)?.as_str()?.to_owned());
        let list = |key: &str| strings(table, key);
        (table.get("schema")?.as_integer()? == SCHEMA).then_some(())?;
        let pins = table.get("pins").and_then(Item::as_array_of_tables).into_iter().flatten();
        let pin = |pin: &Table| {
            Some(PinFacts {
                name: Name::parse(pin.get("name")?.as_str()?)?,
                url: text(pin, "url")?,
                reference: text(pin, "reference"),
                commit: text(pin, "commit")?,
                tree: text(pin, "tree")?,
                tag_object: text(pin, "tag-object"),
                signature: text(pin, "signature"),
                subdirectory: text(pin, "subdirectory"),
                wheels: strings(pin, "wheels")?,
            })
        };
        let purpose = table.get("purpose")?.as_str()?;
        Some(Facts {
            purpose: Purpose::ALL.into_iter().find(|one| one.as_str() == purpose)?,
            profile: table.get("profile")?.as_str()?.parse().ok()?,
            backend: text(table, "backend").as_deref().and_then(Name::parse),
            manifest: text(table, "manifest")?,
            lockfile: text(table, "lockfile")?,
            pythons: list("pythons")?,
            interpreters: list("interpreters")?,
            requests: list("requests")?,
            built: list("built")?.iter().filter_map(|name| Name::parse(name)).collect(),
            pins: pins.map(pin).collect::<Option<_>>()?,
        })
    }
}

impl Facts {
    fn table(&self) -> Table {
        let mut table = Table::new();
        table.insert("schema", value(SCHEMA));
        table.insert("purpose", value(self.purpose.as_str()));
        table.insert("profile", value(self.profile.as_str()));
        if let Some(backend) = &self.backend {
            table.insert("backend", value(backend.as_str()));
        }
        table.insert("manifest", value(&self.manifest));
        table.insert("lockfile", value(&self.lockfile));
        table.insert("pythons", value(self.pythons.iter().collect::<Array>()));
        table.insert("interpreters", value(self.interpreters.iter().collect::<Array>()));
        table.insert("requests", value(self.requests.iter().collect::<Array>()));
        table.insert("built", value(self.built.iter().map(Name::as_str).collect::<Array>()));
        let mut pins = ArrayOfTables::new();
        for pin in &self.pins {
            let mut table = Table::new();
            table.insert("name", value(pin.name.as_str()));
            table.insert("url", value(&pin.url));
            for (key, text) in [("reference", &pin.reference), ("subdirectory", &pin.subdirectory)] {
                if let Some(text) = text {
                    table.insert(key, value(text));
                }
            }
            table.insert("commit", value(&pin.commit));
            table.insert("tree", value(&pin.tree));
            for (key, text) in [("tag-object", &pin.tag_object), ("signature", &pin.signature)] {
                if let Some(text) = text {
                    table.insert(key, value(text));
                }
            }
            table.insert("wheels", value(pin.wheels.iter().collect::<Array>()));
            pins.push(table);
        }
        if !pins.is_empty() {
            table.insert("pins", Item::ArrayOfTables(pins));
        }
        table
    }
}

fn strings(table: &Table, key: &str) -> Option<Vec<String>> {
    table.get(key)?.as_array()?.iter().map(|value| Some(value.as_str()?.to_owned())).collect()
}

/// One wheel a line, as uv writes them.
fn array(wheels: &[VendoredWheel]) -> Value {
    let mut array = Array::new();
    for wheel in wheels {
        let mut hashes = InlineTable::new();
        hashes.insert("sha256", wheel.sha256.as_str().into());
        let mut table = InlineTable::new();
        table.insert("name", wheel.file.as_str().into());
        table.insert("path", format!("{WHEELS}/{}", wheel.file).into());
        table.insert("size", i64::try_from(wheel.size).unwrap_or_default().into());
        table.insert("hashes", Value::InlineTable(hashes));
        let mut table = Value::InlineTable(table);
        table.decor_mut().set_prefix("\n    ");
        array.push_formatted(table);
    }
    array.set_trailing_comma(true);
    array.set_trailing("\n");
    Value::Array(array)
}
