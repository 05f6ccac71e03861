//! `run`: runs a command in a profile's environment.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{
    OperationError, ProfileRequest, Session, SyncRequest,
    backend_request::{self, SelectedPackages},
    changed_backend::ChangedBackend,
    env_files,
};
use crate::{
    backend::{Choice, Selection},
    environment::{Activation, Audience, BaseInterpreter, Environment, SyncRecord, System},
    model::{Profile, Variables},
    monorepo::Monorepo,
    process::Invocation,
    report::SyncReport,
    uv::{Fetch, variables::refused_by_run},
};

/// The command to run, and its environment.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// How to bring the environment up to date first.
    pub sync: SyncRequest,
    /// Whether not to sync the environment first.
    pub no_sync: bool,
    /// Files with variables for the command, relative to the session's directory. Later ones count before earlier ones.
    pub env_files: Vec<String>,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

/// A command that is ready to run.
#[derive(Debug)]
pub struct PreparedCommand {
    invocation: Invocation,
    activation: Activation,
    /// The variables from files.
    loaded: BTreeMap<String, String>,
    shown: String,
}

impl RunRequest {
    /// Brings the environment of the profile that `target` names up to date and prepares the command. Returns the
    /// report of the sync, if there was one. `on_discovered` is called with the monorepo if the monorepo has to be
    /// read.
    pub fn prepare(
        &self,
        session: &Session,
        target: &ProfileRequest,
        on_discovered: impl FnOnce(&Monorepo, Profile),
    ) -> crate::Result<(Option<SyncReport>, PreparedCommand)> {
        if let Some((name, purpose)) = refused_by_run(&session.settings.variables) {
            return Err(OperationError::UnsupportedVariable { name, purpose, command: "run" }.into());
        }
        let loaded = env_files::read(session, &self.env_files)?;
        if self.no_sync {
            let (monorepo, profile) = target.find(session)?;
            on_discovered(&monorepo, profile);
            let environment = existing_environment(&monorepo, session, profile, &self.sync)?;
            let activation = activate(session, &environment, profile, Audience::Program)?.0;
            return Ok((None, self.command(session, &environment, activation, loaded)));
        }
        let mut synced = self.sync.synced(session, target, on_discovered)?;
        let base = synced.base(session)?;
        let activation = activation(session, &synced.environment, synced.report.profile, &base, Audience::Program);
        let command = self.command(session, &synced.environment, activation, loaded);
        Ok((Some(synced.report), command))
    }

    /// Returns the command as an activated environment would start it. A Python script is run by the environment's
    /// Python, as `uv run` does.
    fn command(
        &self,
        session: &Session,
        environment: &Environment,
        activation: Activation,
        loaded: BTreeMap<String, String>,
    ) -> PreparedCommand {
        let mut words = self.command.iter();
        let program = words.next().cloned().unwrap_or_default();
        let path = Path::new(&program);
        let is_script = path.extension().is_some_and(|extension| extension == "py") && path.is_file();
        let shown = program.to_string_lossy().into_owned();
        let invocation = if is_script {
            Invocation::new(environment.executable().as_str()).arg(program)
        } else {
            Invocation::new(resolve(&program, environment))
        };
        let invocation = loaded.iter().fold(invocation.args(words), |it, (name, value)| it.env(name, value));
        let invocation = activation.apply(invocation, &with_loaded(&session.settings.variables, &loaded));
        PreparedCommand { invocation, activation, loaded, shown }
    }
}

