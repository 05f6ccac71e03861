//! Temporary directories that only this user can read.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::model::{Diagnostic, Fault};

/// A directory for files that are not kept, such as those with credentials. It is removed at the end.
pub(crate) struct PrivateDirectory {
    path: Utf8PathBuf,
    _directory: TempDir,
}

/// There is no place for temporary files.
#[derive(Debug, thiserror::Error)]
#[error("there is no place for temporary files: {source}")]
pub(crate) struct NoTemporaryDirectory {
    source: io::Error,
}

impl Diagnostic for NoTemporaryDirectory {
    fn code(&self) -> &'static str {
        "no-temporary-directory"
    }

    fn help(&self) -> Option<String> {
        Some("set `TMPDIR` to a directory that you can write to, with a path that is valid UTF-8".to_owned())
    }

    fn fault(&self) -> Fault {
        Fault::Request
    }
}

impl PrivateDirectory {
    pub(crate) fn new() -> Result<Self, NoTemporaryDirectory> {
        let made = tempfile::tempdir().and_then(|directory| {
            let path = Utf8PathBuf::from_path_buf(directory.path().to_owned());
            let path = path.map_err(|path| io::Error::other(format!("`{}` is not valid UTF-8", path.display())))?;
            Ok(Self { path, _directory: directory })
        });
        made.map_err(|source| NoTemporaryDirectory { source })
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<(), NoTemporaryDirectory> {
        std::fs::write(self.path.join(name), content).map_err(|source| NoTemporaryDirectory { source })
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }
}
