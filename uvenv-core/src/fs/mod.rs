//! The file system: files that are replaced whole, what the system says of them, hashes, locks, and work on all cores.

pub(crate) mod atomic;
pub(crate) mod cache;
pub(crate) mod digest;
pub(crate) mod parallel;
pub(crate) mod stamp;
