//! Remembers the version of each uv, because asking uv takes half as long as a sync with nothing to do.

use camino::Utf8Path;

use super::{Version, executable_in};
use crate::{
    fs::{Remembered, is_script},
    model::Variables,
};

/// A query for the version of a uv.
pub(super) struct VersionQuery(Remembered);

/// Whether this is uv itself, and not a program that starts a uv: a script, or a version manager named `uv`.
pub(crate) fn is_uv_itself(path: &Utf8Path) -> bool {
    let name = path.canonicalize_utf8().ok().and_then(|path| path.file_name().map(str::to_owned));
    name.as_deref() == executable_in(Utf8Path::new("")).file_name() && !is_script(path).unwrap_or(true)
}

impl VersionQuery {
    pub(super) fn new(path: &Utf8Path, variables: &Variables) -> Self {
        Self(if is_uv_itself(path) {
            Remembered::new(("versions", path.as_str()), path, &[], variables)
        } else {
            Remembered::never()
        })
    }

    /// Returns the recorded version, if the executable is unchanged.
    pub(super) fn known(&self) -> Option<Version> {
        Version::parse(&self.0.known::<String>()?)
    }

    /// Records the version. A failure to do so is harmless.
    pub(super) fn keep(&self, version: Version) {
        self.0.keep(version.to_string());
    }
}
