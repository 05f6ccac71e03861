//! `run`: a command in a profile's environment.

use std::{ffi::OsString, path::Path};

use camino::Utf8PathBuf;

use super::{OperationError, Session, SyncPlan, SyncRequest, selection};
use crate::{
    environment::{Environment, State},
    monorepo::{Monorepo, Profile},
    process::Invocation,
    report::SyncReport,
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
            (None, self.existing_environment(monorepo, session, profile)?)
        } else {
            let plan = SyncPlan::new(monorepo, session, profile, &self.sync)?;
            (Some(plan.execute(session)?), plan.environment)
        };
        Ok((report, self.command(session, &Environment::new(environment))))
    }

    fn existing_environment(
        &self,
        monorepo: &Monorepo,
        session: &Session,
        profile: Profile,
    ) -> crate::Result<Utf8PathBuf> {
        let paths = monorepo.profile(profile)?;
        let backend = if monorepo.config.env_per_backend {
            let manifest = monorepo.manifest(paths)?;
            let backends = selection::profile_backends(monorepo, paths, &manifest)?;
            let chosen: Vec<_> = self.sync.extras.iter().chain(&self.sync.groups).cloned().collect();
            let selected = selection::select(monorepo, session, paths, &backends, &self.sync.backend, &chosen)?;
            selected.backend.map(|backend| backend.name)
        } else {
            None
        };
        let environment = Environment::new(monorepo.environment(paths, backend.as_ref(), &session.variables));
        match environment.usable()? {
            Some(_) => Ok(environment.root().to_owned()),
            None => Err(OperationError::NoEnvironment { environment: environment.root().to_owned(), profile }.into()),
        }
    }

    /// The command as an activated environment would start it. A script gets the environment's Python, as `uv run` does it.
    fn command(&self, session: &Session, environment: &Environment) -> Command {
        let mut words = self.command.iter();
        let program = words.next().cloned().unwrap_or_default();
        let path = Path::new(&program);
        let is_script = path.extension().is_some_and(|extension| extension == "py") && path.is_file();
        let shown = program.to_string_lossy().into_owned();
        let invocation = if is_script {
            let python = match environment.inspect() {
                Ok(State::Ready(interpreter)) => interpreter.executable,
                _ => environment.scripts().join("python"),
            };
            Invocation::new(python.as_str()).arg(program)
        } else {
            Invocation::new(resolve(&program, environment))
        };
        let search = session.variables.get_os("PATH").unwrap_or_default();
        let directories =
            std::iter::once(environment.scripts().into_std_path_buf()).chain(std::env::split_paths(search));
        // A directory that `join_paths` refuses has a separator in its name, and could not be on `PATH` to begin with.
        let search = std::env::join_paths(directories).unwrap_or_else(|_| search.to_owned());
        let invocation = invocation
            .args(words)
            .env("VIRTUAL_ENV", environment.root().as_str())
            .env("PATH", search)
            // Somebody else's standard library and modules.
            .env_remove("PYTHONHOME");
        Command { invocation, shown }
    }
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
    /// Becomes the command; on Windows runs it and returns its exit status. Returns an error only if it does not start.
    pub fn exec(&self) -> crate::Result<i32> {
        let failed = |source| OperationError::Command { command: self.shown.clone(), source };
        Ok(self.invocation.exec().map_err(failed)?)
    }
}
