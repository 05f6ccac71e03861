//! Reading a lockfile, and comparing it with a manifest: whatever a `uv.lock` holds, it is read or refused.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use uvenv_core::{
    lockfile::{Lockfile, freshness, stale_sources},
    manifest::Manifest,
    toml::File,
};

/// What the seeds were locked from.
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let text = include_str!("../seeds/manifest/profile.toml");
    Manifest::from_file(File { path: "pyproject.toml".into(), text: text.into() }).expect("it is valid")
});

fuzz_target!(|text: &str| {
    let file = File { path: "uv.lock".into(), text: text.into() };
    match Lockfile::from_file(&file) {
        Ok(lockfile) => {
            for package in &lockfile.packages {
                assert!(lockfile.place(package).line() >= 1);
                assert!(lockfile.packages_named(&package.name).next().is_some());
            }
            freshness(Some(&lockfile), &MANIFEST, [&*MANIFEST]);
            stale_sources(&lockfile, &MANIFEST);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.code().is_empty());
            if let Some(place) = error.place() {
                assert!(place.line() >= 1 && place.column() >= 1);
            }
        }
    }
});
