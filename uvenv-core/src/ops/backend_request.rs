//! Selects the backend of a sync from the request and the monorepo.

use camino::Utf8PathBuf;

use super::{OperationError, Session, cargo_features::FeatureSource, error::BackendLoss};
use crate::{
    backend::{self, Backend, BackendScope, BuildFeatures, Choice, Selection, SelectionInputs, Signals},
    cargo::FeatureSelection,
    environment::{BACKEND_HOLDS_FOR, Environment, SyncRecord},
    manifest::Manifest,
    model::{Name, Variables},
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

impl BackendRequest {
    /// The request of what uses an environment as it is: with the chosen backend or, without a choice, with that of the
    /// last sync.
    #[must_use]
    pub fn keeping(choice: Option<Choice>) -> Self {
        Self { choice, keep: true, ..Self::default() }
    }
}

/// The packages to sync.
#[derive(Clone, Copy, Debug)]
pub(super) struct SelectedPackages<'a> {
    pub(super) names: &'a [String],
    pub(super) all: bool,
}

/// The backends with which packages can be synced.
pub(super) struct AvailableBackends {
    pub(super) list: Vec<Backend>,
    /// Whether the packages have no backends, and these are those of others that share the environment.
    pub(super) of_others: bool,
}

impl<'a> SelectedPackages<'a> {
    /// Returns the named projects.
    fn projects(self, context: &'a ProfileContext<'_>) -> Result<Vec<&'a Manifest>, OperationError> {
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
        self.names.iter().map(find).collect()
    }

    /// Returns the backends with which these packages can be synced.
    pub(super) fn backends(self, context: &ProfileContext<'_>, session: &Session) -> crate::Result<AvailableBackends> {
        let own = |project| context.backends_of(BackendScope::Project(project));
        let list = match (self.projects(context)?.as_slice(), self.all) {
            ([], false) => context.backends()?.to_vec(),
            ([project], false) => own(project)?,
            (_, true) => context.backends_of(BackendScope::Workspace)?,
            (several, false) => match several.iter().map(|project| own(project)).collect::<Result<Vec<_>, _>>()? {
                backends if backends.iter().all(Vec::is_empty) => Vec::new(),
                _ => context.backends_of(BackendScope::Workspace)?,
            },
        };
        if !list.is_empty() {
            return Ok(AvailableBackends { list, of_others: false });
        }
        // The backends of the profile, or those of members, if the environment has one of them.
        let mut list = if self.names.is_empty() { Vec::new() } else { context.backends()?.to_vec() };
        let of_members = context.backends_of(BackendScope::Workspace)?;
        let names: Vec<_> = list.iter().chain(&of_members).map(|backend| backend.name.clone()).collect();
        let has = |backends: &[Backend], name: &Name| backends.iter().any(|backend| backend.name == *name);
        if let Some(Choice::Named(name)) = recorded(context, session, &names)
            && !has(&list, &name)
            && has(&of_members, &name)
        {
            list = of_members;
        }
        Ok(AvailableBackends { of_others: !list.is_empty(), list })
    }
}

impl AvailableBackends {
    /// Whether a sync of `packages`, which do not have the backend of the environment, must take care not to lose it.
    /// Rejects a sync that would lose it, or that cannot install the selected one. `keeps` is whether the sync keeps
    /// what is not part of the packages.
    pub(super) fn are_endangered(
        &self,
        context: &ProfileContext<'_>,
        environment: &Environment,
        selection: &Selection,
        (packages, keeps): (&[String], bool),
    ) -> Result<bool, OperationError> {
        if !self.of_others || self.list.is_empty() || selection.opted_out {
            return Ok(false);
        }
        let packages = subjects(context, packages);
        let record = SyncRecord::read(environment);
        let recorded = record.as_ref().and_then(|record| record.backend.clone()?.into_name());
        let error = |loss| OperationError::PackageWithoutBackend {
            packages: packages.clone(),
            profile: context.profile,
            of_members: context.backends().is_ok_and(<[Backend]>::is_empty),
            environment: context.monorepo.relative(environment.root()).to_owned(),
            loss,
        };
        match selection.name() {
            Some(name) if recorded.as_ref() != Some(name) => Err(error(BackendLoss::NotInstalled(name.clone()))),
            Some(name) if !keeps => Err(error(BackendLoss::Removed(name.clone()))),
            // uvenv has installed none.
            None if record.is_some() || !environment.root().exists() => Ok(false),
            None if !keeps => Err(error(BackendLoss::Unknown)),
            Some(_) | None => Ok(true),
        }
    }
}

/// Returns the packages that are synced, as messages name them.
pub(super) fn subjects(context: &ProfileContext<'_>, packages: &[String]) -> Vec<String> {
    if packages.is_empty() {
        context.manifest.name().iter().map(ToString::to_string).collect()
    } else {
        packages.to_vec()
    }
}

/// Selects one of `backends` for a profile.
pub(super) fn select(
    context: &ProfileContext<'_>,
    session: &Session,
    available: &AvailableBackends,
    request: &BackendRequest,
    extras: &[Name],
) -> crate::Result<Selection> {
    let AvailableBackends { list: backends, of_others } = available;
    let names: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
    let features = FeatureSource::new(context.monorepo, session, &request.features, &names);
    let default_features = || features.default();
    let holds_for = holds_for_another(context, session, &names);
    let mut signals = Signals {
        flag: request.choice.clone(),
        extras: extras.to_vec(),
        variables: if holds_for.is_some() {
            session.settings.variables.with(&[(backend::VARIABLE.to_owned(), None)])
        } else {
            session.settings.variables.clone()
        },
        holds_for,
        recorded: recorded(context, session, &names).filter(|choice| {
            let is_known = !matches!(choice, Choice::Named(name) if !names.contains(name));
            (request.keep || *of_others) && is_known
        }),
        decided: request.decided.clone().unwrap_or_default(),
        detect: if cfg!(feature = "gpu-detection") { Some(&backend::detect) } else { None },
        ..Signals::default()
    };
    if request.decided.is_none() {
        signals.features = features.explicit()?;
        signals.default_features = Some(&default_features);
    }
    let manifest = context.manifest_name().as_str();
    let mut selection = if *of_others {
        // What is not said for this sync does not count, because the packages have nothing to choose.
        signals = Signals { variables: Variables::default(), default_features: None, ..signals };
        backend::select_if_said(backends, manifest, &signals)?
    } else {
        backend::select(backends, manifest, &signals)?
    };
    selection.inputs = SelectionInputs { driver: selection.inputs.driver, ..features.into_inputs() };
    Ok(selection)
}

/// Returns the environment for which `run` or an activation has set `UVENV_BACKEND`, if it is another one. A value that is
/// not the backend of that environment was set by the user.
fn holds_for_another(context: &ProfileContext<'_>, session: &Session, names: &[Name]) -> Option<Utf8PathBuf> {
    let variables = &session.settings.variables;
    let (environment, value) = (variables.get(BACKEND_HOLDS_FOR)?, variables.get(backend::VARIABLE)?);
    let environment = Utf8PathBuf::from(environment);
    let mut own = names.iter().map(Some).chain([None]);
    let is_own = own.any(|name| context.monorepo.environment(context.paths, name, variables) == environment);
    let recorded = SyncRecord::read(&Environment::new(environment.clone())).and_then(|record| record.backend);
    let is_its_backend = recorded.is_none_or(|recorded| recorded.to_string() == value);
    (!is_own && is_its_backend).then_some(environment)
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
