//! The monorepos of most scenarios.
#![allow(dead_code, reason = "the oldest uv runs some of the scenarios")]

use uvenv_tests::{Monorepo, Uv};

/// The internal packages of most scenarios.
pub(crate) const PACKAGES: [&str; 2] = ["bench-utils", "print-utils"];

/// The uv that this module's scenarios use.
pub(crate) fn uv() -> Uv {
    if module_path!().contains("oldest") { Uv::Oldest } else { Uv::Newest }
}

/// An empty monorepo with that uv.
pub(crate) fn empty() -> Monorepo {
    Monorepo::new(uv())
}

/// Two packages, one of them in a subdirectory of its git repository, and three profiles; no backends.
pub(crate) fn pinned() -> Monorepo {
    empty().package_in_subdirectory("print-utils").package_using("bench-utils", ["print-utils"]).remotes()
}

/// The same with two backends.
pub(crate) fn three_profiles() -> Monorepo {
    pinned().backends(["cu124", "cu128"])
}

/// Only backends, so that nothing has to be built.
pub(crate) fn backends_only() -> Monorepo {
    empty().backends(["cu124", "cu128"])
}

/// The version of torch that a backend's index has.
pub(crate) fn torch(backend: &str) -> String {
    format!("2.6.0+{backend}")
}
