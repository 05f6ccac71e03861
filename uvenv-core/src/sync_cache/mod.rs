//! The sync cache: for a sync that found nothing to do, the environment keeps what the answer depended on. While none
//! of that changes, uv would again find nothing to do, so uvenv does not start it.
//!
//! uv reads more than the cache can check. Where an answer depends on anything else, nothing is recorded. See
//! `docs/quick-answers.md`.

mod environment;
mod fingerprint;
mod fingerprints;
mod packages;
mod settings;
mod variables;
mod watch_list;

use std::{fs, io, time::SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use fingerprint::FingerprintKind;
use fingerprints::Fingerprints;
pub(crate) use fingerprints::PreviousFingerprints;
pub(crate) use watch_list::Uncacheable;
use watch_list::WatchList;

use crate::{
    backend::SelectionInputs,
    environment::{
        BaseInterpreter, Distribution, Distributions, Environment, STATE_DIRECTORY, SyncRecord, make_own_directory,
    },
    fs::{atomic, cache, digest::digest},
    lockfile::Package,
    model::Variables,
    monorepo::{Monorepo, ProfileContext},
    native::Watched,
    uv::{self, settings::is_version},
};

const SCHEMA: u32 = 2;

/// The extension of the files of cache entries.
const EXTENSION: &str = "jsonl";

/// The maximum number of cached requests in one environment.
const MAX_CACHED_SYNCS: usize = 32;

/// The last line of a cache entry. If it is missing, other lines may be missing too.
const END: &str = "end\n";

/// A complete request. A difference in any part makes a different key.
#[derive(Clone, Debug)]
pub(crate) struct RequestKey(String);

/// The answer of a sync, and what it depended on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CacheEntry<A> {
    schema: u32,
    uvenv: String,
    /// The root of the monorepo. Messages name files relative to it.
    root: Utf8PathBuf,
    /// The file that is empty while no sync of the environment is in progress.
    journal: Utf8PathBuf,
    /// The operating system's release.
    system: String,
    uv: Utf8PathBuf,
    variables: variables::RecordedVariables,
    pub(crate) record: SyncRecord,
    /// Whether the lockfile was used as it was, without a check against its manifest.
    pub(crate) is_frozen: bool,
    /// The answer of the sync.
    pub(crate) answer: A,
    /// The interpreter that the environment was made from, if something has asked for it.
    pub(crate) base: Option<BaseInterpreter>,
    #[serde(skip)]
    fingerprints: Fingerprints,
}

/// What the fingerprints of a sync are collected from.
pub(crate) struct SyncInputs<'a> {
    /// The directory where the search for the monorepo began.
    pub(crate) start: &'a Utf8Path,
    /// The profile.
    pub(crate) context: &'a ProfileContext<'a>,
    /// The packages of its lockfile, as far as the sync depends on them.
    pub(crate) locked: &'a [Package],
    /// The profile's environment.
    pub(crate) environment: &'a Environment,
    /// The variables that uv sees.
    pub(crate) variables: &'a Variables,
    /// The path of uv.
    pub(crate) uv: &'a Utf8Path,
    pub(crate) is_frozen: bool,
    /// The requested interpreter.
    pub(crate) python: Option<&'a str>,
    /// The inputs of the backend selection.
    pub(crate) backend: &'a SelectionInputs,
    /// The fingerprints of an earlier cache entry.
    pub(crate) previous: &'a PreviousFingerprints<'a>,
}

/// The fingerprints that were taken before uv started.
#[derive(Debug)]
pub(crate) struct InputSnapshot {
    system: String,
    variables: variables::RecordedVariables,
    fingerprints: Fingerprints,
}

impl RequestKey {
    /// Makes the key of the request that `parts` describe.
    pub(crate) fn new(parts: &dyn std::fmt::Debug) -> Self {
        Self(digest(format!("{SCHEMA} {} {parts:?}", crate::VERSION).as_bytes()))
    }

    /// Returns the file in uvenv's cache that names the environment with the answer.
    fn pointer(&self, variables: &Variables) -> Option<Utf8PathBuf> {
        Some(cache::directory(variables).ok()?.join("requests").join(&self.0))
    }

    fn file(&self, environment: &Environment) -> Utf8PathBuf {
        environment.root().join(STATE_DIRECTORY).join(format!("{}.{EXTENSION}", self.0))
    }
}

