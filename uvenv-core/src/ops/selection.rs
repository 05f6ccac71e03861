//! From a request and the monorepo to the backend of a sync.

use super::{OperationError, Session};
use crate::{
    backend::{self, Backend, BackendScope, BuildFeatures, Choice, Selection, Signals},
    environment::{Environment, SyncRecord},
    manifest::Manifest,
    model::Name,
    monorepo::{Monorepo, ProfilePaths},
};
#[cfg(feature = "cargo-features")]
use {
    crate::{backend::FeatureClaim, cargo},
    std::cell::RefCell,
};

/// What the command line says about the backend.
#[derive(Clone, Debug, Default)]
pub struct BackendRequest {
    /// `--backend`.
    pub choice: Option<Choice>,
    /// Cargo's own flags: packages and features.
    #[cfg(feature = "cargo-features")]
    pub features: cargo::FeatureSelection,
    /// In a build script, what Cargo has decided; then it is not asked again.
    pub decided: Option<BuildFeatures>,
    /// Whether the backend of the environment's last sync counts, as it does for `run`.
    pub keep: bool,
}

/// The packages that a sync is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packages<'a> {
    pub(super) names: &'a [String],
    pub(super) all: bool,
}

impl<'a> Packages<'a> {
    /// The project whose backends count.
    fn target(
        self,
        monorepo: &'a Monorepo,
        paths: &ProfilePaths,
        manifest: &'a Manifest,
    ) -> crate::Result<BackendScope<'a>> {
        let members = monorepo.members_of(paths.profile);
        let find = |text: &String| {
            let name = Name::parse(text);
            let is_root = name.is_some() && manifest.name() == name.as_ref();
            let member = members.iter().find(|member| Some(&member.name) == name.as_ref());
            let found = if is_root { Some(manifest) } else { member.map(|member| &member.manifest) };
            found.ok_or_else(|| OperationError::UnknownMember {
                name: text.clone(),
                manifest: monorepo.relative(&paths.manifest()).to_owned(),
                available: members.iter().map(|member| member.name.to_string()).collect(),
            })
        };
        let named: Vec<_> = self.names.iter().map(find).collect::<Result<_, _>>()?;
        Ok(match (named.as_slice(), self.all) {
            ([], false) if manifest.project.is_some() => BackendScope::Project(manifest),
            ([project], false) => BackendScope::Project(project),
            _ => BackendScope::Workspace,
        })
    }
}

/// The backends that a profile's manifest has for all who use it as it is.
pub(super) fn profile_backends(
    monorepo: &Monorepo,
    paths: &ProfilePaths,
    manifest: &Manifest,
) -> crate::Result<Vec<Backend>> {
    target_backends(monorepo, paths, manifest, Packages { names: &[], all: false })
}

pub(super) fn target_backends(
    monorepo: &Monorepo,
    paths: &ProfilePaths,
    manifest: &Manifest,
    packages: Packages<'_>,
) -> crate::Result<Vec<Backend>> {
    let target = packages.target(monorepo, paths, manifest)?;
    let shown = monorepo.relative(&paths.manifest()).to_string();
    let members = monorepo.members_of(paths.profile);
    Ok(backend::backends(manifest, members, target, monorepo.config.backends.as_deref(), &shown)?)
}

/// Selects one of `backends` for a profile.
pub(super) fn select(
    monorepo: &Monorepo,
    session: &Session,
    paths: &ProfilePaths,
    backends: &[Backend],
    request: &BackendRequest,
    extras: &[Name],
) -> crate::Result<Selection> {
    let names: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
    #[cfg(feature = "cargo-features")]
    let features = FeatureSource { monorepo, session, request, names: &names, read: RefCell::default() };
    #[cfg(feature = "cargo-features")]
    let default_features = || features.default();
    #[cfg_attr(not(feature = "cargo-features"), expect(unused_mut, reason = "a build script has Cargo's own answer"))]
    let mut signals = Signals {
        flag: request.choice.clone(),
        extras: extras.to_vec(),
        variables: session.variables.clone(),
        recorded: if request.keep { recorded(monorepo, session, paths, &names) } else { None },
        decided: request.decided.clone().unwrap_or_default(),
        detect: if cfg!(feature = "gpu-detection") { Some(&backend::detect) } else { None },
        ..Signals::default()
    };
    #[cfg(feature = "cargo-features")]
    if request.decided.is_none() {
        signals.features = features.explicit()?;
        signals.default_features = Some(&default_features);
    }
    #[cfg_attr(not(feature = "cargo-features"), expect(unused_mut, reason = "a build script has Cargo's own answer"))]
    let mut selection = backend::select(backends, monorepo.relative(&paths.manifest()).as_str(), &signals)?;
    #[cfg(feature = "cargo-features")]
    {
        let read = features.read.into_inner();
        selection.inputs = backend::SelectionInputs { driver: selection.inputs.driver, ..read };
    }
    Ok(selection)
}

/// What the environment was last synced with. With one environment per backend it is the one that there is, if there is
/// only one.
fn recorded(monorepo: &Monorepo, session: &Session, paths: &ProfilePaths, names: &[Name]) -> Option<Choice> {
    let read = |backend: Option<&Name>| {
        let record = SyncRecord::read(&Environment::new(monorepo.environment(paths, backend, &session.variables)))?;
        Choice::parse(&record.backend?).ok()
    };
    if !monorepo.config.env_per_backend {
        return read(None);
    }
    let mut found = names.iter().map(Some).chain([None]).filter_map(read);
    found.next().filter(|_| found.next().is_none())
}

/// Cargo's view of the backends, asked for only when it counts.
#[cfg(feature = "cargo-features")]
struct FeatureSource<'a> {
    monorepo: &'a Monorepo,
    session: &'a Session,
    request: &'a BackendRequest,
    names: &'a [Name],
    /// What cargo has read.
    read: RefCell<backend::SelectionInputs>,
}

#[cfg(feature = "cargo-features")]
impl FeatureSource<'_> {
    /// What explicitly given features switch on.
    fn explicit(&self) -> crate::Result<Vec<FeatureClaim>> {
        let Some(flag) = self.request.features.explicit_flag() else {
            return Ok(Vec::new());
        };
        if self.manifest().is_none() {
            return Err(cargo::CargoError::NoWorkspace { flag, root: self.monorepo.root.clone() }.into());
        }
        let claims = self.claims()?;
        Ok(if claims.are_explicit { claims.selected } else { Vec::new() })
    }

    fn default(&self) -> crate::Result<Vec<FeatureClaim>> {
        // A container without a Rust toolchain has no default features.
        if self.manifest().is_none() || !cargo::is_installed(&self.session.variables) {
            return Ok(Vec::new());
        }
        Ok(self.claims()?.selected)
    }

    fn claims(&self) -> crate::Result<cargo::FeatureClaims> {
        match self.manifest() {
            Some(manifest) => {
                let features = cargo::Features::read(&manifest, self.session.offline)?;
                let mut read = self.read.borrow_mut();
                read.files.extend(features.files());
                read.folders.extend(features.folders());
                Ok(features.claims(&self.request.features, self.names)?)
            }
            None => Ok(cargo::FeatureClaims::default()),
        }
    }

    /// The `Cargo.toml` that cargo would go by here: the nearest at or above the current directory, within the monorepo.
    fn manifest(&self) -> Option<camino::Utf8PathBuf> {
        let root = self.monorepo.root.as_path();
        let within = self.session.directory.ancestors().take_while(|path| path.starts_with(root));
        within.chain([root]).map(|path| path.join("Cargo.toml")).find(|path| path.is_file())
    }
}
