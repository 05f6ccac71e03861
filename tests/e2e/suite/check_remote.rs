//! `check --remote` against real git remotes: on disk, and over HTTP on loopback.

use std::fs;

use serde_json::Value;
use uvenv_tests::{Fixture, GitServer, Invocation};

use super::{PACKAGES, pinned};

/// A monorepo whose profiles are locked.
fn locked() -> Fixture {
    let repo = pinned().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo
}

/// The same, but its packages come from a server.
fn served_by(server: &GitServer, repo: &Fixture) {
    for profile in ["staging", "prod"] {
        for package in PACKAGES {
            let manifest = format!("{profile}/pyproject.toml");
            repo.replace(manifest, &format!("file://{}", repo.remote(package)), &server.url(package));
        }
    }
}

fn check(repo: &Fixture) -> Invocation<'_> {
    repo.uvenv(["check", "--remote"]).arg_json()
}

/// The findings, each as `code package: message`.
fn found(check: Invocation<'_>) -> Vec<String> {
    let outcome = check.run();
    let report = outcome.report("check-finished");
    let findings = report["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    findings
        .filter(|finding| finding["code"] != "missing-lockfile")
        .map(|finding| format!("{} {}: {}", text(finding, "code"), text(finding, "package"), text(finding, "message")))
        .collect()
}

fn git_in(repo: &Fixture, package: &str, arguments: &[&str]) -> String {
    let remote = repo.remote(package);
    let all = ["-C", remote.as_str()].into_iter().chain(arguments.iter().copied());
    repo.program("git", all).ok().stdout().trim().to_owned()
}

#[test]
fn no_findings_when_remotes_have_all_pinned_tags() {
    let repo = locked();
    assert_eq!(found(check(&repo)), [""; 0]);
}

/// Takes remotes from a host that only the settings of the monorepo's own repository lead to.
fn on_private_host(repo: &Fixture) {
    repo.program("git", ["init", "--quiet"]).ok();
    let local = format!("file://{}/", repo.temporary().join("remotes"));
    let key = format!("url.{local}.insteadOf");
    repo.program("git", ["config", &key, "https://git.internal.example/"]).ok();
    for profile in ["staging", "prod"] {
        let path = format!("{profile}/pyproject.toml");
        repo.write(&path, repo.read(&path).replace(&local, "https://git.internal.example/"));
    }
}

#[test]
fn url_settings_of_the_monorepos_repository_count_wherever_it_is_checked_from() {
    let repo = pinned().build();
    on_private_host(&repo);
    let manifest = repo.root().join("pyproject.toml");
    for directory in ["", "..", "packages/bench-utils"] {
        let check = check(&repo).args(["--manifest-path", manifest.as_str()]).within(directory);
        assert_eq!(found(check), [""; 0], "{directory}");
    }
    git_in(&repo, "bench-utils", &["tag", "--delete", "v0.1.2"]);
    let missing = found(check(&repo).args(["--manifest-path", manifest.as_str()]).within(".."));
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert!(missing[0].starts_with("missing-tag"), "{missing:?}");
}

#[test]
fn reports_a_deleted_tag() {
    let repo = locked();
    git_in(&repo, "bench-utils", &["tag", "--delete", "v0.1.2"]);
    let outcome = repo.uvenv(["check", "--remote"]).run();
    assert_eq!(outcome.status(), Some(1));
    let drawn = outcome.stderr();
    assert!(
        drawn.contains(
            "error[missing-tag]: `bench-utils` is pinned to the tag `v0.1.2`, which does not exist in file://"
        ),
        "{drawn}"
    );
    assert!(drawn.contains("--> prod/pyproject.toml:13:"), "{drawn}");
    assert!(drawn.contains("help: push `v0.1.2` to the remote, or pin an existing tag: `v0.1.2.dev0`"), "{drawn}");
    // Without `--remote` it is not noticed.
    repo.uvenv(["check"]).ok();
}

#[test]
fn reports_a_moved_tag_with_both_commits() {
    let repo = locked();
    let (before, after) = (repo.tag_commit("bench-utils", "v0.1.2"), repo.tag_commit("bench-utils", "v0.1.3"));
    git_in(&repo, "bench-utils", &["tag", "--force", "--no-sign", "v0.1.2", "v0.1.3^{commit}"]);
    let message = format!(
        "moved-tag bench-utils: the tag `v0.1.2` of `bench-utils` moved after prod was locked: from {before} \
         (2025-01-01) to {after} (2025-01-01)"
    );
    let findings = found(check(&repo));
    assert!(findings.contains(&message), "{findings:#?}");
    // The locked commit can still be installed.
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).ok();
    assert_eq!(repo.environment("prod").commit("bench-utils"), before);
}

/// Commits another manifest to a package's remote, under the tag.
fn retag(repo: &Fixture, package: &str, path: &str, edit: impl FnOnce(String) -> String, tag: &str) {
    let clone = repo.temporary().join("tmp").join(package);
    let git = |arguments: &[&str]| {
        repo.program("git", ["-C", clone.as_str()].into_iter().chain(arguments.iter().copied())).ok();
    };
    repo.program("git", ["clone", "--quiet", repo.remote(package).as_str(), clone.as_str()]).ok();
    git(&["checkout", "--quiet", tag]);
    let manifest = clone.join(path);
    fs::write(&manifest, edit(fs::read_to_string(&manifest).unwrap())).unwrap();
    git(&["commit", "--quiet", "--all", "--message", "Again"]);
    git(&["tag", "--force", "--no-sign", tag]);
    git(&["push", "--quiet", "--force", "--tags"]);
}

