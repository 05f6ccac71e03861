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
//! The environment is that of the monorepo that contains the crate. It is synced as `cargo uvenv run` does it: missing
//! packages are installed, and extraneous packages are kept. Cargo is told what the result depends on, so that it runs
//! the script again if, and only if, some of that has changed.

mod claims;
mod error;
mod link;
mod output;
mod parent;
mod python;
mod script;
mod watched_files;

pub use self::python::{Command, Python};
use self::{
    claims::Claims, error::BuildScriptError, output::CargoDirectives, script::Script, watched_files::WatchedFiles,
};
#[cfg(feature = "vendored")]
use crate::ops::vendored_directory;
use crate::{
    Monorepo,
    environment::{BaseInterpreter, Environment, Journal, SyncRecord},
    manifest::ManifestError,
    model::{Profile, Variables},
    monorepo::DiscoveryError,
    native,
    ops::{BackendRequest, LockMode, ProfileRequest, Session, SyncRequest, existing_environment},
    uv::variables::is_without_sync,
};

/// A sync for the crate whose build script is running.
#[derive(Clone, Debug, Default)]
#[must_use = "nothing happens until it is `run`"]
pub struct Sync {
    profile: Option<Profile>,
    is_optional: bool,
}

impl Sync {
    /// Creates a sync of the profile named by the variable `UVENV_PROFILE`, or of dev if it is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Syncs `profile`, regardless of `UVENV_PROFILE`.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = Some(profile);
        self
    }

    /// Does nothing if the crate is built outside its monorepo, for example after it was published. Without this, that
    /// is an error.
    pub fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// Syncs, and tells cargo about it on stdout. On docs.rs nothing is synced, and a warning says so; see
    /// [`Python::is_present`].
    pub fn run(self) -> crate::Result<Python> {
        let script = Script::new(Variables::from_process())?;
        let mut output = CargoDirectives::default();
        let result = self.run_for(&script, &mut output);
        // The lines are printed even after an error: `main` may ignore it, and then they are all that cargo knows.
        output.print();
        result
    }

    fn run_for(&self, script: &Script, output: &mut CargoDirectives) -> crate::Result<Python> {
        output.reads_variable("DOCS_RS")?;
        if script.variables.get_os("DOCS_RS").is_some() {
            return absent(script, output, "docs.rs has no network access");
        }
        let profile = if let Some(profile) = self.profile {
            profile
        } else {
            output.reads_variable("UVENV_PROFILE")?;
            script.profile()?
        };
        let monorepo = match script.monorepo() {
            Err(error) if self.is_optional && is_outside_a_monorepo(&error) => {
                return absent(script, output, "it is not built inside its monorepo");
            }
            found => found.map_err(|error| script.explain(error, None))?,
        };
        let session = script.session();
        let synced = self::sync(script, &monorepo, &session, profile, output);
        synced.map_err(|error| script.explain(error, Some(&monorepo)))
    }
}

/// Whether there is no monorepo above the crate, or only a `pyproject.toml` that is not one.
fn is_outside_a_monorepo(error: &crate::Error) -> bool {
    use ManifestError::{NoName, NoProject};
    matches!(error.downcast_ref(), Some(DiscoveryError::NotFound { .. }))
        || matches!(error.downcast_ref(), Some(NoProject { .. } | NoName { .. }))
}

/// Returns the result for a script that has no Python.
fn absent(script: &Script, output: &mut CargoDirectives, reason: &str) -> crate::Result<Python> {
    output.warning(&format!("the Python environment of `{}` was not prepared: {reason}", script.package))?;
    // This lets `env!` compile anyway.
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
        lock: LockMode::new(false, parent::is_locked(), false, &script.variables),
        backend: BackendRequest { decided: Some(script.features()), ..BackendRequest::default() },
        // `cargo uvenv run` does the same: the two use one environment alternately, and neither removes what the other
        // needs.
        keep_extraneous: true,
        #[cfg(feature = "vendored")]
        vendored: vendored_directory(&script.variables).map(|directory| monorepo.root.join(directory)),
        ..SyncRequest::default()
    };
    #[cfg(feature = "vendored")]
    request.vendored.iter().try_for_each(|directory| output.reads_directory(directory))?;
    #[cfg(not(feature = "vendored"))]
    if script.variables.get("UVENV_VENDORED").is_some_and(|directory| !directory.is_empty()) {
        return Err(BuildScriptError::WithoutVendoring.into());
    }
    if is_without_sync(&script.variables) {
        let environment = existing_environment(monorepo, session, profile, &request)?;
        output.reads_file(&SyncRecord::path(&environment))?;
        let backend = SyncRecord::read(&environment).and_then(|record| record.backend?.into_name());
        let base = BaseInterpreter::ask(&environment.executable(), |invocation| session.settings.child(invocation))?;
        return tell(Python::new(script, session, &environment, (profile, backend), base), script, output);
    }
    let target = ProfileRequest { profile: Some(profile), ..ProfileRequest::default() };
    let synced = request.synced_by(session, &target, (monorepo, profile), |environment, choice| {
        let journal = open(environment, session)?;
        let mut claims = Claims::read(&journal);
        claims.add(script.claim(choice.cloned()), monorepo, environment)?;
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
        // If another process has synced the environment differently in the meantime, cargo must notice that.
        if SyncRecord::read(&synced.environment).as_ref() == Some(&synced.record) {
            let mut claims = Claims::read(&journal);
            claims.settle(script.invoked, &generated);
            claims.write()?;
        }
    }
    for path in generated.iter().chain(&native::sources(&synced.environment)) {
        output.reads_file(path)?;
    }
    let base = synced.base(session)?;
    let backend = synced.report.backend.clone();
    tell(Python::new(script, session, &synced.environment, (profile, backend), base), script, output)
}

/// Passes the values of `python` on to the crate.
fn tell(python: Python, script: &Script, output: &mut CargoDirectives) -> crate::Result<Python> {
    for (name, value) in python.values() {
        output.value(name, value, script.has_links)?;
    }
    Ok(python)
}

/// Waits until the environment is free, and opens its journal.
fn open(environment: &Environment, session: &Session) -> crate::Result<Journal> {
    Journal::open(environment, &session.settings.variables, session.settings.observer())
}
