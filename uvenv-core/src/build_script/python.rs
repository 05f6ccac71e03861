//! The Python of an environment, for further use by the build script.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{BuildScriptError, link, output::CargoDirectives, script::Script};
use crate::{
    environment::{Activation, Audience, BaseInterpreter, Environment},
    model::{Name, Profile, Variables},
    ops::{Session, activation},
    process::Invocation,
};

/// The Python for a build script. It is absent on docs.rs, and if an optional sync found no monorepo.
#[derive(Debug)]
pub struct Python {
    out_dir: Utf8PathBuf,
    variables: Variables,
    present: Option<Present>,
}

#[derive(Debug)]
struct Present {
    executable: Utf8PathBuf,
    environment: Environment,
    site_packages: Utf8PathBuf,
    activation: Activation,
    base: BaseInterpreter,
    profile: Profile,
    backend: Option<Name>,
}

impl Python {
    pub(super) fn absent(script: &Script) -> Self {
        Self { out_dir: script.out_dir.clone(), variables: script.variables.clone(), present: None }
    }

    /// Returns the Python of an environment, which was made from `base`.
    pub(super) fn new(
        script: &Script,
        session: &Session,
        environment: &Environment,
        (profile, backend): (Profile, Option<Name>),
        base: BaseInterpreter,
    ) -> Self {
        let present = Present {
            executable: environment.executable(),
            site_packages: environment.site_packages().unwrap_or_default(),
            environment: environment.clone(),
            activation: activation(session, environment, profile, &base, Audience::Program),
            base,
            profile,
            backend,
        };
        Self { present: Some(present), ..Self::absent(script) }
    }

    /// Whether there is a Python. If there is none, commands do nothing and succeed.
    pub fn is_present(&self) -> bool {
        self.present.is_some()
    }

    /// Returns the interpreter in the environment.
    pub fn executable(&self) -> Option<&Utf8Path> {
        self.present.as_ref().map(|present| present.executable.as_path())
    }

    /// Returns the directory of the environment's packages.
    pub fn site_packages(&self) -> Option<&Utf8Path> {
        self.present.as_ref().map(|present| present.site_packages.as_path())
    }

    /// Returns the environment.
    pub fn environment(&self) -> Option<&Environment> {
        self.present.as_ref().map(|present| &present.environment)
    }

    /// Returns the backend of the environment, if it has one.
    pub fn backend(&self) -> Option<&Name> {
        self.present.as_ref().and_then(|present| present.backend.as_ref())
    }

    /// Returns `OUT_DIR`, the directory for the files that the script generates.
    pub fn out_dir(&self) -> &Utf8Path {
        &self.out_dir
    }

    /// Returns a command that runs this Python.
    pub fn command(&self) -> Command {
        let activated =
            |present: &Present| present.activation.apply(Invocation::new(present.executable.as_str()), &self.variables);
        Command { invocation: self.present.as_ref().map(activated) }
    }

    /// Links the crate to the library of this Python, for programs and tests that embed it. They find the library when
    /// they run, wherever it is. This applies to this crate only, not to the crates that depend on it.
    ///
    /// If PyO3 is a dependency of the crate, it chooses an interpreter and links to it by itself, and only the search
    /// path for running is added. Both must use the same Python, as they do under `cargo uvenv run`.
    pub fn link_libpython(&self) -> crate::Result<()> {
        let Some(present) = &self.present else { return Ok(()) };
        let library = link::library(&present.base)?;
        link::check_target(&self.variables)?;
        let has_pyo3 = link::check_pyo3(&self.variables, &present.base, library)?;
        let mut output = CargoDirectives::default();
        link::emit(library, has_pyo3, &mut output)?;
        output.print();
        Ok(())
    }

    /// Returns the values that are passed to the crate, and to the crates that depend on it.
    pub(super) fn values(&self) -> Vec<(&'static str, &str)> {
        let Some(present) = &self.present else { return Vec::new() };
        vec![
            ("UVENV_PYTHON", present.executable.as_str()),
            ("UVENV_SITE_PACKAGES", present.site_packages.as_str()),
            ("UVENV_PROFILE", present.profile.as_str()),
            ("UVENV_BACKEND", present.backend.as_ref().map_or("", Name::as_str)),
        ]
    }
}

/// A command that runs the environment's Python, as in an activated environment.
///
/// Its output goes where the build script's own output goes. Cargo reads stdout, so a generator can print
/// `cargo::rerun-if-changed=…` for the files that it has read.
#[derive(Clone, Debug)]
#[must_use = "nothing happens until it is run with `status`"]
pub struct Command {
    invocation: Option<Invocation>,
}

impl Command {
    /// Adds an argument.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.args([argument])
    }

    /// Adds several arguments.
    pub fn args<A: AsRef<OsStr>>(&mut self, arguments: impl IntoIterator<Item = A>) -> &mut Self {
        let arguments: Vec<OsString> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
        self.with(|invocation| invocation.args(arguments))
    }

    /// Sets an environment variable.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.with(|invocation| invocation.env(name.as_ref(), value.as_ref()))
    }

    /// Runs the command in `directory`. The default is the crate's directory, where cargo starts build scripts.
    pub fn current_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.with(|invocation| invocation.current_dir(directory.as_ref()))
    }

    /// Runs the command to completion, with an empty stdin. Any exit status other than 0 is an error, because the
    /// compiler must not use the output of a failed generator.
    pub fn status(&self) -> crate::Result<()> {
        let Some(invocation) = &self.invocation else { return Ok(()) };
        let command = || invocation.to_string();
        match invocation.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(BuildScriptError::Failed { command: command(), status }.into()),
            Err(source) => Err(BuildScriptError::NotStarted { command: command(), source }.into()),
        }
    }

    fn with(&mut self, change: impl FnOnce(Invocation) -> Invocation) -> &mut Self {
        self.invocation = self.invocation.take().map(change);
        self
    }
}
