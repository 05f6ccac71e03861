//! What an environment was last synced with, so that `run` and `status` keep to it.

use std::{fs, io};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{Environment, EnvironmentError};
use crate::{fs::atomic, model::Profile};

/// The file in the environment. It goes with the environment, also when uv makes that anew.
pub(super) const FILE: &str = ".uvenv.json";

const SCHEMA: u32 = 1;

/// What an environment was last synced with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncRecord {
    schema: u32,
    /// The profile.
    profile: Profile,
    /// The choice of a backend, `none` among them; nothing where there was nothing to choose.
    pub(crate) backend: Option<String>,
    /// The flags of uv that said what to install.
    pub(crate) selection: Vec<String>,
    /// The version of uvenv that wrote it.
    uvenv: String,
}

impl SyncRecord {
    pub(crate) fn new(profile: Profile, backend: Option<String>, selection: Vec<String>) -> Self {
        Self { schema: SCHEMA, profile, backend, selection, uvenv: crate::VERSION.to_owned() }
    }

    /// What `environment` says of itself; nothing where it was synced by others only, or where the file is damaged or of
    /// another schema: then the user is asked again.
    pub(crate) fn read(environment: &Environment) -> Option<Self> {
        let bytes = fs::read(environment.root().join(FILE)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(|record: &Self| record.schema == SCHEMA)
    }

    /// Where the record of `environment` is.
    pub(crate) fn path(environment: &Environment) -> Utf8PathBuf {
        environment.root().join(FILE)
    }

    /// Writes the record, unless it is there already.
    pub(crate) fn write(&self, environment: &Environment) -> Result<(), EnvironmentError> {
        if Self::read(environment).as_ref() == Some(self) {
            return Ok(());
        }
        let path = environment.root().join(FILE);
        serde_json::to_vec(self)
            .map_err(io::Error::from)
            .and_then(|text| atomic::replace(&path, &text))
            .map_err(environment.not_writable(&path))
    }
}
