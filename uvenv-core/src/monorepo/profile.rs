//! Where a profile's files are.

use camino::Utf8PathBuf;

use crate::{lockfile, manifest, model::Profile};

/// Where a profile's files are.
#[derive(Clone, Debug)]
pub struct ProfilePaths {
    /// The profile.
    pub profile: Profile,
    /// The directory of its manifest, absolute.
    pub directory: Utf8PathBuf,
}

impl ProfilePaths {
    /// The path of the manifest.
    pub fn manifest(&self) -> Utf8PathBuf {
        self.directory.join(manifest::FILE_NAME)
    }

    /// The path of the lockfile.
    pub fn lockfile(&self) -> Utf8PathBuf {
        self.directory.join(lockfile::FILE_NAME)
    }
}
