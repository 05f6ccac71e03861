//! The file system: atomic file replacement, file metadata, hashes, locks, and parallel work on all cores.

pub(crate) mod atomic;
pub(crate) mod cache;
pub(crate) mod digest;
mod normal;
pub(crate) mod parallel;
#[cfg(feature = "vendored")]
mod private_directory;
mod remembered;
#[cfg(feature = "vendored")]
pub(crate) mod sha2;
pub(crate) mod stamp;
#[cfg(test)]
mod test_tree;

pub(crate) use normal::normal;
#[cfg(feature = "vendored")]
pub(crate) use private_directory::{NoTemporaryDirectory, PrivateDirectory};
pub(crate) use remembered::{Remembered, is_script};
#[cfg(test)]
pub(crate) use test_tree::TestTree;
