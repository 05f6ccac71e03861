//! Determines which features are enabled, as Cargo would resolve them.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use guppy::{
    graph::{
        DependencyDirection, PackageGraph, PackageMetadata, PackageSet,
        cargo::CargoSet,
        feature::{FeatureId, FeatureSet, StandardFeatures},
    },
    platform::PlatformSpec,
};

use super::{
    CargoError, FeatureSelection, files,
    graph::{build_options, in_words, package_graph},
    metadata::Access,
};
use crate::{
    backend::FeatureClaim,
    model::{Name, Variables},
};

/// The features of a Cargo workspace.
pub struct Features {
    graph: PackageGraph,
}

/// The enabled features that have the name of a backend.
#[derive(Clone, Debug, Default)]
pub struct FeatureClaims {
    /// The features that the selection enables.
    pub selected: Vec<FeatureClaim>,
    /// Whether explicit features, and not only default features, enable one of them.
    pub are_explicit: bool,
}

impl Features {
    /// Runs `cargo metadata` for the workspace of `manifest`. `offline` prevents network access.
    pub fn read(manifest: &Utf8Path, offline: bool, variables: &Variables) -> crate::Result<Self> {
        let failed = |message: String| CargoError::Metadata { manifest: manifest.to_owned(), message };
        let access = if offline { Access::Offline } else { Access::Full };
        Ok(Self { graph: package_graph(manifest, access, variables).map_err(failed)? })
    }

    /// Returns the user's files on which cargo's answer depends. Some of them may not exist.
    pub(crate) fn files(&self) -> Vec<Utf8PathBuf> {
        let root = self.graph.workspace().root();
        self.manifests()
            .chain(files::upwards(root))
            .chain(["Cargo.toml", "Cargo.lock"].map(|name| root.join(name)))
            .collect()
    }

    /// Returns the directories of the workspace in which new crates can appear.
    pub(crate) fn folders(&self) -> Vec<Utf8PathBuf> {
        let root = self.graph.workspace().root();
        let beside = self.manifests().filter_map(|manifest| Some(manifest.parent()?.parent()?.to_owned()));
        beside.filter(|directory| directory.starts_with(root)).collect()
    }

    fn manifests(&self) -> impl Iterator<Item = Utf8PathBuf> {
        let local = self.graph.packages().filter(|package| package.source().is_local());
        local.map(|package| package.manifest_path().to_owned())
    }

    /// Returns the crates of the workspace, each as its manifest and the names of its features.
    #[cfg(feature = "full")]
    pub(crate) fn by_crate(&self) -> Vec<(Utf8PathBuf, Vec<&str>)> {
        let packages = self.graph.workspace().iter();
        packages.map(|package| (package.manifest_path().to_owned(), package.named_features().collect())).collect()
    }

    /// Returns the features of the workspace's crates that enable one of `backends`, by name or by forwarding to
    /// another feature: the backend, and `crate/feature`.
    pub fn selecting(&self, backends: &[Name]) -> crate::Result<Vec<(Name, String)>> {
        let features = self.graph.feature_graph();
        let mirrors = self.graph.packages().filter(|package| package.source().is_local()).flat_map(|package| {
            let is_mirror = |feature: &&str| Name::parse(feature).is_some_and(|name| backends.contains(&name));
            package.named_features().filter(is_mirror).map(move |feature| FeatureId::named(package.id(), feature))
        });
        // Most of a workspace cannot lead to any of them, and is not resolved.
        let leading = features.query_reverse(mirrors).map_err(internal)?.resolve();
        let switched_on = |id| self.active(features.resolve_ids([id]).map_err(internal)?, backends);
        let mut selecting = Vec::new();
        for package in self.graph.workspace().iter() {
            let always = switched_on(FeatureId::base(package.id()))?;
            for feature in package.named_features() {
                let id = FeatureId::named(package.id(), feature);
                if !leading.contains(id).map_err(internal)? {
                    continue;
                }
                let claims = switched_on(id)?.into_iter().filter(|claim| !always.contains(claim));
                let chosen: BTreeSet<_> = claims.map(|claim| claim.backend).collect();
                selecting.extend(chosen.into_iter().map(|backend| (backend, format!("{}/{feature}", package.name()))));
            }
        }
        Ok(selecting)
    }

    /// Resolves the features of `selection` as a build of it would, and returns those with the name of a backend.
    pub fn claims(&self, selection: &FeatureSelection, backends: &[Name]) -> crate::Result<FeatureClaims> {
        let packages = self.selected_packages(selection)?;
        let selected = self.active(self.initial_features(&packages, selection)?, backends)?;
        let are_explicit = selection.explicit_flag().is_some() && {
            let without =
                FeatureSelection { no_default_features: selection.no_default_features, ..FeatureSelection::default() };
            selected != self.active(self.initial_features(&packages, &without)?, backends)?
        };
        Ok(FeatureClaims { selected, are_explicit })
    }

