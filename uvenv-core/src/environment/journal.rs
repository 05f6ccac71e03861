//! One sync of an environment at a time, and a mark that outlives a sync which was interrupted.
//!
//! uv takes a `dist-info` folder for an installed package, so a package that a killed uv had half-copied stays broken
//! for all later syncs. The mark says that there may be such packages, and since when.
//! It lies in the cache, so that it is there when the environment is not.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Distributions, Environment, EnvironmentError, Inspection, Suspects};
use crate::{
    fs::{
        cache::{self, CacheError, FileLock},
        digest::digest,
    },
    model::{Observer, Variables},
};

/// The lock on an environment and the mark of an unfinished sync of it. The lock ends with the value; the mark, once
/// made, with [`Journal::finish`] only.
#[derive(Debug)]
pub(crate) struct Journal {
    lock: FileLock,
    path: Utf8PathBuf,
    interrupted: Option<InterruptedSync>,
}

/// A sync that began and did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InterruptedSync {
    /// When the first such sync began.
    pub(crate) since: SystemTime,
    /// Whether the environment did not exist then, so that a broken one now is its making, and nobody else's.
    pub(crate) was_missing: bool,
}

/// What the file holds while a sync is in progress; it is empty otherwise.
#[derive(Serialize, Deserialize)]
struct JournalEntry {
    /// For people who look into the cache.
    environment: Utf8PathBuf,
    /// Milliseconds since 1970.
    in_progress_since: u64,
    was_missing: bool,
}

impl Journal {
    /// Waits until no other process uses `environment`; `observer` is told so if that takes over a second.
    pub(crate) fn open(
        environment: &Environment,
        variables: &Variables,
        observer: &dyn Observer,
    ) -> Result<Self, CacheError> {
        let canonical = canonical(environment.root());
        let name = format!("{}.json", digest(canonical.as_str().as_bytes()));
        let path = cache::directory(variables)?.join("environments").join(name);
        let lock = FileLock::acquire(&path, observer, || {
            format!("Waiting for another process that is using {}…", environment.root())
        })?;
        let interrupted = read_mark(lock.file()).map_err(CacheError::unusable(&path))?;
        Ok(Self { lock, path, interrupted })
    }

    /// The file, which is empty while no sync is in progress.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// A file of this name beside the journal, which only the holder of the lock may use.
    pub(crate) fn beside(&self, extension: &str) -> Utf8PathBuf {
        self.path.with_extension(extension)
    }

    /// The sync before this one, if it did not end well.
    pub(crate) fn interrupted(&self) -> Option<&InterruptedSync> {
        self.interrupted.as_ref()
    }

    /// Marks that a sync is in progress; to be called before uv starts.
    pub(crate) fn begin(&mut self, environment: &Environment) -> Result<(), EnvironmentError> {
        let missing = environment.inspect()? == Inspection::Missing;
        let begun = InterruptedSync {
            since: self.interrupted.map_or_else(SystemTime::now, |before| before.since),
            was_missing: missing || self.interrupted.is_some_and(|before| before.was_missing),
        };
        let since = begun.since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mark = JournalEntry {
            environment: environment.root().to_owned(),
            in_progress_since: u64::try_from(since.as_millis()).unwrap_or_default(),
            was_missing: begun.was_missing,
        };
        self.replace(&mark).map_err(CacheError::unusable(&self.path))?;
        self.interrupted = Some(begun);
        Ok(())
    }

    /// Takes the mark away: the sync ended well, or changed nothing.
    pub(crate) fn finish(self) -> Result<(), CacheError> {
        self.lock.file().set_len(0).map_err(CacheError::unusable(&self.path))
    }

    fn replace(&self, mark: &JournalEntry) -> io::Result<()> {
        let text = serde_json::to_vec(mark)?;
        let mut file = self.lock.file();
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    }
}

impl InterruptedSync {
    /// What of `environment` may be damaged.
    pub(crate) fn suspects(&self, environment: &Environment) -> Result<Suspects, EnvironmentError> {
        Ok(Distributions::read(environment)?.suspects(self.since))
    }
}

fn read_mark(mut file: &File) -> io::Result<Option<InterruptedSync>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Ok(Some(match serde_json::from_slice::<JournalEntry>(&bytes) {
        Ok(mark) => InterruptedSync {
            since: SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_millis(mark.in_progress_since))
                .unwrap_or(SystemTime::UNIX_EPOCH),
            was_missing: mark.was_missing,
        },
        // A mark that was cut short, or that another version of uvenv wrote, is a mark; it was written at the start.
        Err(_) => InterruptedSync { since: file.metadata()?.modified()?, was_missing: false },
    }))
}

