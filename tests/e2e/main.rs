//! The end-to-end tests, in one program, so that all cores are busy to the end and each thing is built once.
//!
//! Tests start in the order of their names: those that mostly wait come first.
#![allow(clippy::duplicate_mod, reason = "two versions of uv run the same scenarios")]

#[cfg(unix)]
mod cpython;
#[cfg(target_os = "linux")]
mod differential;
mod newest;
mod oldest;
