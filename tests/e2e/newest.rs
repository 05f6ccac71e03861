//! The suite with the uv that uvenv fetches, how that is found and fetched, and the documentation.

#[path = "suite/docs.rs"]
mod docs;
#[path = "suite/fetch_uv.rs"]
mod fetch_uv;
#[path = "suite/mod.rs"]
mod suite;
