//! Checks whether a lockfile still satisfies its manifests, package by package and without network access.
//!
//! This finds only what the two files show: the reasons. uv decides, because only uv sees the constraints, the overrides
//! and the metadata of dynamic projects, and because it accepts some lockfiles in which the files seem to differ.

#[cfg_attr(not(feature = "full"), path = "freshness/no_versions.rs")]
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use versions::{compare_python, compare_version, compare_versions};

use super::{
    Freshness, GitSource, LockedReference, LockedRequirement, Lockfile, LockfileChange, Package, PackageSource,
    Staleness, index_sources::compare_indexes,
};
use crate::{
    manifest::{GroupEntry, Manifest, Requirement, SourceKind, UvSource},
    model::{Name, git_url},
};

/// Compares a lockfile with the manifest next to it and the manifests of the workspace members.
pub fn freshness<'a>(
    lockfile: Option<&Lockfile>,
    root: &'a Manifest,
    members: impl IntoIterator<Item = &'a Manifest>,
) -> Freshness {
    let Some(lockfile) = lockfile else { return Freshness::Missing };
    let members: Vec<_> = members.into_iter().collect();
    let mut found = compare_members(lockfile, root, &members);
    found.extend(compare_python(lockfile, root, &members));
    for manifest in std::iter::once(root).chain(members) {
        compare_project(lockfile, root, manifest, &mut found);
        found.extend(compare_indexes(lockfile, root, manifest));
    }
    if found.is_empty() { Freshness::Fresh } else { Freshness::Stale(found) }
}

/// Returns the git sources and index sources of `manifest` that differ in the lockfile. With `--frozen`, uv does not compare
/// them, and would install from others than the manifest says.
pub fn stale_sources(lockfile: &Lockfile, manifest: &Manifest) -> Vec<Staleness> {
    let mut found = compare_pins(lockfile, manifest, manifest);
    found.extend(compare_indexes(lockfile, manifest, manifest));
    found
}

fn compare_members(lockfile: &Lockfile, root: &Manifest, members: &[&Manifest]) -> Vec<Staleness> {
    // uv lists the members of a workspace, including the root, and no members for a single project.
    if lockfile.members.is_empty() && members.is_empty() {
        return Vec::new();
    }
    let locked: BTreeSet<_> = lockfile.members.iter().collect();
    let mut present: BTreeSet<_> = members.iter().filter_map(|manifest| manifest.name()).collect();
    present.extend(root.name());
    if locked.is_empty() && present.len() == 1 {
        return Vec::new();
    }
    let stale = |package: &&Name, change| Staleness { package: (*package).clone(), change, place: None };
    let added = present.difference(&locked).map(|package| stale(package, LockfileChange::MemberAdded));
    let removed = locked.difference(&present).map(|package| stale(package, LockfileChange::MemberRemoved));
    added.chain(removed).collect()
}

/// Compares a project with its metadata in the lockfile.
fn compare_project(lockfile: &Lockfile, root: &Manifest, manifest: &Manifest, found: &mut Vec<Staleness>) {
    let Some(project) = &manifest.project else { return };
    let name = &project.name.value;
    let locked: Option<&Package> = lockfile.packages_named(name).find(|package| package.source.is_directory());
    found.extend(locked.and_then(|package| compare_version(package, manifest)));
    found.extend(compare_pins(lockfile, root, manifest));
    let Some(metadata) = locked.and_then(|package| package.metadata.as_ref()) else {
        // uv writes no metadata for a project that requires nothing, and none at all with `lock-without-metadata`.
        if locked.is_some() && !is_dynamic(&project.dynamic) && !lockfile.is_without_metadata() {
            let required = project.dependencies.iter().filter(|requirement| requirement.name != *name);
            found.extend(required.map(|requirement| added(manifest, requirement, name)));
        }
        return;
    };
    if is_dynamic(&project.dynamic) {
        return;
    }
    let extras = project.extras.values().flat_map(|extra| &extra.requirements);
    // A project can require itself to combine its own extras; uv replaces such a requirement with the contents of those
    // extras.
    let required: Vec<_> =
        project.dependencies.iter().chain(extras).filter(|requirement| requirement.name != *name).collect();
    let projects = Projects { root, manifest };
    compare_requirements(projects, &required, &metadata.requires_dist, found);
    if let Some(locked) = &metadata.provides_extras
        && locked.iter().collect::<BTreeSet<_>>() != project.extras.keys().collect()
    {
        found.push(Staleness { package: name.clone(), change: LockfileChange::Extras, place: None });
    }
    compare_groups(projects, name, &metadata.requires_dev, found);
}

