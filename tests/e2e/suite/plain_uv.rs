//! The fixtures work with plain uv, so that no other test depends on a monorepo that uv rejects.

use super::{empty, three_profiles};

#[test]
fn plain_uv_locks_and_syncs_each_profile() {
    let repo = three_profiles().build();
    for (profile, directory, tag) in [("staging", "staging", "v0.1.2.dev0"), ("prod", "prod", "v0.1.2")] {
        repo.uv(["lock", "--project", directory]).ok();
        repo.uv(["sync", "--project", directory, "--frozen", "--extra", "cu128"]).ok();
        let environment = repo.environment(profile);
        assert_eq!(environment.version("torch").as_deref(), Some("2.6.0+cu128"));
        for package in ["bench-utils", "print-utils"] {
            assert_eq!(environment.commit(package), repo.tag_commit(package, tag));
        }
    }
    repo.uv(["sync", "--extra", "cu124"]).ok();
    let environment = repo.environment("dev");
    assert_eq!(environment.version("torch").as_deref(), Some("2.6.0+cu124"));
    assert_eq!(environment.direct_url("bench-utils").unwrap()["dir_info"]["editable"], true);
}

#[test]
fn uv_is_not_on_path() {
    let repo = three_profiles().build();
    let look = "for name in git cargo rustc python3; do command -v $name || exit; done; ! command -v uv";
    repo.program("sh", ["-c", look]).ok();
}

#[test]
fn base_interpreter_is_the_fixtures_own() {
    let repo = empty().build();
    repo.uv(["sync"]).ok();
    let configuration = repo.read(".venv/pyvenv.cfg");
    let home = configuration.lines().find_map(|line| line.strip_prefix("home = ")).unwrap();
    assert!(home.contains("uvenv-tests/python/"), "{home}");
    assert_eq!(repo.in_base_interpreter(), ["pip"]);
}