/// Returns the existing environment for a request that does not sync.
pub(crate) fn existing_environment(
    monorepo: &Monorepo,
    session: &Session,
    profile: Profile,
    request: &SyncRequest,
) -> crate::Result<Environment> {
    let paths = monorepo.profile(profile)?;
    let is_chosen = request.backend.choice.is_some() || request.backend.features.explicit_flag().is_some();
    let selected = if monorepo.config.env_per_backend || is_chosen {
        let context = monorepo.context(profile)?;
        let chosen: Vec<_> = request.extras.iter().chain(&request.groups).cloned().collect();
        let available =
            SelectedPackages { names: &request.packages, all: request.all_packages }.backends(&context, session)?;
        Some(backend_request::select(&context, session, &available, &request.backend, &chosen)?)
    } else {
        None
    };
    let backend = selected.as_ref().and_then(Selection::name);
    let environment = Environment::new(monorepo.environment(paths, backend, &session.settings.variables));
    // What the environment has is not known if only other programs have synced it.
    let record = SyncRecord::read(&environment);
    if let (Some(wanted), Some(record)) = (selected.and_then(|it| it.choice()), &record) {
        let recorded = record.backend.clone().unwrap_or(Choice::None);
        if is_chosen && recorded != wanted {
            let environment = monorepo.relative(environment.root()).to_owned();
            return Err(OperationError::OtherBackend { environment, profile, recorded, wanted }.into());
        }
    }
    if let Some(from) = environment.moved_from(record.as_ref()) {
        let context = monorepo.context(profile)?;
        return Err(OperationError::moved(&context, &environment, from, false).into());
    }
    // The record does not show what other programs have done.
    if is_chosen && let Ok(uv) = session.uv_with(Fetch::Never) {
        let context = monorepo.context(profile)?;
        let packages = SelectedPackages { names: &request.packages, all: request.all_packages };
        if let Some(change) = ChangedBackend::find(
            &context,
            session,
            uv,
            &environment,
            &packages.backends(&context, session)?.list,
            packages,
        ) {
            return Err(change.error(&context, &environment).into());
        }
    }
    match environment.usable()? {
        Some(_) => Ok(environment),
        None => Err(OperationError::NoEnvironment { environment: environment.root().to_owned(), profile }.into()),
    }
}

/// Returns the variables that programs need to use `environment`, and the interpreter from which it was created.
pub(super) fn activate(
    session: &Session,
    environment: &Environment,
    profile: Profile,
    audience: Audience,
) -> crate::Result<(Activation, BaseInterpreter)> {
    let base = BaseInterpreter::ask(&environment.executable(), |invocation| session.settings.child(invocation))?;
    Ok((activation(session, environment, profile, &base, audience), base))
}

/// Returns the variables that programs need to use `environment`, which was created from `base`.
pub(crate) fn activation(
    session: &Session,
    environment: &Environment,
    profile: Profile,
    base: &BaseInterpreter,
    audience: Audience,
) -> Activation {
    let backend = SyncRecord::read(environment).and_then(|record| record.backend);
    Activation::new(
        System::CURRENT,
        environment,
        base,
        (profile, backend.as_ref()),
        &session.settings.variables,
        audience,
    )
}

/// Returns `variables` with those from files.
fn with_loaded(variables: &Variables, loaded: &BTreeMap<String, String>) -> Variables {
    let loaded: Vec<_> = loaded.iter().map(|(name, value)| (name.clone(), Some(OsString::from(value)))).collect();
    variables.with(&loaded)
}

/// Windows searches for a program on the `PATH` of this process, not on that of the child.
fn resolve(program: &OsString, environment: &Environment) -> OsString {
    if cfg!(windows) {
        let local = environment.scripts().as_std_path().join(program).with_extension("exe");
        if local.is_file() {
            return local.into_os_string();
        }
    }
    program.clone()
}

impl PreparedCommand {
    /// Returns the program and its arguments.
    pub fn words(&self) -> impl Iterator<Item = &OsStr> {
        self.invocation.words()
    }

    /// Returns the variables whose values for the command differ from those in `variables`, the caller's; `None` for a
    /// variable that is unset.
    pub fn changes(&self, variables: &Variables) -> Vec<(String, Option<OsString>)> {
        let loaded = self.loaded.iter().map(|(name, value)| (name.clone(), Some(value.into())));
        let activated = self.activation.values(&with_loaded(variables, &self.loaded));
        let activated = activated.into_iter().map(|(name, value)| (name.to_owned(), value));
        loaded.chain(activated).collect()
    }

    /// Replaces this process with the command. On Windows, runs the command and returns its exit status. Returns an
    /// error only if the command cannot be started.
    pub fn exec(&self) -> crate::Result<i32> {
        let failed = |source| OperationError::Command { command: self.shown.clone(), source };
        Ok(self.invocation.exec().map_err(failed)?)
    }
}