    fn selected_packages(&self, selection: &FeatureSelection) -> crate::Result<PackageSet<'_>> {
        let workspace = self.graph.workspace();
        let find = |spec: &String| {
            let (name, version) =
                spec.split_once('@').map_or((spec.as_str(), None), |(name, version)| (name, Some(version)));
            let fits = |package: &PackageMetadata<'_>| {
                package.name() == name && version.is_none_or(|version| package.version().to_string() == version)
            };
            workspace.iter().find(fits).ok_or_else(|| CargoError::UnknownPackage {
                spec: spec.clone(),
                available: workspace.iter().map(|package| package.name().to_owned()).collect(),
            })
        };
        let excluded: Vec<_> = selection.exclude.iter().map(find).collect::<Result<_, _>>()?;
        let chosen: Vec<_> = if !selection.packages.is_empty() {
            selection.packages.iter().map(find).collect::<Result<_, _>>()?
        } else if selection.workspace {
            workspace.iter().collect()
        } else {
            workspace.default_members().collect()
        };
        let ids = chosen.iter().map(PackageMetadata::id);
        let ids = ids.filter(|id| !excluded.iter().any(|package| package.id() == *id));
        Ok(self.graph.resolve_ids(ids).map_err(internal)?)
    }

    fn initial_features<'g>(
        &'g self,
        packages: &PackageSet<'g>,
        selection: &FeatureSelection,
    ) -> crate::Result<FeatureSet<'g>> {
        let standard = match (selection.all_features, selection.no_default_features) {
            (true, _) => StandardFeatures::All,
            (false, true) => StandardFeatures::None,
            (false, false) => StandardFeatures::Default,
        };
        let mut initials = packages.to_feature_set(standard);
        for feature in selection.feature_names() {
            let named = self.named_feature(packages, feature)?;
            let named = self.graph.feature_graph().resolve_ids(named).map_err(internal)?;
            initials = initials.union(&named);
        }
        Ok(initials)
    }

    /// Resolves a feature: `name` is a feature of any selected package; `package/name` is a feature of that package, a
    /// member or a dependency.
    fn named_feature<'g>(&'g self, packages: &PackageSet<'g>, feature: &str) -> crate::Result<Vec<FeatureId<'g>>> {
        let selected: Vec<_> = packages.packages(DependencyDirection::Forward).collect();
        let (candidates, name): (Vec<PackageMetadata<'g>>, &str) = match feature.split_once('/') {
            None => (selected.clone(), feature),
            Some((package, name)) => {
                let links = selected.iter().flat_map(PackageMetadata::direct_links);
                let dependencies = links.filter(|link| link.dep_name() == package).map(|link| link.to());
                let members = self.graph.workspace().iter().filter(|member| member.name() == package);
                (dependencies.chain(members).collect(), name)
            }
        };
        let ids: Vec<_> = candidates
            .iter()
            .filter_map(|package| {
                let name = package.named_features().find(|known| *known == name)?;
                Some(FeatureId::named(package.id(), name))
            })
            .collect();
        if ids.is_empty() {
            return Err(CargoError::UnknownFeature {
                feature: feature.to_owned(),
                packages: selected.iter().map(|package| package.name().to_owned()).collect(),
                available: candidates.iter().flat_map(PackageMetadata::named_features).map(str::to_owned).collect(),
            }
            .into());
        }
        Ok(ids)
    }

    /// Returns the backends' features of the monorepo's own crates that a build with `initials` enables.
    fn active(&self, initials: FeatureSet<'_>, backends: &[Name]) -> crate::Result<Vec<FeatureClaim>> {
        let options = build_options(PlatformSpec::build_target().ok());
        let set: CargoSet<'_> = initials.into_cargo_set(&options).map_err(internal)?;
        let mut claims = Vec::new();
        for package in self.graph.packages().filter(|package| package.source().is_local()) {
            for (_, features) in set.all_features() {
                if let Some(list) = features.features_for(package.id()).map_err(internal)? {
                    let names: Vec<_> = list.named_features().collect();
                    claims.extend(claims_of(&package, &names, backends));
                }
            }
        }
        claims.sort_by(|a, b| (&a.package, &a.backend).cmp(&(&b.package, &b.backend)));
        claims.dedup();
        Ok(claims)
    }
}

fn claims_of(package: &PackageMetadata<'_>, features: &[&str], backends: &[Name]) -> Vec<FeatureClaim> {
    let names = features.iter().filter_map(|feature| Name::parse(feature));
    names
        .filter(|name| backends.contains(name))
        .map(|backend| FeatureClaim { backend, package: package.name().to_owned() })
        .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn internal(error: guppy::Error) -> CargoError {
    CargoError::Metadata { manifest: "Cargo.toml".into(), message: in_words(&error) }
}
