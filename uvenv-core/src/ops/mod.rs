//! The operations. Each computes a plan, which is a plain value, and then executes it. Only the execution changes files
//! and starts processes that change them.

#[cfg(feature = "full")]
mod backends;
#[cfg(feature = "full")]
mod check;
#[cfg(feature = "full")]
mod diff;
#[cfg(feature = "full")]
mod env;
#[cfg(feature = "full")]
mod explain;
#[cfg(feature = "full")]
mod importable;
#[cfg(feature = "full")]
mod init;
#[cfg(feature = "full")]
mod kernel;
mod lock;
mod profile_request;
#[cfg(feature = "full")]
mod profiles;
#[cfg(feature = "full")]
mod promote;
mod run;
mod selection;
#[cfg(feature = "full")]
mod status;
mod sync;
#[cfg(feature = "full")]
mod warnings;

use std::{
    cell::{OnceCell, RefCell},
    ffi::OsString,
    io::IsTerminal,
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};

#[cfg(feature = "full")]
pub use self::{
    backends::{detect, list},
    check::{CheckRequest, FixMode},
    diff::{DiffError, DiffSide, diff},
    env::{EnvRequest, write_cargo_config},
    importable::{ImportReport, RunningPython, importable},
    init::{InitError, add_package, init},
    kernel::{JupyterError, KernelRequest, install_kernel, list_kernels, remove_kernel},
    profiles::{PinInfo, ProfileInfo, profiles},
    promote::{PackageRequest, PromoteError, PromotePlan, PromoteRequest, TagRef},
    status::status,
    warnings::warnings,
};
pub use lock::{LockPlan, LockRequest};
pub use profile_request::ProfileRequest;
pub use run::RunRequest;
pub(crate) use run::activation;
pub use selection::BackendRequest;
pub(crate) use sync::Synced;
pub use sync::{LockMode, SyncPlan, SyncRequest};

use crate::{
    lockfile::Staleness,
    model::{Diagnostic, Fault, Interrupted, Observer, Place, Profile, Variables, redact},
    monorepo::ProfileContext,
    native::NativeWarning,
    process::{Invocation, Stderr, Streamed, Terminal},
    report::UvInfo,
    uv::{
        Appearance, Fetch, LockCommand, Uv, UvError, follow, locate, messages::is_stale_lockfile_error,
        variables::with_urls,
    },
};

/// The settings that all operations of a caller share.
pub struct Session {
    /// The environment variables.
    pub variables: Variables,
    /// The caller's directory, as an absolute path.
    pub directory: Utf8PathBuf,
    /// Whether the network must not be used.
    pub offline: bool,
    /// How uv's output is formatted.
    pub appearance: Appearance,
    /// Whether to show the uv command lines.
    pub show_commands: bool,
    /// Variables that child processes see differently from this process; `None` removes one.
    pub child_variables: Vec<(String, Option<OsString>)>,
    /// The observer that follows the operations instead of the terminal.
    pub observer: Option<Arc<dyn Observer>>,
    /// A uv that was installed together with the caller, if there is one.
    pub companion_uv: Option<Utf8PathBuf>,
    uv: OnceCell<Uv>,
    warnings: RefCell<Vec<NativeWarning>>,
}

impl Session {
    /// Creates a session in `directory`.
    pub fn new(variables: Variables, directory: Utf8PathBuf, offline: bool) -> Self {
        Self {
            variables,
            directory,
            offline,
            appearance: Appearance::default(),
            show_commands: false,
            child_variables: Vec::new(),
            observer: None,
            companion_uv: None,
            uv: OnceCell::new(),
            warnings: RefCell::default(),
        }
    }

    /// Returns a session for an operation that runs at the same time, on another thread and with its own observer.
    #[must_use]
    pub fn beside(&self, observer: Arc<dyn Observer>) -> Self {
        Self {
            variables: self.variables.clone(),
            directory: self.directory.clone(),
            offline: self.offline,
            appearance: self.appearance.clone(),
            show_commands: self.show_commands,
            child_variables: self.child_variables.clone(),
            observer: Some(observer),
            companion_uv: self.companion_uv.clone(),
            uv: self.uv.clone(),
            warnings: RefCell::default(),
        }
    }

