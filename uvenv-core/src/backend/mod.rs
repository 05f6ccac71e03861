//! The GPU backends of a manifest: extras or groups of which exactly one must be chosen.

mod conflicts;
mod cuda;
mod declared;
#[cfg_attr(not(feature = "gpu-detection"), path = "no_detection.rs")]
mod detection;
mod selection;

use camino::Utf8PathBuf;
#[cfg(feature = "full")]
pub(crate) use conflicts::own_indexes;
pub use cuda::CudaVersion;
pub use declared::{BackendScope, backends};
pub use detection::detect;
pub use selection::{BackendOrigin, BuildFeatures, Choice, FeatureClaim, Selection, Signals, fitting, select};
pub(crate) use selection::{SelectionInputs, VARIABLE, select_if_said};
use serde::Serialize;

use crate::{
    manifest::Selector,
    model::{Diagnostic, Name, Place, nearest, quoted, quoted_or},
};

/// A GPU backend of a manifest.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Its name, which is the name of the extra or group and of the Cargo feature that mirrors it.
    pub name: Name,
    /// The extra or group that selects it.
    pub selector: Selector,
    /// The CUDA version that its packages are built for, if any.
    pub cuda: Option<CudaVersion>,
    /// The extras and groups that include it, such as `test-cu124 = ["app[cu124]", "pytest"]`.
    pub variants: Vec<Name>,
    /// Where the manifest declares it.
    pub place: Place,
}

/// What uvenv knows about the NVIDIA driver of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Detection {
    /// There is a driver.
    Driver {
        /// The driver's version: `550.54.15`.
        version: String,
        /// The newest CUDA version that it can run.
        cuda: CudaVersion,
        /// The names of the GPUs.
        gpus: Vec<String>,
    },
    /// There is no driver, or it does not answer.
    None {
        /// The reason.
        reason: String,
    },
}

/// An error in the choice of a backend.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackendError {
    /// No backend was chosen.
    #[error(
        "`{manifest}` requires a GPU backend: one of {}{}",
        quoted_or(available, "none"),
        holds_for.as_ref().map(|it| format!("; `{VARIABLE}` was set for `{it}`")).unwrap_or_default()
    )]
    Required {
        /// The manifest, relative to the root.
        manifest: String,
        available: Vec<Name>,
        /// The environment that `UVENV_BACKEND` was set for, if it does not count for that reason.
        holds_for: Option<Utf8PathBuf>,
        place: Option<Place>,
    },
    /// The manifest does not have the chosen backend.
    #[error("`{name}` ({origin}) is not a backend of `{manifest}`, which has {}", quoted_or(available, "none"))]
    Unknown {
        name: String,
        origin: BackendOrigin,
        /// The manifest, relative to the root.
        manifest: String,
        available: Vec<Name>,
    },
    /// Two backends were chosen.
    #[error("two GPU backends are selected: {}", sides(claims))]
    Conflict {
        /// The sources and the backends that they request; at least two.
        claims: Vec<(BackendOrigin, Choice)>,
    },
    /// The choice is `auto`, and no backend fits.
    #[error("`auto` found no backend in `{manifest}` for this machine: {reason}")]
    NothingFits {
        /// The manifest, relative to the root.
        manifest: String,
        reason: String,
        available: Vec<Name>,
    },
    /// The conflicts of a manifest are about accelerators, but are not one choice between them.
    #[error("the GPU backends of `{manifest}` are unclear: its conflicts are about {}, and {why}", quoted(names))]
    Unclear {
        /// The manifest, relative to the root.
        manifest: String,
        names: Vec<Name>,
        why: String,
        place: Option<Place>,
    },
    /// The configuration names a backend that the manifest does not declare.
    #[error("the configuration names the backend `{name}`, which is neither an extra nor a group of `{manifest}`")]
    NotDeclared {
        name: Name,
        /// The manifest, relative to the root.
        manifest: String,
    },
}

fn sides(claims: &[(BackendOrigin, Choice)]) -> String {
    let side = |(origin, backend): &(BackendOrigin, Choice)| format!("`{backend}` by {origin}");
    claims.iter().map(side).collect::<Vec<_>>().join(", ")
}

impl Diagnostic for BackendError {
    fn code(&self) -> &'static str {
        match self {
            Self::Required { .. } => "backend-required",
            Self::Unknown { .. } | Self::NotDeclared { .. } => "unknown-backend",
            Self::Conflict { .. } => "backend-conflict",
            Self::NothingFits { .. } => "no-fitting-backend",
            Self::Unclear { .. } => "unclear-backends",
        }
    }

    fn help(&self) -> Option<String> {
        let first = |available: &[Name]| available.first().map_or("NAME", Name::as_str).to_owned();
        Some(match self {
            Self::Required { available, .. } => format!(
                "choose one with `--backend {}` or `UVENV_BACKEND`, use `--backend auto` to select it by the GPU \
                 driver, or `--backend none` to use no backend",
                first(available)
            ),
            Self::Unknown { available, .. } if available.is_empty() => {
                "do not select a backend, or declare backends as extras in `[tool.uv] conflicts`".to_owned()
            }
            Self::Unknown { name, available, .. } => match nearest(name, available.iter().map(Name::as_str), 2) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("choose one of {}, `auto` or `none`", quoted_or(available, "none")),
            },
            Self::Conflict { .. } => {
                "keep one of them; `--no-default-features` disables the default features of a crate".to_owned()
            }
            Self::NothingFits { available, .. } => {
                format!("select one, such as `--backend {}`, or use no backend with `--backend none`", first(available))
            }
            Self::Unclear { names, .. } => {
                let names: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
                format!(
                    "name those of which an environment has exactly one in uvenv's configuration: `backends = [{}]`, or \
                     `backends = []` if there are none",
                    names.join(", ")
                )
            }
            Self::NotDeclared { name, .. } => {
                format!("add the extra `{name}` to the manifest, or remove it from `backends`")
            }
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::Required { place, .. } | Self::Unclear { place, .. } => place.as_ref(),
            _ => None,
        }
    }
}
