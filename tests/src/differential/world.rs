//! A monorepo that the test changes, what uvenv reports about it, and what uv then does.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
};

use camino::{Utf8Path, Utf8PathBuf};
use fastrand::Rng;

use super::{
    layout::Layout,
    places,
    request::{AS_FLAGS, Request},
    snapshot::Snapshot,
};
use crate::{Fixture, Invocation, Outcome, Uv, programs::scratch};

/// A monorepo, the environments of its profiles, and the changes made to them.
#[derive(Debug)]
pub(super) struct World {
    pub(super) fixture: Fixture,
    pub(super) root: Utf8PathBuf,
    pub(super) layout: Layout,
    pub(super) bases: Vec<Utf8PathBuf>,
    pub(super) request: Request,
    pub(super) rng: Rng,
    pub(super) history: Vec<String>,
    /// The original content of changed paths.
    originals: BTreeMap<Utf8PathBuf, Original>,
    put_aside: usize,
}

#[derive(Debug)]
enum Original {
    Absent,
    File(Vec<u8>, u32),
    Link(Utf8PathBuf),
    Aside(Utf8PathBuf),
}

/// How a sync ended.
#[derive(Debug)]
pub(super) enum Answer {
    /// Without uv, correctly.
    Quick,
    /// Without uv, wrongly: uv made or would make this change.
    False(String),
    /// uvenv called uv for this reason, and uv changed nothing.
    Needless(String),
    /// uvenv called uv, and uv changed something.
    Worked,
    /// It failed.
    Failed,
}

