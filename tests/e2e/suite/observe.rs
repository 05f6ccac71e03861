//! A program that uses the library observes an operation and stops it.

use std::{
    collections::BTreeSet,
    fs,
    sync::{Arc, Mutex},
};

use uvenv_core::{
    Error, Monorepo, Profile,
    observer::{Observer, Progress},
    ops::{LockPlan, LockRequest, Session, Settings, SyncPlan, SyncRequest},
    uv,
};
use uvenv_tests::Fixture;

use super::{interrupted_sync::with_large, pinned};

/// Records the events, and can ask to stop.
struct Observing {
    notes: Mutex<Vec<String>>,
    wants_stop: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Observer for Observing {
    fn progress(&self, progress: &Progress) {
        let mut notes = self.notes.lock().unwrap();
        notes.push(match progress {
            Progress::Resolved { packages } => format!("resolved {packages}"),
            Progress::Fetching { url } => format!("fetching {}", last(url)),
            Progress::Fetched { url } => format!("fetched {}", last(url)),
            Progress::Building { name } => format!("building {name}"),
            Progress::Built { name } => format!("built {name}"),
            Progress::Preparing { done, total } if done == total => format!("prepared {total}"),
            Progress::Installing { done, total } if done == total => format!("installed {total}"),
            _ => return,
        });
    }

    fn say(&self, line: &str) {
        self.notes.lock().unwrap().push(format!("say {line}"));
    }

    fn wants_stop(&self) -> bool {
        (self.wants_stop)()
    }
}

fn last(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url).trim_end_matches(".git")
}

impl Observing {
    fn until(wants_stop: impl Fn() -> bool + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { notes: Mutex::default(), wants_stop: Box::new(wants_stop) })
    }

    /// The recorded events, without duplicates.
    fn notes(&self) -> BTreeSet<String> {
        self.notes.lock().unwrap().iter().cloned().collect()
    }
}

/// A session with the variables of the fixture's programs instead of those of this process.
fn session(repo: &Fixture, observer: &Arc<Observing>) -> Session {
    let variables = repo.uvenv([""; 0]).variables();
    let mut settings = Settings::new(variables.iter().cloned().collect(), repo.root(), false);
    #[expect(clippy::disallowed_methods, reason = "only to take them away")]
    let inherited = std::env::vars_os().filter_map(|(name, _)| Some((name.into_string().ok()?, None)));
    settings.child_variables =
        inherited.chain(variables.into_iter().map(|(name, value)| (name, Some(value)))).collect();
    settings.observer = Some(observer.clone());
    Session::new(settings)
}

fn lock(repo: &Fixture, profile: Profile, observer: &Arc<Observing>) -> Result<(), Error> {
    let (monorepo, session) = (Monorepo::discover(&repo.root())?, session(repo, observer));
    LockPlan::new(&monorepo, &session, profile, &LockRequest::default())?.execute(&session).map(|_| ())
}

fn sync(repo: &Fixture, profile: Profile, observer: &Arc<Observing>) -> Result<(), Error> {
    let (monorepo, session) = (Monorepo::discover(&repo.root())?, session(repo, observer));
    SyncPlan::new(&monorepo, &session, profile, &SyncRequest::default())?.execute(&session).map(|_| ())
}

#[test]
fn observer_gets_each_step() {
    let repo = pinned().build();
    let observer = Observing::until(|| false);
    lock(&repo, Profile::Prod, &observer).unwrap();
    let notes = observer.notes();
    for note in ["fetching print-utils", "fetched print-utils", "fetching bench-utils", "fetched bench-utils"] {
        assert!(notes.contains(note), "{note} is not in {notes:#?}");
    }
    assert!(notes.iter().any(|note| note.starts_with("resolved ")), "{notes:#?}");
    let observer = Observing::until(|| false);
    sync(&repo, Profile::Prod, &observer).unwrap();
    let notes = observer.notes();
    for note in ["building print-utils", "built print-utils", "building bench-utils", "built bench-utils", "prepared 2"]
    {
        assert!(notes.contains(note), "{note} is not in {notes:#?}");
    }
    assert!(notes.iter().any(|note| note.starts_with("say  + bench-utils==")), "{notes:#?}");
    assert!(notes.iter().any(|note| note.starts_with("installed ")), "{notes:#?}");
    repo.assert_from_tag("prod", "v0.1.2", &["bench-utils", "print-utils"]);
}

#[test]
fn passes_uvs_error_output_to_observer_and_error() {
    let repo = pinned().build();
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"no-such-package-at-all\", ");
    let observer = Observing::until(|| false);
    let error = lock(&repo, Profile::Dev, &observer).unwrap_err();
    let Some((_, stderr)) = uv::failure(&error) else { panic!("{error:?}") };
    assert!(stderr.contains("no-such-package-at-all"), "{stderr}");
    let notes = observer.notes();
    for line in stderr.lines().filter(|line| !line.is_empty()) {
        assert!(notes.contains(&format!("say {line}")), "{line} is not in {notes:#?}");
    }
}

#[test]
fn operation_stopped_at_once_starts_nothing() {
    let repo = pinned().build();
    let files = repo.files();
    let observer = Observing::until(|| true);
    assert_eq!(lock(&repo, Profile::Dev, &observer).unwrap_err().code(), "interrupted");
    assert_eq!(sync(&repo, Profile::Dev, &observer).unwrap_err().code(), "interrupted");
    repo.files().assert_eq(&files);
    assert!(observer.notes().is_empty());
}

#[test]
fn next_sync_repairs_a_stopped_one() {
    let repo = with_large();
    repo.uvenv(["sync"]).ok();
    let environment = repo.environment("dev");
    let complete = environment.files();
    let site_packages = environment.site_packages().unwrap();
    for moment in [environment.path().join("pyvenv.cfg"), site_packages.join("large")] {
        fs::remove_dir_all(environment.path()).unwrap();
        let observer = Observing::until(move || moment.exists());
        let error = sync(&repo, Profile::Dev, &observer).unwrap_err();
        assert_eq!(error.code(), "interrupted", "{error:?}");
        let observer = Observing::until(|| false);
        sync(&repo, Profile::Dev, &observer).unwrap();
        environment.files().assert_eq(&complete);
    }
}
