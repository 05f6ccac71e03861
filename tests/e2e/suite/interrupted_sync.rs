//! The next sync repairs whatever a killed one leaves behind.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;
use uvenv_tests::{Fixture, Index};

use super::empty;

/// A monorepo that requires `large`, which has enough files to stop uv between two of them.
pub(super) fn with_large() -> Fixture {
    let manifest = format!(
        "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = [\"large\"]\n\n\
         [tool.uv]\npackage = false\n\n[tool.uv.sources]\nlarge = {{ index = \"large\" }}\n\n\
         [[tool.uv.index]]\nname = \"large\"\nurl = \"{}\"\nexplicit = true\n",
        Index::url("large"),
    );
    let repo = empty().file("pyproject.toml", manifest).build();
    repo.uvenv(["lock"]).ok();
    repo
}

/// Starts a sync, kills it and its uv as soon as `there` is true, and returns whether it was still running.
fn killed_when(repo: &Fixture, there: impl Fn() -> bool) -> bool {
    let mut sync = repo.uvenv(["sync"]).start();
    let deadline = Instant::now() + Duration::from_mins(1);
    while !there() && Instant::now() < deadline {
        if sync.try_wait().unwrap().is_some() {
            return false;
        }
        thread::yield_now();
    }
    repo.program("sh", ["-c", &format!("kill -KILL -{}", sync.id())]).run();
    sync.wait().unwrap().code().is_none()
}

#[test]
fn next_sync_repairs_a_sync_killed_at_any_time() {
    let repo = with_large();
    repo.uvenv(["sync"]).ok();
    let environment = repo.environment("dev");
    let complete = environment.files();
    let site_packages = environment.site_packages().unwrap();
    let moments: [Utf8PathBuf; 4] = [
        environment.path().to_owned(),
        environment.path().join("pyvenv.cfg"),
        site_packages.join("large"),
        site_packages.join("large-1.0.dist-info"),
    ];
    let mut killed = 0;
    for moment in &moments {
        fs::remove_dir_all(environment.path()).unwrap();
        killed += usize::from(killed_when(&repo, || moment.exists()));
        repo.uvenv(["sync"]).ok();
        environment.files().assert_eq(&complete);
    }
    assert!(killed > 0, "every sync ended before it could be killed");
}

#[test]
fn repairs_a_half_installed_distribution() {
    let repo = with_large();
    repo.uvenv(["sync"]).ok();
    let environment = repo.environment("dev");
    let complete = environment.files();
    let large = environment.site_packages().unwrap().join("large");
    let mut interrupted = false;
    for _ in 0..10 {
        fs::remove_dir_all(environment.path()).unwrap();
        killed_when(&repo, || large.exists());
        interrupted = fs::read_dir(&large).is_ok_and(|entries| entries.count() < 3000);
        repo.uvenv(["sync"]).ok();
        environment.files().assert_eq(&complete);
        if interrupted {
            break;
        }
    }
    assert!(interrupted, "no sync was killed between two files");
}

#[test]
fn repairs_a_killed_update() {
    let repo = with_large();
    let manifest = repo.read("pyproject.toml");
    repo.uvenv(["sync"]).ok();
    let environment = repo.environment("dev");
    let complete = environment.files();
    let large = environment.site_packages().unwrap().join("large");
    repo.replace("pyproject.toml", "dependencies = [\"large\"]", "dependencies = []");
    killed_when(&repo, || fs::read_dir(&large).is_ok_and(|entries| entries.count() < 3000));
    repo.write("pyproject.toml", manifest);
    repo.uvenv(["sync"]).ok();
    environment.files().assert_eq(&complete);
}
