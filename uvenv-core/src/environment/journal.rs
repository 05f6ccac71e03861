//! Ensures that an environment has one sync at a time, and marks a sync in progress. The mark outlives an interrupted
//! sync.
//!
//! uv takes a `dist-info` directory for an installed package. A package that a killed uv had half-copied would
//! therefore stay broken in all later syncs. The mark records that there may be such packages, and since when. It is in
//! the cache, so that it exists even if the environment does not.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    sync::Arc,
    time::{Duration, SystemTime},
};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Distributions, Environment, EnvironmentError, Inspection, distributions::Suspects, inventory};
use crate::{
    fs::{
        cache::{self, CacheError, FileLock},
        digest::digest,
    },
    model::{Name, Observer, Variables},
    process::Invocation,
};

/// The lock on an environment and the mark of an unfinished sync of it. Dropping the value releases the lock; only
/// [`Journal::finish`] removes the mark.
#[derive(Debug)]
pub(crate) struct Journal {
    lock: FileLock,
    path: Utf8PathBuf,
    interrupted: Option<InterruptedSync>,
}

/// A sync that began but did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InterruptedSync {
    /// When the first such sync began.
    pub(crate) since: SystemTime,
    /// Whether the environment did not exist then. If it is broken now, that sync made it.
    pub(crate) was_missing: bool,
}

/// The content of the file while a sync is in progress; otherwise the file is empty.
#[derive(Serialize, Deserialize)]
struct JournalEntry {
    /// For people who inspect the cache.
    environment: Utf8PathBuf,
    /// Milliseconds since 1970.
    in_progress_since: u64,
    was_missing: bool,
}

impl Journal {
    /// Waits until no other process uses `environment`, and tells `observer` if that takes more than a second.
    pub(crate) fn open(
        environment: &Environment,
        variables: &Variables,
        observer: &dyn Observer,
    ) -> crate::Result<Self> {
        let path = place(environment, variables)?;
        // That process would wait for this one.
        if syncs_around(variables).any(|around| around == path) {
            return Err(EnvironmentError::InUse { environment: environment.root().to_owned() }.into());
        }
        let busy = || format!("is using {}", environment.root());
        let lock = FileLock::acquire(&path, variables, observer, busy)?;
        let interrupted = read_mark(lock.file()).map_err(CacheError::unusable(&path))?;
        Ok(Self { lock, path, interrupted })
    }

    /// Whether a sync that found no environment has not ended well, or is still in progress, as far as can be seen without
    /// the lock.
    #[cfg(feature = "vendored")]
    pub(crate) fn shows_unfinished(environment: &Environment, variables: &Variables) -> bool {
        let mark = place(environment, variables).ok().and_then(|path| read_mark(&File::open(path).ok()?).ok()?);
        mark.is_some_and(|mark| mark.was_missing)
    }

    /// Returns the path of the file, which is empty while no sync is in progress.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns the path of a file next to the journal, with this extension. Only the holder of the lock may use it.
    pub(crate) fn beside(&self, extension: &str) -> Utf8PathBuf {
        self.path.with_extension(extension)
    }

    /// Returns the previous sync, if it did not end well.
    pub(crate) fn interrupted(&self) -> Option<&InterruptedSync> {
        self.interrupted.as_ref()
    }

    /// Marks that a sync is in progress. Must be called before uv starts. `before` is what the environment contains.
    pub(crate) fn begin(&mut self, environment: &Environment, before: &Distributions) -> crate::Result<()> {
        if self.interrupted.is_none() {
            // Without it, a killed sync may leave files behind; an environment that cannot be written has none.
            let _ = inventory::save(environment, before);
        }
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

    /// Returns `uv`, which is to change the environment, so that it keeps the lock even if this process is killed, and
    /// so that what it starts knows of this sync.
    pub(crate) fn covers(&self, uv: Invocation, variables: &Variables) -> Invocation {
        let around = syncs_around(variables).chain([self.path.clone()]);
        let around = std::env::join_paths(around).unwrap_or_else(|_| self.path.as_str().into());
        uv.env(SYNCS_AROUND, around).holding(Arc::clone(self.lock.file()))
    }

    /// Removes the mark, because the sync ended well, and saves what is installed now if it has changed something.
    pub(crate) fn finish_sync(self, environment: &Environment, changed: bool) -> Result<(), CacheError> {
        if changed {
            // Without it, the next sync asks uv.
            let _ = inventory::save_names(environment);
        }
        self.finish()
    }

    /// Removes the mark, because nothing was changed.
    pub(crate) fn finish(self) -> Result<(), CacheError> {
        self.lock.file().set_len(0).map_err(CacheError::unusable(&self.path))
    }

    fn replace(&self, mark: &JournalEntry) -> io::Result<()> {
        let text = serde_json::to_vec(mark)?;
        let mut file = &**self.lock.file();
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)
    }
}

