//! Environments that are not where they were made, or are elsewhere through a link.

use std::{fs, os::unix::fs::symlink};

use uvenv_tests::Fixture;

use super::{backends_only, empty, torch, uv};

/// A monorepo with a package that has a program.
fn with_program() -> Fixture {
    let repo = empty().package("greeter").build();
    repo.write("packages/greeter/pyproject.toml", {
        repo.read("packages/greeter/pyproject.toml") + "\n[project.scripts]\ngreet = \"greeter:main\"\n"
    });
    repo.write("packages/greeter/src/greeter/__init__.py", "import sys\ndef main(): print(sys.prefix)\n");
    repo.uvenv(["sync"]).ok();
    repo
}

/// Copies the monorepo to a directory beside it. Returns the name of that directory.
fn copied(repo: &Fixture) -> &'static str {
    let script = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], symlinks=True)";
    let copy = repo.temporary().join("copy");
    repo.program("python3", ["-c", script, repo.root().as_str(), copy.as_str()]).ok();
    "../copy"
}

#[test]
fn copied_environment_is_made_again() {
    let repo = with_program();
    let copy = copied(&repo);
    let environment = repo.temporary().join("copy/.venv");
    let status = repo.uvenv(["status"]).within(copy).json().report("status");
    let inspected = &status["profiles"][0]["environments"][0];
    assert_eq!(inspected["state"], "out-of-sync", "{status}");
    assert!(inspected["detail"].as_str().unwrap().contains(repo.environment("dev").path().as_str()), "{status}");
    for command in [&["run", "--no-sync", "--", "greet"][..], &["env"]] {
        let refusal = repo.uvenv(command).within(copy).refused("moved-environment");
        refusal.names([".venv", repo.environment("dev").path().as_str()]).helps(["cargo uvenv sync"]);
    }
    let said = repo.uvenv(["run", "--", "greet"]).within(copy).ok();
    assert_eq!(said.stdout().trim(), environment.as_str());
    assert!(said.stderr().contains("warning[moved-environment]"), "{said}");
    let said = repo.uvenv(["run", "--", "greet"]).within(copy).ok();
    assert!(said.stdout().trim() == environment.as_str() && !said.stderr().contains("warning"), "{said}");
    // The original is as it was.
    assert_eq!(repo.uvenv(["run", "--", "greet"]).ok().stdout().trim(), repo.environment("dev").path().as_str());
}

#[test]
fn moved_environment_is_made_again() {
    let repo = with_program();
    let moved = repo.temporary().join("moved");
    fs::rename(repo.root(), &moved).unwrap();
    fs::create_dir(repo.root()).unwrap();
    let finished = repo.uvenv(["sync"]).within("../moved").json().report("sync-finished");
    assert_eq!(finished["changed"], true, "{finished}");
    let said = repo.uvenv(["run", "--no-sync", "--", "greet"]).within("../moved").ok();
    assert_eq!(said.stdout().trim(), moved.join(".venv").as_str());
}

#[test]
fn moved_environment_that_only_uv_has_synced_is_made_again() {
    let repo = with_program();
    fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    repo.uv(["sync"]).ok();
    let moved = repo.temporary().join("moved");
    fs::rename(repo.root(), &moved).unwrap();
    fs::create_dir(repo.root()).unwrap();
    let said = repo.uvenv(["run", "--", "greet"]).within("../moved").ok();
    assert_eq!(said.stdout().trim(), moved.join(".venv").as_str());
}

/// A package alone cannot give a moved environment back what the others had there.
#[test]
fn run_of_one_package_does_not_make_a_moved_environment_again() {
    let repo = uvenv_tests::Monorepo::new(uv()).package("alpha").backends(["cu124", "cu128"]).build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    let copy = copied(&repo);
    let run = ["run", "--package", "alpha", "--", "python", "-V"];
    repo.uvenv(run).within(copy).refused("package-without-backend").helps(["--backend cu124"]);
    repo.uvenv(["sync", "--backend", "cu124"]).within(copy).ok();
    repo.uvenv(run).within(copy).ok();
}

#[test]
fn status_does_not_take_the_state_of_the_original_for_that_of_a_copy() {
    let repo = with_program();
    repo.uvenv(["sync"]).ok();
    let copy = copied(&repo);
    let manifest = repo.read("pyproject.toml").replace("dependencies = [", "dependencies = [\"six\", ");
    fs::write(repo.temporary().join("copy/pyproject.toml"), manifest).unwrap();
    let status = repo.uvenv(["status"]).within(copy).json().report("status");
    assert_eq!(status["profiles"][0]["lockfile"]["state"], "stale", "{status}");
    repo.uvenv(["check"]).within(copy).ends(1);
}

#[test]
fn recreates_an_environment_behind_a_link_where_it_is() {
    let repo = backends_only().build();
    let scratch = repo.temporary().join("scratch");
    fs::create_dir_all(&scratch).unwrap();
    let link = repo.root().join(".venv");
    symlink(scratch.join("venv"), &link).unwrap();
    fs::create_dir(scratch.join("venv")).unwrap();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    fs::write(scratch.join("venv/marker"), "").unwrap();
    let recreate = ["sync", "--backend", "cu128", "--recreate"];
    // If no new environment can be made, the old one is as before.
    repo.untouched_by(|| repo.uvenv([&recreate[..], &["--python", "3.99"]].concat()).fails("uv-failed"));
    assert!(link.is_symlink() && scratch.join("venv/marker").exists());
    repo.uvenv(recreate).ok();
    assert_eq!(link.read_link_utf8().unwrap(), scratch.join("venv"));
    assert!(!scratch.join("venv/marker").exists());
    assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu128")));
    let left: Vec<_> = scratch.read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert_eq!(left, ["venv"]);
}
