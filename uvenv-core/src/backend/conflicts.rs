//! Finds the choices between accelerators in the conflict sets of manifests.

#[cfg(feature = "full")]
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::Utf8Path;

use crate::{
    manifest::{Manifest, Selector, SourceKind},
    model::Name,
};

/// An entry of a conflict set, with the project that declares its extra or group.
#[derive(Clone, Copy)]
pub(super) struct DeclaredEntry<'a> {
    /// The manifest that declares the conflict.
    pub(super) holder: &'a Manifest,
    pub(super) project: &'a Manifest,
    pub(super) selector: &'a Selector,
    pub(super) span: &'a Range<usize>,
}

type Key<'a> = (&'a Utf8Path, &'a Selector);

impl<'a> DeclaredEntry<'a> {
    fn key(&self) -> Key<'a> {
        (self.project.path(), self.selector)
    }
}

/// Entries that are joined by conflicts, directly or through others.
pub(super) struct Group<'a> {
    pub(super) entries: Vec<DeclaredEntry<'a>>,
    /// Two entries that can be combined nevertheless, so that the entries are not one choice.
    pub(super) compatible: Option<(&'a Name, &'a Name)>,
}

/// Returns the groups of accelerators that conflicts join, whether through one conflict set or through several pairs.
///
/// An extra that includes another accelerator, such as `test-cu124 = ["app[cu124]", "pytest"]`, is a variant of it and no
/// choice of its own.
pub(super) fn groups<'a>(root: &'a Manifest, projects: &[&'a Manifest]) -> Vec<Group<'a>> {
    let sets = accelerator_sets(root, projects);
    let all: Vec<_> = sets.iter().flatten().copied().collect();
    let is_variant = |entry: &DeclaredEntry<'a>| {
        let included = included(entry.project, entry.selector);
        all.iter().any(|other| other.project.path() == entry.project.path() && included.contains(other.selector))
    };
    let mut entries: Vec<DeclaredEntry<'a>> = Vec::new();
    let mut excluding = Vec::new();
    for set in &sets {
        for entry in set.iter().filter(|entry| !is_variant(entry)) {
            if !entries.iter().any(|known| known.key() == entry.key()) {
                entries.push(*entry);
            }
            excluding.extend(set.iter().map(|other| (entry.key(), other.key())));
        }
    }
    joined(entries, &excluding)
}

/// Splits `entries` into those that are joined by `excluding`.
fn joined<'a>(entries: Vec<DeclaredEntry<'a>>, excluding: &[(Key<'a>, Key<'a>)]) -> Vec<Group<'a>> {
    let excludes = |a: &DeclaredEntry<'a>, b: &DeclaredEntry<'a>| excluding.contains(&(a.key(), b.key()));
    let mut groups: Vec<Vec<DeclaredEntry<'a>>> = Vec::new();
    for entry in entries {
        let is_neighbour = |group: &Vec<DeclaredEntry<'a>>| group.iter().any(|other| excludes(&entry, other));
        let (joined, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_neighbour);
        let mut group: Vec<_> = joined.into_iter().flatten().collect();
        group.push(entry);
        rest.push(group);
        groups = rest;
    }
    let compatible = |group: &[DeclaredEntry<'a>]| {
        let mut pairs = group.iter().flat_map(|a| group.iter().map(move |b| (a, b)));
        let found = pairs.find(|(a, b)| !excludes(a, b));
        found.map(|(a, b)| (a.selector.name(), b.selector.name()))
    };
    groups.into_iter().map(|entries| Group { compatible: compatible(&entries), entries }).collect()
}

