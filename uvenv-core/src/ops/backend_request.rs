//! Selects the backend of a sync from the request and the monorepo.

use super::{OperationError, Session, cargo_features::FeatureSource};
use crate::{
    backend::{self, Backend, BackendScope, BuildFeatures, Choice, Selection, SelectionInputs, Signals},
    cargo::FeatureSelection,
    environment::{Environment, SyncRecord},
    model::Name,
    monorepo::ProfileContext,
};

/// The backend options of the command line.
#[derive(Clone, Debug, Default)]
pub struct BackendRequest {
    /// `--backend`.
    pub choice: Option<Choice>,
    /// Cargo's own options: packages and features.
    pub features: FeatureSelection,
    /// In a build script, the features chosen by Cargo; Cargo is then not queried again.
    pub decided: Option<BuildFeatures>,
    /// Whether to use the backend of the environment's last sync, as `run` does.
    pub keep: bool,
}

/// The packages to sync.
#[derive(Clone, Copy, Debug)]
pub(super) struct SelectedPackages<'a> {
    pub(super) names: &'a [String],
    pub(super) all: bool,
}

impl<'a> SelectedPackages<'a> {
    /// Returns the project whose backends apply.
    fn scope(self, context: &'a ProfileContext<'_>) -> Result<BackendScope<'a>, OperationError> {
        let find = |text: &String| {
            let name = Name::parse(text);
            let is_root = name.is_some() && context.manifest.name() == name.as_ref();
            let member = || context.members().iter().find(|member| Some(&member.name) == name.as_ref());
            let found = if is_root { Some(&*context.manifest) } else { member().map(|member| &member.manifest) };
            found.ok_or_else(|| OperationError::UnknownMember {
                name: text.clone(),
                manifest: context.manifest_name().to_owned(),
                available: context.members().iter().map(|member| member.name.to_string()).collect(),
            })
        };
        let named: Vec<_> = self.names.iter().map(find).collect::<Result<_, _>>()?;
        Ok(match (named.as_slice(), self.all) {
            ([], false) if context.manifest.project.is_some() => BackendScope::Project(&context.manifest),
            ([project], false) => BackendScope::Project(project),
            _ => BackendScope::Workspace,
        })
    }

    /// Returns the backends with which these packages can be synced.
    pub(super) fn backends(self, context: &ProfileContext<'_>) -> crate::Result<Vec<Backend>> {
        context.backends_of(self.scope(context)?)
    }
}

/// Selects one of `backends` for a profile.
pub(super) fn select(
    context: &ProfileContext<'_>,
    session: &Session,
    backends: &[Backend],
    request: &BackendRequest,
    extras: &[Name],
) -> crate::Result<Selection> {
    let names: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
    let features = FeatureSource::new(context.monorepo, session, &request.features, &names);
    let default_features = || features.default();
    let mut signals = Signals {
        flag: request.choice.clone(),
        extras: extras.to_vec(),
        variables: session.settings.variables.clone(),
        recorded: if request.keep { recorded(context, session, &names) } else { None },
        decided: request.decided.clone().unwrap_or_default(),
        detect: if cfg!(feature = "gpu-detection") { Some(&backend::detect) } else { None },
        ..Signals::default()
    };
    if request.decided.is_none() {
        signals.features = features.explicit()?;
        signals.default_features = Some(&default_features);
    }
    let mut selection = backend::select(backends, context.manifest_name().as_str(), &signals)?;
    selection.inputs = SelectionInputs { driver: selection.inputs.driver, ..features.into_inputs() };
    Ok(selection)
}

/// Returns the backend of the last sync. With one environment per backend, this is the backend of the only existing
/// environment; `None` if there are several.
fn recorded(context: &ProfileContext<'_>, session: &Session, names: &[Name]) -> Option<Choice> {
    let monorepo = context.monorepo;
    let read = |backend: Option<&Name>| {
        let record = SyncRecord::read(&Environment::new(monorepo.environment(
            context.paths,
            backend,
            &session.settings.variables,
        )))?;
        record.backend
    };
    if !monorepo.config.env_per_backend {
        return read(None);
    }
    let mut found = names.iter().map(Some).chain([None]).filter_map(read);
    found.next().filter(|_| found.next().is_none())
}
