//! The words that everybody uses: names, profiles, places in files, errors, variables, and what is kept secret.

pub mod error;
pub(crate) mod git_url;
mod name;
pub mod observer;
mod profile;
pub(crate) mod redact;
#[cfg(feature = "full")]
pub(crate) mod release;
mod variables;

pub use self::{name::Name, profile::Profile, variables::Variables};
