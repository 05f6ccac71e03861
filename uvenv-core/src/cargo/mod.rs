//! The interface to cargo, and what uvenv knows about its files.

#[cfg(feature = "full")]
mod config;
#[cfg(feature = "full")]
mod error;
#[cfg(feature = "full")]
mod features;
pub(crate) mod files;
pub(crate) mod metadata;

#[cfg(feature = "full")]
pub(crate) use self::{config::CargoConfigValues, error::CargoError};
#[cfg(feature = "full")]
pub use self::{
    config::{OtherRunner, Written},
    features::{FeatureClaims, FeatureSelection, Features},
};
