//! uvenv's cache directory, whose contents can be recreated, and locks between processes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use camino::{Utf8Path, Utf8PathBuf};
use etcetera::BaseStrategy;
use thiserror::Error;

use crate::model::{Diagnostic, Fault, Interrupted, Observer, PERIOD, Variables};

/// Why uvenv's cache cannot be used.
#[derive(Debug, Error)]
pub(crate) enum CacheError {
    /// The home directory, which would contain the cache, is unknown.
    #[error("cannot find a cache directory: the home directory is unknown")]
    NoDirectory,
    /// The path of the cache directory is not valid Unicode.
    #[error("the path of the cache directory is not valid UTF-8: {}", .path.display())]
    NotUnicode { path: PathBuf },
    /// A file or directory in the cache cannot be read, created or changed.
    #[error("cannot use the cache of uvenv: {path}: {source}")]
    Unusable { path: Utf8PathBuf, source: io::Error },
    /// Another process keeps a lock for longer than the user wants to wait.
    #[error("another process {busy}, for more than {limit} s")]
    Locked {
        /// What the other process does: `is using …`.
        busy: String,
        limit: u64,
    },
    /// `UVENV_LOCK_TIMEOUT` is not a number of seconds.
    #[error("the variable `UVENV_LOCK_TIMEOUT` is not a whole number of seconds: `{value}`")]
    Timeout { value: String },
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
            Self::Locked { .. } => "lock-timeout",
            Self::Timeout { .. } => "invalid-lock-timeout",
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Locked { .. } => "wait for the other process, or set `UVENV_LOCK_TIMEOUT` to more seconds",
            Self::Timeout { .. } => "set it to a number such as `60`, or unset it to wait without a limit",
            _ => "set `UVENV_CACHE_DIR` to a directory that you can write to",
        };
        Some(help.to_owned())
    }

    fn fault(&self) -> Fault {
        if matches!(self, Self::Locked { .. }) { Fault::Finding } else { Fault::Request }
    }
}

/// Returns the cache directory: `UVENV_CACHE_DIR`, or else `uvenv` in the user's cache directory, which also contains
/// uv's cache.
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
        // etcetera reads the variables of the process, but those of the caller take precedence.
        let absolute = |name| variables.get_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if let Some(cache) = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache"))) {
            return Some(cache);
        }
    }
    etcetera::choose_base_strategy().ok().map(|strategy| strategy.cache_dir())
}

/// Returns how long to wait for other processes, if there is a limit.
fn lock_timeout(variables: &Variables) -> Result<Option<u64>, CacheError> {
    let parse = |value: &str| value.parse().map_err(|_| CacheError::Timeout { value: value.to_owned() });
    variables.get("UVENV_LOCK_TIMEOUT").filter(|value| !value.is_empty()).map(parse).transpose()
}

/// A file that only one process at a time can lock. The lock is released when the value is dropped, or when the process
/// ends for any reason, and a process that it has started with the file as its stdin too.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: Arc<File>,
}

impl FileLock {
    /// Waits until this process has the lock on `path`; creates the file if needed. If that takes more than a second,
    /// tells `observer` once what the other process does, which `busy` says. `UVENV_LOCK_TIMEOUT` limits the wait.
    pub(crate) fn acquire(
        path: &Utf8Path,
        variables: &Variables,
        observer: &dyn Observer,
        busy: impl Fn() -> String,
    ) -> crate::Result<Self> {
        let limit = lock_timeout(variables)?;
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
        let start = Instant::now();
        let mut is_told = false;
        let mut pause = Duration::from_millis(1);
        while !try_lock(&file).map_err(CacheError::unusable(path))? {
            Interrupted::check(observer)?;
            if let Some(limit) = limit.filter(|limit| start.elapsed() >= Duration::from_secs(*limit)) {
                return Err(CacheError::Locked { busy: busy(), limit }.into());
            }
            if !is_told && start.elapsed() >= Duration::from_secs(1) {
                is_told = true;
                observer.say(&format!("Waiting for another process that {}…", busy()));
            }
            thread::sleep(pause);
            pause = PERIOD.min(pause * 2);
        }
        Ok(Self { file: Arc::new(file) })
    }

