//! The changes in a lockfile.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    lockfile::{Lockfile, PackageSource},
    model::Name,
};

/// A package whose locked version changed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockedChange {
    /// The package.
    pub name: Name,
    /// The versions before, empty for a new package. For a package from git: its tag, branch or revision, and commit.
    pub from: Vec<String>,
    /// The versions now, empty for a removed package.
    pub to: Vec<String>,
}

impl LockedChange {
    /// Returns the packages whose versions differ between two lockfiles.
    pub(crate) fn between(before: Option<&Lockfile>, after: Option<&Lockfile>) -> Vec<Self> {
        let (before, after) = (versions(before), versions(after));
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        let of = |versions: &BTreeMap<Name, BTreeSet<String>>, name: &Name| -> Vec<String> {
            versions.get(name).into_iter().flatten().cloned().collect()
        };
        let differ = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
        differ.map(|name| Self { name: name.clone(), from: of(&before, name), to: of(&after, name) }).collect()
    }
}

fn versions(lockfile: Option<&Lockfile>) -> BTreeMap<Name, BTreeSet<String>> {
    let mut versions: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for package in lockfile.iter().flat_map(|lockfile| &lockfile.packages) {
        let version = match (&package.source, &package.version) {
            (PackageSource::Git(pin), _) => {
                let reference = pin.reference.as_ref().map_or("HEAD", |reference| reference.text.as_str());
                let commit = pin.commit.as_deref().unwrap_or_default();
                format!("{reference} ({})", commit.get(..8).unwrap_or(commit))
            }
            (_, Some(version)) => version.clone(),
            (_, None) => "dynamic".to_owned(),
        };
        versions.entry(package.name.clone()).or_default().insert(version);
    }
    versions
}
