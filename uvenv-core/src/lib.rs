//! The library behind `cargo uvenv`: the Python environments of a monorepo that mixes Rust and Python.
//!
//! A *monorepo* has up to three *profiles* (dev, staging, prod). Each profile has a manifest (`pyproject.toml`), a
//! lockfile (`uv.lock`) and an environment (`.venv`), and is locked and synced by [uv], which this crate runs. If a
//! manifest declares GPU backends, exactly one of them is selected.
//!
//! ```no_run
//! use uvenv_core::{Monorepo, Profile, Variables, ops};
//!
//! # fn main() -> uvenv_core::Result<()> {
//! let monorepo = Monorepo::discover(".".into())?;
//! let settings = ops::Settings::new(Variables::from_process(), monorepo.root.clone(), false);
//! let session = ops::Session::new(settings);
//! let plan = ops::SyncPlan::new(&monorepo, &session, Profile::Prod, &ops::SyncRequest::default())?;
//! let report = plan.execute(&session)?;
//! println!("{} distributions installed", report.installed.len());
//! # Ok(())
//! # }
//! ```
//!
//! [uv]: https://docs.astral.sh/uv/

pub mod backend;
pub mod build_script;
#[cfg(feature = "full")]
mod bundle;
pub mod cargo;
#[cfg(feature = "full")]
pub mod check;
pub mod environment;
mod fs;
#[cfg(feature = "full")]
pub mod git;
#[cfg(feature = "full")]
pub mod image;
pub mod lockfile;
pub mod manifest;
mod model;
pub mod monorepo;
pub mod native;
pub mod ops;
mod process;
pub mod report;
#[cfg(feature = "full")]
mod sbom;
mod sync_cache;
pub mod toml;
pub mod uv;
#[cfg(feature = "vendored")]
mod vendor;

pub use crate::{
    model::{Name, Profile, Variables, error, error::Error, observer},
    monorepo::Monorepo,
};

/// The version of uvenv.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A `Result` with uvenv's [`Error`] as the default error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Compiles the Rust examples of the README with the documentation tests.
#[cfg(doctest)]
#[allow(rustdoc::invalid_codeblock_attributes, reason = "its commands say how they end")]
#[doc = include_str!("../../README.md")]
struct Readme;
