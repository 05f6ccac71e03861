//! The recorded state of an environment: what a sync depended on that found nothing to do. While all of that is as it was,
//! uv would find nothing to do either, and need not be asked.
//!
//! What uv looks at is more than this: the rest is refused, and then nothing is recorded. See `docs/quick-answers.md`.

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
    environment::{BaseInterpreter, CACHE_DIRECTORY, Distribution, Distributions, Environment, SyncRecord},
    fs::{atomic, cache, digest::digest},
    lockfile::Lockfile,
    manifest::Manifest,
    model::Variables,
    native::Watched,
    uv,
};

const SCHEMA: u32 = 2;

/// So many requests have a state in one environment.
const MAX_CACHED_SYNCS: usize = 32;

/// The last line of a state. Without it, lines may be missing.
const END: &str = "end\n";

/// A request, whole: whatever differs in it makes another one.
#[derive(Clone, Debug)]
pub(crate) struct RequestKey(String);

/// What a sync depended on, and its answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CacheEntry<A> {
    schema: u32,
    uvenv: String,
    /// The root of the monorepo, from which messages name files.
    root: Utf8PathBuf,
    /// The file that is empty while no sync of the environment is in progress.
    journal: Utf8PathBuf,
    /// The operating system's release.
    system: String,
    uv: Utf8PathBuf,
    variables: variables::RecordedVariables,
    pub(crate) record: SyncRecord,
    /// Whether the lockfile was taken as it was, so that nothing is known of how it stands to its manifest.
    pub(crate) is_frozen: bool,
    /// What the sync said.
    pub(crate) answer: A,
    /// The interpreter that the environment was made from, once somebody has asked for it.
    pub(crate) base: Option<BaseInterpreter>,
    #[serde(skip)]
    fingerprints: Fingerprints,
}

/// Where the looks of a sync are collected from.
pub(crate) struct SyncInputs<'a> {
    /// The directory that the monorepo was looked for from.
    pub(crate) start: &'a Utf8Path,
    /// The root of the monorepo.
    pub(crate) monorepo: &'a Utf8Path,
    /// The profile's manifest.
    pub(crate) project: &'a Manifest,
    /// The manifest of dev.
    pub(crate) dev: &'a Manifest,
    /// Its lockfile.
    pub(crate) lockfile: &'a Lockfile,
    /// Its environment.
    pub(crate) environment: &'a Environment,
    /// Manifests that were read already.
    pub(crate) manifests: Vec<&'a Manifest>,
    /// The variables that uv sees.
    pub(crate) variables: &'a Variables,
    /// uv.
    pub(crate) uv: &'a Utf8Path,
    pub(crate) is_frozen: bool,
    /// What interpreter is asked for.
    pub(crate) python: Option<&'a str>,
    /// What decided about the backend.
    pub(crate) backend: &'a SelectionInputs,
    /// The looks of an earlier state.
    pub(crate) previous: &'a PreviousFingerprints<'a>,
}

/// Looks that were made before uv started.
#[derive(Debug)]
pub(crate) struct InputSnapshot {
    system: String,
    variables: variables::RecordedVariables,
    fingerprints: Fingerprints,
}

impl RequestKey {
    /// The request that `parts` describe.
    pub(crate) fn new(parts: &dyn std::fmt::Debug) -> Self {
        Self(digest(format!("{SCHEMA} {} {parts:?}", crate::VERSION).as_bytes()))
    }

    /// The file in uvenv's cache that says which environment the answer is in.
    fn pointer(&self, variables: &Variables) -> Option<Utf8PathBuf> {
        Some(cache::directory(variables).ok()?.join("requests").join(&self.0))
    }

    fn file(&self, environment: &Environment) -> Utf8PathBuf {
        environment.root().join(CACHE_DIRECTORY).join(format!("{}.jsonl", self.0))
    }
}

impl InputSnapshot {
    /// Looks at all that uv will look at.
    pub(crate) fn take(sync: &SyncInputs<'_>, native: Watched) -> Result<Self, Uncacheable> {
        if !cfg!(target_os = "linux") {
            return Err("what uv goes by is known on Linux only".to_owned());
        }
        variables::check(sync.variables)?;
        if let Some(python) = sync.python.filter(|python| !settings::is_version(python)) {
            return Err(format!("the Python `{python}` is asked for"));
        }
        if !uv::is_uv_itself(sync.uv) {
            return Err(format!("`{}` may start one uv or another", sync.uv));
        }
        let mut watch_list = WatchList::default();
        watch_list.stamp(sync.uv);
        // What uvenv itself goes by.
        for directory in [sync.start, sync.monorepo] {
            watch_list.upwards(directory, &["pyproject.toml", "Cargo.toml"]);
        }
        if sync.dev.path() != sync.project.path() {
            packages::add_members(&mut watch_list, sync.dev)?;
        }
        settings::add(&mut watch_list, sync.project.directory(), sync.variables)?;
        let known = sync.manifests.iter().map(|manifest| (manifest.directory(), *manifest)).collect();
        packages::add(&mut watch_list, sync.project, &known, sync.lockfile, sync.is_frozen)?;
        watch_list.content(sync.lockfile.file.path.clone());
        watch_list.selection_inputs(sync.backend);
        watch_list.native(native);
        let now = SystemTime::now();
        let variables = variables::RecordedVariables::new(sync.variables, watch_list.variables.clone());
        let fingerprints = Fingerprints::at(watch_list, sync.previous, now);
        Ok(Self { system: system(), variables, fingerprints })
    }

