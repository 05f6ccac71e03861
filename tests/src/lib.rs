//! Fixtures for the end-to-end tests: monorepos in temporary directories, git remotes with tags, a package index on the
//! loopback interface, and the real programs, each in a place of its own.
//!
//! A test says what its monorepo is made of and runs real commands in it:
//!
//! ```no_run
//! # use uvenv_tests::{Monorepo, Uv};
//! let repo = Monorepo::new(Uv::Newest).package("bench-utils").backends(["cu124", "cu128"]).remotes().build();
//! repo.uvenv(["lock", "--profile", "prod"]).ok();
//! repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).ok();
//! assert_eq!(repo.environment("prod").commit("bench-utils"), repo.tag_commit("bench-utils", "v0.1.2"));
//! ```
#![expect(clippy::disallowed_methods, reason = "a test starts programs and reads the variables of its own process")]
#![allow(clippy::missing_panics_doc, reason = "a fixture that cannot be made fails its test")]

pub mod backend_shapes;
mod cargo_builds;
mod ci;
mod cpython;
#[cfg(target_os = "linux")]
pub mod differential;
mod environment;
mod example;
mod fixture;
mod git_server;
mod images;
mod index;
mod interpreters;
mod invocation;
mod jupyter;
#[cfg(target_os = "linux")]
pub mod kill_at;
pub mod modules;
mod monorepo;
pub mod native;
mod outcome;
mod programs;
mod remotes;
mod sbom;
pub mod seed;
#[cfg(target_os = "linux")]
pub mod verdicts;
mod wheel;

pub use ci::Job;
pub use cpython::Cpython;
pub use environment::{Environment, Files};
pub use fixture::Fixture;
pub use git_server::GitServer;
pub use images::{Container, DEBIAN_BASE, Registry, debian_base, inspected, program as image_program};
pub use index::Index;
pub use interpreters::{Kind, interpreter_of};
pub use invocation::Invocation;
pub use jupyter::Started;
pub use monorepo::Monorepo;
pub use outcome::{Outcome, Refusal};
pub use programs::{Uv, answer, cargo_uvenv, run, uv_from_pip};
pub use sbom::validate_sbom;
pub use wheel::{Build, PythonHome, python_dir, wheel};