impl InterruptedSync {
    /// Removes what it has left behind and uv cannot remove. Returns the packages that may be damaged.
    pub(crate) fn clean(&self, environment: &Environment) -> crate::Result<Vec<Name>> {
        let Suspects { reinstall, remains } = Distributions::read(environment)?.suspects(self.since);
        for path in &remains {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            removed.map_err(environment.not_writable(path))?;
        }
        inventory::remove_leftovers(environment, self.since).map_err(environment.not_writable(environment.root()))?;
        Ok(reinstall)
    }
}

/// The variable with the journals of the syncs in which a process was started.
const SYNCS_AROUND: &str = "UVENV_SYNCS_AROUND";

fn syncs_around(variables: &Variables) -> impl Iterator<Item = Utf8PathBuf> + use<> {
    let around = variables.get_os(SYNCS_AROUND).map(std::ffi::OsStr::to_owned).unwrap_or_default();
    let paths: Vec<_> =
        std::env::split_paths(&around).filter_map(|path| Utf8PathBuf::from_path_buf(path).ok()).collect();
    paths.into_iter().filter(|path| !path.as_str().is_empty())
}

/// Returns the path of the journal of `environment`.
fn place(environment: &Environment, variables: &Variables) -> Result<Utf8PathBuf, CacheError> {
    let canonical = canonical(environment.root());
    let name = format!("{}.json", digest(canonical.as_str().as_bytes()));
    Ok(cache::directory(variables)?.join("environments").join(name))
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
        // A truncated mark, or one of another version of uvenv, still counts. It was written when the sync began.
        Err(_) => InterruptedSync { since: file.metadata()?.modified()?, was_missing: false },
    }))
}

/// Resolves the links in `path`, whether or not it exists.
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
    use crate::{fs::TestTree, model::Progress, process::Terminal};

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
        root: TestTree,
        variables: Variables,
    }

    impl Machine {
        fn new() -> Self {
            let root = TestTree::new();
            let cache = root.join("cache");
            let variables = [("UVENV_CACHE_DIR", cache.as_str())].into_iter().collect();
            Self { root, variables }
        }

        fn open(&self, environment: &Environment) -> Journal {
            Journal::open(environment, &self.variables, &Terminal { quiet: true }).unwrap()
        }
    }

    #[test]
    fn remembers_when_an_unfinished_sync_first_started() {
        let machine = Machine::new();
        let environment = Environment::new(machine.root.join(".venv"));
        let mut journal = machine.open(&environment);
        assert_eq!(journal.interrupted(), None);
        let before = SystemTime::now();
        journal.begin(&environment, &Distributions::default()).unwrap();
        drop(journal);

        let mut journal = machine.open(&environment);
        let first = *journal.interrupted().unwrap();
        assert!(first.was_missing);
        assert!(first.since + Duration::from_millis(1) >= before && first.since <= SystemTime::now());
        fs::create_dir(environment.root()).unwrap();
        fs::write(environment.root().join("x"), "").unwrap();
        thread::sleep(Duration::from_millis(5));
        journal.begin(&environment, &Distributions::default()).unwrap();
        drop(journal);

        let mut journal = machine.open(&environment);
        assert_eq!(journal.interrupted(), Some(&first));
        journal.begin(&environment, &Distributions::default()).unwrap();
        journal.finish().unwrap();
        assert_eq!(machine.open(&environment).interrupted(), None);
    }

    #[test]
    fn damaged_journal_counts_as_an_interrupted_sync() {
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
    fn uses_one_journal_per_environment_for_any_path() {
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
    fn second_process_waits_and_names_the_environment() {
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
