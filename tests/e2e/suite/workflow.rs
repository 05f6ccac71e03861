//! The commands of the workflow with three profiles.

use super::{PACKAGES, three_profiles, torch};

const PINNED: [(&str, &str); 2] = [("staging", "v0.1.2.dev0"), ("prod", "v0.1.2")];

#[test]
fn lock_locks_dev() {
    let repo = three_profiles().build();
    repo.uvenv(["lock"]).ok();
    let lockfile = repo.lockfile("dev");
    for part in ["editable = \"packages/bench-utils\"", "2.6.0+cu124", "2.6.0+cu128"] {
        assert!(lockfile.contains(part), "{part} in\n{lockfile}");
    }
    assert!(!repo.root().join("staging/uv.lock").exists());
    assert!(!repo.root().join("prod/uv.lock").exists());
}

#[test]
fn sync_takes_the_backend_from_a_flag() {
    let repo = three_profiles().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    let environment = repo.environment("dev");
    assert_eq!(environment.version("torch"), Some(torch("cu124")));
    for package in PACKAGES {
        let url = environment.direct_url(package).expect("installed from its directory");
        assert_eq!(url["dir_info"]["editable"], true);
        assert_eq!(url["url"], format!("file://{}/packages/{package}", repo.root()));
    }
}

#[test]
fn sync_takes_the_backend_from_a_cargo_feature() {
    let repo = three_profiles().rust_crate("runner", "[features]\ncu124 = []\ncu128 = []\n").build();
    repo.uvenv(["sync", "-F", "cu124"]).ok();
    assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu124")));
    repo.uvenv(["sync", "--features", "cu128"]).ok();
    assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu128")));
}

#[test]
fn sync_without_a_backend_is_rejected_and_changes_nothing() {
    let repo = three_profiles().build();
    repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required")).names(["cu124", "cu128"]);
    assert!(!repo.environment("dev").exists());
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.untouched_by(|| repo.uvenv(["sync"]).refused("backend-required"));
    assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu124")));
}

#[test]
fn locks_verifies_and_syncs_pinned_profiles() {
    let repo = three_profiles().build();
    for (profile, tag) in PINNED {
        repo.uvenv(["lock", "--profile", profile]).ok();
        repo.untouched_by(|| repo.uvenv(["lock", "--profile", profile, "--locked"]).ok());
        repo.uvenv(["sync", "--profile", profile, "--frozen", "--backend", "cu124"]).ok();
        repo.assert_from_tag(profile, tag, &PACKAGES);
        assert_eq!(repo.environment(profile).version("torch"), Some(torch("cu124")));
    }
    assert_eq!(repo.environment("staging").version("bench-utils").as_deref(), Some("0.1.2.dev0"));
    assert_eq!(repo.environment("prod").version("bench-utils").as_deref(), Some("0.1.2"));
    assert!(!repo.root().join("uv.lock").exists(), "dev was not asked for");
}

#[test]
fn project_may_be_a_directory_or_a_manifest() {
    let repo = three_profiles().build();
    for (profile, tag) in PINNED {
        let manifest = format!("{profile}/pyproject.toml");
        repo.uvenv(["lock", "--profile", profile]).ok();
        for project in [profile, &manifest] {
            repo.uvenv(["sync", "--project", project, "--frozen", "--backend", "cu128"]).ok();
            repo.assert_from_tag(profile, tag, &PACKAGES);
            std::fs::remove_dir_all(repo.environment(profile).path()).unwrap();
        }
    }
}

#[test]
fn locks_all_profiles_with_one_command() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo.untouched_by(|| repo.uvenv(["lock", "--all-profiles", "--locked"]).ok());
    repo.untouched_by(|| repo.uvenv(["lock", "--all-profiles", "--check"]).ok());
    for profile in ["dev", "staging", "prod"] {
        assert!(repo.lockfile(profile).contains("name = \"bench-utils\""));
    }
}

#[test]
fn works_as_a_cargo_subcommand_and_without_cargo() {
    let repo = three_profiles().build();
    repo.cargo_subcommand(["lock", "--profile", "prod"]).ok();
    repo.untouched_by(|| {
        repo.cargo_subcommand(["lock", "--profile", "prod", "--locked"]).ok();
        repo.uvenv(["lock", "--profile", "prod", "--locked"]).ok();
        repo.cargo_uvenv(["lock", "--profile", "prod", "--locked"]).ok();
    });
    repo.cargo_uvenv(["sync", "--profile", "prod", "--frozen", "--backend", "cu124"]).without("cargo").ok();
    repo.assert_from_tag("prod", "v0.1.2", &PACKAGES);
}

#[test]
fn frozen_sync_ignores_a_moved_tag() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let locked = repo.tag_commit("bench-utils", "v0.1.2");
    let remote = repo.remote("bench-utils");
    repo.program("git", ["-C", remote.as_str(), "tag", "--force", "v0.1.2", "v0.1.3"]).ok();
    assert_ne!(repo.tag_commit("bench-utils", "v0.1.2"), locked);
    repo.uvenv(["sync", "--profile", "prod", "--frozen", "--backend", "cu124"]).ok();
    assert_eq!(repo.environment("prod").commit("bench-utils"), locked);
}
