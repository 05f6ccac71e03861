//! The error for a file or directory of the monorepo that cannot be written.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::Diagnostic;

/// A file or directory cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`: {source}")]
pub(crate) struct NotWritable {
    path: Utf8PathBuf,
    source: io::Error,
}

impl NotWritable {
    /// Returns a function for `map_err`.
    pub(crate) fn at(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

impl Diagnostic for NotWritable {
    fn code(&self) -> &'static str {
        "not-writable"
    }

    fn help(&self) -> Option<String> {
        Some("check the permissions and the free disk space".to_owned())
    }
}