/// `path` without links, whether or not it exists.
fn canonical(path: &Utf8Path) -> Utf8PathBuf {
    let absolute = std::path::absolute(path)
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .unwrap_or_else(|| path.to_owned());
    absolute
        .ancestors()
        .find_map(|ancestor| {
            let physical = Utf8PathBuf::from_path_buf(fs::canonicalize(ancestor).ok()?).ok()?;
            let rest = absolute.strip_prefix(ancestor).ok()?;
            Some(if rest.as_str().is_empty() { physical } else { physical.join(rest) })
        })
        .unwrap_or(absolute)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;
    use crate::{model::Progress, process::Terminal};

    struct Listener(mpsc::Sender<String>);

    impl Observer for Listener {
        fn progress(&self, _: &Progress) {}

        fn say(&self, line: &str) {
            self.0.send(line.to_owned()).unwrap();
        }

        fn wants_stop(&self) -> bool {
            false
        }
    }

    struct Machine {
        _guard: tempfile::TempDir,
        root: Utf8PathBuf,
        variables: Variables,
    }

    impl Machine {
        fn new() -> Self {
            let guard = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(guard.path().canonicalize().unwrap()).unwrap();
            let cache = root.join("cache");
            let variables = [("UVENV_CACHE_DIR", cache.as_str())].into_iter().collect();
            Self { _guard: guard, root, variables }
        }

        fn open(&self, environment: &Environment) -> Journal {
            Journal::open(environment, &self.variables, &Terminal { quiet: true }).unwrap()
        }
    }

    #[test]
    fn a_sync_that_does_not_finish_is_remembered_from_its_first_start() {
        let machine = Machine::new();
        let environment = Environment::new(machine.root.join(".venv"));
        let mut journal = machine.open(&environment);
        assert_eq!(journal.interrupted(), None);
        let before = SystemTime::now();
        journal.begin(&environment).unwrap();
        drop(journal);

        let mut journal = machine.open(&environment);
        let first = *journal.interrupted().unwrap();
        assert!(first.was_missing);
        assert!(first.since + Duration::from_millis(1) >= before && first.since <= SystemTime::now());
        fs::create_dir(environment.root()).unwrap();
        fs::write(environment.root().join("x"), "").unwrap();
        thread::sleep(Duration::from_millis(5));
        journal.begin(&environment).unwrap();
        drop(journal);

        let mut journal = machine.open(&environment);
        assert_eq!(journal.interrupted(), Some(&first));
        journal.begin(&environment).unwrap();
        journal.finish().unwrap();
        assert_eq!(machine.open(&environment).interrupted(), None);
    }

    #[test]
    fn a_damaged_mark_is_a_mark() {
        let machine = Machine::new();
        let environment = Environment::new(machine.root.join(".venv"));
        let path = machine.open(&environment).path.clone();
        fs::write(&path, "{\"envi").unwrap();
        let journal = machine.open(&environment);
        let since = journal.interrupted().unwrap().since;
        assert_eq!(since, fs::metadata(&path).unwrap().modified().unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn an_environment_has_one_journal_by_whatever_path() {
        let machine = Machine::new();
        let project = machine.root.join("project");
        fs::create_dir(&project).unwrap();
        std::os::unix::fs::symlink(&project, machine.root.join("link")).unwrap();
        let key = |path: &str| machine.open(&Environment::new(machine.root.join(path))).path.clone();
        let direct = key("project/.venv");
        assert_eq!(key("link/.venv"), direct);
        assert_ne!(key("project/.venv-cu124"), direct);
        fs::create_dir(project.join(".venv")).unwrap();
        assert_eq!(key("project/.venv"), direct);
        assert_eq!(key("link/.venv/"), direct);
    }

    #[test]
    fn a_second_process_waits_and_names_the_environment() {
        let machine = Machine::new();
        let environment = Environment::new(machine.root.join(".venv"));
        let journal = machine.open(&environment);
        let (said, heard) = mpsc::channel();
        let listener = Listener(said);
        thread::scope(|scope| {
            scope.spawn(|| Journal::open(&environment, &machine.variables, &listener).unwrap());
            let line = heard.recv_timeout(Duration::from_secs(30)).unwrap();
            assert_eq!(line, format!("Waiting for another process that is using {}…", environment.root()));
            drop(journal);
        });
    }
}