impl InputSnapshot {
    /// Takes fingerprints of everything that uv will read.
    pub(crate) fn take(sync: &SyncInputs<'_>, watched: Watched) -> Result<Self, Uncacheable> {
        if !cfg!(target_os = "linux") {
            return Err("caching is supported only on Linux".to_owned());
        }
        variables::check(sync.variables)?;
        if let Some(python) = sync.python.filter(|python| !is_version(python)) {
            return Err(format!("the Python `{python}` is requested"));
        }
        if !uv::is_uv_itself(sync.uv) {
            return Err(format!("`{}` may start different versions of uv", sync.uv));
        }
        let mut watch_list = WatchList::default();
        watch_list.stamp(sync.uv);
        // What uvenv itself depends on.
        let Monorepo { root, config, dev, .. } = sync.context.monorepo;
        let project = &*sync.context.manifest;
        let profiles = config.profiles.values().map(|path| root.join(path));
        for directory in [sync.start, root, project.directory()].map(Utf8Path::to_owned).into_iter().chain(profiles) {
            watch_list.links(&directory);
        }
        for directory in [sync.start, root] {
            watch_list.upwards(directory, &["pyproject.toml", "Cargo.toml"]);
        }
        if dev.path() != project.path() {
            packages::add_members(&mut watch_list, dev)?;
        }
        settings::add(&mut watch_list, project.directory(), sync.variables)?;
        let members: Vec<_> = sync.context.member_manifests().collect();
        packages::add(&mut watch_list, project, &members, sync.locked, sync.is_frozen)?;
        watch_list.content(sync.context.paths.lockfile());
        watch_list.selection_inputs(sync.backend);
        watch_list.watched(watched);
        let now = SystemTime::now();
        let variables = variables::RecordedVariables::new(sync.variables, watch_list.variables.clone());
        let fingerprints = Fingerprints::at(watch_list, sync.previous, now);
        Ok(Self { system: system(), variables, fingerprints })
    }

    /// Records the answer, unless something has changed since before uv started, or uv would change more in the
    /// environment. `installed` is what the environment contains now; `changed` is the part of it that the sync
    /// changed.
    pub(crate) fn record<A: Serialize>(
        mut self,
        key: &RequestKey,
        answer: A,
        sync: &SyncInputs<'_>,
        (installed, changed): (&Distributions, &[Distribution]),
        (record, journal): (SyncRecord, &Utf8Path),
    ) -> Result<(), Uncacheable> {
        changed.iter().try_for_each(|one| environment::check_at_rest(one, sync.locked))?;
        self.fingerprints.recheck(&sync.context.monorepo.root)?;
        // The environment comes first in the next check, because it changes more often than its inputs.
        let mut fingerprints = environment::fingerprints(sync.environment, installed, sync.previous)?;
        fingerprints.extend(&self.fingerprints);
        let state = CacheEntry {
            schema: SCHEMA,
            uvenv: crate::VERSION.to_owned(),
            root: sync.context.monorepo.root.clone(),
            journal: journal.to_owned(),
            system: self.system,
            uv: sync.uv.to_owned(),
            variables: self.variables,
            record,
            is_frozen: sync.is_frozen,
            answer,
            base: None,
            fingerprints,
        };
        let written = state.write(key, sync.environment).and_then(|()| {
            let pointer = key.pointer(sync.variables).ok_or(io::ErrorKind::NotFound)?;
            fs::create_dir_all(pointer.parent().unwrap_or(&pointer))?;
            atomic::replace_cached(&pointer, sync.environment.root().as_str())
        });
        written.map_err(|error| format!("cannot write the cache: {error}"))
    }
}

/// The reason why a request has no cached answer.
#[derive(Debug)]
pub(crate) struct CacheMiss<A> {
    pub(crate) why: Uncacheable,
    /// The cache entry that is no longer valid.
    pub(crate) previous: Option<CacheEntry<A>>,
}

impl<A> CacheMiss<A> {
    pub(crate) fn new(why: impl Into<Uncacheable>, previous: Option<CacheEntry<A>>) -> Box<Self> {
        Box::new(Self { why: why.into(), previous })
    }
}

impl<A: Serialize + DeserializeOwned> CacheEntry<A> {
    /// Returns the cache entry for `key`, if there is one and nothing has changed. Otherwise, the reason is a sentence
    /// for the user.
    pub(crate) fn answering(
        key: &RequestKey,
        variables: &Variables,
        uv: &Utf8Path,
    ) -> Result<(Environment, Self), Box<CacheMiss<A>>> {
        let first = || CacheMiss::new("no earlier sync with these options is cached", None);
        let environment = key.pointer(variables).and_then(|pointer| fs::read_to_string(pointer).ok());
        let environment = Environment::new(environment.ok_or_else(first)?);
        let mut state = Self::read(&key.file(&environment)).ok_or_else(first)?;
        let now_known = match state.compare(variables, uv).and_then(|now_known| {
            state.take_turn(&environment)?;
            Ok(now_known)
        }) {
            Ok(now_known) => now_known,
            Err(why) => return Err(CacheMiss::new(why, Some(state))),
        };
        if now_known {
            // A failure to write is ignored: it only makes the next check slower.
            let _ = state.write(key, &environment);
        }
        Ok((environment, state))
    }