/// Returns the accelerators of each conflict set that has several.
fn accelerator_sets<'a>(root: &'a Manifest, projects: &[&'a Manifest]) -> Vec<Vec<DeclaredEntry<'a>>> {
    let mut sets = Vec::new();
    for &holder in projects {
        for set in &holder.uv.conflicts {
            let entries: Option<Vec<_>> = set
                .entries
                .iter()
                .map(|entry| {
                    let project = match &entry.package {
                        None => holder,
                        Some(name) => *projects.iter().find(|project| project.name() == Some(name))?,
                    };
                    Some(DeclaredEntry { holder, project, selector: entry.selector.as_ref()?, span: &entry.span })
                })
                .collect();
            // A set may combine entries of several members that share one choice, so it is split by project.
            let entries = entries.unwrap_or_default();
            for project in projects {
                let is_of = |entry: &&DeclaredEntry<'a>| entry.project.path() == project.path();
                let accelerators = accelerators(root, &entries.iter().filter(is_of).copied().collect::<Vec<_>>());
                if accelerators.len() > 1 {
                    sets.push(accelerators);
                }
            }
        }
    }
    sets
}

/// Returns the entries of one project in a set that are about accelerators: by their names, because they take the same
/// package from indexes of their own, or because they require what several others take from indexes.
fn accelerators<'a>(root: &'a Manifest, entries: &[DeclaredEntry<'a>]) -> Vec<DeclaredEntry<'a>> {
    let indexed: Vec<Vec<&Name>> = entries
        .iter()
        .map(|entry| index_sources(root, entry.project, entry.selector).map(|(package, _)| package).collect())
        .collect();
    let takers = |package: &Name| indexed.iter().filter(|indexed| indexed.contains(&package)).count();
    let is_accelerator = |(entry, indexed): &(&DeclaredEntry<'a>, &Vec<&Name>)| {
        let required = entry.project.requirements_of(entry.selector);
        sounds_like_accelerator(entry.selector.name())
            || indexed.iter().copied().chain(required.into_iter().map(|it| &it.name)).any(|name| takers(name) > 1)
    };
    entries.iter().zip(&indexed).filter(is_accelerator).map(|(entry, _)| *entry).collect()
}

/// Returns the packages that come from a separate index when `selector` is on, with the names of the indexes.
pub(super) fn index_sources<'a>(
    root: &'a Manifest,
    project: &'a Manifest,
    selector: &Selector,
) -> impl Iterator<Item = (&'a Name, &'a str)> {
    let holders = [Some(project), Some(root).filter(|root| root.path() != project.path())];
    let sources = holders.into_iter().flatten().flat_map(|holder| &holder.uv.sources);
    sources.flat_map(move |(package, sources)| {
        sources.iter().filter_map(move |source| match &source.kind {
            SourceKind::Index(index) if source.selector.as_ref() == Some(selector) => {
                Some((&package.value, index.as_str()))
            }
            _ => None,
        })
    })
}

/// Returns the packages that come from indexes of their own when `selector` is on, with the URLs of these, or their names if
/// the manifest does not have the index.
#[cfg(feature = "full")]
pub(crate) fn own_indexes(manifest: &Manifest, selector: &Selector) -> BTreeMap<Name, BTreeSet<String>> {
    let url = |name: &str| {
        let index = manifest.uv.indexes.iter().find(|index| index.name.as_deref() == Some(name));
        index.map_or_else(|| name.to_owned(), |index| crate::model::git_url::canonical(&index.url))
    };
    let mut found: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for (package, index) in index_sources(manifest, manifest, selector) {
        found.entry(package.clone()).or_default().insert(url(index));
    }
    found
}

/// Returns the extras and groups of `project` that `selector` includes, directly or through others.
pub(super) fn included(project: &Manifest, selector: &Selector) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut left = vec![selector.clone()];
    while let Some(selector) = left.pop() {
        let own = project.requirements_of(&selector);
        let own = own.into_iter().filter(|requirement| Some(&requirement.name) == project.name());
        let extras = own.flat_map(|requirement| requirement.extras.iter().cloned().map(Selector::Extra));
        let groups = project.groups_included_by(&selector).cloned().map(Selector::Group);
        for selector in extras.chain(groups) {
            if !found.contains(&selector) {
                found.push(selector.clone());
                left.push(selector);
            }
        }
    }
    found
}

/// Whether a part of the name is a usual word for accelerators.
fn sounds_like_accelerator(name: &Name) -> bool {
    const WORDS: [&str; 10] = ["cpu", "cuda", "gpu", "hpu", "metal", "mps", "npu", "rocm", "tpu", "xpu"];
    name.as_str().split('-').any(|part| {
        let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
        WORDS.contains(&word) || (word == "cu" && part.len() > word.len())
    })
}
