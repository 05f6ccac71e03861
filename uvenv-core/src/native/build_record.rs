//! The record of what an environment's native packages were built from. It is kept in the environment.

use std::{collections::BTreeMap, fs, time::SystemTime};

use serde::{Deserialize, Serialize};

use super::{
    CargoProfile,
    build_inputs::{BuildInputs, Discovered, Files},
    cargo_graph::Closure,
};
use crate::{
    environment::{Environment, NATIVE_RECORD as FILE},
    model::Name,
};

const SCHEMA: u32 = 1;

/// What is known about the native packages of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BuildRecord {
    schema: u32,
    /// The choice of `--release` or `--debug`, for use by `run`.
    pub(super) profile: Option<CargoProfile>,
    pub(super) packages: BTreeMap<String, RecordedBuild>,
}

/// What is known about one package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedBuild {
    pub(super) closure: Closure,
    /// The files that decide whether `closure` is still right.
    pub(super) keys: Files,
    /// The key of the compiler.
    pub(super) toolchain: String,
    pub(super) inputs: BuildInputs,
    pub(super) discovered: Discovered,
    /// The arguments of the build.
    pub(super) arguments: String,
    /// The installed files; `None` if the package is not installed, and only its inputs are recorded.
    pub(super) built: Option<Files>,
}

impl BuildRecord {
    /// Reads the record of `environment`. A missing or damaged record, or one of another version, counts as empty.
    pub(super) fn read(environment: &Environment) -> Self {
        let record = fs::read(environment.root().join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        record.filter(|record: &Self| record.schema == SCHEMA).unwrap_or_default()
    }

    /// Returns when the record of `environment` was written: after its last build.
    pub(super) fn written_at(environment: &Environment) -> Option<SystemTime> {
        fs::metadata(environment.root().join(FILE)).and_then(|file| file.modified()).ok()
    }

    /// Makes an empty record.
    pub(super) fn new(profile: Option<CargoProfile>) -> Self {
        Self { schema: SCHEMA, profile, packages: BTreeMap::new() }
    }

    pub(super) fn of(&self, package: &Name) -> Option<&RecordedBuild> {
        self.packages.get(package.as_str())
    }

    /// Writes the record, which replaces `before`.
    pub(super) fn write(self, before: &Self, environment: &Environment) -> crate::Result<()> {
        if self == *before || (self.packages.is_empty() && before.packages.is_empty()) {
            return Ok(());
        }
        environment.write_record(FILE, &self)
    }
}
