//! The crates that are linked into a library, as cargo resolves them.

use std::collections::BTreeMap;

use camino::Utf8Path;
use guppy::{
    graph::{
        DependencyDirection,
        feature::{FeatureId, StandardFeatures},
    },
    platform::{Platform, PlatformSpec, TargetFeatures},
};

use super::{
    graph::{build_options, in_words, package_graph},
    metadata::Access,
    rustc,
};
use crate::{model::Variables, toml::File};

/// A crate that is linked into another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkedCrate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As its manifest has it.
    pub(crate) license: Option<String>,
    /// Whether it comes from crates.io.
    pub(crate) is_published: bool,
    /// The SHA-256 hash of its archive in hexadecimal, if it comes from there.
    pub(crate) checksum: Option<String>,
}

/// Asks cargo for the crates that the crate with the manifest at `path` links on this platform, itself included, with its
/// default features and those of `features` that it has. Nothing is changed, and the network is not used.
///
/// # Errors
///
/// Returns a sentence for the user if cargo cannot tell.
pub(crate) fn linked_crates(
    path: &Utf8Path,
    features: &[&str],
    variables: &Variables,
) -> Result<Vec<LinkedCrate>, String> {
    let failed = |error: guppy::Error| in_words(&error);
    let graph = package_graph(path, Access::ReadOnly, variables)?;
    let is_it = |manifest: &Utf8Path| manifest == path || manifest.canonicalize_utf8().is_ok_and(|it| it == path);
    let package = graph.workspace().iter().find(|package| is_it(package.manifest_path()));
    let package = package.ok_or_else(|| format!("cargo finds no crate at `{path}`"))?;
    let named = package.named_features().filter(|name| features.contains(name));
    let named = named.map(|name| FeatureId::named(package.id(), name));
    let named = graph.feature_graph().resolve_ids(named).map_err(failed)?;
    let initial = package.to_package_set().to_feature_set(StandardFeatures::Default).union(&named);
    let built = initial.into_cargo_set(&build_options(Some(host(path, variables)?))).map_err(failed)?;
    let checksums = checksums(&graph.workspace().root().join("Cargo.lock")).unwrap_or_default();
    // What is built for the host only, build scripts and macros, is not linked.
    let packages = built.target_features().to_package_set();
    let mut linked: Vec<_> = packages
        .packages(DependencyDirection::Forward)
        .map(|package| {
            let (name, version) = (package.name().to_owned(), package.version().to_string());
            let is_published = package.source().is_crates_io();
            let checksum = checksums.get(&(name.clone(), version.clone())).filter(|_| is_published).cloned();
            LinkedCrate { name, version, license: package.license().map(str::to_owned), is_published, checksum }
        })
        .collect();
    linked.sort();
    Ok(linked)
}

/// Returns the platform for which rustc compiles here, which can be another one than that of this program.
fn host(manifest: &Utf8Path, variables: &Variables) -> Result<PlatformSpec, String> {
    let directory = manifest.parent().unwrap_or(Utf8Path::new("."));
    let description = rustc::describe(directory, variables, |command| command.seeing(variables))?;
    let platform = Platform::from_rustc_version_verbose(description.as_bytes(), TargetFeatures::Unknown);
    Ok(PlatformSpec::platforms([platform.map_err(|error| error.to_string())?]))
}

/// Returns the checksums in a `Cargo.lock` (the Cargo book, "Cargo.toml vs Cargo.lock"), by name and version.
fn checksums(lockfile: &Utf8Path) -> crate::Result<BTreeMap<(String, String), String>> {
    let file = File::read(lockfile)?;
    let document = file.parse()?;
    let Some(packages) = document.root().get("package")? else { return Ok(BTreeMap::new()) };
    let mut checksums = BTreeMap::new();
    for package in packages.elements()? {
        let text = |key| package.get_string(key).map(|text| text.map(|text| text.value));
        if let (Some(name), Some(version), Some(checksum)) = (text("name")?, text("version")?, text("checksum")?) {
            checksums.insert((name, version), checksum);
        }
    }
    Ok(checksums)
}
