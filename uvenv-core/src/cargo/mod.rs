//! The interface to cargo, and what uvenv knows about its files.

#[cfg(feature = "full")]
mod config;
#[cfg(feature = "full")]
mod error;
mod feature_selection;
#[cfg(feature = "full")]
mod features;
pub(crate) mod files;
pub(crate) mod metadata;

pub use self::feature_selection::FeatureSelection;
#[cfg(feature = "full")]
pub(crate) use self::{config::CargoConfigValues, error::CargoError};
#[cfg(feature = "full")]
pub use self::{
    config::{OtherRunner, Written},
    features::{FeatureClaims, Features},
};
