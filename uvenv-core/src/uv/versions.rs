//! Remembers the version of each uv, because asking uv takes half as long as a sync with nothing to do.

use std::{
    fs,
    io::{self, Read as _},
    time::SystemTime,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Version, executable_in};
use crate::{
    fs::{
        atomic, cache,
        digest::digest,
        stamp::{Stat, is_settled, stat_of},
    },
    model::Variables,
};

/// The recorded version of a uv.
#[derive(Debug, Serialize, Deserialize)]
struct CachedVersion {
    /// The metadata of the executable before it was run.
    stat: Stat,
    version: String,
}

/// A query for the version of a uv.
pub(super) struct VersionQuery {
    /// Where the answer is stored; `None` if the answer can be different next time.
    place: Option<(Utf8PathBuf, Stat)>,
}

/// Whether this is uv itself, and not a program that starts a uv: a script, or a version manager named `uv`.
pub(crate) fn is_uv_itself(path: &Utf8Path) -> bool {
    let name = path.canonicalize_utf8().ok().and_then(|path| path.file_name().map(str::to_owned));
    name.as_deref() == executable_in(Utf8Path::new("")).file_name() && !is_script(path).unwrap_or(true)
}

fn is_script(path: &Utf8Path) -> io::Result<bool> {
    let mut start = [0; 2];
    fs::File::open(path)?.read_exact(&mut start)?;
    Ok(start == *b"#!")
}

impl VersionQuery {
    pub(super) fn new(path: &Utf8Path, variables: &Variables) -> Self {
        let place = || {
            let stat = stat_of(path).filter(|stat| is_settled(stat, SystemTime::now()))?;
            let directory = cache::directory(variables).ok()?.join("versions");
            is_uv_itself(path).then(|| (directory.join(format!("{}.json", digest(path.as_str().as_bytes()))), stat))
        };
        Self { place: place() }
    }

    /// Returns the recorded version, if the executable is unchanged.
    pub(super) fn known(&self) -> Option<Version> {
        let (place, stat) = self.place.as_ref()?;
        let known: CachedVersion = serde_json::from_slice(&fs::read(place).ok()?).ok()?;
        if known.stat == *stat { Version::parse(&known.version) } else { None }
    }

    /// Records the version. A failure to do so is harmless.
    pub(super) fn keep(self, version: Version) {
        let Some((place, stat)) = self.place else { return };
        let Ok(text) = serde_json::to_string(&CachedVersion { stat, version: version.to_string() }) else { return };
        // Only commands that need a cache create it, not those that only read.
        let _ = place.parent().map(fs::create_dir);
        let _ = atomic::replace_cached(&place, text);
    }
}
