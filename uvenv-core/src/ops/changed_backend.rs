//! Notices that something other than uvenv has changed the backend of an environment: `uv sync`, `uv pip`, an editor.

use super::{OperationError, Session, backend_request::SelectedPackages};
use crate::{
    backend::{Backend, Choice},
    environment::{Environment, SyncRecord, has_lost_since_sync},
    model::Name,
    monorepo::ProfileContext,
    process::Stderr,
    uv::{LockfileMode, SyncCommand, Uv, messages::is_outdated_environment},
};

/// The backend of an environment's last sync is no longer installed.
#[derive(Clone, Debug)]
pub(super) struct ChangedBackend {
    /// The backend of the last sync.
    pub(super) recorded: Name,
    /// The backend whose packages are all installed; `None` if there is no such backend.
    pub(super) now: Option<Name>,
}

impl ChangedBackend {
    /// Finds out whether the backend of the environment, in which `packages` are synced, has changed. Asks uv, but only if a
    /// distribution is gone, or has another version, since the last sync.
    pub(super) fn find(
        context: &ProfileContext<'_>,
        session: &Session,
        uv: &Uv,
        environment: &Environment,
        backends: &[Backend],
        packages: SelectedPackages<'_>,
    ) -> Option<Self> {
        let Some(Choice::Named(recorded)) = SyncRecord::read(environment)?.backend else { return None };
        let last = backends.iter().find(|backend| backend.name == recorded)?;
        if !has_lost_since_sync(environment) {
            return None;
        }
        let is_installed = |backend: &Backend| is_installed(context, session, uv, environment, (backend, packages));
        if is_installed(last) != Some(false) {
            return None;
        }
        let mut others = backends.iter().filter(|backend| backend.name != last.name);
        let now = others.find(|backend| is_installed(backend) == Some(true)).map(|backend| backend.name.clone());
        Some(Self { recorded, now })
    }

    pub(super) fn error(self, context: &ProfileContext<'_>, environment: &Environment) -> OperationError {
        let environment = context.monorepo.relative(environment.root()).to_owned();
        OperationError::BackendChanged { environment, profile: context.profile, recorded: self.recorded, now: self.now }
    }
}

/// Whether uv would install nothing for `backend`; `None` if uv cannot tell.
fn is_installed(
    context: &ProfileContext<'_>,
    session: &Session,
    uv: &Uv,
    environment: &Environment,
    (backend, packages): (&Backend, SelectedPackages<'_>),
) -> Option<bool> {
    let command = SyncCommand {
        project: context.paths.directory.clone(),
        environment: environment.root().to_owned(),
        lock: LockfileMode::Frozen,
        on: vec![backend.selector.clone()],
        no_default_groups: true,
        packages: packages.names.to_vec(),
        all_packages: packages.all,
        // Whether the workspace's own packages must be built again is another question.
        rest: vec!["--no-install-workspace".into()],
        inexact: true,
        check: true,
        offline: true,
        ..SyncCommand::default()
    };
    let streamed = session.stream(&command.invocation(uv, &session.settings.appearance), Stderr::Capture).ok()?;
    let is_outdated = is_outdated_environment(&streamed.stderr);
    if streamed.status.success() { Some(true) } else { is_outdated.then_some(false) }
}
