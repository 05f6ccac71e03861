//! The crates that are linked into a native package that does not list them itself, from cargo and its lockfile.

use camino::Utf8Path;
use cyclonedx_bom::{
    external_models::normalized_string::NormalizedString,
    models::component::{Classification, Component},
};

use super::{Embedded, document::sha256, license, purl};
use crate::{
    cargo::{LinkedCrate, linked_crates},
    model::Variables,
    native,
};

/// Returns the crates that the project in `directory` is built from, with its features and those of `names` that it has. Nothing
/// in the directory is changed.
pub(crate) fn crates_of_project(directory: &Utf8Path, names: &[&str], variables: &Variables) -> Embedded {
    let (manifests, features) = native::crates_of(directory);
    if manifests.is_empty() {
        return Embedded::unknown("compiled, without a document in `sboms` or a crate of its own");
    }
    let names: Vec<_> = features.iter().map(String::as_str).chain(names.iter().copied()).collect();
    let mut embedded = Embedded::default();
    for manifest in &manifests {
        match linked_crates(manifest, &names, variables) {
            Ok(crates) => crates.iter().map(component).for_each(|component| embedded.add(component)),
            Err(problem) => embedded.unknown = Some(problem),
        }
    }
    embedded
}

fn component(linked: &LinkedCrate) -> Component {
    let LinkedCrate { name, version, license, is_published, checksum } = linked;
    Component {
        version: Some(NormalizedString::new(version)),
        // A package URL without more would mean a crate of the usual registry.
        purl: if *is_published { purl::of_crate(name, version) } else { None },
        licenses: license.as_deref().map(license::of_text),
        hashes: checksum.clone().map(sha256),
        ..Component::new(Classification::Library, name, version, None)
    }
}
