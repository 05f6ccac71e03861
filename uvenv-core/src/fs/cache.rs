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

use crate::model::{Diagnostic, Fault, Interrupted, Observer, PERIOD, Variables};

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
    /// Another process was waited for, and the observer wanted to wait no longer.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
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
            Self::Interrupted(interrupted) => interrupted.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Interrupted(interrupted) => interrupted.help(),
            _ => Some("set `UVENV_CACHE_DIR` to a directory that you can write to".to_owned()),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Interrupted(interrupted) => interrupted.fault(),
            _ => Fault::Request,
        }
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
    /// Waits until `path`, which is made if need be, is ours. If that takes over a second, `observer` is told once why.
    pub(crate) fn acquire(
        path: &Utf8Path,
        observer: &dyn Observer,
        why: impl FnOnce() -> String,
    ) -> Result<Self, CacheError> {
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
        let patience = Instant::now() + Duration::from_secs(1);
        let mut why = Some(why);
        let mut pause = Duration::from_millis(1);
        while !try_lock(&file).map_err(CacheError::unusable(path))? {
            Interrupted::check(observer)?;
            if Instant::now() >= patience
                && let Some(why) = why.take()
            {
                observer.say(&why());
            }
            thread::sleep(pause);
            pause = PERIOD.min(pause * 2);
        }
        Ok(Self { file })
    }

    /// The locked file. On Windows no other handle can read it.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some network file systems have no locks; like cargo, go on without.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    use super::*;
    use crate::{model::Progress, process::Terminal};

    const QUIET: Terminal = Terminal { quiet: true };

    struct Listener {
        said: mpsc::Sender<String>,
        wants_stop: AtomicBool,
    }

    impl Observer for Listener {
        fn progress(&self, _: &Progress) {}

        fn say(&self, line: &str) {
            self.said.send(line.to_owned()).unwrap();
        }

        fn wants_stop(&self) -> bool {
            self.wants_stop.load(Ordering::SeqCst)
        }
    }

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
        let first = FileLock::acquire(&path, &QUIET, || panic!("nobody else holds it")).unwrap();
        let (said, heard) = mpsc::channel();
        let listener = Listener { said, wants_stop: AtomicBool::new(false) };
        let got = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                FileLock::acquire(&path, &listener, || "why".to_owned()).unwrap();
                got.store(true, Ordering::SeqCst);
            });
            assert_eq!(heard.recv_timeout(Duration::from_secs(30)).unwrap(), "why");
            assert!(!got.load(Ordering::SeqCst));
            drop(first);
        });
        assert!(got.load(Ordering::SeqCst));
        assert!(heard.try_recv().is_err(), "it was said twice");
    }

    #[test]
    fn a_wait_ends_when_the_observer_wants_it() {
        let (_guard, directory) = temporary();
        let path = directory.join("a.lock");
        let first = FileLock::acquire(&path, &QUIET, || panic!("nobody else holds it")).unwrap();
        let (said, heard) = mpsc::channel();
        let listener = Listener { said, wants_stop: AtomicBool::new(false) };
        thread::scope(|scope| {
            let waiting = scope.spawn(|| FileLock::acquire(&path, &listener, String::new).unwrap_err());
            heard.recv_timeout(Duration::from_secs(30)).unwrap();
            listener.wants_stop.store(true, Ordering::SeqCst);
            let error = waiting.join().unwrap();
            assert_eq!((error.code(), error.fault()), ("interrupted", Fault::Finding));
        });
        drop(first);
        FileLock::acquire(&path, &QUIET, || panic!("the one who gave up holds it")).unwrap();
    }

    #[test]
    fn a_cache_that_cannot_be_made_is_named() {
        let (_guard, directory) = temporary();
        let file = directory.join("file");
        fs::write(&file, "").unwrap();
        let error = FileLock::acquire(&file.join("a.lock"), &QUIET, String::new).unwrap_err();
        assert_eq!(error.code(), "cache-unusable");
        assert!(error.to_string().contains(file.as_str()), "{error}");
    }
}