fn is_dynamic(fields: &[String]) -> bool {
    fields.iter().any(|field| matches!(field.as_str(), "dependencies" | "optional-dependencies"))
}

fn added(manifest: &Manifest, requirement: &Requirement, by: &Name) -> Staleness {
    Staleness {
        package: requirement.name.clone(),
        change: LockfileChange::Added { by: by.clone() },
        place: Some(manifest.place(requirement.span.clone())),
    }
}

/// A project and the root of its workspace.
#[derive(Clone, Copy)]
struct Projects<'a> {
    root: &'a Manifest,
    manifest: &'a Manifest,
}

impl<'a> Projects<'a> {
    /// Returns the sources of `package` and the manifest that has them. The sources of the root also apply to its
    /// members.
    fn sources_of(self, package: &Name) -> (&'a Manifest, &'a [UvSource]) {
        match self.manifest.sources_of(package) {
            [] => (self.root, self.root.sources_of(package)),
            sources => (self.manifest, sources),
        }
    }
}

fn compare_requirements(
    projects: Projects<'_>,
    required: &[&Requirement],
    locked: &[LockedRequirement],
    found: &mut Vec<Staleness>,
) {
    let manifest = projects.manifest;
    let Some(by) = manifest.name() else { return };
    let mut wanted: BTreeMap<&Name, Vec<&Requirement>> = BTreeMap::new();
    for &requirement in required {
        wanted.entry(&requirement.name).or_default().push(requirement);
    }
    let mut kept: BTreeMap<&Name, Vec<&LockedRequirement>> = BTreeMap::new();
    for requirement in locked.iter().filter(|requirement| requirement.name != *by) {
        kept.entry(&requirement.name).or_default().push(requirement);
    }
    for (name, requirements) in &wanted {
        match kept.get(name) {
            None => found.push(added(manifest, requirements[0], by)),
            Some(locked) => {
                found.extend(compare_origin(projects, requirements[0], locked));
                found.extend(compare_versions(manifest, requirements, locked));
            }
        }
    }
    for name in kept.keys().filter(|name| !wanted.contains_key(*name)) {
        let change = LockfileChange::Removed { by: by.clone() };
        found.push(Staleness { package: (*name).clone(), change, place: None });
    }
}

const INDEX: &str = "a package index";
const ELSEWHERE: &str = "a directory or an archive";

/// Compares whether a requirement comes from an index or from another source, in the manifest and in the lockfile. Git
/// sources are compared in more detail, as pins.
fn compare_origin(
    projects: Projects<'_>,
    requirement: &Requirement,
    locked: &[&LockedRequirement],
) -> Option<Staleness> {
    let (holder, sources) = projects.sources_of(&requirement.name);
    let (place, manifest) = match sources {
        // The requirement has its own URL.
        [] if requirement.text.contains('@') => return None,
        [] => (projects.manifest.place(requirement.span.clone()), INDEX),
        [source] if source.selector.is_none() && source.marker.is_none() => {
            let manifest = match source.kind {
                SourceKind::Index(_) => INDEX,
                SourceKind::Workspace | SourceKind::Path(_) | SourceKind::Url(_) => ELSEWHERE,
                SourceKind::Git { .. } => return None,
            };
            (holder.place(source.span.clone()), manifest)
        }
        _ => return None,
    };
    let kind = |one: &LockedRequirement| match one.git {
        Some(_) => "git",
        None if one.from_registry => INDEX,
        None => ELSEWHERE,
    };
    let locked: BTreeSet<_> = locked.iter().map(|one| kind(one)).collect();
    let locked = locked.first().filter(|kind| locked.len() == 1 && **kind != manifest)?;
    let change = LockfileChange::Origin { manifest, locked };
    Some(Staleness { package: requirement.name.clone(), change, place: Some(place) })
}

