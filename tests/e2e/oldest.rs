//! The suite with the oldest uv that uvenv works with.

#[path = "suite/mod.rs"]
mod suite;
