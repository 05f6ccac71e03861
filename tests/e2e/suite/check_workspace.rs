//! `check` on members in git submodules.

use std::fs;

use serde_json::Value;
use uvenv_tests::Fixture;

use super::pinned;

fn git<const N: usize>(repo: &Fixture, arguments: [&str; N]) {
    let settings = ["-c", "protocol.file.allow=always"].into_iter();
    repo.program("git", settings.chain(arguments)).ok();
}

/// A monorepo in which `packages/bench-utils` is a git submodule.
fn with_submodule() -> Fixture {
    let repo = pinned().build();
    git(&repo, ["init", "--quiet"]);
    fs::remove_dir_all(repo.root().join("packages/bench-utils")).unwrap();
    let remote = repo.remote("bench-utils");
    git(&repo, ["submodule", "--quiet", "add", remote.as_str(), "packages/bench-utils"]);
    repo
}

/// The findings of these codes, each as `code file:line message / help`.
fn found(repo: &Fixture, codes: &[&str]) -> Vec<String> {
    let report = repo.uvenv(["check", "--profile", "dev"]).arg_json().run().report("check-finished");
    let root = format!("{}/", repo.root());
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().replace(&root, "");
    let findings = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| codes.contains(&finding["code"].as_str().unwrap()));
    findings
        .map(|finding| {
            let [code, file, message, help] = ["code", "file", "message", "help"].map(|key| text(finding, key));
            format!("{code} {file}:{} {message} / {help}", finding["line"])
        })
        .collect()
}

const CODES: [&str; 3] = ["broken-submodule", "missing-member", "source-not-a-member"];

#[test]
fn initialised_submodule_has_no_findings() {
    assert_eq!(found(&with_submodule(), &CODES), [""; 0]);
}

#[test]
fn reports_an_uninitialised_submodule() {
    let repo = with_submodule();
    git(&repo, ["submodule", "--quiet", "deinit", "--force", "packages/bench-utils"]);
    assert_eq!(
        found(&repo, &CODES),
        [
            "source-not-a-member pyproject.toml:16 the source of `bench-utils` is the workspace, which has no member \
             of that \
             name / `packages/bench-utils` is a git submodule that is not initialised: run `git submodule update \
             --init packages/bench-utils`",
            "broken-submodule pyproject.toml:12 the workspace member `packages/bench-utils` is a git submodule that is \
             not initialised / run `git submodule update --init packages/bench-utils`",
        ]
    );
    git(&repo, ["submodule", "--quiet", "update", "--init", "packages/bench-utils"]);
    assert_eq!(found(&repo, &CODES), [""; 0]);

    git(&repo, ["submodule", "--quiet", "deinit", "--force", "packages/bench-utils"]);
    repo.replace(
        "pyproject.toml",
        "bench-utils = { workspace = true }",
        "bench-utils = { path = \"packages/bench-utils\" }",
    );
    let lost = found(&repo, &["missing-member"]);
    assert!(lost[0].contains("has no package in it / it is in a git submodule that is not initialised"), "{lost:?}");
}

#[test]
fn reports_a_git_link_missing_from_gitmodules() {
    let repo = with_submodule();
    git(&repo, ["submodule", "--quiet", "deinit", "--force", "packages/bench-utils"]);
    repo.write(".gitmodules", "");
    let found = found(&repo, &["broken-submodule"]);
    assert!(found[0].contains("is a git link that is not in `.gitmodules`"), "{found:?}");
}