fn compare_groups(
    projects: Projects<'_>,
    by: &Name,
    locked: &BTreeMap<Name, Vec<LockedRequirement>>,
    found: &mut Vec<Staleness>,
) {
    let manifest = projects.manifest;
    // uv may keep or omit a group that has no requirements.
    let names = |groups: &mut dyn Iterator<Item = (&Name, bool)>| -> BTreeSet<Name> {
        groups.filter(|(_, is_empty)| !is_empty).map(|(name, _)| name.clone()).collect()
    };
    let present = names(&mut manifest.groups.iter().map(|(name, entries)| (name, entries.is_empty())));
    let kept = names(&mut locked.iter().map(|(name, entries)| (name, entries.is_empty())));
    let nests = manifest.groups.values().flatten().any(|entry| matches!(entry, GroupEntry::Include(_)));
    if present != kept && !nests {
        found.push(Staleness { package: by.clone(), change: LockfileChange::Groups, place: None });
        return;
    }
    for (group, entries) in &manifest.groups {
        let required: Option<Vec<_>> = entries
            .iter()
            .map(|entry| match entry {
                GroupEntry::Requirement(requirement) => Some(requirement),
                GroupEntry::Include(_) => None,
            })
            .collect();
        if let (Some(required), Some(locked)) = (required, locked.get(group)) {
            compare_requirements(projects, &required, locked, found);
        }
    }
}

/// Compares git sources with the lockfile. The sources of a workspace root also apply to its members. uv ignores
/// sources of packages that the project itself does not require.
fn compare_pins(lockfile: &Lockfile, root: &Manifest, manifest: &Manifest) -> Vec<Staleness> {
    let required: BTreeSet<_> = manifest.requirements().map(|requirement| &requirement.name).collect();
    let mut found = Vec::new();
    for package in required {
        let (holder, sources) = Projects { root, manifest }.sources_of(package);
        for source in sources {
            let Some(asked) = GitSource::of(&source.kind) else { continue };
            let mut locked = lockfile.packages_named(package);
            // A source whose marker matches no locked environment adds no package to the lockfile.
            let first = locked.next();
            // So does a requirement whose marker excludes all of them.
            let is_conditional = || {
                let mut texts = manifest.requirements().filter(|requirement| requirement.name == *package);
                source.marker.is_some() || texts.all(|requirement| requirement.text.contains(';'))
            };
            if first.is_none() && is_conditional() {
                continue;
            }
            let Some(first) = first else {
                // If there is no locked package but metadata to compare with, the requirement itself is reported
                // instead.
                if let Some(name) = manifest.name() {
                    let place = Some(holder.place(source.span.clone()));
                    let change = LockfileChange::Added { by: name.clone() };
                    found.push(Staleness { package: package.clone(), change, place });
                }
                continue;
            };
            if lockfile.locked_for(package, &asked).is_none() {
                let change = LockfileChange::Pin {
                    manifest: describe_pin(&asked, first),
                    locked: describe_locked(first, asked.url),
                };
                let span = asked.reference.map_or(&source.span, |reference| &reference.text().span);
                found.push(Staleness { package: package.clone(), change, place: Some(holder.place(span.clone())) });
            }
        }
    }
    found
}

