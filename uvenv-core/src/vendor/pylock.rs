//! PEP 751 locks: what uv exports, and what a vendored directory has.

#[cfg(feature = "full")]
mod written;

use std::io;

use camino::Utf8Path;
use toml_edit::{DocumentMut, Item, Table, Value};

#[cfg(feature = "full")]
pub(crate) use self::written::BuiltPackage;
use super::WHEELS;
use crate::model::{Name, Profile};

/// The version of the format of `[tool.uvenv]`.
const SCHEMA: i64 = 2;

/// A lock.
#[derive(Clone, Debug)]
pub(crate) struct Pylock {
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

/// A package in a vendored directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VendoredPackage {
    pub(crate) name: Name,
    pub(crate) version: String,
    /// Where it is installed; everywhere without one.
    pub(crate) marker: Option<String>,
    /// At least one.
    pub(crate) wheels: Vec<VendoredWheel>,
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

impl Pylock {
    /// Reads the text of a lock.
    pub(crate) fn parse(text: &str) -> io::Result<Self> {
        let document = text
            .parse()
            .map_err(|error: toml_edit::TomlError| io::Error::other(error.to_string().trim_end().to_owned()))?;
        Ok(Self { document })
    }

    /// Reads the lock at `path`; `None` if there is no such file.
    pub(crate) fn read(path: &Utf8Path) -> io::Result<Option<Self>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn packages(&self) -> impl Iterator<Item = &Table> {
        self.document.get("packages").and_then(Item::as_array_of_tables).into_iter().flatten()
    }

    /// Returns the version of a package.
    #[cfg(feature = "full")]
    pub(crate) fn version(&self, index: usize) -> Option<&str> {
        self.packages().nth(index)?.get("version")?.as_str()
    }

    /// Returns the versions of Python for which it is.
    pub(crate) fn requires_python(&self) -> Option<String> {
        Some(self.document.get("requires-python")?.as_str()?.to_owned())
    }

    /// Returns the packages; `None` if they are not as [`Self::vendored`] writes them, so that something else could be
    /// installed than what is compared.
    pub(crate) fn vendored_packages(&self) -> Option<Vec<VendoredPackage>> {
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
            let text = |key: &str| package.get(key).and_then(Item::as_str);
            let wheels: Vec<_> = package.get("wheels")?.as_array()?.iter().map(wheel).collect::<Option<_>>()?;
            Some(VendoredPackage {
                name: Name::parse(text("name")?)?,
                version: text("version").or_else(|| wheels.first()?.file.split('-').nth(1))?.to_owned(),
                marker: text("marker").map(str::to_owned),
                wheels: (!wheels.is_empty()).then_some(wheels)?,
            })
        };
        self.packages().map(package).collect()
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
                requires: strings(pin, "requires")?,
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

fn strings(table: &Table, key: &str) -> Option<Vec<String>> {
    table.get(key)?.as_array()?.iter().map(|value| Some(value.as_str()?.to_owned())).collect()
}
