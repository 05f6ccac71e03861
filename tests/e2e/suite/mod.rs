//! The scenarios, each in a monorepo of its own.
#![allow(clippy::needless_raw_string_hashes, reason = "snapbox writes snapshots with them")]

#[cfg(unix)]
mod at_once;
mod backend;
mod bad_input;
mod check;
mod check_pins;
#[cfg(unix)]
mod check_remote;
mod check_workspace;
mod command_line;
mod diff;
mod discovery;
#[cfg(unix)]
mod env;
mod fixture;
mod frozen;
#[cfg(unix)]
mod heal;
#[cfg(unix)]
mod init;
#[cfg(unix)]
mod kernel;
mod native;
mod new;
#[cfg(unix)]
mod observe;
mod options;
#[cfg(unix)]
mod promote;
#[cfg(target_os = "linux")]
mod recorded;
mod run;
mod seed_table;
mod status;

use uvenv_tests::{Monorepo, Uv};

/// The internal packages of most scenarios.
const PACKAGES: [&str; 2] = ["bench-utils", "print-utils"];

/// The uv of this test target.
fn uv() -> Uv {
    Uv::named(env!("CARGO_CRATE_NAME"))
}

/// An empty monorepo with that uv.
pub(crate) fn empty() -> Monorepo {
    Monorepo::new(uv())
}

/// Two packages, of which one lies deeper in its git repository, and three profiles; no backends.
fn pinned() -> Monorepo {
    empty().package_in_subdirectory("print-utils").package_using("bench-utils", ["print-utils"]).remotes()
}

/// The same with two backends.
fn three_profiles() -> Monorepo {
    pinned().backends(["cu124", "cu128"])
}

/// Only backends: nothing has to be built.
pub(crate) fn backends_only() -> Monorepo {
    empty().backends(["cu124", "cu128"])
}

/// The version of torch that a backend's index has.
pub(crate) fn torch(backend: &str) -> String {
    format!("2.6.0+{backend}")
}
