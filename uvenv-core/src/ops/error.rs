//! The errors that several operations have in common.

use camino::Utf8PathBuf;

use crate::{
    lockfile::{SEEN_BY_UV, Staleness},
    model::{Diagnostic, Fault, Place, Profile, quoted},
    monorepo::ProfileContext,
};

/// An error of an operation.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OperationError {
    /// The lockfile does not satisfy the manifest.
    #[error("`{lockfile}` does not satisfy `{manifest}`: {}", reasons(changes))]
    Stale {
        /// The lockfile, relative to the root.
        lockfile: Utf8PathBuf,
        /// The manifest, relative to the root.
        manifest: Utf8PathBuf,
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
    /// `env` or `run --no-sync` was used without an environment.
    #[error("the environment `{environment}` does not exist")]
    NoEnvironment { environment: Utf8PathBuf, profile: Profile },
    /// The command of `run` could not be started.
    #[error("`{command}` could not be started: {source}")]
    Command { command: String, source: std::io::Error },
}

fn reasons(changes: &[Staleness]) -> String {
    match changes {
        [] => SEEN_BY_UV.to_owned(),
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
            Self::UnknownMember { .. } | Self::NoEnvironment { .. } | Self::Command { .. } => Fault::Request,
        }
    }
}

impl OperationError {
    pub(super) fn stale(context: &ProfileContext<'_>, changes: &[Staleness], frozen: bool) -> Self {
        Self::Stale {
            lockfile: context.lockfile_name(),
            manifest: context.manifest_name().to_owned(),
            profile: context.profile,
            changes: changes.to_vec(),
            frozen,
        }
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
