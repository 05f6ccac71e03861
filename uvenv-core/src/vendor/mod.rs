//! Vendoring: everything that an environment needs in one directory, and what such a directory contains.
//!
//! The directory is a [PEP 751] lock with the wheels that it names, so that plain uv installs it. What is to be installed
//! is uv's word (`uv export`); which wheel fits an interpreter is that of `packaging`, the reference implementation, and
//! uv confirms each lock before it is put in place.
//!
//! [PEP 751]: https://packaging.python.org/en/latest/specifications/pylock-toml/

mod description;
mod directory;
mod directory_error;
#[cfg(feature = "full")]
mod download;
#[cfg(feature = "full")]
mod download_progress;
#[cfg(feature = "full")]
mod error;
mod known_hashes;
mod pylock;
#[cfg(feature = "full")]
mod select;
#[cfg(feature = "full")]
mod target;
#[cfg(feature = "full")]
mod tools;
mod uv_project;
#[cfg(feature = "full")]
mod wheel_build;

use std::{fmt::Write as _, io};

use ::sha2::{Digest as _, Sha256};
use camino::Utf8Path;

use crate::fs::sha2;
#[cfg(feature = "full")]
use crate::{
    model::{Observer, Variables},
    process::Invocation,
    uv::Uv,
};

pub(crate) use self::{
    description::{described, describing, have_same_markers, platform_in, version_in},
    directory::VendoredSelection,
    directory_error::VendoredDirectoryError,
    known_hashes::KnownHashes,
    pylock::{Facts, PinFacts, Purpose, VendoredLock, VendoredPackage, VendoredWheel},
};
#[cfg(feature = "full")]
pub(crate) use self::{
    directory::{check_wheel, locks_in, own_locks, read_wheel},
    download::{Download, Downloads},
    download_progress::DownloadProgress,
    error::VendorError,
    pylock::{BuiltPackage, Pylock},
    select::{Artifact, ArtifactKind, Selected, select},
    target::Target,
    tools::{Tools, captured},
    wheel_build::{BuildSource, Sources, WheelBuild, lock_requirements},
};

/// What all steps of a vendoring need.
#[cfg(feature = "full")]
pub(crate) struct VendorContext<'a> {
    pub(crate) uv: &'a Uv,
    /// The directory of the profile, whose settings uv has.
    pub(crate) project: &'a Utf8Path,
    /// The monorepo's root.
    pub(crate) root: &'a Utf8Path,
    pub(crate) variables: &'a Variables,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) offline: bool,
    /// Gives a program the variables that child processes see.
    pub(crate) child: &'a (dyn Fn(Invocation) -> Invocation + Sync),
}

/// The directory with the wheels, in a vendored directory.
pub(crate) const WHEELS: &str = "wheels";

/// Returns the SHA-256 hash of a file and its size in bytes.
pub(crate) fn hash_file(path: &Utf8Path) -> io::Result<(String, u64)> {
    let (hash, size) = sha2::hash_file::<Sha256>(path, &mut vec![0; sha2::BUFFER])?;
    Ok((hex(&hash), size))
}

/// Returns the SHA-256 hash of `bytes`.
pub(crate) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns `bytes` in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
