//! How uvenv finds the monorepo and its parts.

use super::{backends_only, empty, pinned, three_profiles, torch};

#[test]
fn works_from_any_subdirectory() {
    let repo = pinned().rust_crate("runner", "").build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo.untouched_by(|| {
        for directory in ["packages/bench-utils/src", "staging", "prod", "crates/runner/src", "packages"] {
            repo.uvenv(["lock", "--all-profiles", "--locked"]).within(directory).ok();
        }
    });
}

#[test]
fn current_directory_selects_the_profile() {
    let repo = empty().package("print-utils").remotes().build();
    repo.uvenv(["lock"]).within("prod").ok();
    assert!(repo.root().join("prod/uv.lock").exists());
    assert!(!repo.root().join("uv.lock").exists());
    repo.uvenv(["lock", "--profile", "dev"]).within("prod").ok();
    assert!(repo.root().join("uv.lock").exists());
    repo.uvenv(["lock", "--manifest-path", "staging/pyproject.toml"]).ok();
    assert!(repo.root().join("staging/uv.lock").exists());
    std::fs::remove_file(repo.root().join("uv.lock")).unwrap();
    repo.uvenv(["lock"]).within("packages/print-utils").ok();
    assert!(repo.root().join("uv.lock").exists());
}

#[test]
fn manifest_path_may_be_a_cargo_manifest() {
    let repo = backends_only().rust_crate("runner", "[features]\ncu124 = []\ncu128 = []\n").build();
    for manifest in [repo.root().join("Cargo.toml"), repo.root().join("crates/runner/Cargo.toml")] {
        repo.uvenv(["sync", "--manifest-path", manifest.as_str(), "--backend", "cu124"]).within("/").ok();
        assert_eq!(repo.environment("dev").version("torch"), Some(torch("cu124")));
        std::fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    }
}

#[test]
fn dash_c_changes_the_directory_first() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["-C", "repo/packages", "lock"]).within("..").ok();
    assert!(repo.root().join("uv.lock").exists());
    repo.uvenv(["-C", "repo", "lock", "--locked", "--manifest-path", "pyproject.toml"]).within("..").ok();
}

#[test]
fn needs_cargo_only_for_features() {
    let repo = three_profiles().rust_crate("runner", "[features]\ncu124 = []\ncu128 = []\n").build();
    let bare = |arguments: &[&str]| repo.cargo_uvenv(arguments).without("cargo").without("rustc");
    bare(&["lock", "--profile", "prod"]).ok();
    bare(&["sync", "--profile", "prod", "--frozen", "--backend", "cu124"]).ok();
    assert_eq!(repo.environment("prod").version("torch"), Some(torch("cu124")));
    bare(&["status"]).ok();
    let refusal = bare(&["sync", "-F", "cu124"]).ends(2);
    assert!(refusal.stderr().contains("cargo"), "{refusal}");
}

#[test]
fn folder_named_prod_without_manifest_is_not_a_profile() {
    let repo = empty().package("print-utils").file("prod/notes.txt", "not a profile").build();
    let told = repo.untouched_by(|| repo.uvenv(["lock", "--profile", "prod"]).ends(2));
    assert!(told.stderr().contains("prod"), "{told}");
    repo.uvenv(["lock", "--all-profiles"]).ok();
    assert!(repo.root().join("uv.lock").exists());
}

#[test]
fn member_named_staging_is_not_a_profile() {
    let manifest = "[project]\nname = \"staging\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n";
    let repo = empty()
        .file("staging/pyproject.toml", manifest)
        .file(
            "pyproject.toml",
            "[project]\nname = \"bench\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n\n\
             [tool.uv]\npackage = false\n\n[tool.uv.workspace]\nmembers = [\"staging\"]\n",
        )
        .build();
    repo.uvenv(["lock", "--profile", "staging"]).ends(2);
    repo.uvenv(["lock", "--all-profiles"]).ok();
    assert!(!repo.root().join("staging/uv.lock").exists());
}

#[test]
fn reads_configuration_from_cargo_toml() {
    let cargo = "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\n\
                 [workspace.metadata.uvenv]\nenv-per-backend = true\n";
    let repo = backends_only().rust_crate("runner", "").file("Cargo.toml", cargo).build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    assert!(repo.root().join(".venv-cu124/pyvenv.cfg").exists());
}

#[test]
fn configuration_can_move_a_profile() {
    let repo = pinned().build();
    std::fs::create_dir(repo.root().join("deploy")).unwrap();
    std::fs::rename(repo.root().join("prod"), repo.root().join("deploy/live")).unwrap();
    let configuration = "\n[tool.uvenv.profiles]\nprod = \"deploy/live\"\n";
    repo.write("pyproject.toml", repo.read("pyproject.toml") + configuration);
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    assert!(repo.root().join("deploy/live/uv.lock").exists());
}
