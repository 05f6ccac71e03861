//! The paths of a profile's files.

use camino::Utf8PathBuf;

use crate::{lockfile, manifest, model::Profile};

/// The paths of a profile's files.
#[derive(Clone, Debug)]
pub struct ProfilePaths {
    /// The profile.
    pub profile: Profile,
    /// The absolute path of the directory that contains its manifest.
    pub directory: Utf8PathBuf,
}

impl ProfilePaths {
    /// Returns the path of the manifest.
    pub fn manifest(&self) -> Utf8PathBuf {
        self.directory.join(manifest::FILE_NAME)
    }

    /// Returns the path of the lockfile.
    pub fn lockfile(&self) -> Utf8PathBuf {
        self.directory.join(lockfile::FILE_NAME)
    }
}
