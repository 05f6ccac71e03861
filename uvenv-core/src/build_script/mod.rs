//! For `build.rs`: the Python dependencies of a crate, prepared when it is built.
//!
//! ```no_run
//! fn main() -> Result<(), uvenv_core::Error> {
//!     let python = uvenv_core::build_script::Sync::new().run()?;
//!     python.command().args(["-m", "my_codegen"]).arg(python.out_dir()).status()?;
//!     Ok(())
//! }
//! ```
//!
//! The environment is that of the monorepo which the crate lies in, synced as `cargo uvenv run` does it: what is missing is
//! installed, and what else is there stays. Cargo is told what the outcome depends on, so that it runs the script again
//! when, and only when, some of that has changed.

mod claims;
mod error;
mod link;
mod output;
mod parent;
mod python;
mod script;
mod watched_files;

use self::{claims::Claims, output::CargoDirectives, script::Script, watched_files::WatchedFiles};
pub use self::{
    error::BuildScriptError,
    python::{Command, Python},
};
use crate::{
    Monorepo,
    environment::{Environment, Journal, SyncRecord},
    model::{Diagnostic, Profile, Variables},
    native,
    ops::{BackendRequest, ProfileRequest, Session, SyncRequest},
};

/// A sync for the crate whose build script is running.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing happens until it is `run`"]
pub struct Sync {
    profile: Option<Profile>,
    is_optional: bool,
}

impl Sync {
    /// A sync of the profile that the variable `UVENV_PROFILE` names, else dev.
    pub fn new() -> Self {
        Self::default()
    }

    /// Syncs `profile`, whatever `UVENV_PROFILE` says.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Does nothing where the crate is built outside its monorepo, as when it was published; else that is an error.
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Syncs, and tells cargo of it on stdout. On docs.rs nothing is done, and a warning says so; see
    /// [`Python::is_present`].
    pub fn run(self) -> crate::Result<Python> {
        let script = Script::new(Variables::from_process())?;
        let mut output = CargoDirectives::default();
        let result = self.run_for(&script, &mut output);
        // Also after an error, which `main` may survive: then this is all that cargo knows.
        output.print();
        result
    }

    fn run_for(&self, script: &Script, output: &mut CargoDirectives) -> crate::Result<Python> {
        output.reads_variable("DOCS_RS")?;
        if script.variables.get_os("DOCS_RS").is_some() {
            return absent(script, output, "docs.rs builds without a network");
        }
        let profile = if let Some(profile) = self.profile {
            profile
        } else {
            output.reads_variable("UVENV_PROFILE")?;
            script.profile()?
        };
        let monorepo = match script.monorepo() {
            Err(error) if self.is_optional && ["no-monorepo", "no-project"].contains(&error.code()) => {
                return absent(script, output, "it is not built within its monorepo");
            }
            found => found.map_err(|error| script.explain(error, None))?,
        };
        let session = script.session();
        let synced = self::sync(script, &monorepo, &session, profile, output);
        synced.map_err(|error| script.explain(error, Some(&monorepo)))
    }
}

/// What a script gets where there is no Python for it.
fn absent(script: &Script, output: &mut CargoDirectives, reason: &str) -> crate::Result<Python> {
    output.warning(&format!("the Python environment of `{}` was not prepared: {reason}", script.package))?;
    // `env!` compiles all the same.
    for name in ["UVENV_PYTHON", "UVENV_SITE_PACKAGES", "UVENV_PROFILE", "UVENV_BACKEND"] {
        output.value(name, "", script.has_links)?;
    }
    Ok(Python::absent(script))
}

fn sync(
    script: &Script,
    monorepo: &Monorepo,
    session: &Session,
    profile: Profile,
    output: &mut CargoDirectives,
) -> crate::Result<Python> {
    let watched_files = WatchedFiles::new(monorepo, monorepo.profile(profile)?);
    watched_files.emit(&script.variables, output)?;
    let request = SyncRequest {
        backend: BackendRequest { decided: Some(script.features()), ..BackendRequest::default() },
        // As `cargo uvenv run` has it: the two take turns on one environment, and neither undoes what the other needs.
        keep_extraneous: true,
        ..SyncRequest::default()
    };
    let target = ProfileRequest { profile: Some(profile), ..ProfileRequest::default() };
    let synced = request.synced_by(session, &target, (monorepo, profile), |environment, choice| {
        let journal = open(environment, session)?;
        let mut claims = Claims::read(&journal);
        claims.add(script.claim(choice.map(str::to_owned)), monorepo, environment)?;
        Ok(claims.write()?)
    });
    for warning in session.take_warnings() {
        let help = warning.help().map(|help| format!("; {help}")).unwrap_or_default();
        output.warning(&format!("{warning}{help}").replace(['\n', '\r'], " "))?;
    }
    let mut synced = synced?;
    let generated = watched_files.generated(&synced.environment);
    {
        let journal = open(&synced.environment, session)?;
        // Another process may have synced it for something else since; that is news.
        if SyncRecord::read(&synced.environment).as_ref() == Some(&synced.record) {
            let mut claims = Claims::read(&journal);
            claims.settle(script.invoked, &generated);
            claims.write()?;
        }
    }
    for path in generated.iter().chain(&native::sources(&synced.environment)) {
        output.reads_file(path)?;
    }
    let python = Python::new(script, session, &mut synced)?;
    for (name, value) in python.values() {
        output.value(name, value, script.has_links)?;
    }
    Ok(python)
}

/// Waits for the environment.
fn open(environment: &Environment, session: &Session) -> crate::Result<Journal> {
    Ok(Journal::open(environment, &session.variables, session.observer())?)
}