#[test]
fn reports_a_tag_that_keeps_workspace_sources() {
    let repo = pinned().build();
    let with_source = |text: String| text + "\n[tool.uv.sources]\nprint-utils = { workspace = true }\n";
    retag(&repo, "bench-utils", "pyproject.toml", with_source, "v0.1.2");
    assert_eq!(
        found(check(&repo)),
        ["tag-keeps-workspace-sources bench-utils: at its tag `v0.1.2`, `bench-utils` has a source for \
             `print-utils` that is not in its repository (its workspace): uv cannot install it"]
    );
    assert_eq!(repo.uv(["lock", "--project", "prod"]).run().status(), Some(1));
}

#[test]
fn reads_the_version_at_the_tag_when_not_locked() {
    let repo = pinned().build();
    let other = |text: String| text.replace("version = \"0.1.2\"", "version = \"0.1.1\"");
    retag(&repo, "print-utils", "python/pyproject.toml", other, "v0.1.2");
    assert_eq!(
        found(check(&repo)),
        ["version-tag-mismatch print-utils: prod pins `print-utils` to `v0.1.2`, but its version at that tag is 0.1.1"]
    );
}

#[test]
fn reports_remotes_that_cannot_be_fetched() {
    let repo = pinned().build();
    let server = GitServer::without_commits(repo.temporary().join("remotes"));
    served_by(&server, &repo);
    let findings = found(check(&repo));
    assert_eq!(findings.len(), 4, "{findings:#?}");
    assert!(findings.iter().all(|finding| finding.starts_with("unreachable-remote ")), "{findings:#?}");
}

#[test]
fn uses_gits_credential_helpers_and_never_prompts() {
    let repo = pinned().build();
    let server = GitServer::with_password(repo.temporary().join("remotes"));
    served_by(&server, &repo);
    let refused = found(check(&repo));
    assert_eq!(refused.len(), 4, "{refused:#?}");
    assert!(refused.iter().all(|finding| finding.starts_with("unreachable-remote ")), "{refused:#?}");

    let store = repo.temporary().join("home/credentials");
    let host = server.url("x").replace("http://", "").replace("/x.git", "");
    fs::write(&store, format!("http://fixture:secret@{host}\n")).unwrap();
    let settings = repo.temporary().join("home/gitconfig");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{text}[credential]\nhelper = store --file {store}\n")).unwrap();
    assert_eq!(found(check(&repo)), [""; 0]);
}

#[test]
fn contacts_each_repository_once_and_fetches_nothing_twice() {
    let repo = pinned().build();
    let server = GitServer::of(repo.temporary().join("remotes"));
    served_by(&server, &repo);
    assert_eq!(found(check(&repo)), [""; 0]);
    server.take_requests();
    assert_eq!(found(check(&repo)), [""; 0]);
    let mut requests = server.take_requests();
    requests.retain(|request| request.ends_with("/info/refs"));
    requests.sort();
    assert_eq!(requests, ["GET /bench-utils.git/info/refs", "GET /print-utils.git/info/refs"]);
}

#[test]
fn contacts_all_remotes_in_parallel() {
    const MANY: usize = 24;
    let repo = pinned().build();
    let names: Vec<_> = (0..MANY).map(|number| format!("package-{number}")).collect();
    for name in &names {
        let (from, to) = (repo.remote("bench-utils"), repo.remote(name));
        repo.program("git", ["clone", "--quiet", "--bare", from.as_str(), to.as_str()]).ok();
    }
    let server = GitServer::for_many(repo.temporary().join("remotes"), MANY);
    let list = |line: &dyn Fn(&str) -> String| names.iter().map(|name| line(name)).collect::<Vec<_>>();
    let requirements = list(&|name| format!("\"{name}\"")).join(", ");
    let sources = list(&|name| format!("{name} = {{ git = \"{}\", tag = \"v0.1.2\" }}", server.url(name))).join("\n");
    repo.write(
        "prod/pyproject.toml",
        format!(
            "[project]\nname = \"bench\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n\
             dependencies = [{requirements}]\n\n[tool.uv]\npackage = false\n\n[tool.uv.sources]\n{sources}\n"
        ),
    );
    let findings = found(repo.uvenv(["check", "--remote", "--profile", "prod"]).arg_json());
    assert!(server.has_served_all_together(), "{findings:#?}");
    assert!(!findings.iter().any(|finding| finding.starts_with("unreachable-remote")), "{findings:#?}");
}

#[test]
fn times_out_on_a_hanging_remote_and_reports_the_others() {
    let repo = locked();
    let server = GitServer::of(repo.temporary().join("remotes"));
    let remote = format!("file://{}", repo.remote("bench-utils"));
    repo.replace("prod/pyproject.toml", &remote, &server.url("hangs"));
    git_in(&repo, "print-utils", &["tag", "--delete", "v0.1.2"]);
    let findings = found(check(&repo).env("UV_HTTP_TIMEOUT", "2"));
    let codes: Vec<_> = findings.iter().filter_map(|finding| finding.split_once(' ')).map(|(code, _)| code).collect();
    assert!(codes.contains(&"unreachable-remote") && codes.contains(&"missing-tag"), "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.contains("git got no answer within 2 s")), "{findings:#?}");
}
