//! The errors that several operations have in common.

use camino::Utf8PathBuf;

use super::Session;
#[cfg(feature = "vendored")]
use crate::lockfile::LockfileError;
use crate::{
    backend::Choice,
    environment::{Environment, SyncRecord},
    lockfile::{Staleness, seen_by_uv},
    model::{Diagnostic, Fault, Name, Place, Profile, quoted},
    monorepo::ProfileContext,
    uv::{LockVerdict, Uv},
};

/// An error of an operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    /// The lockfile does not satisfy the manifest.
    #[error("`{lockfile}` does not satisfy `{manifest}`: {}", reasons(changes, said.as_deref()))]
    Stale {
        /// The lockfile, relative to the root.
        lockfile: Utf8PathBuf,
        /// The manifest, relative to the root.
        manifest: Utf8PathBuf,
        profile: Profile,
        /// What has changed; empty if only uv knows.
        changes: Vec<Staleness>,
        /// uv's own reason.
        said: Option<String>,
        /// Whether `--frozen` was given, because the help then names another option.
        frozen: bool,
    },
    /// There is no lockfile.
    #[error("the lockfile `{lockfile}` does not exist")]
    NoLockfile {
        /// The lockfile, relative to the root.
        lockfile: Utf8PathBuf,
        profile: Profile,
    },
    /// A named package is not in the workspace.
    #[error("`{name}` is not a package in the workspace of `{manifest}`")]
    UnknownMember {
        name: String,
        /// The manifest, relative to the root.
        manifest: Utf8PathBuf,
        available: Vec<String>,
    },
    /// The environment has a backend that the packages to sync do not have.
    #[error("{} no backends, and {}", have(packages), loss.text(environment))]
    PackageWithoutBackend {
        packages: Vec<String>,
        profile: Profile,
        /// Whether members have the backends, and not the project itself.
        of_members: bool,
        /// The environment, relative to the root.
        environment: Utf8PathBuf,
        loss: BackendLoss,
    },
    /// Something other than uvenv has changed the backend.
    #[error("something other than uvenv has changed `{environment}`: {}", change(recorded, now.as_ref()))]
    BackendChanged {
        /// The environment, relative to the root.
        environment: Utf8PathBuf,
        profile: Profile,
        /// The backend of the last sync.
        recorded: Name,
        /// The backend that is installed, if all of one is.
        now: Option<Name>,
    },
    /// The environment was moved or copied, so its programs start the interpreter in the old place.
    #[error("`{environment}` was made at `{from}`, which its programs still refer to")]
    Moved {
        /// The environment, relative to the root.
        environment: Utf8PathBuf,
        from: Utf8PathBuf,
        profile: Profile,
        /// The backend of its last sync.
        backend: Option<Choice>,
        /// Whether it is made again, so that this is only a warning.
        is_remade: bool,
    },
    /// The environment has another backend than a request without a sync names.
    #[error("`{environment}` has {}, not `{wanted}`", backend_or_none(recorded))]
    OtherBackend {
        /// The environment, relative to the root.
        environment: Utf8PathBuf,
        profile: Profile,
        recorded: Choice,
        wanted: Choice,
    },
    /// `env` or `run --no-sync` was used without an environment.
    #[error("the environment `{environment}` does not exist")]
    NoEnvironment { environment: Utf8PathBuf, profile: Profile },
    /// A variable of uv changes what its command does in a way that uvenv's does not support.
    #[error("`cargo uvenv {command}` does not support the variable `{name}` ({purpose})")]
    UnsupportedVariable {
        name: &'static str,
        /// What it is for.
        purpose: &'static str,
        command: &'static str,
    },
    /// The command of `run` could not be started.
    #[error("`{command}` could not be started: {source}")]
    Command { command: String, source: std::io::Error },
}

fn have(packages: &[String]) -> String {
    format!("{} {}", quoted(packages), if packages.len() == 1 { "has" } else { "have" })
}

fn change(recorded: &Name, now: Option<&Name>) -> String {
    let now = now.map_or_else(
        || "packages of it are missing".to_owned(),
        |now| format!("now it has the packages of the backend `{now}`"),
    );
    format!("its last sync was with the backend `{recorded}`, and {now}")
}

fn backend_or_none(choice: &Choice) -> String {
    match choice {
        Choice::Named(name) => format!("the backend `{name}`"),
        Choice::Auto | Choice::None => "no backend".to_owned(),
    }
}

