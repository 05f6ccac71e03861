//! Reading a manifest: whatever a `pyproject.toml` holds, it is read or refused with a place that can be drawn.

#![no_main]

use libfuzzer_sys::fuzz_target;
use uvenv_core::{manifest::Manifest, toml::File};

fuzz_target!(|text: &str| {
    let file = File { path: "pyproject.toml".into(), text: text.into() };
    match Manifest::from_file(file) {
        Ok(manifest) => {
            for (package, sources) in &manifest.uv.sources {
                assert_eq!(&text[manifest.place(package.span.clone()).span()], &text[package.span.clone()]);
                assert!(manifest.sources_of(&package.value).len() >= sources.len().min(1));
            }
            for requirement in manifest.requirements() {
                assert!(!requirement.name.as_str().is_empty());
            }
        }
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.code().is_empty());
            if let Some(place) = error.place() {
                assert!(place.line() >= 1 && place.column() >= 1);
                assert_eq!(place.text_without_secrets().len(), text.len());
            }
        }
    }
});
