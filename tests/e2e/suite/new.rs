//! A monorepo created by `new` works immediately.

use uvenv_tests::Fixture;

use super::empty;

/// The commit that git reports for the requested tag of a distribution, and the installed commit.
fn tag_and_installed(repo: &Fixture, profile: &str, package: &str) -> (String, String) {
    let environment = uvenv_tests::Environment::at(repo.root().join("made").join(profile).join(".venv"));
    let url = environment.direct_url(package).unwrap_or_else(|| panic!("{package} is installed from git"));
    let repository = url["url"].as_str().unwrap().strip_prefix("file://").expect("a local remote");
    let tag = format!("{}^{{commit}}", url["vcs_info"]["requested_revision"].as_str().expect("asked for by tag"));
    let said = repo.program("git", ["-C", repository, "rev-parse", &tag]).ok();
    (said.stdout().trim().to_owned(), environment.commit(package))
}

#[test]
fn new_monorepo_locks_and_syncs() {
    let repo = empty().build();
    repo.uvenv(["new", "made", "--local-remotes"]).ok();
    repo.uvenv(["-C", "made", "lock", "--all-profiles"]).ok();
    repo.uvenv(["-C", "made", "lock", "--all-profiles", "--locked"]).ok();
    for (profile, backend, cuda) in [("prod", "cu124", "12.4.127"), ("staging", "cu128", "12.8.90")] {
        repo.uvenv(["-C", "made", "sync", "--profile", profile, "--backend", backend]).ok();
        let environment = uvenv_tests::Environment::at(repo.root().join("made").join(profile).join(".venv"));
        assert_eq!(environment.version("nvidia-cuda-runtime-cu12").as_deref(), Some(cuda));
        for package in ["bench-utils", "model-interface", "print-utils"] {
            let (tagged, installed) = tag_and_installed(&repo, profile, package);
            assert_eq!(installed, tagged, "{package} in {profile}");
        }
    }
}

#[test]
fn new_monorepo_has_the_documented_layout() {
    let repo = empty().build();
    repo.uvenv(["new", "made"]).ok();
    for path in ["Cargo.toml", "pyproject.toml", "staging/pyproject.toml", "prod/pyproject.toml", ".gitignore"] {
        assert!(repo.root().join("made").join(path).is_file(), "{path}");
    }
    assert!(!repo.root().join("made/.venv").exists());
    repo.uvenv(["-C", "made", "status"]).ok();
    repo.uvenv(["-C", "made", "backend", "list"]).ok();
}

#[test]
fn rejects_a_directory_that_is_not_empty() {
    let repo = empty().file("made/notes.txt", "mine").build();
    let told = repo.untouched_by(|| repo.uvenv(["new", "made"]).ends(2));
    assert!(told.stderr().contains("made"), "{told}");
    repo.untouched_by(|| repo.uvenv(["new", "made", "--local-remotes"]).ends(2));
    std::fs::remove_file(repo.root().join("made/notes.txt")).unwrap();
    repo.uvenv(["new", "made"]).ok();
}
