//! A container that has the manifest and the lockfile of prod, and nothing else.

use std::fs;

use uvenv_tests::{Fixture, Invocation};

use super::{backends_only, three_profiles, torch};

/// A directory beside a monorepo with the two files of one of its profiles.
fn container(profile: &str) -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", profile]).ok();
    let app = repo.temporary().join("app");
    fs::create_dir(&app).unwrap();
    for file in ["pyproject.toml", "uv.lock"] {
        fs::copy(repo.root().join(profile).join(file), app.join(file)).unwrap();
    }
    repo
}

fn within<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    repo.cargo_uvenv(arguments).within("../app").without("cargo").without("rustc")
}

#[test]
fn manifest_alone_is_the_named_profile_with_its_strictness() {
    let repo = container("prod");
    let lockfile = fs::read(repo.temporary().join("app/uv.lock")).unwrap();
    for named in [&["--profile", "prod"][..], &["--project", "."], &["--project", "pyproject.toml"]] {
        let sync = [&["sync", "--backend", "cu124"], named].concat();
        let finished = within(&repo, &sync).json().report("sync-finished");
        assert_eq!(finished["profile"], "prod", "{named:?}");
    }
    let by_variable = within(&repo, &["sync", "--backend", "cu128"]).env("UVENV_PROFILE", "prod");
    assert_eq!(by_variable.json().report("sync-finished")["profile"], "prod");
    let status = within(&repo, &["status"]).env("UVENV_PROFILE", "prod").json().report("status");
    assert_eq!(status["profiles"][0]["profile"], "prod", "{status}");
    within(&repo, &["check", "--profile", "prod"]).ok();
    within(&repo, &["run", "--profile", "prod", "--", "python", "-c", "import bench_utils"]).ok();

    // A stale lockfile is an error, and stays.
    let manifest = repo.temporary().join("app/pyproject.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("v0.1.2", "v0.1.3")).unwrap();
    for named in [&["--profile", "prod"][..], &["--project", "."]] {
        within(&repo, &[&["sync", "--backend", "cu124"], named].concat()).fails("stale-lockfile").names(["v0.1.3"]);
        within(&repo, &[&["sync", "--frozen", "--backend", "cu124"], named].concat()).fails("stale-lockfile");
    }
    within(&repo, &["sync", "--backend", "cu124"]).env("UVENV_PROFILE", "prod").fails("stale-lockfile");
    assert_eq!(fs::read(repo.temporary().join("app/uv.lock")).unwrap(), lockfile);
}

#[test]
fn project_with_dev_tags_is_staging() {
    let repo = container("staging");
    let finished = within(&repo, &["sync", "--project", ".", "--backend", "none"]).json().report("sync-finished");
    assert_eq!(finished["profile"], "staging");
}

#[test]
fn manifest_without_pins_is_no_profile_but_dev() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).refused("unknown-profile");
    let finished = repo.uvenv(["sync", "--project", ".", "--backend", "cu124"]).json().report("sync-finished");
    assert_eq!(finished["profile"], "dev");
}

#[test]
fn recipe_for_containers_works() {
    let page = include_str!("../../../docs/containers.md");
    let line = |start: &str| page.lines().find_map(|line| line.strip_prefix(start)).unwrap();
    let (name, value) = line("ENV ").split_once('=').unwrap();
    assert_eq!(line("COPY "), "prod/pyproject.toml prod/uv.lock ./");
    let repo = container("prod");
    let words: Vec<_> = line("RUN cargo-uvenv ").split(' ').collect();
    within(&repo, &words).env(name, value).ok();
    let command: Vec<String> = serde_json::from_str(line("CMD ")).unwrap();
    let mut words: Vec<_> = command.iter().map(String::as_str).collect();
    assert_eq!(words.split_off(words.len() - 2), ["-m", "app"]);
    words.extend(["-c", "import bench_utils, torch; print(torch.__version__)"]);
    let said = within(&repo, &words[1..]).env(name, value).ok();
    assert_eq!(said.stdout().trim(), torch("cu124"));
}
