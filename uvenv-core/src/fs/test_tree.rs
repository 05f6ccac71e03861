//! Directories for unit tests.

use std::{fs, ops::Deref};

use camino::{Utf8Path, Utf8PathBuf};

/// A temporary directory with a space and a non-ASCII letter in its path, which has no links.
#[derive(Debug)]
pub(crate) struct TestTree {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl TestTree {
    pub(crate) fn new() -> Self {
        let guard = tempfile::Builder::new().prefix("té st ").tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(guard.path().canonicalize().unwrap()).unwrap();
        Self { _guard: guard, root }
    }

    /// Creates a directory with `files`, given as path and text.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let tree = Self::new();
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    /// Writes a file, and returns its path.
    pub(crate) fn write(&self, path: &str, text: &str) -> Utf8PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Deref for TestTree {
    type Target = Utf8Path;

    fn deref(&self) -> &Utf8Path {
        &self.root
    }
}
