//! Which uv is used, and what happens on a machine without uv.

use std::{fs, thread};

use camino::Utf8PathBuf;
use uvenv_tests::{Fixture, Monorepo, Uv, uv_from_pip};

/// The path of the uv that a sync reports.
fn uv_of(outcome: &uvenv_tests::Outcome) -> Utf8PathBuf {
    outcome.report("sync-finished")["uv"]["path"].as_str().expect("a path").into()
}

/// A directory of the fixture with a copy of uv in it.
fn uv_in(repo: &Fixture, name: &str) -> Utf8PathBuf {
    let directory = repo.temporary().join(name);
    fs::create_dir(&directory).unwrap();
    fs::copy(Uv::Newest.path(), directory.join("uv")).unwrap();
    directory
}

#[test]
fn fetches_uv_once_when_there_is_none() {
    let repo = Monorepo::without_uv().build();
    let first = repo.uvenv(["sync"]).json();
    assert!(uv_of(&first).starts_with(repo.cache()), "{first}");
    assert!(first.stderr().contains("uv"), "a line says so: {first}");
    // Nothing can be fetched now, so the second sync must use the uv of the first.
    let second = repo.uvenv(["sync"]).without("python3").env("PIP_NO_INDEX", "1").json();
    assert_eq!(uv_of(&second), uv_of(&first));
    assert!(repo.environment("dev").exists());
}

#[test]
fn concurrent_processes_share_one_fetched_uv() {
    let repo = Monorepo::without_uv().build();
    let made: Vec<_> = (0..10).map(|number| format!("project-{number}")).collect();
    for name in &made {
        repo.write(format!("{name}/pyproject.toml"), repo.read("pyproject.toml"));
    }
    let paths: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> =
            made.iter().map(|name| scope.spawn(|| uv_of(&repo.uvenv(["-C", name, "sync"]).json()))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0]), "{paths:?}");
}

#[test]
fn fetches_nothing_when_offline() {
    let repo = Monorepo::without_uv().build();
    repo.untouched_by(|| {
        repo.uvenv(["sync", "--offline"]).refused("uv-not-found").helps(["pip install uv"]);
        repo.uvenv(["sync"]).env("CARGO_NET_OFFLINE", "true").refused("uv-not-found");
    });
}

#[test]
fn explains_how_to_install_uv_without_python() {
    let repo = Monorepo::without_uv().build();
    repo.uvenv(["sync"]).without("python3").refused("uv-not-found").helps(["uv"]);
}

#[test]
fn shows_pips_error_when_uv_cannot_be_fetched() {
    let repo = Monorepo::without_uv().build();
    let sync = || repo.uvenv(["sync"]).env("PIP_NO_INDEX", "1").env_remove("PIP_FIND_LINKS");
    let outcome = sync().ends(1);
    assert!(outcome.stderr().contains("No matching distribution"), "{outcome}");
    sync().fails("uv-fetch-failed").helps(["pip install uv"]);
}

#[test]
fn searches_for_uv_in_the_documented_order() {
    let repo = Monorepo::without_uv().build();
    let [ours, caller, path] = ["ours", "caller", "path"].map(|name| uv_in(&repo, name));
    let sync = || repo.uvenv(["sync"]).on_path(&path);
    assert_eq!(uv_of(&sync().env("UVENV_UV", ours.join("uv")).env("UV", caller.join("uv")).json()), ours.join("uv"));
    assert_eq!(uv_of(&sync().env("UV", caller.join("uv")).json()), caller.join("uv"));
    assert_eq!(uv_of(&sync().json()), path.join("uv"));
    assert_eq!(fs::read_dir(repo.cache()).unwrap().flatten().filter(|entry| entry.file_name() == "uv").count(), 0);
}

#[test]
fn rejects_a_uvenv_uv_that_does_not_exist() {
    let repo = Monorepo::without_uv().build();
    repo.uvenv(["sync"]).env("UVENV_UV", "/nowhere/uv").refused("uv-not-found").names(["/nowhere/uv", "UVENV_UV"]);
}

#[test]
fn rejects_a_uv_that_is_too_old() {
    let old = uv_from_pip("0.7.15");
    let repo = Monorepo::without_uv().build();
    let refusal = repo.untouched_by(|| repo.uvenv(["sync"]).env("UVENV_UV", &old).refused("uv-too-old"));
    refusal.names(["0.7.15", "0.7.16"]);
}
