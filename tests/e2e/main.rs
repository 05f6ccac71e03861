//! The end-to-end tests. They are one program, so that they use all cores and build everything only once.
//!
//! Tests start in the order of their names: those that mostly wait come first.
#![allow(clippy::duplicate_mod, reason = "two versions of uv run the same scenarios")]

#[cfg(unix)]
mod backend_shapes;
#[cfg(unix)]
mod cpython;
#[cfg(target_os = "linux")]
mod differential;
mod newest;
mod oldest;
#[cfg(target_os = "linux")]
mod ray;
#[cfg(target_os = "linux")]
mod verdicts;