    /// Returns the uv of this session. It is searched for once, and downloaded if it is missing and downloads are
    /// allowed.
    fn uv(&self) -> Result<&Uv, UvError> {
        let fetch = if self.offline { Fetch::Offline } else { Fetch::Allowed };
        self.uv_with(fetch)
    }

    fn uv_with(&self, fetch: Fetch) -> Result<&Uv, UvError> {
        if let Some(uv) = self.uv.get() {
            return Ok(uv);
        }
        let uv = locate(&self.variables, self.companion_uv.as_deref(), fetch, self.observer())?;
        Ok(self.uv.get_or_init(|| uv))
    }

    /// Returns the observer of the operations; without one, the user at the terminal.
    pub(crate) fn observer(&self) -> &dyn Observer {
        match &self.observer {
            Some(observer) => &**observer,
            None if self.appearance.quiet => &Terminal { quiet: true },
            None => &Terminal { quiet: false },
        }
    }

    /// Returns where uv's stderr goes. An observer receives it, if there is one. Otherwise it goes directly to the
    /// terminal, with progress bars, unless URLs with credentials are involved, because uv and git may print them.
    fn stderr(&self, texts: &[&str]) -> Stderr {
        if let Some(observer) = &self.observer {
            return if observer.shows() { Stderr::Relay } else { Stderr::Follow };
        }
        let has_secrets = texts.iter().any(|text| redact(text) != **text);
        let index_has_secrets =
            with_urls().filter_map(|name| self.variables.get(name)).any(|text| redact(text) != text);
        if std::io::stderr().is_terminal() && !has_secrets && !index_has_secrets {
            Stderr::Inherit
        } else {
            Stderr::Tee
        }
    }

    /// Whether uv reports, without using the network, that the lockfile of `project` does not satisfy its manifest.
    fn uv_finds_stale(&self, uv: &Uv, project: &Utf8Path) -> bool {
        let command = LockCommand { project: project.to_owned(), check: true, offline: true, ..LockCommand::default() };
        let streamed = self.stream(&command.invocation(uv, &self.appearance), Stderr::Capture);
        streamed.is_ok_and(|streamed| !streamed.status.success() && is_stale_lockfile_error(&streamed.stderr))
    }

    /// Returns the warnings of the operations so far. Each is returned once.
    pub fn take_warnings(&self) -> Vec<NativeWarning> {
        self.warnings.take()
    }

    /// Returns the variables that child processes of this session see.
    pub(crate) fn child_view(&self) -> Variables {
        self.variables.with(&self.child_variables)
    }

    /// Returns `invocation` with the variables that child processes of this session see.
    pub(crate) fn child(&self, invocation: Invocation) -> Invocation {
        self.child_variables.iter().fold(invocation.seeing(&self.variables), |invocation, (name, value)| match value {
            Some(value) => invocation.env(name, value),
            None => invocation.env_remove(name),
        })
    }

    /// Explains why something is done, if the user has asked for such messages.
    fn explain(&self, why: &str) {
        if self.show_commands {
            self.observer.as_deref().unwrap_or(&Terminal { quiet: false }).say(why);
        }
    }

    /// Runs uv.
    fn stream(&self, invocation: &Invocation, stderr: Stderr) -> crate::Result<Streamed> {
        let invocation = &self.child(invocation.clone());
        if self.show_commands {
            // The command line was requested, so it is shown even with `--quiet`.
            self.observer.as_deref().unwrap_or(&Terminal { quiet: false }).runs(&invocation.to_string());
        }
        let streamed = match &self.observer {
            Some(observer) => {
                Interrupted::check(&**observer).map_err(OperationError::from)?;
                follow(invocation, &**observer, matches!(stderr, Stderr::Follow | Stderr::Relay))
            }
            None => invocation.stream(stderr),
        };
        let not_started = |source| UvError::NotStarted { command: invocation.to_string(), source };
        let streamed = streamed.map_err(not_started)?;
        if streamed.interrupted {
            return Err(OperationError::from(Interrupted).into());
        }
        Ok(streamed)
    }
}

impl From<&Uv> for UvInfo {
    fn from(uv: &Uv) -> Self {
        Self { path: uv.path.clone(), version: uv.version.to_string() }
    }
}