    /// Returns the locked file. On Windows, no other handle can read it.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some network file systems do not support locks. Like cargo, continue without one.
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
    use crate::fs::TestTree;
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

    #[test]
    fn variable_sets_the_directory_and_empty_counts_as_unset() {
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
    fn rejects_a_path_that_is_not_unicode() {
        use std::{ffi::OsString, os::unix::ffi::OsStringExt};

        let variables: Variables = [("UVENV_CACHE_DIR", OsString::from_vec(b"/c/\xff".to_vec()))].into_iter().collect();
        assert!(matches!(directory(&variables), Err(CacheError::NotUnicode { .. })));
    }

    #[test]
    fn second_holder_waits_and_reports_it_once() {
        let directory = TestTree::new();
        let path = directory.join("new folder/a.lock");
        let first = FileLock::acquire(&path, &Variables::default(), &QUIET, || panic!("nobody else holds it")).unwrap();
        let (said, heard) = mpsc::channel();
        let listener = Listener { said, wants_stop: AtomicBool::new(false) };
        let got = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                FileLock::acquire(&path, &Variables::default(), &listener, || "is here".to_owned()).unwrap();
                got.store(true, Ordering::SeqCst);
            });
            assert_eq!(
                heard.recv_timeout(Duration::from_secs(30)).unwrap(),
                "Waiting for another process that is here…"
            );
            assert!(!got.load(Ordering::SeqCst));
            drop(first);
        });
        assert!(got.load(Ordering::SeqCst));
        assert!(heard.try_recv().is_err(), "it was said twice");
    }

    #[test]
    fn observer_can_stop_the_wait() {
        let directory = TestTree::new();
        let path = directory.join("a.lock");
        let first = FileLock::acquire(&path, &Variables::default(), &QUIET, || panic!("nobody else holds it")).unwrap();
        let (said, heard) = mpsc::channel();
        let listener = Listener { said, wants_stop: AtomicBool::new(false) };
        thread::scope(|scope| {
            let waiting =
                scope.spawn(|| FileLock::acquire(&path, &Variables::default(), &listener, String::new).unwrap_err());
            heard.recv_timeout(Duration::from_secs(30)).unwrap();
            listener.wants_stop.store(true, Ordering::SeqCst);
            let error = waiting.join().unwrap();
            assert_eq!((error.code(), error.fault()), ("interrupted", crate::error::Fault::Finding));
        });
        drop(first);
        FileLock::acquire(&path, &Variables::default(), &QUIET, || panic!("the one who gave up holds it")).unwrap();
    }

    #[test]
    fn a_variable_limits_the_wait() {
        let directory = TestTree::new();
        let path = directory.join("a.lock");
        let busy = || "is here".to_owned();
        let _first = FileLock::acquire(&path, &Variables::default(), &QUIET, busy).unwrap();
        let waited = |seconds: &str| {
            let variables = [("UVENV_LOCK_TIMEOUT", seconds)].into_iter().collect();
            FileLock::acquire(&path, &variables, &QUIET, busy).unwrap_err()
        };
        assert_eq!(waited("0").to_string(), "another process is here, for more than 0 s");
        assert_eq!((waited("0").code(), waited("soon").code()), ("lock-timeout", "invalid-lock-timeout"));
    }

    #[test]
    fn reports_a_cache_that_cannot_be_created() {
        let directory = TestTree::new();
        let file = directory.join("file");
        fs::write(&file, "").unwrap();
        let error = FileLock::acquire(&file.join("a.lock"), &Variables::default(), &QUIET, String::new).unwrap_err();
        assert_eq!(error.code(), "cache-unusable");
        assert!(error.to_string().contains(file.as_str()), "{error}");
    }
}
