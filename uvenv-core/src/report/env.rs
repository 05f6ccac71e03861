//! The reports of `env`.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::PythonInfo;
use crate::model::{Name, Profile};

/// `environment`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvReport {
    /// The profile.
    pub profile: Profile,
    /// The backend of the environment's last sync.
    pub backend: Option<Name>,
    /// The environment.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub environment: Utf8PathBuf,
    /// The interpreter from which the environment was created.
    pub python: PythonInfo,
    /// The variables to change.
    pub variables: Vec<Variable>,
    /// Cargo's configuration, if writing it was requested.
    pub cargo_config: Option<CargoConfig>,
}

/// An environment variable that must be changed for programs.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// How it is changed.
    pub change: VariableChange,
    /// The directories to prepend; empty for the other changes.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub directories: Vec<Utf8PathBuf>,
    /// Its value after the change, starting from the variables of the command.
    pub value: Option<String>,
}

/// How a variable is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VariableChange {
    /// It is set to a value.
    Set,
    /// Directories are prepended to it.
    Prepend,
    /// It is unset.
    Unset,
}

/// Cargo's configuration.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CargoConfig {
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub path: Utf8PathBuf,
    /// Whether its content changed.
    pub changed: bool,
}
