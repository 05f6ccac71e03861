//! The three profiles.

use std::{fmt, str::FromStr};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{lockfile, manifest};

/// `dev`, `staging` or `prod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Internal packages from the workspace, editable.
    Dev,
    /// Internal packages at their dev-release tags.
    Staging,
    /// Internal packages at their stable tags.
    Prod,
}

impl Profile {
    /// All profiles, in the order in which a change travels through them.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Staging, Self::Prod];

    /// The name, as on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|profile| profile.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is not one of `dev`, `staging` and `prod`"))
    }
}

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
