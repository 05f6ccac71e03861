//! Replaces the comparison of versions in a build script, which is compiled without PEP 440 support and leaves changed
//! versions for uv to find.

use super::Staleness;
use crate::{
    lockfile::{LockedRequirement, Lockfile, Package},
    manifest::{Manifest, Requirement},
};

pub(super) fn compare_version(_: &Package, _: &Manifest) -> Option<Staleness> {
    None
}

pub(super) fn compare_python(_: &Lockfile, _: &Manifest, _: &[&Manifest]) -> Option<Staleness> {
    None
}

pub(super) fn compare_versions(_: &Manifest, _: &[&Requirement], _: &[&LockedRequirement]) -> Option<Staleness> {
    None
}
