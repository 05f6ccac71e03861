//! The record of an environment's last sync, which lets `run` and `status` use the same choices.

use std::fs;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::Environment;
use crate::{backend::Choice, model::Profile};

/// The file in the environment. It disappears with the environment, also when uv makes a new one.
pub(super) const FILE: &str = ".uvenv.json";

const SCHEMA: u32 = 1;

/// The choices of an environment's last sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncRecord {
    schema: u32,
    /// The profile.
    profile: Profile,
    /// The chosen backend, which may be `none`; `None` if there was nothing to choose.
    pub(crate) backend: Option<Choice>,
    /// The uv flags that selected what to install.
    pub(crate) selection: Vec<String>,
    /// Where the environment was, as uv was told. Its programs contain this path.
    #[serde(default)]
    pub(super) place: Option<Utf8PathBuf>,
    /// The version of uvenv that wrote it.
    uvenv: String,
}

impl SyncRecord {
    pub(crate) fn new(
        profile: Profile,
        backend: Option<Choice>,
        selection: Vec<String>,
        environment: &Environment,
    ) -> Self {
        let place = Some(environment.root().to_owned());
        Self { schema: SCHEMA, profile, backend, selection, place, uvenv: crate::VERSION.to_owned() }
    }

    /// Reads the record of `environment`. Returns `None` if only other tools synced it, or if the file is damaged or
    /// has another schema; the user is then asked again.
    pub(crate) fn read(environment: &Environment) -> Option<Self> {
        let bytes = fs::read(environment.root().join(FILE)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|record: &Self| record.schema == SCHEMA)
    }

    /// Returns the path of the record of `environment`.
    pub(crate) fn path(environment: &Environment) -> Utf8PathBuf {
        environment.root().join(FILE)
    }

    /// Returns the text of the record for an environment that is to be used at `place`.
    #[cfg(feature = "full")]
    pub(crate) fn text_at(mut self, place: &camino::Utf8Path) -> serde_json::Result<String> {
        self.place = Some(place.to_owned());
        serde_json::to_string(&self)
    }

    /// Writes the record, unless the file has it already.
    pub(crate) fn write(&self, environment: &Environment) -> crate::Result<()> {
        if Self::read(environment).as_ref() == Some(self) {
            return Ok(());
        }
        environment.write_record(FILE, self)
    }
}