impl World {
    /// Creates the monorepo for `seed`.
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let layout = Layout::random(&mut rng);
        let uv = if rng.u8(..4) == 0 { Uv::Oldest } else { Uv::Newest };
        let fixture = layout.lay_out(uv);
        let bases = places::lend(&fixture.temporary());
        let request = Request { profile: "dev", ..Request::default() };
        let mut world = Self {
            root: fixture.root(),
            history: vec![format!("{layout:?} with uv {}", uv.version())],
            fixture,
            layout,
            bases,
            request,
            rng,
            originals: BTreeMap::new(),
            put_aside: 0,
        };
        for profile in &world.layout.profiles[1..] {
            world.called(world.fixture.uvenv(["lock", "--profile", profile])).ok();
        }
        if world.layout.backends {
            world.request.backend = Some("cu124");
        }
        world
    }

    /// The directory of the profile's manifest.
    pub(super) fn project(&self) -> Utf8PathBuf {
        if self.request.profile == "dev" { self.root.clone() } else { self.root.join(self.request.profile) }
    }

    /// The environment of the request.
    pub(super) fn environment(&self) -> Utf8PathBuf {
        match self.request.variables.get("UV_PROJECT_ENVIRONMENT") {
            Some(name) if !name.is_empty() && self.request.profile == "dev" => self.root.join(name),
            _ => self.project().join(".venv"),
        }
    }

    pub(super) fn lockfile(&self) -> Utf8PathBuf {
        self.project().join("uv.lock")
    }

    pub(super) fn site_packages(&self) -> Option<Utf8PathBuf> {
        crate::Environment::at(self.environment()).site_packages().filter(|path| path.is_dir())
    }

    /// A program in this world: with its own interpreters, and a uv cache that all worlds share.
    pub(super) fn called<'a>(&self, invocation: Invocation<'a>) -> Invocation<'a> {
        let cache = scratch().join("differential/uv-cache");
        let invocation = invocation.without("python3").env("UV_CACHE_DIR", cache).env("UV_PYTHON_DOWNLOADS", "never");
        self.bases.iter().rev().fold(invocation, Invocation::on_path)
    }

    fn asked<'a>(&self, invocation: Invocation<'a>, within: &Utf8Path) -> Invocation<'a> {
        let here = if self.root.join(within).is_dir() { within } else { Utf8Path::new("") };
        let invocation = self.called(invocation).within(here);
        self.request.variables.iter().fold(invocation, |invocation, (name, value)| invocation.env(name, value))
    }

    /// The directory of the request, or the root if a link leads out of the monorepo there: what is meant would be another
    /// monorepo, for uv too.
    fn directory(&self) -> &Utf8Path {
        let real = |path: &Utf8Path| path.canonicalize_utf8().ok();
        let (root, directory) = (real(&self.root), real(&self.root.join(&self.request.directory)));
        let leads_out = root.zip(directory).is_some_and(|(root, directory)| !directory.starts_with(root));
        if leads_out { Utf8Path::new("") } else { &self.request.directory }
    }

    fn uvenv(&self, more: &[&str]) -> Outcome {
        let directory = self.directory();
        let arguments = self.request.of_uvenv(directory).into_iter().chain(more.iter().map(|more| (*more).to_owned()));
        let within = if self.request.by_flag { Utf8Path::new("") } else { directory };
        let invocation = self.asked(self.fixture.uvenv(arguments), within).arg_json();
        match self.request.read_only.as_ref().filter(|directory| directory.is_dir()) {
            // Without mount namespaces, the same is asked in a tree that can be written.
            Some(directory) => invocation.clone().with_read_only(directory).unwrap_or(invocation).run(),
            None => invocation.run(),
        }
    }

    fn look(&self) -> Snapshot {
        Snapshot::of(&self.environment(), &self.lockfile())
    }

    /// Syncs with uvenv. If uvenv does not call uv, syncs with uv too.
    pub(super) fn sync(&mut self) -> Answer {
        let before = self.look();
        let outcome = self.uvenv(&[]);
        if outcome.status() != Some(0) {
            return Answer::Failed;
        }
        let report = outcome.report("sync-finished");
        if report["uv_invoked"] == false {
            assert_eq!(before.difference(&self.look()), [] as [&str; 0], "a quick answer changes nothing");
            let wrong = self.uv_would(&report).or_else(|| self.uvenv_would(&report));
            return wrong.map_or(Answer::Quick, Answer::False);
        }
        if before == self.look() { Answer::Needless(reason(&outcome)) } else { Answer::Worked }
    }

    /// What a real `uv sync` for the same request changes; nothing if the environment is up to date.
    pub(super) fn uv_would(&self, report: &serde_json::Value) -> Option<String> {
        let environment = self.environment();
        if report["environment"] != environment.as_str() {
            return Some(format!("{environment} is meant, and not {}", report["environment"]));
        }
        if !environment.join("pyvenv.cfg").is_file() {
            return Some(
                "there is no `pyvenv.cfg`, and uv may take the base interpreter for the environment".to_owned(),
            );
        }
        let before = self.look();
        let uv = self.fixture.uv(self.request.of_uv(&self.project(), report));
        let mut uv = self.asked(uv, self.directory()).env("UV_PROJECT_ENVIRONMENT", &environment);
        for name in AS_FLAGS {
            uv = uv.env_remove(name);
        }
        let outcome = uv.run();
        if outcome.status() != Some(0) {
            return Some(format!("uv fails: {outcome}"));
        }
        let difference = before.difference(&self.look());
        (!difference.is_empty()).then(|| format!("uv changes this:\n{}\n{outcome}", difference.join("\n")))
    }

    /// How uvenv's own answer differs without its recorded state.
    fn uvenv_would(&mut self, report: &serde_json::Value) -> Option<String> {
        if self.rng.u8(..4) != 0 && !self.root.join("Cargo.toml").exists() {
            return None;
        }
        // uv needs a tree that it can write, even to say what it would do.
        let read_only = self.request.read_only.take();
        let outcome = self.uvenv(&["--dry-run"]);
        self.request.read_only = read_only;
        if outcome.status() != Some(0) {
            return Some(format!("uvenv fails where it asks uv: {outcome}"));
        }
        let planned = outcome.report("sync-planned");
        let differs = ["profile", "backend", "environment"].into_iter().find(|key| planned[key] != report[key]);
        differs.map(|key| format!("the {key} is not the same where uv is asked: {planned}"))
    }

    /// Saves the content of `path`, so that it can be restored.
    pub(super) fn keep(&mut self, path: &Utf8Path) {
        if self.originals.contains_key(path) {
            return;
        }
        let original = match fs::symlink_metadata(path) {
            Err(_) => Original::Absent,
            Ok(metadata) if metadata.is_symlink() => Original::Link(path.read_link_utf8().expect("UTF-8")),
            Ok(metadata) if metadata.is_file() => {
                Original::File(fs::read(path).expect("it can be read"), metadata.permissions().mode())
            }
            Ok(_) => return,
        };
        self.originals.insert(path.to_owned(), original);
    }

    /// A path outside of the monorepo at which there is nothing yet.
    pub(super) fn new_place(&mut self) -> Utf8PathBuf {
        self.put_aside += 1;
        self.fixture.temporary().join(format!("aside-{}", self.put_aside))
    }

    /// Moves `path` away.
    pub(super) fn put_aside(&mut self, path: &Utf8Path) -> Utf8PathBuf {
        let aside = self.new_place();
        fs::rename(path, &aside).expect("it can be moved");
        self.originals.entry(path.to_owned()).or_insert_with(|| Original::Aside(aside.clone()));
        aside
    }

    /// The number of changed paths.
    pub(super) fn changed(&self) -> usize {
        self.originals.len()
    }

    /// Undoes one of the changes.
    pub(super) fn undo_one(&mut self) -> Option<String> {
        let count = self.originals.len();
        let path = self.originals.keys().nth(if count == 0 { return None } else { self.rng.usize(..count) })?.clone();
        let original = self.originals.remove(&path)?;
        restore(&path, original);
        Some(format!("{path} as it was"))
    }

    /// Undoes all changes to the monorepo and resets the request; keeps the environment and the lockfile.
    pub(super) fn undo(&mut self) {
        let Request { profile, backend, .. } = self.request;
        self.request = Request { profile, backend, ..Request::default() };
        for (path, original) in std::mem::take(&mut self.originals) {
            restore(&path, original);
        }
    }

    /// Starts again without an environment and with the original lockfiles.
    pub(super) fn begin_anew(&mut self) {
        self.undo();
        remove(&self.environment());
        if self.request.profile == "dev" {
            remove(&self.lockfile());
        }
    }
}