/// An error of an operation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperationError {
    /// The lockfile does not satisfy the manifest.
    #[error("`{lockfile}` does not satisfy `{manifest}`: {}", reasons(changes))]
    Stale {
        /// The lockfile, relative to the root.
        lockfile: Utf8PathBuf,
        /// The manifest, relative to the root.
        manifest: Utf8PathBuf,
        /// The profile.
        profile: Profile,
        /// What has changed; empty if only uv knows.
        changes: Vec<Staleness>,
        /// Whether `--frozen` was given, because the help then names another option.
        frozen: bool,
    },
    /// There is no lockfile.
    #[error("the lockfile `{lockfile}` does not exist")]
    NoLockfile {
        /// The lockfile, relative to the root.
        lockfile: Utf8PathBuf,
        /// The profile.
        profile: Profile,
    },
    /// A named package is not in the workspace.
    #[error("`{name}` is not a package in the workspace of `{manifest}`")]
    UnknownMember {
        /// The name.
        name: String,
        /// The manifest, relative to the root.
        manifest: Utf8PathBuf,
        /// The members.
        available: Vec<String>,
    },
    /// `env` or `run --no-sync` was used without an environment.
    #[error("the environment `{environment}` does not exist")]
    NoEnvironment {
        /// The environment.
        environment: Utf8PathBuf,
        /// The profile.
        profile: Profile,
    },
    /// The command of `run` could not be started.
    #[error("`{command}` could not be started: {source}")]
    Command {
        /// The command.
        command: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The observer stopped the operation.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

fn reasons(changes: &[Staleness]) -> String {
    match changes {
        [] => "uv reports that it needs to be updated".to_owned(),
        changes => changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

impl Diagnostic for OperationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "stale-lockfile",
            Self::NoLockfile { .. } => "missing-lockfile",
            Self::UnknownMember { .. } => "unknown-package",
            Self::NoEnvironment { .. } => "missing-environment",
            Self::Command { .. } => "command-not-started",
            Self::Interrupted(interrupted) => interrupted.code(),
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Stale { profile, frozen, .. } => {
                let around = if *frozen { ", or install the locked versions with `--allow-stale`" } else { "" };
                format!("run `{}`{around}", lock_command(*profile))
            }
            Self::NoLockfile { profile, .. } => format!("run `{}`", lock_command(*profile)),
            Self::UnknownMember { available, .. } if available.is_empty() => {
                "remove `--package`: there are no workspace members".to_owned()
            }
            Self::UnknownMember { available, .. } => {
                format!("the packages are `{}`", available.join("`, `"))
            }
            Self::NoEnvironment { profile, .. } => {
                format!("run `cargo uvenv sync --profile {profile}`")
            }
            Self::Command { .. } => "check that the program is installed in the environment or on `PATH`".to_owned(),
            Self::Interrupted(interrupted) => return interrupted.help(),
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Stale { changes, .. } => changes.iter().find_map(|change| change.place.as_ref()),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Stale { .. } | Self::NoLockfile { .. } => Fault::Finding,
            Self::UnknownMember { .. } | Self::NoEnvironment { .. } | Self::Command { .. } => Fault::Request,
            Self::Interrupted(interrupted) => interrupted.fault(),
        }
    }
}

impl OperationError {
    fn stale(context: &ProfileContext<'_>, changes: &[Staleness], frozen: bool) -> Self {
        Self::Stale {
            lockfile: context.lockfile_name(),
            manifest: context.manifest_name().to_owned(),
            profile: context.profile,
            changes: changes.to_vec(),
            frozen,
        }
    }

    fn no_lockfile(context: &ProfileContext<'_>) -> Self {
        Self::NoLockfile { lockfile: context.lockfile_name(), profile: context.profile }
    }
}

fn lock_command(profile: Profile) -> String {
    match profile {
        Profile::Dev => "cargo uvenv lock".to_owned(),
        _ => format!("cargo uvenv lock --profile {profile}"),
    }
}

fn uv_failed(invocation: &Invocation, status: ExitStatus, streamed: &Streamed, how: Stderr) -> UvError {
    // Output that the user has already seen is not shown again.
    let is_shown = matches!(how, Stderr::Inherit | Stderr::Tee | Stderr::Relay);
    let stderr = if is_shown { String::new() } else { streamed.stderr.clone() };
    UvError::Failed { command: invocation.to_string(), status, stderr }
}

fn milliseconds(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
