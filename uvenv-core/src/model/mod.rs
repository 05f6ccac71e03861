//! The shared vocabulary: names, profiles, locations in files, errors, variables, and the masking of secrets.

pub mod error;
pub(crate) mod git_url;
mod name;
pub mod observer;
mod profile;
pub(crate) mod redact;
#[cfg(feature = "full")]
pub(crate) mod release;
mod variables;

pub(crate) use self::{
    error::{Diagnostic, Fault, Place, nearest, quoted, quoted_or},
    observer::{Interrupted, Observer, PERIOD, Progress},
    redact::redact,
};
pub use self::{name::Name, profile::Profile, variables::Variables};
#[cfg(feature = "full")]
pub(crate) use self::{
    redact::redact_in_place,
    release::{Release, Stage},
};
