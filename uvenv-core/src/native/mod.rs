//! Python packages of the workspace that are built from Rust: which crates they are built from, whether the installed
//! packages are up to date with their sources, and how the backend is passed to their builds.

mod build_inputs;
mod build_record;
mod builder_config;
mod cargo_graph;
mod dep_info;
mod freshness;
mod package;
mod toolchain;
mod watched;

use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

pub(crate) use builder_config::{BuildChoices, BuilderConfig};
pub(crate) use freshness::{FreshnessReport, Stale};
#[cfg(feature = "full")]
pub(crate) use package::{crates_of, packages};
pub(crate) use watched::Watched;

use crate::{
    environment::Environment,
    model::{Diagnostic, Name, Variables},
    monorepo::ProfileContext,
    process::Invocation,
    uv::Version,
};
use package::NativePackage;

/// The Cargo profile that native packages are built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CargoProfile {
    /// `release`.
    Release,
    /// `dev`.
    Debug,
}

impl CargoProfile {
    fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "dev",
        }
    }
}

/// The native packages of a profile, and the settings that uv needs to build them.
#[derive(Clone, Debug)]
pub(crate) struct NativePackages {
    packages: Vec<NativePackage>,
    pub(crate) config: BuilderConfig,
    profile: Option<CargoProfile>,
}

/// The context in which freshness is checked.
pub(crate) struct BuildContext<'a> {
    /// The monorepo's root. Messages name files relative to it.
    pub(crate) root: &'a Utf8Path,
    /// The variables that builds see.
    pub(crate) variables: &'a Variables,
    /// Sets those variables for a program.
    pub(crate) child: &'a dyn Fn(Invocation) -> Invocation,
    pub(crate) offline: bool,
    /// Whether nothing may be changed, including a `Cargo.lock`.
    pub(crate) read_only: bool,
    pub(crate) now: SystemTime,
}

impl NativePackages {
    /// Finds the native packages of a profile, and configures their builds according to `choices`.
    pub(crate) fn plan(
        context: &ProfileContext<'_>,
        choices: &BuildChoices<'_>,
        variables: &Variables,
        uv: Version,
    ) -> crate::Result<Self> {
        let packages = package::packages(context);
        let config = builder_config::configure_builders(&packages, &context.manifest, choices, variables, uv)?;
        Ok(Self { packages, config, profile: choices.profile })
    }
}

/// Returns the Cargo profile of the last sync of `environment`.
pub(crate) fn recorded_profile(environment: &Environment) -> Option<CargoProfile> {
    build_record::BuildRecord::read(environment).profile
}

/// Returns the files that the native packages of `environment` were built from. Python files are omitted where the
/// package is installed as editable, because they need no build.
pub(crate) fn sources(environment: &Environment) -> Vec<Utf8PathBuf> {
    let record = build_record::BuildRecord::read(environment);
    let built = record.packages.into_values().filter(|entry| entry.built.is_some());
    let mut files: Vec<_> = built.flat_map(|entry| entry.inputs.files.into_keys()).collect();
    files.retain(|path| !matches!(path.extension(), Some("py" | "pyi")));
    files.sort();
    files
}

/// The reason why native packages cannot be built as required.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NativeError {
    /// An older uv only has settings for all packages together.
    #[error("uv {uv} cannot pass build arguments to `{package}` only; this requires uv {needed}")]
    UvTooOld { package: Name, uv: Version, needed: Version },
    /// Features that depend on the version of Python are lost if other features are passed.
    #[error(
        "the features of `{package}` in `{manifest}` depend on the Python version, so uvenv cannot add those of the \
         backend"
    )]
    ConditionalFeatures { package: Name, manifest: Utf8PathBuf },
    /// The user's own arguments cannot be combined with others.
    #[error(
        "the setting `maturin.build-args` of `{package}`, `{arguments}`, cannot be combined with the arguments from \
         uvenv"
    )]
    BuildArguments { package: Name, arguments: String },
}

impl Diagnostic for NativeError {
    fn code(&self) -> &'static str {
        match self {
            Self::UvTooOld { .. } => "uv-too-old",
            Self::ConditionalFeatures { .. } | Self::BuildArguments { .. } => "native-build-arguments",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::UvTooOld { needed, .. } => format!("update uv to {needed} or newer"),
            Self::ConditionalFeatures { package, .. } => format!(
                "list all features in `[tool.uv]`: \
                 `config-settings-package = {{ {package} = {{ build-args = \"--features=…\" }} }}`"
            ),
            Self::BuildArguments { .. } => {
                "use the name `build-args` for the setting, and select the profile with `--release` or \
                 `--debug`"
                    .to_owned()
            }
        })
    }
}

/// A problem that is reported but stops nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NativeWarning {
    /// It cannot be determined whether a package is up to date.
    #[error("cannot tell whether `{package}` is up to date with its Rust sources: {reason}; it is rebuilt")]
    FreshnessUnknown {
        /// The package.
        package: Name,
        /// The reason, in words.
        reason: String,
    },
}

impl Diagnostic for NativeWarning {
    fn code(&self) -> &'static str {
        match self {
            Self::FreshnessUnknown { .. } => "native-freshness-unknown",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::FreshnessUnknown { .. } => {
                Some("check that `cargo metadata` works in the directory of the package".to_owned())
            }
        }
    }
}
