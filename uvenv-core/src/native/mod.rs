//! Python packages of the workspace that are built from Rust: which crates they are built from, whether what is
//! installed of them is still what their sources say, and how they are told about the backend.

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
pub(crate) use package::packages;
pub(crate) use watched::Watched;

use crate::{
    environment::Environment,
    model::{Diagnostic, Name, Variables},
    monorepo::ProfileContext,
    process::Invocation,
    uv::Version,
};
use package::NativePackage;

/// Which of Cargo's profiles native packages are built with.
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

/// The native packages of a profile, and what uv must be told to build them.
#[derive(Clone, Debug)]
pub(crate) struct NativePackages {
    packages: Vec<NativePackage>,
    pub(crate) config: BuilderConfig,
    profile: Option<CargoProfile>,
}

/// What freshness is judged with.
pub(crate) struct BuildContext<'a> {
    /// The monorepo's root, from which messages name files.
    pub(crate) root: &'a Utf8Path,
    /// The variables that builds see.
    pub(crate) variables: &'a Variables,
    /// Gives a program those variables.
    pub(crate) child: &'a dyn Fn(Invocation) -> Invocation,
    pub(crate) offline: bool,
    /// Whether nothing may be changed, not even a `Cargo.lock`.
    pub(crate) read_only: bool,
    pub(crate) now: SystemTime,
}

impl NativePackages {
    /// Those of a profile, to be built as `choices` say.
    pub(crate) fn plan(
        context: &ProfileContext<'_>,
        choices: &BuildChoices<'_>,
        variables: &Variables,
        uv: Version,
    ) -> Result<Self, NativeError> {
        let packages = package::packages(context);
        let config = builder_config::configure_builders(&packages, &context.manifest, choices, variables, uv)?;
        Ok(Self { packages, config, profile: choices.profile })
    }
}

/// The Cargo profile that the last sync of `environment` was told.
pub(crate) fn recorded_profile(environment: &Environment) -> Option<CargoProfile> {
    build_record::BuildRecord::read(environment).profile
}

/// The files that the native packages of `environment` were built from; not the Python ones, of which there is no build
/// where they are installed as editable.
pub(crate) fn sources(environment: &Environment) -> Vec<Utf8PathBuf> {
    let record = build_record::BuildRecord::read(environment);
    let built = record.packages.into_values().filter(|entry| entry.built.is_some());
    let mut files: Vec<_> = built.flat_map(|entry| entry.inputs.files.into_keys()).collect();
    files.retain(|path| !matches!(path.extension(), Some("py" | "pyi")));
    files.sort();
    files
}

/// Why native packages cannot be built as they should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NativeError {
    /// An older uv has settings for all packages only.
    #[error("uv {uv} cannot give `{package}` build arguments of its own; uv {needed} can")]
    UvTooOld {
        /// The package.
        package: Name,
        /// The version of uv.
        uv: Version,
        /// The version that is needed.
        needed: Version,
    },
    /// Features that hold for some versions of Python only are lost where others are given.
    #[error(
        "the features of `{package}` in `{manifest}` depend on the version of Python, so that uvenv cannot add the backend's"
    )]
    ConditionalFeatures {
        /// The package.
        package: Name,
        /// Its manifest.
        manifest: Utf8PathBuf,
    },
    /// The user's own arguments cannot be joined with others.
    #[error(
        "the setting `maturin.build-args` of `{package}`, `{arguments}`, cannot be joined with uvenv's own arguments"
    )]
    BuildArguments {
        /// The package.
        package: Name,
        /// The arguments.
        arguments: String,
    },
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
                "give all features in `[tool.uv]`: `config-settings-package = {{ {package} = {{ build-args = \"--features=…\" }} }}`"
            ),
            Self::BuildArguments { .. } => {
                "call the setting `build-args`, and leave the profile to `--release` and `--debug`".to_owned()
            }
        })
    }
}

/// What is worth a word, and stops nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NativeWarning {
    /// Whether a package is up to date cannot be found out.
    #[error("whether `{package}` is up to date with its Rust sources is not known: {reason}; it is built again")]
    FreshnessUnknown {
        /// The package.
        package: Name,
        /// Why, in words.
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
            Self::FreshnessUnknown { .. } => Some("make `cargo metadata` work in the package's directory".to_owned()),
        }
    }
}
