//! `run`: a command in a profile's environment.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use super::{OperationError, Session, SyncPlan, SyncRequest, selection};
use crate::{
    environment::{Activation, Audience, BaseInterpreter, Environment, Record},
    monorepo::{Monorepo, Profile},
    process::Invocation,
    report::SyncReport,
    variables::Variables,
};

/// What to run, and in which environment.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// How the environment is brought up to date first.
    pub sync: SyncRequest,
    /// Take the environment as it is.
    pub no_sync: bool,
    /// The command and its arguments.
    pub command: Vec<OsString>,
}

/// A command that is ready to run.
#[derive(Debug)]
pub struct Command {
    invocation: Invocation,
    activation: Activation,
    shown: String,
}

impl RunRequest {
    /// Brings the environment up to date and prepares the command. The report is that of the sync, if there was one.
    pub fn prepare(
        &self,
        monorepo: &Monorepo,
        session: &Session,
        profile: Profile,
    ) -> crate::Result<(Option<SyncReport>, Command)> {
        let (report, environment) = if self.no_sync {
            let existing = existing_environment(monorepo, session, profile, &self.sync)?;
            (None, existing)
        } else {
            let plan = SyncPlan::new(monorepo, session, profile, &self.sync)?;
            (Some(plan.execute(session)?), Environment::new(plan.environment))
        };
        let activation = activate(session, &environment, profile, Audience::Program)?.0;
        Ok((report, self.command(session, &environment, activation)))
    }

    /// The command as an activated environment would start it. A script gets the environment's Python, as `uv run` does it.
    fn command(&self, session: &Session, environment: &Environment, activation: Activation) -> Command {
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
        Command { invocation: activation.apply(invocation.args(words), &session.variables), activation, shown }
    }
}

/// The environment that is there, of a request that does not sync.
pub(super) fn existing_environment(
    monorepo: &Monorepo,
    session: &Session,
    profile: Profile,
    request: &SyncRequest,
) -> crate::Result<Environment> {
    let paths = monorepo.profile(profile)?;
    let backend = if monorepo.config.env_per_backend {
        let manifest = monorepo.manifest(paths)?;
        let backends = selection::profile_backends(monorepo, paths, &manifest)?;
        let chosen: Vec<_> = request.extras.iter().chain(&request.groups).cloned().collect();
        let selected = selection::select(monorepo, session, paths, &backends, &request.backend, &chosen)?;
        selected.backend.map(|backend| backend.name)
    } else {
        None
    };
    let environment = Environment::new(monorepo.environment(paths, backend.as_ref(), &session.variables));
    match environment.usable()? {
        Some(_) => Ok(environment),
        None => Err(OperationError::NoEnvironment { environment: environment.root().to_owned(), profile }.into()),
    }
}

/// What programs must see to use `environment`, and the interpreter that it was made from.
pub(crate) fn activate(
    session: &Session,
    environment: &Environment,
    profile: Profile,
    audience: Audience,
) -> crate::Result<(Activation, BaseInterpreter)> {
    let base = BaseInterpreter::ask(&environment.executable(), |invocation| session.child(invocation))?;
    let backend = Record::read(environment).and_then(|record| record.backend);
    let kept = (profile, backend.as_deref());
    Ok((Activation::new(environment, &base, kept, &session.variables, audience), base))
}

/// On Windows a program is looked for on our `PATH`, not on the child's.
fn resolve(program: &OsString, environment: &Environment) -> OsString {
    if cfg!(windows) {
        let local = environment.scripts().as_std_path().join(program).with_extension("exe");
        if local.is_file() {
            return local.into_os_string();
        }
    }
    program.clone()
}

impl Command {
    /// The program and its arguments.
    pub fn words(&self) -> impl Iterator<Item = &OsStr> {
        self.invocation.words()
    }

    /// The variables that it sees otherwise than `variables`, those of its caller; `None` for one that it does not see.
    pub fn changes(&self, variables: &Variables) -> Vec<(&'static str, Option<OsString>)> {
        self.activation.values(variables)
    }

    /// Becomes the command; on Windows runs it and returns its exit status. Returns an error only if it does not start.
    pub fn exec(&self) -> crate::Result<i32> {
        let failed = |source| OperationError::Command { command: self.shown.clone(), source };
        Ok(self.invocation.exec().map_err(failed)?)
    }
}
