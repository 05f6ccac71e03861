//! uvenv's own directory of things that can be made again, and locks between processes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use etcetera::BaseStrategy;
use thiserror::Error;

use crate::{error::Diagnostic, variables::Variables};

/// Why uvenv's cache cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CacheError {
    /// There is no home directory to have a cache in.
    #[error("this user has no cache directory: the home directory is unknown")]
    NoDirectory,
    /// The path of the cache directory is not Unicode.
    #[error("the path of the cache directory is not Unicode: {}", .path.display())]
    NotUnicode {
        /// The path.
        path: PathBuf,
    },
    /// Something in the cache cannot be read, made or changed.
    #[error("uvenv's cache cannot be used: {path}: {source}")]
    Unusable {
        /// The file or directory.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CacheError {
    pub(crate) fn unusable(path: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unusable { path, source }
    }
}

impl Diagnostic for CacheError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoDirectory | Self::NotUnicode { .. } => "no-cache-directory",
            Self::Unusable { .. } => "cache-unusable",
        }
    }

    fn help(&self) -> Option<String> {
        Some("set `UVENV_CACHE_DIR` to a directory that you can write to".to_owned())
    }
}

/// Where the cache is: `UVENV_CACHE_DIR`, else `uvenv` in the user's cache directory, where uv too has its own.
pub(crate) fn directory(variables: &Variables) -> Result<Utf8PathBuf, CacheError> {
    let path = if let Some(chosen) = variables.get_os("UVENV_CACHE_DIR") {
        std::path::absolute(chosen).map_err(|_| CacheError::NoDirectory)?
    } else {
        user_directory(variables).ok_or(CacheError::NoDirectory)?.join("uvenv")
    };
    Utf8PathBuf::from_path_buf(path).map_err(|path| CacheError::NotUnicode { path })
}

fn user_directory(variables: &Variables) -> Option<PathBuf> {
    if cfg!(unix) {
        // etcetera reads the process's variables; what the caller passes comes first.
        let absolute = |name| variables.get_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if let Some(cache) = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache"))) {
            return Some(cache);
        }
    }
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir())
}

/// A file that one process at a time holds locked. The lock ends with the value, or with the process however it ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

impl FileLock {
    /// Waits until `path`, which is made if need be, is ours. `waiting` is called once if that takes over a second.
    pub(crate) fn acquire(path: &Utf8Path, waiting: impl FnOnce()) -> Result<Self, CacheError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(CacheError::unusable(parent))?;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .map_err(CacheError::unusable(path))?;
        lock(&file, waiting).map_err(CacheError::unusable(path))?;
        Ok(Self { file })
    }

    /// The locked file. On Windows no other handle can read it.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

fn lock(file: &File, waiting: impl FnOnce()) -> io::Result<()> {
    let patience = Instant::now() + Duration::from_secs(1);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            // Some network file systems have no locks; like cargo, go on without.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(());
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() < patience => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => break,
        }
    }
    waiting();
    file.lock()
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    use super::*;

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    #[test]
    fn the_variable_decides_and_empty_is_unset() {
        let chosen: Variables = [("UVENV_CACHE_DIR", "/c d/e"), ("HOME", "/h")].into_iter().collect();
        let empty: Variables =
            [("UVENV_CACHE_DIR", ""), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")].into_iter().collect();
        if cfg!(unix) {
            assert_eq!(directory(&chosen).unwrap(), "/c d/e");
            assert_eq!(directory(&empty).unwrap(), "/x/uvenv");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_relative_xdg_directory_counts_as_unset() {
        let variables: Variables = [("XDG_CACHE_HOME", "x"), ("HOME", "/h")].into_iter().collect();
        assert_eq!(directory(&variables).unwrap(), "/h/.cache/uvenv");
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_unicode_is_an_error() {
        use std::{ffi::OsString, os::unix::ffi::OsStringExt};

        let variables: Variables = [("UVENV_CACHE_DIR", OsString::from_vec(b"/c/\xff".to_vec()))].into_iter().collect();
        assert!(matches!(directory(&variables), Err(CacheError::NotUnicode { .. })));
    }

    #[test]
    fn a_second_holder_waits_and_says_so() {
        let (_guard, directory) = temporary();
        let path = directory.join("new folder/a.lock");
        let first = FileLock::acquire(&path, || panic!("nobody else holds it")).unwrap();
        let (said, heard) = mpsc::channel();
        let got = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                FileLock::acquire(&path, || said.send(()).unwrap()).unwrap();
                got.store(true, Ordering::SeqCst);
            });
            heard.recv_timeout(Duration::from_secs(30)).unwrap();
            assert!(!got.load(Ordering::SeqCst));
            drop(first);
        });
        assert!(got.load(Ordering::SeqCst));
    }

    #[test]
    fn a_cache_that_cannot_be_made_is_named() {
        let (_guard, directory) = temporary();
        let file = directory.join("file");
        fs::write(&file, "").unwrap();
        let error = FileLock::acquire(&file.join("a.lock"), || ()).unwrap_err();
        assert_eq!(error.code(), "cache-unusable");
        assert!(error.to_string().contains(file.as_str()), "{error}");
    }
}
