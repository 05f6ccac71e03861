//! The hooks for pre-commit and the GitHub Action at the root of the repository, as their users run them.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use uvenv_tests::{Build, Cpython, Fixture, Job, cargo_uvenv, wheel};

use super::pinned;

fn file(name: &str) -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(name)
}

/// The sample in the documentation that begins with this line.
fn snippet(first: &str) -> String {
    let page = fs::read_to_string(file("docs/ci.md")).unwrap();
    let mut samples = page.split("\n```").filter_map(|part| Some(part.split_once('\n')?.1));
    samples.find(|sample| sample.starts_with(&format!("{first}\n"))).unwrap().to_owned() + "\n"
}

/// A monorepo in a git repository, without findings.
fn committed() -> Fixture {
    let repo = pinned().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    git(&repo, &["init", "-q"]);
    repo
}

fn git(repo: &Fixture, arguments: &[&str]) -> String {
    let user = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"];
    repo.program("git", user).args(arguments).ok().stdout().trim().to_owned()
}

#[test]
fn hooks_stop_commits_that_would_drift() {
    let repo = committed();
    // The repository of the hooks, with a tag.
    let hooks = repo.temporary().join("hooks");
    fs::create_dir(&hooks).unwrap();
    fs::copy(file(".pre-commit-hooks.yaml"), hooks.join(".pre-commit-hooks.yaml")).unwrap();
    for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "hooks"], &["tag", "v1"]] {
        git(&repo, &[&["-C", hooks.as_str()], arguments].concat());
    }
    let configuration = snippet("repos:").replace("repo: URL", &format!("repo: file://{hooks}"));
    repo.write(".pre-commit-config.yaml", configuration.replace("rev: v0.1.0", "rev: v1"));
    git(&repo, &["add", "."]);
    let said = repo.pre_commit(["run", "--all-files"]).ok();
    assert_eq!(said.stdout().matches("Passed").count(), 2, "{said}");

    // A change of something else runs neither.
    git(&repo, &["commit", "-qm", "all"]);
    repo.write("README.md", "");
    git(&repo, &["add", "."]);
    let said = repo.pre_commit(["run"]).ok();
    assert_eq!(said.stdout().matches("Skipped").count(), 2, "{said}");

    repo.replace("prod/pyproject.toml", "tag = \"v0.1.2\"", "tag = \"v0.1.2.dev0\"");
    git(&repo, &["add", "."]);
    let said = repo.pre_commit(["run"]).ends(1);
    assert_eq!(said.stdout().matches("Failed").count(), 2, "{said}");
    for code in ["dev-tag-in-prod", "stale-lockfile"] {
        assert!(said.stdout().contains(code), "{said}");
    }
}

#[test]
fn a_job_keeps_one_branch_of_promotions() {
    let repo = committed();
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "all"]);
    let origin = repo.temporary().join("origin.git");
    git(&repo, &["clone", "--quiet", "--bare", ".", origin.as_str()]);
    git(&repo, &["remote", "add", "origin", origin.as_str()]);
    let branch = "uvenv/promote-to-prod";
    let tip = || git(&repo, &["-C", origin.as_str(), "rev-parse", branch]);
    let script = format!("set -e\n{}", snippet(&format!("branch={branch}")));
    let clone = |name: &str| {
        let clone = repo.temporary().join("tmp").join(name);
        git(&repo, &["clone", "--quiet", origin.as_str(), clone.as_str()]);
        clone
    };
    let job = |directory: &Utf8Path| {
        let job = repo.program("sh", ["-c", &script]).on_path(cargo_uvenv().parent().unwrap()).with_system();
        let user = ["AUTHOR", "COMMITTER"].map(|role| (format!("GIT_{role}_NAME"), format!("GIT_{role}_EMAIL")));
        user.iter().fold(job, |job, (name, mail)| job.env(name, "a").env(mail, "a@b.c")).within(directory)
    };
    job(&repo.root()).ok();
    let first = tip();
    // Another machine, which has only what was pushed.
    job(&clone("one")).ok();
    assert_eq!(tip(), first);
    // Somebody adds to the branch.
    let theirs = clone("two");
    git(&repo, &["-C", theirs.as_str(), "checkout", "--quiet", branch]);
    git(&repo, &["-C", theirs.as_str(), "commit", "--quiet", "--allow-empty", "-m", "mine"]);
    git(&repo, &["-C", theirs.as_str(), "push", "--quiet", "origin", branch]);
    let mine = tip();
    let refused = job(&clone("three")).ends(2);
    assert!(refused.stderr().contains("error[foreign-branch]"), "{refused}");
    assert_eq!(tip(), mine);
}

/// Runs the action with the wheel of this repository.
fn job(repo: &Fixture, inputs: &[(&str, &str)]) -> Job {
    let wheel = wheel(Cpython::all().last().unwrap(), Build::Debug);
    let version = wheel.file_name().unwrap().split('-').nth(1).unwrap();
    let inputs = [inputs, &[("version", version)]].concat();
    // What the job caches, it prunes.
    let cache = repo.temporary().join("uv-cache");
    let variables = [("PIP_FIND_LINKS", wheel.parent().unwrap().as_str()), ("UV_CACHE_DIR", cache.as_str())];
    repo.run_action(&file("action.yml"), &inputs, &variables)
}

fn results(job: &Job) -> Value {
    serde_json::from_str::<Value>(&fs::read_to_string(job.temporary.join("uvenv.sarif")).unwrap()).unwrap()["runs"][0]["results"]
        .clone()
}

#[test]
fn action_checks_and_syncs() {
    let repo = committed();
    let done = job(&repo, &[("profile", "prod")]);
    for name in ["Install", "Check", "Show findings", "Sync"] {
        assert_eq!(done.step(name).unwrap()["status"], 0, "{done:#?}");
    }
    assert_eq!(repo.environment("prod").version("bench-utils").as_deref(), Some("0.1.2"));
    assert_eq!(results(&done), Value::Array(Vec::new()));
    let cache = &done.step("Cache").unwrap()["with"];
    assert_eq!(cache["path"], repo.temporary().join("uv-cache").as_str(), "{cache}");
    assert!(done.step("Upload findings").is_none());

    repo.replace("prod/pyproject.toml", "tag = \"v0.1.2\"", "tag = \"v0.1.2.dev0\"");
    // The inputs in the documentation.
    let sample = snippet("steps:");
    let (_, inputs) = sample.split_once("with:\n").unwrap();
    let inputs = inputs.lines().map_while(|line| line.strip_prefix("      ")?.split_once(": "));
    let inputs: Vec<_> =
        inputs.map(|(name, value)| (name, value.trim_matches('"'))).chain([("cache", "false")]).collect();
    assert_eq!(inputs[0], ("profile", "prod"));
    let done = job(&repo, &inputs);
    assert_eq!(done.step("Check").unwrap()["status"], 1, "{done:#?}");
    assert!(results(&done).as_array().unwrap().iter().any(|found| found["ruleId"] == "dev-tag-in-prod"));
    let shown = done.step("Show findings").unwrap()["stdout"].as_str().unwrap();
    assert!(shown.starts_with("::error file=prod/pyproject.toml,line="), "{shown}");
    assert_eq!(
        done.step("Upload findings").unwrap()["with"]["sarif_file"],
        done.temporary.join("uvenv.sarif").as_str()
    );
    assert!(done.step("Sync").is_none() && done.step("Cache").is_none());
}
