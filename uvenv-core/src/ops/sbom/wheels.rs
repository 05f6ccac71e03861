//! The wheels from which distributions were installed.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    environment::{BaseInterpreter, Comparison, Distribution, Distributions, Integrity, Source},
    fs::PrivateDirectory,
    model::Name,
    monorepo::ProfileContext,
    ops::{
        Session,
        exported_lock::{ExportedLock, vendor_context},
        installed_state::Installation,
        vendored_lock::vendored_lock,
    },
    process::Invocation,
    sbom::WheelFacts,
    uv::dist_info::BUILD_INFO,
    vendor::{Artifact, ArtifactKind, KnownHashes, Target, Tools, VendoredWheel},
};

/// The wheels from which distributions were installed that are still as they were.
pub(super) struct InstalledWheels {
    pub(super) wheels: BTreeMap<Name, WheelFacts>,
    /// The files that are otherwise, relative to the environment.
    pub(super) changed: Vec<Utf8PathBuf>,
}

/// Finds the wheels of an environment.
pub(super) struct WheelSources<'a> {
    pub(super) context: &'a ProfileContext<'a>,
    pub(super) session: &'a Session,
    pub(super) installation: &'a Installation,
}

impl WheelSources<'_> {
    /// Returns the wheel in the lockfile that the interpreter of the environment selects of each package.
    pub(super) fn locked(
        &self,
        distributions: &Distributions,
        python: &BaseInterpreter,
    ) -> crate::Result<InstalledWheels> {
        let settings = &self.session.settings;
        let child = |invocation: Invocation| settings.child(invocation);
        let vendor = vendor_context(self.context, settings, self.session.uv()?, &child);
        let tools = Tools::find(&vendor, &self.context.paths.directory, Some(python.executable.as_str()))?;
        tools.repair(&vendor)?;
        let target = Target { tools, platform: None };
        let place = PrivateDirectory::new()?;
        // What else is in the environment is not exported.
        let flags = self.installation.selection.iter().filter(|flag| *flag != "--inexact").cloned().collect();
        let targets = std::slice::from_ref(&target);
        let lock = ExportedLock::of(self.context, self.session, &vendor, flags, (targets, place.path()))?;
        let artifacts = lock.selected.into_iter().flat_map(|selected| selected.artifacts);
        let mut wheels: BTreeMap<_, _> =
            artifacts.filter_map(|artifact| Some((artifact.name.clone(), facts(artifact)?))).collect();
        // These were built from something else, whatever the lockfile has.
        let built = distributions.iter().filter(|distribution| is_built(distribution));
        built.for_each(|distribution| drop(wheels.remove(&distribution.name)));
        let environment = &self.installation.environment;
        let integrity = Integrity::check(environment, distributions, &BTreeMap::new(), Comparison::SizesAndTimes)?;
        Ok(self.unchanged(wheels, &integrity))
    }

    /// Returns the wheel in a vendored directory that each distribution was installed from: the one whose files it has.
    pub(super) fn vendored(
        &self,
        directory: &Utf8Path,
        distributions: &Distributions,
    ) -> crate::Result<InstalledWheels> {
        let selection = vendored_lock(directory, self.context, self.installation.backend.as_ref())?;
        selection.check_files(&KnownHashes::default())?;
        let wheels = selection.lock.wheels();
        let hashes: BTreeMap<&str, &VendoredWheel> = wheels.map(|wheel| (wheel.file.as_str(), wheel)).collect();
        let paths = selection.wheels_of_packages();
        let integrity = Integrity::check(&self.installation.environment, distributions, &paths, Comparison::Hashes)?;
        let facts = |(name, path): (&Name, &Utf8PathBuf)| {
            let wheel = hashes.get(path.file_name()?)?;
            Some((name.clone(), WheelFacts { url: None, sha256: Some(wheel.sha256.clone()) }))
        };
        Ok(self.unchanged(integrity.wheels.iter().filter_map(facts).collect(), &integrity))
    }

    /// Leaves out the wheels whose files are not as they were.
    fn unchanged(&self, mut wheels: BTreeMap<Name, WheelFacts>, integrity: &Integrity) -> InstalledWheels {
        let root = self.installation.environment.root();
        for difference in &integrity.differences {
            difference.distribution.iter().for_each(|name| drop(wheels.remove(name)));
        }
        let paths = integrity.differences.iter().map(|one| one.path.strip_prefix(root).unwrap_or(&one.path).to_owned());
        InstalledWheels { wheels, changed: paths.collect() }
    }
}

/// Returns what the lockfile says of a wheel; `None` if another one was built.
fn facts(artifact: Artifact) -> Option<WheelFacts> {
    let Artifact { kind, url, sha256, .. } = artifact;
    match kind {
        ArtifactKind::Wheel => Some(WheelFacts { url, sha256 }),
        // The wheel that was built from it, nobody else has.
        ArtifactKind::Sdist => Some(WheelFacts { url, sha256: None }),
        ArtifactKind::Vcs | ArtifactKind::Directory => None,
    }
}

/// Whether uv has built it, by what newer versions record. Such a wheel is not the one of the index.
fn is_built(distribution: &Distribution) -> bool {
    distribution.source == Source::Registry && distribution.folder().join(BUILD_INFO).exists()
}
