//! The format of the lockfile as uv writes it: version 1, revisions 0 to 5.

use std::collections::BTreeMap;

use super::{GitPin, LockedRequirement, Lockfile, LockfileError, Metadata, Package, PackageSource};
use crate::{
    model::Name,
    toml::{File, Node, TomlError},
};

/// The version of the format. Older programs can read a new revision of it, but not a new version.
pub(super) const VERSION: u32 = 1;

pub(super) fn read(file: &File) -> crate::Result<Lockfile> {
    let document = file.parse().map_err(LockfileError::Syntax)?;
    let root = document.root();
    check_version(file, &root)?;
    read_lockfile(file, &root).map_err(|error| match error.downcast_ref() {
        // The user did not write this file, so errors in it are damage and not the user's mistakes.
        Some(TomlError::Type { place, .. } | TomlError::Name { place, .. }) => {
            LockfileError::Damaged { message: error.to_string(), place: place.clone() }.into()
        }
        _ => error,
    })
}

/// Checks the version first, so that a newer version is reported as such, and not as a syntax error in its new parts.
fn check_version(file: &File, root: &Node<'_>) -> crate::Result<()> {
    let node = root.get("version")?;
    let place = || node.as_ref().map_or_else(|| file.place(0..0), Node::place);
    match node.as_ref().and_then(Node::as_integer).map(u32::try_from) {
        Some(Ok(VERSION)) => Ok(()),
        Some(Ok(version)) if version > VERSION => Err(LockfileError::Newer { version, place: place() }.into()),
        _ => Err(LockfileError::Damaged { message: "it has no valid `version`".to_owned(), place: place() }.into()),
    }
}

fn read_lockfile(file: &File, root: &Node<'_>) -> crate::Result<Lockfile> {
    let revision = root.get("revision")?.and_then(|node| node.as_integer()).and_then(|number| number.try_into().ok());
    let requires_python = root.get("requires-python")?.map(|node| node.string()).transpose()?;
    let members = match root.get("manifest")? {
        Some(manifest) => manifest.get("members")?.map(|node| node.names()).transpose()?.unwrap_or_default(),
        None => Vec::new(),
    };
    // uv 0.4 and older used the name `distribution` for packages.
    let packages = match root.get("package")?.or(root.get("distribution")?) {
        Some(packages) => packages.elements()?.iter().map(read_package).collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(Lockfile {
        file: file.clone(),
        revision: revision.unwrap_or(0),
        requires_python: requires_python.map(|text| text.value),
        members,
        packages,
    })
}

fn read_package(package: &Node<'_>) -> crate::Result<Package> {
    let damaged = |message: &str| LockfileError::Damaged { message: message.to_owned(), place: package.place() };
    let name = package.get("name")?.ok_or_else(|| damaged("a package has no name"))?.name()?;
    let source = package.get("source")?.ok_or_else(|| damaged("a package has no source"))?;
    let span = source.span();
    let source = read_source(&source)?.ok_or_else(|| damaged("a package has a source that cannot be read"))?;
    Ok(Package {
        name,
        version: package.get_string("version")?.map(|version| version.value),
        source,
        span,
        metadata: package.get("metadata")?.map(|metadata| read_metadata(&metadata)).transpose()?,
    })
}

fn read_source(source: &Node<'_>) -> crate::Result<Option<PackageSource>> {
    for (kind, value) in source.entries()? {
        let make: fn(String) -> Option<PackageSource> = match kind {
            "registry" => |url| Some(PackageSource::Registry(url)),
            "git" => |url| GitPin::parse(&url).map(PackageSource::Git),
            "url" => |url| Some(PackageSource::Url(url)),
            "path" => |path| Some(PackageSource::Path(path)),
            "directory" => |path| Some(PackageSource::Directory(path)),
            "editable" => |path| Some(PackageSource::Editable(path)),
            "virtual" => |path| Some(PackageSource::Virtual(path)),
            // Further details about one of these kinds of source, such as an archive's `subdirectory`.
            _ => continue,
        };
        return Ok(make(value.string()?.value));
    }
    Ok(None)
}

fn read_metadata(metadata: &Node<'_>) -> crate::Result<Metadata> {
    let mut requires_dev = BTreeMap::new();
    if let Some(groups) = metadata.get("requires-dev")? {
        for (group, list) in groups.entries()? {
            if let Some(group) = Name::parse(group) {
                requires_dev.insert(group, read_requirements(&list)?);
            }
        }
    }
    Ok(Metadata {
        requires_dist: metadata.get("requires-dist")?.map_or(Ok(Vec::new()), |list| read_requirements(&list))?,
        provides_extras: metadata.get("provides-extras")?.map(|list| list.names()).transpose()?,
        requires_dev,
    })
}

fn read_requirements(list: &Node<'_>) -> crate::Result<Vec<LockedRequirement>> {
    const ELSEWHERE: [&str; 6] = ["git", "url", "path", "directory", "editable", "virtual"];
    let read = |requirement: &Node<'_>| -> crate::Result<LockedRequirement> {
        let name = requirement.get("name")?.ok_or_else(|| requirement.type_error("a table with a `name`"))?;
        let mut from_registry = true;
        for key in ELSEWHERE {
            from_registry &= !requirement.contains(key)?;
        }
        Ok(LockedRequirement {
            name: name.name()?,
            specifier: requirement.get_string("specifier")?.map(|specifier| specifier.value),
            from_registry,
            git: requirement.get_string("git")?.and_then(|url| GitPin::parse(&url.value)),
        })
    };
    list.elements()?.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> crate::Result<Lockfile> {
        read(&File { path: "uv.lock".into(), text: text.into() })
    }

    #[test]
    fn reads_packages_from_every_kind_of_source() {
        let lock = parse(include_str!("wire/every-source.lock")).unwrap();
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
    fn rejects_a_newer_lockfile_version() {
        let error = parse("version = 2\nrevision = 1\npackages = 3\n").unwrap_err();
        assert_eq!(error.code(), "newer-lockfile");
        assert_eq!(error.place().map(|place| (place.line(), place.column())), Some((1, 11)));
    }

    #[test]
    fn reports_damage_with_its_place() {
        for text in [
            "",
            "version = \"1\"\n",
            "version = 1\n[[package]]\nname = 3\n",
            "version = 1\n[[package]]\nname = \"a\"\nsource = {}\n",
        ] {
            assert_eq!(parse(text).unwrap_err().code(), "damaged-lockfile", "{text:?}");
        }
        assert_eq!(parse("version = 1\n<<<<<<< HEAD\n").unwrap_err().code(), "damaged-lockfile");
        let error = parse("version = 1\n[[package]]\nname = 3\n").unwrap_err();
        assert_eq!(error.place().unwrap().line(), 3);
    }
}
