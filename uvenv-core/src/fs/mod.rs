//! The file system: atomic file replacement, file metadata, hashes, locks, and parallel work on all cores.

pub(crate) mod atomic;
pub(crate) mod cache;
pub(crate) mod digest;
pub(crate) mod parallel;
pub(crate) mod stamp;
#[cfg(test)]
mod test_tree;

#[cfg(test)]
pub(crate) use test_tree::TestTree;