/// Describes a pin of the manifest. Includes the directory and the repository only if they differ.
fn describe_pin(asked: &GitSource<'_>, locked: &Package) -> String {
    let (same_directory, same_url) = match &locked.source {
        PackageSource::Git(pin) => {
            (pin.subdirectory.as_deref() == asked.subdirectory, pin.url == git_url::canonical(asked.url))
        }
        _ => (true, true),
    };
    let directory = (!same_directory).then(|| asked.subdirectory.unwrap_or("."));
    let url = (!same_url).then(|| git_url::canonical(asked.url));
    in_words(asked.reference.map(LockedReference::from).as_ref(), directory, url.as_deref())
}

/// Describes the locked package that replaces a git source with `url`.
fn describe_locked(package: &Package, url: &str) -> String {
    match &package.source {
        PackageSource::Git(pin) => {
            let other_url = Some(pin.url.as_str()).filter(|locked| *locked != git_url::canonical(url));
            in_words(pin.reference.as_ref(), pin.subdirectory.as_deref(), other_url)
        }
        PackageSource::Registry(_) => "a package index".to_owned(),
        PackageSource::Url(_) | PackageSource::Path(_) => "an archive".to_owned(),
        PackageSource::Directory(path) | PackageSource::Editable(path) | PackageSource::Virtual(path) => {
            format!("the directory `{path}`")
        }
    }
}

