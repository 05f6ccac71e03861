//! The interface to cargo, and what uvenv knows about its files.

#[cfg(feature = "full")]
mod config;
#[cfg(feature = "full")]
mod error;
mod feature_selection;
#[cfg(feature = "full")]
mod features;
pub(crate) mod files;
#[cfg(feature = "full")]
mod graph;
#[cfg(feature = "full")]
mod linked;
pub(crate) mod metadata;
pub(crate) mod rustc;

pub use self::feature_selection::FeatureSelection;
#[cfg(feature = "full")]
pub(crate) use self::{
    config::CargoConfigValues,
    error::CargoError,
    linked::{LinkedCrate, linked_crates},
};
#[cfg(feature = "full")]
pub use self::{
    config::{OtherRunner, Written},
    features::{FeatureClaims, Features},
};
