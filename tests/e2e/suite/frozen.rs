//! What happens if manifest and lockfile disagree, and which commands may change the lockfile.

use super::{PACKAGES, empty, pinned, three_profiles};

/// A monorepo whose prod profile is locked and synced.
fn synced() -> uvenv_tests::Fixture {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod"]).ok();
    repo.assert_from_tag("prod", "v0.1.2", &PACKAGES);
    repo
}

/// Pins another tag of `bench-utils` in prod.
fn pin_changed(repo: &uvenv_tests::Fixture) {
    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v0.1.3\"");
}

#[test]
fn frozen_rejects_a_changed_pin() {
    let repo = synced();
    pin_changed(&repo);
    let refusal = repo.untouched_by(|| repo.uvenv(["sync", "--profile", "prod", "--frozen"]).fails("stale-lockfile"));
    refusal.names(["bench-utils", "v0.1.2", "v0.1.3"]).helps(["cargo uvenv lock --profile prod"]);
}

#[test]
fn allow_stale_installs_what_is_locked() {
    let repo = synced();
    pin_changed(&repo);
    let lockfile = repo.lockfile("prod");
    repo.uvenv(["sync", "--profile", "prod", "--frozen", "--allow-stale"]).ok();
    repo.assert_from_tag("prod", "v0.1.2", &PACKAGES);
    assert_eq!(repo.lockfile("prod"), lockfile);
}

#[test]
fn detects_a_stale_lockfile_without_network() {
    let repo = synced();
    pin_changed(&repo);
    for package in PACKAGES {
        std::fs::remove_dir_all(repo.remote(package)).unwrap();
    }
    repo.uvenv(["sync", "--profile", "prod", "--frozen", "--offline"]).fails("stale-lockfile").names(["bench-utils"]);
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).fails("stale-lockfile").names(["bench-utils"]);
}

#[test]
fn sync_never_changes_a_pinned_lockfile() {
    let repo = synced();
    pin_changed(&repo);
    for flags in [&[][..], &["--locked"]] {
        let refusal =
            repo.untouched_by(|| repo.uvenv(["sync", "--profile", "prod"]).args(flags).fails("stale-lockfile"));
        refusal.names(["bench-utils"]).helps(["cargo uvenv lock --profile prod"]);
    }
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod"]).ok();
    repo.assert_from_tag("prod", "v0.1.3", &["bench-utils"]);
    repo.assert_from_tag("prod", "v0.1.2", &["print-utils"]);
}

#[test]
fn rejects_a_pinned_profile_without_a_lockfile() {
    let repo = pinned().build();
    for flags in [&[][..], &["--locked"], &["--frozen"]] {
        let told = repo.untouched_by(|| repo.uvenv(["sync", "--profile", "staging"]).args(flags).ends(1));
        assert!(told.stderr().contains("cargo uvenv lock --profile staging"), "{told}");
    }
}

#[test]
fn lock_locked_changes_nothing() {
    let repo = synced();
    pin_changed(&repo);
    let told = repo.untouched_by(|| repo.uvenv(["lock", "--profile", "prod", "--locked"]).ends(1));
    assert!(told.stderr().contains("bench-utils"), "{told}");
}

#[test]
fn names_a_requirement_that_is_not_locked() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "staging"]).ok();
    repo.replace("staging/pyproject.toml", "dependencies = [", "dependencies = [\"six\", ");
    let flags = ["sync", "--profile", "staging", "--backend", "cu124"];
    repo.untouched_by(|| repo.uvenv(flags).fails("stale-lockfile")).names(["six"]);
}

#[test]
fn sync_locks_dev_only_when_needed() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["sync"]).ok();
    let before = repo.lockfile("dev");
    repo.untouched_by(|| repo.uvenv(["sync"]).ok());
    repo.replace("packages/print-utils/pyproject.toml", "version = \"0.1.2\"", "version = \"0.2.0\"");
    repo.untouched_by(|| repo.uvenv(["sync", "--locked"]).fails("stale-lockfile")).names(["print-utils"]);
    repo.uvenv(["sync"]).ok();
    assert_ne!(repo.lockfile("dev"), before);
    assert_eq!(repo.environment("dev").version("print-utils").as_deref(), Some("0.2.0"));
}

#[test]
fn offline_installs_from_the_cache() {
    let repo = synced();
    std::fs::remove_dir_all(repo.environment("prod").path()).unwrap();
    for package in PACKAGES {
        std::fs::rename(repo.remote(package), repo.remote(package).with_extension("away")).unwrap();
    }
    repo.uvenv(["sync", "--profile", "prod", "--offline"]).ok();
    assert_eq!(repo.environment("prod").version("bench-utils").as_deref(), Some("0.1.2"));
    std::fs::remove_dir_all(repo.environment("prod").path()).unwrap();
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).env("CARGO_NET_OFFLINE", "true").ok();
}

#[test]
fn dry_runs_change_nothing() {
    let repo = pinned().build();
    repo.untouched_by(|| repo.uvenv(["lock", "--all-profiles", "--dry-run"]).ok());
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.untouched_by(|| repo.uvenv(["sync", "--profile", "prod", "--dry-run"]).ok());
    assert!(!repo.environment("prod").exists());
}

#[test]
fn honours_uv_variables() {
    let repo = synced();
    pin_changed(&repo);
    for variable in ["UV_FROZEN", "UV_LOCKED"] {
        repo.untouched_by(|| repo.uvenv(["sync", "--profile", "prod"]).env(variable, "1").fails("stale-lockfile"));
    }
    // Ignores another activated environment, and uv's variable for another project.
    repo.uvenv(["lock", "--profile", "prod"]).env("UV_PROJECT", repo.root()).ok();
    repo.uvenv(["sync", "--profile", "prod"]).env("VIRTUAL_ENV", repo.root().join(".venv")).ok();
    repo.assert_from_tag("prod", "v0.1.3", &["bench-utils"]);
    assert!(!repo.environment("dev").exists());
}