fn in_words(reference: Option<&LockedReference>, directory: Option<&str>, url: Option<&str>) -> String {
    let reference = reference.map_or_else(|| "the default branch".to_owned(), ToString::to_string);
    let directory = directory.map(|directory| format!(" in the directory `{directory}`")).unwrap_or_default();
    let url = url.map(|url| format!(" of `{url}`")).unwrap_or_default();
    format!("{reference}{directory}{url}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::File;

    pub(super) const MANIFEST: &str = include_str!("freshness/app.toml");

    pub(super) const LOCKFILE: &str = include_str!("freshness/app.lock");

    pub(super) fn found(manifest: &str, lockfile: &str) -> Vec<String> {
        let manifest = Manifest::from_file(File { path: "pyproject.toml".into(), text: manifest.into() }).unwrap();
        let lockfile = Lockfile::from_file(&File { path: "uv.lock".into(), text: lockfile.into() }).unwrap();
        match freshness(Some(&lockfile), &manifest, []) {
            Freshness::Fresh => Vec::new(),
            Freshness::Missing => vec!["missing".to_owned()],
            Freshness::Stale(changes) => changes.iter().map(ToString::to_string).collect(),
        }
    }

    pub(super) fn changed(from: &str, to: &str) -> Vec<String> {
        assert!(MANIFEST.contains(from));
        found(&MANIFEST.replace(from, to), LOCKFILE)
    }

    #[test]
    fn ignores_spelling_and_order() {
        assert_eq!(found(MANIFEST, LOCKFILE), [""; 0]);
        // Older versions of uv recorded a project's own extras by name.
        let older = LOCKFILE.replace(
            "{ name = \"runtime\", marker = \"extra == 'all'\"",
            "{ name = \"app\", marker = \"extra == 'all'\"",
        );
        assert_eq!(found(MANIFEST, &older), [""; 0]);
    }

    #[test]
    fn lockfile_without_metadata_shows_no_requirements() {
        let (before, rest) = LOCKFILE.split_once("[package.metadata]").unwrap();
        let after = rest.find("[[package]]").map_or("", |at| &rest[at..]);
        let bare = format!("{before}{after}").replacen("version = 1", "version = 1\nrevision = 5", 1);
        assert!(!bare.contains("metadata") && bare.contains("revision = 5"), "{bare}");
        assert_eq!(found(MANIFEST, &bare), [""; 0]);
    }

    #[test]
    fn reports_a_changed_pin_with_both_sides() {
        assert_eq!(
            changed("v0.1.2", "v0.1.3"),
            ["`bench-utils` is pinned to tag `v0.1.3`, but is locked from tag `v0.1.2`"]
        );
        assert_eq!(
            changed("bench-utils.git/", "other.git"),
            ["`bench-utils` is pinned to tag `v0.1.2` of `https://git.example.com/other.git`, but is locked \
                 from tag `v0.1.2` of \
              `https://git.example.com/bench-utils.git`"]
        );
        assert_eq!(
            changed("subdirectory = \".\"", "subdirectory = \"py\""),
            ["`bench-utils` is pinned to tag `v0.1.2` in the directory `py`, but is locked from tag `v0.1.2`"]
        );
        assert_eq!(
            changed("tag = \"v0.1.2\"", "branch = \"main\""),
            ["`bench-utils` is pinned to branch `main`, but is locked from tag `v0.1.2`"]
        );
    }

    /// uv locks all packages of a commit with the tag of one of them.
    #[test]
    fn accepts_a_package_locked_with_the_tag_of_another() {
        let manifest = MANIFEST.replace("v0.1.2", "utils/v0.1.2");
        let asked = LOCKFILE.replace("git?tag=v0.1.2\"", "git?tag=utils%2Fv0.1.2\"");
        assert_eq!(found(&manifest, &asked), [""; 0]);
        assert_eq!(
            found(&manifest.replace("utils/v0.1.2", "utils/v0.1.3"), &asked),
            ["`bench-utils` is pinned to tag `utils/v0.1.3`, but is locked from tag `v0.1.2`"]
        );
    }

    #[test]
    fn reports_a_changed_origin() {
        let source = "bench_utils = { git = \"https://git.example.com/bench-utils.git/\", tag = \"v0.1.2\", subdirectory = \".\" }";
        assert_eq!(changed(source, ""), ["the source of `bench-utils` is a package index, but it is locked from git"]);
        assert_eq!(
            changed(source, "bench_utils = { index = \"internal\" }"),
            ["the source of `bench-utils` is a package index, but it is locked from git"]
        );
        assert_eq!(
            changed(source, &format!("{source}\nsix = {{ path = \"../six\" }}")),
            ["the source of `six` is a directory or an archive, but it is locked from a package index"]
        );
        // uv has a different requirement for other platforms.
        assert_eq!(
            changed(source, &format!("{source}\nsix = {{ path = \"../six\", marker = \"os_name == 'nt'\" }}")),
            [""; 0]
        );
    }

    #[test]
    fn reports_added_and_removed_requirements() {
        assert_eq!(
            changed("\"bench-utils\", ", "\"bench-utils\", \"numpy\", "),
            ["`numpy` is required by `app`, but is not locked for it"]
        );
        assert_eq!(changed(", \"Six>=1.16,<2\"", ""), ["`six` is locked for `app`, which no longer requires it"]);
        assert_eq!(
            changed("cu124 = [\"runtime==12.4\"], ", ""),
            [
                "`runtime` is locked for `app`, which no longer requires it",
                "the extras of `app` differ from the locked ones"
            ]
        );
        assert_eq!(
            changed("dev = [\"pytest\"]", "test = [\"pytest\"]"),
            ["the dependency groups of `app` differ from the locked ones"]
        );
    }

    #[test]
    fn reports_members_that_are_not_locked_or_gone() {
        let manifest =
            |path: &str, text: &str| Manifest::from_file(File { path: path.into(), text: text.into() }).unwrap();
        let root = manifest("pyproject.toml", MANIFEST);
        let member = manifest("packages/a/pyproject.toml", "[project]\nname = \"a\"\nversion = \"1\"\n");
        let text = LOCKFILE.replace("requires-python", "manifest = { members = [\"app\", \"gone\"] }\nrequires-python");
        let lockfile = Lockfile::from_file(&File { path: "uv.lock".into(), text: text.into() }).unwrap();
        let Freshness::Stale(changes) = freshness(Some(&lockfile), &root, [&member]) else { panic!("stale") };
        let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            changes,
            [
                "the workspace member `a` is not in the lockfile",
                "`gone` is locked as a workspace member, but is not one"
            ]
        );
    }
}