    /// Replaces the environment's sync record with that of this entry, if it is for the same backend.
    fn take_turn(&self, environment: &Environment) -> Result<(), Uncacheable> {
        let recorded = SyncRecord::read(environment).ok_or("the environment has no record")?;
        if recorded.backend != self.record.backend {
            return Err("the environment was synced with another backend".to_owned());
        }
        // In an environment that cannot be written, that of a sync with the same backend remains.
        let _ = self.record.write(environment);
        Ok(())
    }

    /// Returns its fingerprints, to reuse in a later entry.
    pub(crate) fn previous(&self) -> PreviousFingerprints<'_> {
        self.fingerprints.previous()
    }

    /// Returns the newest cache entry of the environment with the sync record `record`.
    #[cfg(feature = "full")]
    pub(crate) fn newest(environment: &Environment, record: &SyncRecord) -> Option<Self> {
        let entries = environment.root().join(STATE_DIRECTORY).read_dir_utf8().ok()?.flatten();
        let mut files: Vec<_> =
            entries.map(|entry| (entry.metadata().and_then(|file| file.modified()).ok(), entry.into_path())).collect();
        files.sort();
        files.into_iter().rev().filter_map(|(_, path)| Self::read(&path)).find(|state| state.record == *record)
    }

    fn read(path: &Utf8Path) -> Option<Self> {
        let mut text = fs::read_to_string(path).ok()?;
        text.truncate(text.strip_suffix(END)?.len());
        let header = text.find('\n')?;
        let mut state: Self = serde_json::from_str(&text[..header]).ok()?;
        text.drain(..=header);
        state.fingerprints = Fingerprints::from_text(text);
        (state.schema == SCHEMA && state.uvenv == crate::VERSION).then_some(state)
    }

    /// Compares the entry with the present: returns whether more can be trusted than before, or what has changed.
    pub(crate) fn compare(&mut self, variables: &Variables, uv: &Utf8Path) -> Result<bool, Uncacheable> {
        if let Some(variable) = self.variables.difference(variables) {
            return Err(format!("the variable `{variable}` has changed"));
        }
        if self.uv != uv {
            return Err(format!("uv is now `{uv}`; it was `{}`", self.uv));
        }
        if self.system != system() {
            return Err("the operating system has changed".to_owned());
        }
        let now_known = self.fingerprints.recheck(&self.root)?;
        // Checked last: a sync that began in the meantime marks the journal before it changes anything.
        if fs::metadata(&self.journal).map_or(0, |journal| journal.len()) > 0 {
            return Err("a sync is in progress, or was interrupted".to_owned());
        }
        Ok(now_known)
    }

    /// Saves what is known about the interpreter. A failure to save it is ignored, because it costs only time.
    pub(crate) fn keep_base(&mut self, base: &BaseInterpreter, key: &RequestKey, environment: &Environment) {
        // Not if the interpreter has no library: development files could later be added to it.
        let Some(library) = &base.library else { return };
        self.fingerprints.push(&PreviousFingerprints::default().fingerprint(
            library.directory.as_str(),
            FingerprintKind::Stamp,
            SystemTime::now(),
        ));
        self.base = Some(base.clone());
        let _ = self.write(key, environment);
    }
}

impl<A: Serialize> CacheEntry<A> {
    fn write(&self, key: &RequestKey, environment: &Environment) -> io::Result<()> {
        let path = key.file(environment);
        let directory = environment.root().join(STATE_DIRECTORY);
        make_own_directory(&directory)?;
        make_room(&directory, &path)?;
        atomic::replace_cached(&path, format!("{}\n{}{END}", serde_json::to_string(self)?, self.fingerprints.as_text()))
    }
}

/// Removes the oldest cache entries if there are too many besides `path`. Removes nothing else.
fn make_room(directory: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
    let is_entry = |other: &Utf8Path| {
        let stem = |path: &Utf8Path| path.file_stem().map_or(0, str::len);
        other != path && other.extension() == Some(EXTENSION) && stem(other) == stem(path)
    };
    let entries = directory.read_dir_utf8()?.flatten().filter(|entry| is_entry(entry.path()));
    let modified = |entry: &camino::Utf8DirEntry| entry.metadata().and_then(|metadata| metadata.modified()).ok();
    let mut others: Vec<_> = entries.map(|entry| (modified(&entry), entry.into_path())).collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(MAX_CACHED_SYNCS);
    others.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

/// Returns the release of the operating system, which uv checks before it trusts its cached data about an interpreter.
fn system() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}
