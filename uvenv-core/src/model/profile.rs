//! The three profiles.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// `dev`, `staging` or `prod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Takes internal packages from the workspace, editable.
    Dev,
    /// Takes internal packages at their dev-release tags.
    Staging,
    /// Takes internal packages at their stable tags.
    Prod,
}

impl Profile {
    /// All profiles, in the order in which a change passes through them.
    pub const ALL: [Self; 3] = [Self::Dev, Self::Staging, Self::Prod];

    /// Returns the name, as on the command line.
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
