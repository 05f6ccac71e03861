//! How a lockfile differs from its manifests, in types and in words.

use std::fmt;

use crate::model::{Name, Place};

/// Returns why a lockfile is stale if the files show no difference: uv's own reason, if it gives one.
pub(crate) fn seen_by_uv(reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("uv reports that it needs to be updated{reason}")
}

/// Whether a lockfile satisfies its manifests.
#[derive(Clone, Debug)]
pub enum Freshness {
    /// There is no lockfile.
    Missing,
    /// No differences were found.
    Fresh,
    /// The lockfile does not satisfy the manifests.
    Stale(Vec<Staleness>),
}

impl Freshness {
    /// Returns what has changed; empty if only uv can find more.
    pub fn changes(&self) -> &[Staleness] {
        match self {
            Self::Stale(changes) => changes,
            Self::Missing | Self::Fresh => &[],
        }
    }
}

/// An entry of a manifest that the lockfile does not satisfy.
#[derive(Clone, Debug)]
pub struct Staleness {
    /// The affected package.
    pub package: Name,
    /// What has changed.
    pub change: LockfileChange,
    /// The location in the manifest, if there is one.
    pub place: Option<Place>,
}

/// What has changed since a lockfile was created.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LockfileChange {
    /// A git source has a different repository, reference or directory.
    Pin {
        /// The git source in the manifest.
        manifest: String,
        /// What the lockfile has.
        locked: String,
    },
    /// The package must come from a different kind of source.
    Origin {
        /// The kind of source in the manifest.
        manifest: &'static str,
        /// The kind of source in the lockfile.
        locked: &'static str,
    },
    /// The package must come from a different package index.
    Index {
        /// The URL of the index in the manifest.
        manifest: String,
        /// The URL of the index in the lockfile.
        locked: String,
    },
    /// The lockfile does not have a requirement of a manifest.
    Added {
        /// The project that has the requirement.
        by: Name,
    },
    /// Only the lockfile has the requirement.
    Removed {
        /// The project that no longer has the requirement.
        by: Name,
    },
    /// The requirement allows different versions.
    Versions {
        /// The versions that the manifest allows.
        manifest: String,
        /// The versions for which the lockfile was created.
        locked: String,
    },
    /// The project itself has a different version.
    Version {
        /// The version in the manifest.
        manifest: String,
        /// The version in the lockfile.
        locked: String,
    },
    /// The projects require different versions of Python.
    Python {
        /// The versions that the manifests require.
        manifest: String,
        /// The versions for which the lockfile was created.
        locked: String,
    },
    /// The lockfile does not have this workspace member.
    MemberAdded,
    /// Only the lockfile has this workspace member.
    MemberRemoved,
    /// Extras were added or removed.
    Extras,
    /// Dependency groups were added or removed.
    Groups,
}

impl fmt::Display for Staleness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = &self.package;
        match &self.change {
            LockfileChange::Pin { manifest, locked } => {
                write!(f, "`{package}` is pinned to {manifest}, but is locked from {locked}")
            }
            LockfileChange::Origin { manifest, locked } => {
                write!(f, "the source of `{package}` is {manifest}, but it is locked from {locked}")
            }
            LockfileChange::Index { manifest, locked } => {
                write!(f, "the index of `{package}` is `{manifest}`, but it is locked from `{locked}`")
            }
            LockfileChange::Added { by } => write!(f, "`{package}` is required by `{by}`, but is not locked for it"),
            LockfileChange::Removed { by } => {
                write!(f, "`{package}` is locked for `{by}`, which no longer requires it")
            }
            LockfileChange::Versions { manifest, locked } => {
                write!(f, "`{package}` is required as `{manifest}`, but locked for `{locked}`")
            }
            LockfileChange::Version { manifest, locked } => {
                write!(f, "`{package}` has version `{manifest}`, but is locked with `{locked}`")
            }
            LockfileChange::Python { manifest, locked } => {
                write!(f, "`{package}` requires Python `{manifest}`, but is locked for `{locked}`")
            }
            LockfileChange::MemberAdded => {
                write!(f, "the workspace member `{package}` is not in the lockfile")
            }
            LockfileChange::MemberRemoved => write!(f, "`{package}` is locked as a workspace member, but is not one"),
            LockfileChange::Extras => write!(f, "the extras of `{package}` differ from the locked ones"),
            LockfileChange::Groups => write!(f, "the dependency groups of `{package}` differ from the locked ones"),
        }
    }
}
