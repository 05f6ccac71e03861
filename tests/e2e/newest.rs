//! The suite with the uv that uvenv fetches, how that is found and fetched, the example and the documentation.

#[path = "suite/build_script.rs"]
mod build_script;
#[path = "suite/docs.rs"]
mod docs;
#[cfg(unix)]
#[path = "suite/embed.rs"]
mod embed;
#[cfg(unix)]
#[path = "suite/example.rs"]
mod example;
#[path = "suite/fetch_uv.rs"]
mod fetch_uv;
#[path = "suite/mod.rs"]
mod suite;
