//! The lockfile as uv writes it (version 1, revisions 0 to 5), and its conversion to the public types.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml_edit::Document;

use super::{GitPin, LockedRequirement, Lockfile, LockfileError, Metadata, Package, PackageSource};
use crate::{Name, toml::File};

/// The version of the format. A new revision of it stays readable for older programs, a new version does not.
pub(super) const VERSION: u32 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireLockfile {
    #[serde(default)]
    revision: u32,
    requires_python: Option<String>,
    #[serde(default)]
    manifest: WireManifest,
    // uv 0.4 and older called the packages distributions.
    #[serde(default, alias = "distribution")]
    package: Vec<WirePackage>,
}

#[derive(Default, Deserialize)]
struct WireManifest {
    #[serde(default)]
    members: Vec<Name>,
}

#[derive(Deserialize)]
struct WirePackage {
    name: Name,
    version: Option<String>,
    source: WireSource,
    metadata: Option<WireMetadata>,
}

#[derive(Deserialize)]
struct WireSource {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireMetadata {
    #[serde(default)]
    requires_dist: Vec<WireRequirement>,
    provides_extras: Option<Vec<Name>>,
    #[serde(default)]
    requires_dev: BTreeMap<Name, Vec<WireRequirement>>,
}

#[derive(Deserialize)]
struct WireRequirement {
    name: Name,
    specifier: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
}

pub(super) fn read(file: &File) -> Result<Lockfile, LockfileError> {
    let document = file.parse().map_err(LockfileError::Toml)?;
    check_version(file, &document)?;
    let damaged = |message: String, span| LockfileError::Damaged { message, place: file.place(span) };
    let lock: WireLockfile = toml_edit::de::from_document(document)
        .map_err(|error| damaged(one_line(error.message()), error.span().unwrap_or(0..0)))?;
    let packages = lock.package.into_iter().map(|package| {
        let name = package.name.clone();
        Package::try_from(package).map_err(|message| damaged(format!("package `{name}` {message}"), 0..0))
    });
    Ok(Lockfile {
        path: file.path.clone(),
        revision: lock.revision,
        requires_python: lock.requires_python,
        members: lock.manifest.members,
        packages: packages.collect::<Result<_, _>>()?,
    })
}

/// The version is read first: a newer one must be called that, not a syntax error in what is new about it.
fn check_version(file: &File, document: &Document<String>) -> Result<(), LockfileError> {
    let item = document.as_table().get("version");
    let span = item.and_then(toml_edit::Item::span).unwrap_or(0..0);
    match item.and_then(toml_edit::Item::as_integer).map(u32::try_from) {
        Some(Ok(VERSION)) => Ok(()),
        Some(Ok(version)) if version > VERSION => Err(LockfileError::Newer { version, place: file.place(span) }),
        _ => Err(LockfileError::Damaged { message: "it has no valid `version`".to_owned(), place: file.place(span) }),
    }
}

fn one_line(message: &str) -> String {
    message.lines().collect::<Vec<_>>().join(", ")
}

impl TryFrom<WirePackage> for Package {
    type Error = String;

    fn try_from(wire: WirePackage) -> Result<Self, String> {
        Ok(Self {
            name: wire.name,
            version: wire.version,
            source: wire.source.try_into()?,
            metadata: wire.metadata.map(Metadata::from),
        })
    }
}

impl TryFrom<WireSource> for PackageSource {
    type Error = String;

    fn try_from(wire: WireSource) -> Result<Self, String> {
        Ok(match wire {
            WireSource { git: Some(url), .. } => {
                Self::Git(GitPin::parse(&url).ok_or("has a git source that cannot be read")?)
            }
            WireSource { registry: Some(url), .. } => Self::Registry(url),
            WireSource { editable: Some(path), .. } => Self::Editable(path),
            WireSource { r#virtual: Some(path), .. } => Self::Virtual(path),
            WireSource { directory: Some(path), .. } => Self::Directory(path),
            WireSource { path: Some(path), .. } => Self::Path(path),
            WireSource { url: Some(url), .. } => Self::Url(url),
            _ => return Err("has a source of an unknown kind".to_owned()),
        })
    }
}

impl From<WireMetadata> for Metadata {
    fn from(wire: WireMetadata) -> Self {
        let list = |list: Vec<WireRequirement>| list.into_iter().map(LockedRequirement::from).collect();
        Self {
            requires_dist: list(wire.requires_dist),
            provides_extras: wire.provides_extras,
            requires_dev: wire.requires_dev.into_iter().map(|(group, entries)| (group, list(entries))).collect(),
        }
    }
}

impl From<WireRequirement> for LockedRequirement {
    fn from(wire: WireRequirement) -> Self {
        let elsewhere = [&wire.git, &wire.url, &wire.path, &wire.directory, &wire.editable, &wire.r#virtual];
        Self { name: wire.name, specifier: wire.specifier, from_registry: elsewhere.into_iter().all(Option::is_none) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Diagnostic;

    fn parse(text: &str) -> Result<Lockfile, LockfileError> {
        read(&File { path: "uv.lock".into(), text: text.into() })
    }

    #[test]
    fn packages_of_every_source_are_read() {
        let lock = parse(
            r#"
            version = 1
            revision = 5
            requires-python = ">=3.10"
            [manifest]
            members = ["a", "B_c"]
            [[package]]
            name = "a"
            version = "0.1.0"
            source = { virtual = "." }
            [package.metadata]
            requires-dist = [{ name = "b-c", editable = "packages/b" }, { name = "six", specifier = ">=1" }]
            provides-extras = ["cu124"]
            [package.metadata.requires-dev]
            dev = [{ name = "pytest" }]
            [[package]]
            name = "b-c"
            source = { editable = "packages/b" }
            [[package]]
            name = "six"
            version = "1.17.0"
            source = { registry = "https://index.example.com/simple" }
            [[package]]
            name = "g"
            version = "0.1.2"
            source = { git = "https://h.example.com/g.git?tag=v0.1.2#0123456789012345678901234567890123456789" }
            "#,
        )
        .unwrap();
        assert_eq!(lock.revision, 5);
        assert_eq!(lock.members.iter().map(Name::as_str).collect::<Vec<_>>(), ["a", "b-c"]);
        assert_eq!(lock.packages[1].source, PackageSource::Editable("packages/b".to_owned()));
        let metadata = lock.packages[0].metadata.as_ref().unwrap();
        assert!(!metadata.requires_dist[0].from_registry);
        assert!(metadata.requires_dist[1].from_registry);
        assert_eq!(metadata.requires_dev.len(), 1);
        assert!(lock.git_pin(&Name::parse("g").unwrap()).is_some());
    }

    #[test]
    fn a_newer_version_is_named_as_such() {
        let error = parse("version = 2\nrevision = 1\npackages = 3\n").unwrap_err();
        assert_eq!(error.code(), "newer-lockfile");
        assert_eq!(error.place().map(|place| (place.line(), place.column())), Some((1, 11)));
    }

    #[test]
    fn damage_is_named_with_its_place() {
        for text in [
            "",
            "version = \"1\"\n",
            "version = 1\n[[package]]\nname = 3\n",
            "version = 1\n[[package]]\nname = \"a\"\nsource = {}\n",
        ] {
            assert_eq!(parse(text).unwrap_err().code(), "damaged-lockfile", "{text:?}");
        }
        assert_eq!(parse("version = 1\n<<<<<<< HEAD\n").unwrap_err().code(), "invalid-toml");
        let error = parse("version = 1\n[[package]]\nname = 3\n").unwrap_err();
        assert_eq!(error.place().unwrap().line(), 3);
    }
}