fn restore(path: &Utf8Path, original: Original) {
    remove(path);
    // Its directory may have been moved away since, or may be a file now.
    let is_absent = matches!(original, Original::Absent);
    if is_absent || path.parent().is_none_or(|parent| fs::create_dir_all(parent).is_err()) {
        return;
    }
    match original {
        Original::Absent => {}
        Original::File(content, mode) => {
            fs::write(path, content).expect("it can be written");
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        Original::Link(target) => symlink(target, path).expect("it can be made"),
        Original::Aside(aside) => fs::rename(aside, path).expect("it can be moved"),
    }
}

/// Removes what is at `path`, whatever it is.
pub(super) fn remove(path: &Utf8Path) {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path).expect("it is ours"),
        Ok(_) => fs::remove_file(path).expect("it is ours"),
        Err(_) => {}
    }
}

/// The reason for calling uv, without names.
fn reason(outcome: &Outcome) -> String {
    let line = |start: &str| outcome.stderr().lines().find_map(|line| Some(line.split_once(start)?.1.to_owned()));
    let asked = line("calling uv: ").unwrap_or_else(|| "no reason given".to_owned());
    let kept = line("the sync is not cached: ").map(|why| format!(" (and not recorded: {why})")).unwrap_or_default();
    let text = format!("{asked}{kept}");
    let part = |(number, part): (usize, &str)| {
        let name = Utf8Path::new(part).file_name().unwrap_or(part);
        if number % 2 == 1 { format!("`{}`", if part.contains('/') { name } else { part }) } else { part.to_owned() }
    };
    text.split('`').enumerate().map(part).collect()
}
