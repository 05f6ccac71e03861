//! The reports of `backend`.

use serde::Serialize;

use crate::{
    backend::{CudaVersion, Detection},
    model::{Name, Profile},
};

/// `backends`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendsReport {
    /// The existing profiles.
    pub profiles: Vec<ProfileBackends>,
    /// Why the Cargo features are unknown, if they are.
    pub features_unknown: Option<String>,
}

/// The backends of a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileBackends {
    /// The profile.
    pub profile: Profile,
    /// Its backends.
    pub backends: Vec<BackendInfo>,
}

/// A backend.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackendInfo {
    /// Its name.
    pub name: Name,
    /// `extra` or `group`.
    pub kind: &'static str,
    /// The CUDA release of its packages.
    pub cuda: Option<CudaVersion>,
    /// The Cargo features that select it: `crate/feature`.
    pub features: Vec<String>,
}

/// `backend-detected`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DetectionReport {
    /// What the driver says.
    pub detected: Detection,
    /// What `auto` would choose for each profile.
    pub auto: Vec<AutoChoice>,
}

/// What `auto` would choose for a profile.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AutoChoice {
    /// The profile.
    pub profile: Profile,
    /// The backend; `null` if no backend fits.
    pub backend: Option<Name>,
    /// Why.
    pub explanation: String,
}