fn reasons(changes: &[Staleness], said: Option<&str>) -> String {
    match changes {
        [] => seen_by_uv(said),
        changes => changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

impl Diagnostic for OperationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "stale-lockfile",
            Self::NoLockfile { .. } => "missing-lockfile",
            Self::UnknownMember { .. } => "unknown-package",
            Self::PackageWithoutBackend { .. } => "package-without-backend",
            Self::BackendChanged { .. } => "backend-changed",
            Self::OtherBackend { .. } => "other-backend",
            Self::Moved { .. } => "moved-environment",
            Self::UnsupportedVariable { .. } => "unsupported-variable",
            Self::NoEnvironment { .. } => "missing-environment",
            Self::Command { .. } => "command-not-started",
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
                format!("the packages are {}", quoted(available))
            }
            Self::PackageWithoutBackend { profile, of_members, loss, .. } => loss.help(*profile, *of_members),
            Self::BackendChanged { recorded, now: Some(now), .. } => {
                format!("choose one of them with `--backend {recorded}` or `--backend {now}`")
            }
            Self::BackendChanged { profile, recorded, now: None, .. } => {
                format!(
                    "sync it with `cargo uvenv sync --profile {profile} --backend {recorded}`, and not with other programs"
                )
            }
            Self::UnsupportedVariable { name, command, .. } => {
                format!("unset `{name}` for this command, or use `uv {command}`")
            }
            Self::Moved { is_remade: true, .. } => {
                "nothing: it is made again; packages that were installed by hand are not in it".to_owned()
            }
            Self::Moved { profile, backend, .. } => {
                let backend = backend.as_ref().map(|backend| format!(" --backend {backend}")).unwrap_or_default();
                format!("`cargo uvenv sync --profile {profile}{backend}` makes it again")
            }
            Self::OtherBackend { profile, wanted, .. } => format!(
                "leave out the backend to use the environment as it is, or run `cargo uvenv sync --profile {profile} \
                 --backend {wanted}` first"
            ),
            Self::NoEnvironment { profile, .. } => {
                format!("run `cargo uvenv sync --profile {profile}`")
            }
            Self::Command { .. } => "check that the program is installed in the environment or on `PATH`".to_owned(),
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
            Self::UnknownMember { .. }
            | Self::PackageWithoutBackend { .. }
            | Self::BackendChanged { .. }
            | Self::OtherBackend { .. }
            | Self::Moved { .. }
            | Self::UnsupportedVariable { .. }
            | Self::NoEnvironment { .. }
            | Self::Command { .. } => Fault::Request,
        }
    }
}

/// What a sync of packages without the backend would do to it.
#[derive(Clone, Debug)]
pub(crate) enum BackendLoss {
    /// This backend would have to be installed, which is not possible.
    NotInstalled(Name),
    /// This backend would be removed.
    Removed(Name),
    /// The environment may have a backend, which would be removed.
    Unknown,
    /// These packages would be replaced, some of which the backend may need.
    Replaced(Vec<Name>),
}

impl BackendLoss {
    fn text(&self, environment: &Utf8PathBuf) -> String {
        match self {
            Self::NotInstalled(backend) => format!("`{environment}` does not have the backend `{backend}` either"),
            Self::Removed(backend) => format!("the backend `{backend}` would be removed from `{environment}`"),
            Self::Unknown => format!("a backend would be removed from `{environment}`, if it has one"),
            Self::Replaced(names) => {
                format!("{} in `{environment}` would be replaced, which a backend may need", quoted(names))
            }
        }
    }

    fn help(&self, profile: Profile, of_members: bool) -> String {
        let backend = match self {
            Self::NotInstalled(backend) | Self::Removed(backend) => backend.as_str(),
            Self::Unknown | Self::Replaced(_) => "NAME",
        };
        let all = if of_members { " --all-packages" } else { "" };
        let sync = format!("cargo uvenv sync --profile {profile}{all} --backend {backend}");
        match self {
            Self::NotInstalled(_) | Self::Replaced(_) => format!("sync what has it first: `{sync}`"),
            Self::Removed(_) | Self::Unknown => format!(
                "sync what has it: `{sync}`; keep what else is installed with `-- --inexact`; or remove the backend \
                 with `--backend none`"
            ),
        }
    }
}

impl OperationError {
    /// The lockfile does not satisfy the manifest, as uv says, for the reasons that the files show, or else for that of uv.
    pub(super) fn stale(context: &ProfileContext<'_>, session: &Session, uv: &Uv) -> crate::Result<Self> {
        let changes = context.freshness()?.changes();
        let said = match changes {
            [] => match session.lock_verdict(uv, &context.paths.directory, true) {
                LockVerdict::Stale(reason) => reason,
                _ => None,
            },
            _ => None,
        };
        let mut error = Self::certainly_stale(context, changes, false);
        if let Self::Stale { said: slot, .. } = &mut error {
            *slot = said;
        }
        Ok(error)
    }

    /// Rejects a lockfile that uv says to be stale or damaged. What uv cannot tell, an operation itself will.
    #[cfg(feature = "vendored")]
    pub(super) fn reject(
        verdict: LockVerdict,
        context: &ProfileContext<'_>,
        session: &Session,
        uv: &Uv,
    ) -> crate::Result<()> {
        match verdict {
            LockVerdict::Stale(_) => Err(Self::stale(context, session, uv)?.into()),
            LockVerdict::Damaged(why) => Err(LockfileError::damaged(&context.paths.lockfile(), why).into()),
            LockVerdict::Fresh | LockVerdict::Rejected(_) | LockVerdict::Unknown(_) => Ok(()),
        }
    }

    /// The lockfile does not satisfy the manifest because of `changes`.
    pub(super) fn certainly_stale(context: &ProfileContext<'_>, changes: &[Staleness], frozen: bool) -> Self {
        Self::Stale {
            lockfile: context.lockfile_name(),
            manifest: context.manifest_name().to_owned(),
            profile: context.profile,
            changes: changes.to_vec(),
            said: None,
            frozen,
        }
    }

    /// `environment` was made at `from`.
    pub(super) fn moved(
        context: &ProfileContext<'_>,
        environment: &Environment,
        from: Utf8PathBuf,
        is_remade: bool,
    ) -> Self {
        let backend = SyncRecord::read(environment).and_then(|record| record.backend);
        let environment = context.monorepo.relative(environment.root()).to_owned();
        Self::Moved { environment, from, profile: context.profile, backend, is_remade }
    }

    pub(super) fn no_lockfile(context: &ProfileContext<'_>) -> Self {
        Self::NoLockfile { lockfile: context.lockfile_name(), profile: context.profile }
    }
}

fn lock_command(profile: Profile) -> String {
    match profile {
        Profile::Dev => "cargo uvenv lock".to_owned(),
        _ => format!("cargo uvenv lock --profile {profile}"),
    }
}
