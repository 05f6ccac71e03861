//! uv's cache keys: the inputs of a package that is built from a directory (uv's docs, "Dynamic metadata"; the setting
//! `cache-keys`).

use std::{fs, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::{fs::stamp::changed_at, manifest};

/// The setting that replaces the default keys.
pub(crate) const SETTING: &str = "cache-keys";

/// The files of the default keys. A directory is a package only if it has one of them.
pub(crate) const DEFAULT_FILES: [&str; 3] = [manifest::FILE_NAME, "setup.py", "setup.cfg"];

/// The directory of the default keys, whose creation time is part of the key.
pub(crate) const DEFAULT_DIRECTORY: &str = "src";

/// The keys that a package built from Rust needs, because the default keys do not include its sources.
#[cfg(feature = "full")]
pub(crate) const OF_RUST: [&str; 4] = [manifest::FILE_NAME, "Cargo.toml", "Cargo.lock", "**/*.rs"];

/// Returns the files of the default keys in a package's directory.
pub(crate) fn default_files(directory: &Utf8Path) -> [Utf8PathBuf; 3] {
    DEFAULT_FILES.map(|name| directory.join(name))
}

/// Whether a directory contains a package that can be built.
#[cfg(feature = "full")]
pub(crate) fn has_package(directory: &Utf8Path) -> bool {
    default_files(directory).iter().any(|path| path.is_file())
}

/// Returns the default keys of a package in the form in which uv writes them to `uv_cache.json`.
pub(crate) fn default_as_recorded(directory: &Utf8Path) -> serde_json::Value {
    let time = |time: Option<SystemTime>| {
        let time = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        time.map(|time| json!({ "secs_since_epoch": time.as_secs(), "nanos_since_epoch": time.subsec_nanos() }))
    };
    let changed = default_files(directory).iter().filter_map(|path| changed_at(path)).max();
    let source = fs::metadata(directory.join(DEFAULT_DIRECTORY)).ok().filter(fs::Metadata::is_dir);
    json!({
        "timestamp": time(changed),
        "commit": null,
        "tags": null,
        "env": {},
        "directories": { DEFAULT_DIRECTORY: time(source.and_then(|source| source.created().ok())) },
    })
}