    /// Records the state, if all is as it was before uv started, and uv would change nothing more in the environment, which
    /// has `installed` now, `changed` among them.
    pub(crate) fn record<A: Serialize>(
        mut self,
        key: &RequestKey,
        answer: A,
        sync: &SyncInputs<'_>,
        (installed, changed): (&Distributions, &[Distribution]),
        (record, journal): (SyncRecord, &Utf8Path),
    ) -> Result<(), Uncacheable> {
        changed.iter().try_for_each(environment::check_at_rest)?;
        self.fingerprints.recheck(sync.monorepo)?;
        // The environment is the first to be looked at the next time: it changes more often than what it is made of.
        let mut fingerprints = environment::fingerprints(sync.environment, installed, sync.previous)?;
        fingerprints.extend(&self.fingerprints);
        let state = CacheEntry {
            schema: SCHEMA,
            uvenv: crate::VERSION.to_owned(),
            root: sync.monorepo.to_owned(),
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
            atomic::replace(&pointer, sync.environment.root().as_str())
        });
        written.map_err(|error| format!("it cannot be recorded: {error}"))
    }
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) struct CacheMiss<A> {
    pub(crate) why: Uncacheable,
    /// The answer that no longer holds.
    pub(crate) previous: Option<CacheEntry<A>>,
}

impl<A> CacheMiss<A> {
    pub(crate) fn new(why: impl Into<Uncacheable>, previous: Option<CacheEntry<A>>) -> Box<Self> {
        Box::new(Self { why: why.into(), previous })
    }
}

impl<A: Serialize + DeserializeOwned> CacheEntry<A> {
    /// The state that answers `key`, if there is one and all is as it was. Why not is a sentence for the user.
    pub(crate) fn answering(
        key: &RequestKey,
        variables: &Variables,
        uv: &Utf8Path,
    ) -> Result<(Environment, Self), Box<CacheMiss<A>>> {
        let first = || CacheMiss::new("nothing is known of an earlier sync like this", None);
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
            // The next look is quicker; that it is not kept is no harm.
            let _ = state.write(key, &environment);
        }
        Ok((environment, state))
    }

    /// Makes the record of the environment that of this state, if it is for the same backend.
    fn take_turn(&self, environment: &Environment) -> Result<(), Uncacheable> {
        let recorded = SyncRecord::read(environment).ok_or("the environment has no record")?;
        if recorded.backend != self.record.backend {
            return Err("the environment was synced with another backend".to_owned());
        }
        self.record.write(environment).map_err(|error| error.to_string())
    }

    /// Its looks, for a later one.
    pub(crate) fn previous(&self) -> PreviousFingerprints<'_> {
        self.fingerprints.previous()
    }

    /// The newest state of an environment that has `record` now.
    #[cfg(feature = "full")]
    pub(crate) fn newest(environment: &Environment, record: &SyncRecord) -> Option<Self> {
        let entries = environment.root().join(CACHE_DIRECTORY).read_dir_utf8().ok()?.flatten();
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

    /// Compares all with what is now: whether more can be trusted than before, or what has changed.
    pub(crate) fn compare(&mut self, variables: &Variables, uv: &Utf8Path) -> Result<bool, Uncacheable> {
        if let Some(variable) = self.variables.difference(variables) {
            return Err(format!("the variable `{variable}` has changed"));
        }
        if self.uv != uv {
            return Err(format!("uv is `{uv}` now, and was `{}`", self.uv));
        }
        if self.system != system() {
            return Err("the operating system has changed".to_owned());
        }
        let now_known = self.fingerprints.recheck(&self.root)?;
        // Last: a sync that has begun since then has marked it before it changed anything.
        if fs::metadata(&self.journal).map_or(0, |journal| journal.len()) > 0 {
            return Err("a sync is in progress, or was interrupted".to_owned());
        }
        Ok(now_known)
    }

    /// Keeps what was found out of the interpreter. That it cannot be kept is no harm.
    pub(crate) fn keep_base(&mut self, base: &BaseInterpreter, key: &RequestKey, environment: &Environment) {
        // Files for development may be added to an installation without a library.
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
        let directory = environment.root().join(CACHE_DIRECTORY);
        fs::create_dir_all(&directory)?;
        make_room(&directory, &path)?;
        atomic::replace(&path, format!("{}\n{}{END}", serde_json::to_string(self)?, self.fingerprints.as_text()))
    }
}

/// Removes the oldest states where there are too many beside `path`.
fn make_room(directory: &Utf8Path, path: &Utf8Path) -> io::Result<()> {
    let entries = directory.read_dir_utf8()?.flatten().filter(|entry| entry.path() != path);
    let modified = |entry: &camino::Utf8DirEntry| entry.metadata().and_then(|metadata| metadata.modified()).ok();
    let mut others: Vec<_> = entries.map(|entry| (modified(&entry), entry.into_path())).collect();
    others.sort();
    let surplus = (others.len() + 1).saturating_sub(MAX_CACHED_SYNCS);
    others.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
}

/// The release of the operating system, which uv asks for before it trusts what it knows of an interpreter.
fn system() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}
