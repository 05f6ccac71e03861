//! The port to cargo, and what is known about its files.

#[cfg(feature = "cargo-features")]
mod config;
#[cfg(feature = "cargo-features")]
mod error;
#[cfg(feature = "cargo-features")]
mod features;
pub(crate) mod files;

#[cfg(feature = "cargo-features")]
pub(crate) use self::{config::Settings, features::is_installed};
#[cfg(feature = "cargo-features")]
pub use self::{
    config::{OtherRunner, Written},
    error::CargoError,
    features::{FeatureClaims, FeatureSelection, Features},
};
