//! What an existing environment is to have, and what uv says that a sync would change in it.

use super::{
    BackendRequest, LockMode, Session, SyncPlan, SyncRequest, existing_environment, sync::build_context, uv_failed,
};
use crate::{
    backend::Choice,
    environment::{Distributions, Environment, SyncRecord},
    model::{Name, Profile},
    monorepo::{Monorepo, ProfileContext},
    native::{self, BuildChoices, NativePackages, NativeWarning, Stale},
    process::Stderr,
    uv::{
        LockfileMode, SyncCommand, Uv,
        messages::{PlannedChange, is_outdated_environment, planned_changes},
    },
};

/// An existing environment, and what it is to have.
pub(super) struct Installation {
    pub(super) environment: Environment,
    pub(super) backend: Option<Name>,
    /// The flags of uv that select what is installed.
    pub(super) selection: Vec<String>,
}

impl Installation {
    /// Finds the environment of `profile`, with what the last sync was to install or, if it is not known, what a sync would.
    pub(super) fn find(
        monorepo: &Monorepo,
        session: &Session,
        profile: Profile,
        backend: &BackendRequest,
    ) -> crate::Result<Self> {
        let request = SyncRequest { backend: backend.clone(), ..SyncRequest::default() };
        let environment = existing_environment(monorepo, session, profile, &request)?;
        if let Some(record) = SyncRecord::read(&environment) {
            let backend = record.backend.and_then(Choice::into_name);
            return Ok(Self { environment, backend, selection: record.selection });
        }
        let request = SyncRequest { lock: LockMode::Frozen { allow_stale: true }, dry_run: true, ..request };
        let plan = SyncPlan::new(monorepo, session, profile, &request)?;
        Ok(Self { environment, backend: plan.selection.name().cloned(), selection: plan.selection_flags() })
    }
}

/// What a sync would change in an environment.
#[derive(Debug)]
pub(super) struct InstalledState {
    /// Whether uv would change anything.
    pub(super) is_outdated: bool,
    /// What uv would install and remove.
    pub(super) changes: Vec<PlannedChange>,
    /// The installed native packages that uvenv would have rebuilt.
    pub(super) stale: Vec<Stale>,
    /// Why it is not certain that the native packages are up to date.
    pub(super) warnings: Vec<NativeWarning>,
}

impl InstalledState {
    /// Asks the `uv` of `session` about `environment`, without the network. `selection` are the flags that decide what is to
    /// be installed.
    pub(super) fn ask(
        context: &ProfileContext<'_>,
        session: &Session,
        uv: &Uv,
        environment: &Environment,
        (selection, backend): (&[String], Option<&Name>),
    ) -> crate::Result<Self> {
        let variables = session.settings.child_view();
        let backends = context.backends().unwrap_or_default();
        let backends: Vec<_> = backends.iter().map(|backend| backend.name.clone()).collect();
        let profile = native::recorded_profile(environment);
        let choices = BuildChoices { backends: &backends, backend, profile, uv_args: &[] };
        let native = NativePackages::plan(context, &choices, &variables, uv.version)?;
        let command = SyncCommand {
            project: context.paths.directory.clone(),
            environment: environment.root().to_owned(),
            lock: LockfileMode::Frozen,
            check: true,
            offline: true,
            settings: native.config.settings.clone(),
            variables: native.config.variables.clone(),
            rest: selection.iter().map(Into::into).collect(),
            ..SyncCommand::default()
        };
        let invocation = command.invocation(uv, &session.settings.appearance);
        let streamed = session.stream(&invocation, Stderr::Capture)?;
        let is_outdated = !streamed.status.success();
        if is_outdated && !is_outdated_environment(&streamed.stderr) {
            return Err(uv_failed(&invocation, &streamed, Stderr::Capture).into());
        }
        let child = |invocation| session.settings.child(invocation);
        let build = build_context(session, &context.monorepo.root, &variables, &child, true);
        let freshness = native.check(environment, &Distributions::read(environment)?, &build);
        Ok(Self {
            is_outdated,
            changes: planned_changes(&streamed.stderr).collect(),
            stale: freshness.stale.into_iter().filter(|stale| stale.is_installed).collect(),
            warnings: freshness.warnings,
        })
    }
}
