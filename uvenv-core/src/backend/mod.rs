//! The GPU backends of a manifest: extras or groups of which exactly one is chosen.

mod cuda;
mod declared;
#[cfg_attr(not(feature = "gpu-detection"), path = "no_detection.rs")]
mod detection;
mod selection;

use std::fmt;

pub use cuda::CudaVersion;
pub use declared::{BackendScope, backends};
pub use detection::detect;
pub(crate) use selection::SelectionInputs;
pub use selection::{BuildFeatures, Choice, FeatureClaim, Selection, Signals, fitting, select};
use serde::Serialize;

use crate::{
    error::{Diagnostic, Place, nearest},
    manifest::Selector,
    model::Name,
};

/// A GPU backend of a manifest.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name: that of the extra or group, and of the Cargo feature that mirrors it.
    pub name: Name,
    /// What selects it.
    pub selector: Selector,
    /// The CUDA version that its packages are built for, if they are.
    pub cuda: Option<CudaVersion>,
    /// Where the manifest declares it.
    pub place: Place,
}

/// What the NVIDIA driver of this machine says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Detection {
    /// There is a driver.
    Driver {
        /// The driver's version: `550.54.15`.
        version: String,
        /// The newest CUDA version that it runs.
        cuda: CudaVersion,
        /// The names of the GPUs.
        gpus: Vec<String>,
    },
    /// There is none, or it does not answer.
    None {
        /// Why.
        reason: String,
    },
}

/// A backend that cannot be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// None was chosen.
    #[error("`{manifest}` needs a GPU backend: one of {}", quoted(available))]
    Required {
        /// The manifest, as seen from the root.
        manifest: String,
        /// Its backends.
        available: Vec<Name>,
        /// Where the first of them is declared.
        place: Option<Place>,
    },
    /// The manifest does not have it.
    #[error("`{name}` ({origin}) is not a backend of `{manifest}`, which has {}", quoted(available))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Who asked for it.
        origin: String,
        /// The manifest, as seen from the root.
        manifest: String,
        /// Its backends.
        available: Vec<Name>,
    },
    /// Two of them were chosen.
    #[error("two GPU backends are selected: {}", sides(claims))]
    Conflict {
        /// Who asks for what; at least two.
        claims: Vec<(String, String)>,
    },
    /// `auto`, and nothing that can be chosen.
    #[error("`auto` finds no backend of `{manifest}` for this machine: {reason}")]
    NothingFits {
        /// The manifest, as seen from the root.
        manifest: String,
        /// Why.
        reason: String,
        /// Its backends.
        available: Vec<Name>,
    },
    /// The configuration names one that no manifest could have.
    #[error("the configuration names the backend `{name}`, which is neither an extra nor a group of `{manifest}`")]
    NotDeclared {
        /// The name.
        name: Name,
        /// The manifest, as seen from the root.
        manifest: String,
    },
}

fn sides(claims: &[(String, String)]) -> String {
    let side = |(origin, backend): &(String, String)| format!("`{backend}` by {origin}");
    claims.iter().map(side).collect::<Vec<_>>().join(", ")
}

fn quoted<T: fmt::Display>(names: &[T]) -> String {
    match names {
        [] => "none".to_owned(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

impl Diagnostic for BackendError {
    fn code(&self) -> &'static str {
        match self {
            Self::Required { .. } => "backend-required",
            Self::Unknown { .. } | Self::NotDeclared { .. } => "unknown-backend",
            Self::Conflict { .. } => "backend-conflict",
            Self::NothingFits { .. } => "no-fitting-backend",
        }
    }

    fn help(&self) -> Option<String> {
        let first = |available: &[Name]| available.first().map_or("NAME", Name::as_str).to_owned();
        Some(match self {
            Self::Required { available, .. } => format!(
                "choose one with `--backend {}` or `UVENV_BACKEND`, let `--backend auto` ask the driver, or go without with \
                 `--backend none`",
                first(available)
            ),
            Self::Unknown { available, .. } if available.is_empty() => {
                "leave the backend out, or declare backends as extras in `[tool.uv] conflicts`".to_owned()
            }
            Self::Unknown { name, available, .. } => match nearest(name, available.iter().map(Name::as_str), 2) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("choose one of {}, `auto` or `none`", quoted(available)),
            },
            Self::Conflict { .. } => {
                "keep one of them; `--no-default-features` switches off what a crate selects by default".to_owned()
            }
            Self::NothingFits { available, .. } => {
                format!("name one, such as `--backend {}`, or go without with `--backend none`", first(available))
            }
            Self::NotDeclared { name, .. } => {
                format!("add the extra `{name}` to the manifest, or take it out of `backends`")
            }
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Required { place, .. } => place.as_ref(),
            _ => None,
        }
    }
}
