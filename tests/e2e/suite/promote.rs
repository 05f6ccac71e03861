//! Promotions: which tags are selected, what is written, and that a failure writes nothing.

use std::{fs, thread};

use camino::Utf8PathBuf;
use serde_json::Value;
use snapbox::{assert_data_eq, str};
use uvenv_tests::{Fixture, Monorepo};

use super::{PACKAGES, empty, pinned};

/// A monorepo whose profiles are locked.
fn locked(monorepo: Monorepo) -> Fixture {
    let repo = monorepo.build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo
}

/// A clone of a package's remote, in which changes are made and pushed.
struct Clone<'a> {
    repo: &'a Fixture,
    path: Utf8PathBuf,
}

impl<'a> Clone<'a> {
    fn of(repo: &'a Fixture, package: &str) -> Self {
        let path = repo.temporary().join("tmp").join(format!("{package}-clone"));
        repo.program("git", ["clone", "--quiet", repo.remote(package).as_str(), path.as_str()]).ok();
        Self { repo, path }
    }

    fn git<const N: usize>(&self, arguments: [&str; N]) -> String {
        let all = ["-C", self.path.as_str()].into_iter().chain(arguments);
        self.repo.program("git", all).ok().stdout().trim().to_owned()
    }

    fn replace(&self, path: &str, from: &str, to: &str) -> &Self {
        let path = self.path.join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
        self
    }

    /// Commits everything and tags it.
    fn tag(&self, tag: &str) -> &Self {
        self.git(["commit", "--quiet", "--all", "--allow-empty", "--message", &format!("Release {tag}")]);
        self.git(["tag", "--annotate", "--force", "--message", tag, tag]);
        self
    }

    fn push(&self) {
        self.git(["push", "--quiet", "--force", "--tags", "origin", "HEAD:main"]);
    }
}

/// The result for one package.
fn package<'a>(report: &'a Value, name: &str) -> &'a Value {
    let packages = report["packages"].as_array().unwrap();
    packages.iter().find(|package| package["name"] == name).unwrap_or_else(|| panic!("no {name}: {report}"))
}

fn tag_in(repo: &Fixture, profile: &str, package: &str) -> String {
    let manifest = repo.read(format!("{profile}/pyproject.toml"));
    let line = manifest.lines().find(|line| line.starts_with(package) && line.contains("git ="));
    let line = line.unwrap_or_else(|| panic!("{manifest}"));
    line.split("tag = \"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[test]
fn promotes_each_profile_to_its_newest_releases() {
    let repo = locked(pinned());
    for (profile, newest) in [("staging", "v0.1.3.dev0"), ("prod", "v0.1.3")] {
        let before = repo.read(format!("{profile}/pyproject.toml"));
        let old = tag_in(&repo, profile, "bench-utils");
        let report = repo.uvenv(["promote", "--to", profile]).json().report("promote-finished");
        assert_eq!((&report["changed"], &report["dry_run"]), (&true.into(), &false.into()));
        for name in PACKAGES {
            let promoted = package(&report, name);
            assert_eq!(promoted["outcome"], "updated", "{report}");
            assert_eq!(promoted["from"]["commit"], repo.tag_commit(name, &old));
            assert_eq!(promoted["to"]["commit"], repo.tag_commit(name, newest));
            assert_eq!(promoted["commits"]["count"], 2, "{report}");
        }
        // Nothing else in the manifest has changed.
        assert_eq!(repo.read(format!("{profile}/pyproject.toml")), before.replace(&old, newest));
        assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
        repo.uvenv(["sync", "--profile", profile, "--frozen"]).ok();
        repo.assert_from_tag(profile, newest, &PACKAGES);
    }
    repo.uvenv(["check"]).ok();
    repo.uv(["lock", "--locked", "--project", "prod"]).ok();
}

#[test]
fn second_promotion_changes_nothing() {
    let repo = locked(pinned());
    repo.uvenv(["promote", "--to", "prod"]).ok();
    let report = repo.untouched_by(|| repo.uvenv(["promote", "--to", "prod"]).json().report("promote-finished"));
    assert_eq!(report["changed"], false);
    assert_eq!(package(&report, "bench-utils")["outcome"], "unchanged");
}

#[test]
fn dry_run_prints_a_table_commits_and_a_diff() {
    let repo = locked(pinned());
    let said = repo.untouched_by(|| repo.uvenv(["promote", "--to", "prod", "bench-utils", "--dry-run"]).ok());
    assert_data_eq!(
        said.shown(),
        str![[r#"
 package      old                new                commits
 bench-utils  v0.1.2 ([COMMIT])  v0.1.3 ([COMMIT])  2        newer

bench-utils:
  [COMMIT] 0.1.3
  [COMMIT] 0.1.3.dev0

--- a/prod/pyproject.toml
+++ b/prod/pyproject.toml
@@ -10,4 +10,4 @@
 
 [tool.uv.sources]
 print-utils = { git = "file://[ROOT]/remotes/print-utils.git", tag = "v0.1.2", subdirectory = "python" }
-bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.2" }
+bench-utils = { git = "file://[ROOT]/remotes/bench-utils.git", tag = "v0.1.3" }

"#]]
    );
    assert_data_eq!(
        said.told(),
        str![[r#"
     Planned 1 promotion to prod (prod/pyproject.toml)

"#]]
    );
}

#[test]
fn promotes_to_a_named_older_tag() {
    let repo = locked(pinned());
    repo.uvenv(["promote", "--to", "prod", "bench-utils"]).ok();
    assert_eq!(tag_in(&repo, "prod", "bench-utils"), "v0.1.3");
    assert_eq!(tag_in(&repo, "prod", "print-utils"), "v0.1.2");
    let report = repo.uvenv(["promote", "--to", "prod", "Bench_Utils=v0.1.2"]).json().report("promote-finished");
    assert_eq!(package(&report, "bench-utils")["outcome"], "downgraded");
    assert_eq!(tag_in(&repo, "prod", "bench-utils"), "v0.1.2");
    assert!(repo.lockfile("prod").contains(&repo.tag_commit("bench-utils", "v0.1.2")));
}

#[test]
fn keeps_a_pin_newer_than_the_newest_release() {
    let repo = pinned().build();
    repo.replace(
        "prod/pyproject.toml",
        "bench-utils.git\", tag = \"v0.1.2\"",
        "bench-utils.git\", tag = \"v0.1.4.dev0\"",
    );
    let clone = Clone::of(&repo, "bench-utils");
    clone.replace("pyproject.toml", "0.1.3", "0.1.4.dev0").tag("v0.1.4.dev0").push();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    let report = repo.uvenv(["promote", "--to", "prod"]).json().report("promote-finished");
    let kept = package(&report, "bench-utils");
    assert_eq!((&kept["outcome"], &kept["newest"]), (&"newer".into(), &"v0.1.3".into()));
    assert_eq!(package(&report, "print-utils")["outcome"], "updated");
    assert_eq!(tag_in(&repo, "prod", "bench-utils"), "v0.1.4.dev0");
}

#[test]
fn exact_promotes_the_versions_of_staging() {
    let repo = locked(pinned());
    repo.uvenv(["promote", "--to", "prod"]).ok();
    repo.uvenv(["promote", "--to", "staging", "print-utils"]).ok();
    // Prod is ahead of staging for one of them.
    let report = repo.uvenv(["promote", "--to", "prod", "--exact"]).json().report("promote-finished");
    assert_eq!(package(&report, "bench-utils")["outcome"], "newer", "{report}");
    assert_eq!(package(&report, "print-utils")["outcome"], "unchanged", "{report}");

    let repo = locked(pinned());
    repo.uvenv(["promote", "--to", "staging", "print-utils"]).ok();
    repo.uvenv(["promote", "--to", "prod", "--exact"]).ok();
    assert_eq!([tag_in(&repo, "prod", "print-utils"), tag_in(&repo, "prod", "bench-utils")], ["v0.1.3", "v0.1.2"]);
    // Staging has a release without a stable version.
    let clone = Clone::of(&repo, "bench-utils");
    clone.replace("pyproject.toml", "0.1.3", "0.1.4.dev0").tag("v0.1.4.dev0").push();
    repo.uvenv(["promote", "--to", "staging"]).ok();
    repo.untouched_by(|| {
        repo.uvenv(["promote", "--to", "prod", "--exact"]).fails("no-release").names(["`bench-utils`", "0.1.4"]);
    });
}

#[test]
fn adds_source_and_dependency_of_a_new_package() {
    let repo = locked(pinned());
    repo.replace("prod/pyproject.toml", "\"print-utils\", ", "");
    let manifest = repo.read("prod/pyproject.toml");
    let line = manifest.lines().find(|line| line.starts_with("print-utils = ")).unwrap();
    repo.replace("prod/pyproject.toml", &format!("{line}\n"), "");
    repo.replace("pyproject.toml", "\"print-utils\"", "\"Print.Utils >=0.1\"");
    let report = repo.uvenv(["promote", "--to", "prod", "print-utils"]).json().report("promote-finished");
    assert_eq!(package(&report, "print-utils")["outcome"], "added");
    let after = repo.read("prod/pyproject.toml");
    assert!(after.contains(&line.replace("v0.1.2", "v0.1.3")) && after.contains("\"Print.Utils\""), "{after}");
    repo.uv(["lock", "--locked", "--project", "prod"]).ok();
}

#[test]
fn rejects_invalid_promotions() {
    let repo = locked(pinned());
    repo.untouched_by(|| {
        let refused = repo.uvenv(["promote", "--to", "prod", "six"]).refused("unknown-package");
        refused.names(["`six`"]).helps(["`bench-utils`", "`print-utils`"]);
        repo.uvenv(["promote", "--to", "prod", "bench-utils=v9"])
            .fails("missing-tag")
            .names(["`v9`"])
            .helps(["`v0.1.3`"]);
        repo.uvenv(["promote", "--to", "dev"]).refused("invalid-promotion");
        repo.uvenv(["promote", "--to", "staging", "--exact"]).refused("invalid-promotion");
        repo.uvenv(["promote", "--to", "prod", "--offline"]).refused("invalid-promotion");
        repo.uvenv(["promote", "--to", "prod", "bench-utils", "bench_utils"]).refused("invalid-promotion");
        repo.uvenv(["promote", "--to", "prod", "bench-utils="]).refused("invalid-arguments");
    });
}

#[test]
fn rejects_a_tag_without_the_version_or_package_it_names() {
    let repo = locked(pinned());
    Clone::of(&repo, "bench-utils").tag("v0.1.4").push();
    Clone::of(&repo, "print-utils").replace("python/pyproject.toml", "print-utils", "other").tag("v0.1.3.post1").push();
    repo.untouched_by(|| {
        let refused = repo.uvenv(["promote", "--to", "prod", "bench-utils"]).fails("version-tag-mismatch");
        refused.names(["`bench-utils`", "0.1.3", "`v0.1.4`"]);
        let refused = repo.uvenv(["promote", "--to", "prod", "print-utils"]).fails("package-not-at-tag");
        refused.names(["`v0.1.3.post1`", "`python/pyproject.toml`", "`other`"]);
    });
}

#[test]
fn compares_dynamic_versions_with_the_tag() {
    let repo = locked(pinned());
    let clone = Clone::of(&repo, "bench-utils");
    clone.replace("pyproject.toml", "version = \"0.1.3\"\n", "dynamic = [\"version\"]\n");
    clone.replace("pyproject.toml", "\"uv_build>=0.7.16,<0.14\"", "\"setuptools\"");
    clone.replace(
        "pyproject.toml",
        "\"uv_build\"",
        "\"setuptools.build_meta\"\n[tool.setuptools.dynamic]\nversion = { attr = \"bench_utils.__version__\" }",
    );
    clone.tag("v0.1.4").push();
    repo.untouched_by(|| {
        let refused = repo.uvenv(["promote", "--to", "prod", "bench-utils"]).fails("version-tag-mismatch");
        refused.names(["0.1.3", "`v0.1.4`"]);
    });
}

#[test]
fn rejects_a_release_that_keeps_workspace_sources() {
    for source in ["workspace = true", "path = \"../print-utils\""] {
        let repo = locked(pinned());
        let clone = Clone::of(&repo, "bench-utils");
        let manifest = std::fs::read_to_string(clone.path.join("pyproject.toml")).unwrap();
        let sources =
            format!("{manifest}\n[tool.uv.sources]\nprint-utils = {{ {source} }}\n").replace("0.1.3", "0.1.4");
        std::fs::write(clone.path.join("pyproject.toml"), sources).unwrap();
        clone.tag("v0.1.4").push();
        repo.untouched_by(|| {
            let failed = repo.uvenv(["promote", "--to", "prod", "bench-utils"]).fails("tag-keeps-workspace-sources");
            failed.names(["`bench-utils`", "`v0.1.4`", "`print-utils`"]);
        });
    }
}

#[test]
fn failed_lock_changes_nothing() {
    let repo = locked(pinned());
    let clone = Clone::of(&repo, "bench-utils");
    clone.replace("pyproject.toml", "0.1.3", "0.1.4").replace(
        "pyproject.toml",
        "\"print-utils\"",
        "\"no-such-package-0\"",
    );
    clone.tag("v0.1.4").push();
    repo.untouched_by(|| repo.uvenv(["promote", "--to", "prod"]).fails("uv-failed"));
}

#[test]
fn reports_an_unreachable_remote() {
    let repo = locked(pinned());
    std::fs::rename(repo.remote("bench-utils"), repo.temporary().join("gone")).unwrap();
    repo.untouched_by(|| {
        let failed = repo.uvenv(["promote", "--to", "prod"]).fails("unreachable-remote");
        failed.names(["`bench-utils`", "bench-utils.git"]).helps(["git ls-remote"]);
    });
    // The others do not need it.
    let report = repo.uvenv(["promote", "--to", "prod", "print-utils", "--dry-run"]).json().report("promote-finished");
    assert_eq!(package(&report, "print-utils")["outcome"], "updated");
}

#[test]
fn rejects_a_tag_that_fails_the_check() {
    let repo = locked(pinned());
    repo.untouched_by(|| {
        let failed = repo.uvenv(["promote", "--to", "prod", "bench-utils=v0.1.3.dev0"]).fails("promotion-fails-check");
        failed.names(["dev-tag-in-prod"]);
    });
    // An earlier finding does not prevent the promotion of other packages.
    repo.replace(
        "prod/pyproject.toml",
        "bench-utils.git\", tag = \"v0.1.2\"",
        "bench-utils.git\", tag = \"v0.1.3.dev0\"",
    );
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let report = repo.uvenv(["promote", "--to", "prod", "print-utils"]).json().report("promote-finished");
    assert_eq!(report["findings"][0]["code"], "dev-tag-in-prod");
}

#[test]
fn from_local_rejects_unpushed_or_moved_tags() {
    let repo = locked(pinned());
    let remote = repo.remote("bench-utils");
    let checkout = repo.root().join("packages/bench-utils");
    std::fs::remove_dir_all(&checkout).unwrap();
    repo.program("git", ["clone", "--quiet", remote.as_str(), checkout.as_str()]).ok();
    let clone = Clone { repo: &repo, path: checkout };
    let arguments = ["promote", "--to", "prod", "--from-local", "bench-utils"];
    clone.replace("pyproject.toml", "0.1.3", "0.1.4").tag("v0.1.4");
    repo.untouched_by(|| {
        repo.uvenv(arguments)
            .fails("missing-tag")
            .names(["`v0.1.4`"])
            .helps(["packages/bench-utils push origin v0.1.4"]);
    });
    clone.push();
    // The tag is moved locally, but not on the remote.
    let there = clone.git(["rev-parse", "HEAD"]);
    let here = clone.tag("v0.1.4").git(["rev-parse", "HEAD"]);
    let failed = repo.untouched_by(|| repo.uvenv(arguments).fails("moved-tag"));
    failed.names([&there, &here]);
    clone.push();
    let report = repo.uvenv(arguments).json().report("promote-finished");
    assert_eq!(package(&report, "bench-utils")["to"]["commit"], clone.git(["rev-parse", "HEAD"]));
}

#[test]
fn commits_only_the_manifest_and_the_lockfile() {
    let repo = locked(pinned());
    let git = |arguments: &[&str]| repo.program("git", arguments).ok().stdout().trim().to_owned();
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    repo.write("README.md", "not yet\n");
    git(&["add", "README.md"]);
    let head = git(&["rev-parse", "HEAD"]);
    repo.untouched_by(|| repo.uvenv(["promote", "--to", "prod", "--commit"]).refused("dirty-index"));
    git(&["reset", "--quiet"]);
    let manifest = repo.read("prod/pyproject.toml");
    repo.write("prod/pyproject.toml", format!("# mine\n{manifest}"));
    repo.untouched_by(|| {
        repo.uvenv(["promote", "--to", "prod", "--commit"]).refused("dirty-index").names(["`prod/pyproject.toml`"]);
    });
    repo.write("prod/pyproject.toml", manifest);
    let report = repo.uvenv(["promote", "--to", "prod", "--commit"]).json().report("promote-finished");
    assert_eq!(report["commit"], git(&["rev-parse", "HEAD"]));
    assert_eq!(git(&["rev-parse", "HEAD^"]), head);
    assert_eq!(git(&["show", "--format=", "--name-only"]), "prod/pyproject.toml\nprod/uv.lock");
    assert_data_eq!(
        git(&["show", "--no-patch", "--format=%B"]),
        str![[r#"
Promote 2 packages to prod

bench-utils: v0.1.2 -> v0.1.3
print-utils: v0.1.2 -> v0.1.3
"#]]
    );
    assert_eq!(git(&["status", "--porcelain"]), "?? README.md");
}

/// A monorepo whose profiles are locked and committed.
fn committed() -> Fixture {
    let repo = locked(pinned());
    for arguments in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "all"]] {
        // An amended commit has another time.
        repo.program("git", arguments).env("GIT_COMMITTER_DATE", "2025-01-01T00:00:00Z").ok();
    }
    repo
}

const BRANCH: &str = "uvenv/promote-to-prod";

#[test]
fn branch_has_the_promotion_and_no_file_changes() {
    let repo = committed();
    let git = |arguments: &[&str]| repo.program("git", arguments).ok().stdout().trim().to_owned();
    let promote = |arguments: &[&str]| {
        let all = ["promote", "--to", "prod"].iter().chain(arguments);
        repo.uvenv(all).json().report("promote-finished")["branch"].clone()
    };
    let before = repo.read("prod/pyproject.toml");
    // What is staged does not get into the branch, and what is checked out stays.
    repo.write("README.md", "not yet\n");
    git(&["add", "README.md"]);
    let head = git(&["rev-parse", "HEAD"]);
    let one = promote(&["--branch", "bench-utils"]);
    assert_eq!((&one["name"], &one["outcome"]), (&BRANCH.into(), &"created".into()));
    assert_eq!(one["commit"], git(&["rev-parse", BRANCH]));
    assert_eq!(promote(&["--branch", "bench-utils"])["outcome"], "unchanged");
    let both = promote(&["--branch"]);
    assert_eq!(both["outcome"], "updated");
    assert_eq!(git(&["rev-parse", &format!("{BRANCH}^")]), head);
    assert_eq!(git(&["show", "--format=", "--name-only", BRANCH]), "prod/pyproject.toml\nprod/uv.lock");
    assert_data_eq!(
        git(&["show", "--no-patch", "--format=%B", BRANCH]),
        str![[r#"
Promote 2 packages to prod

### `prod` → `prod@uvenv/promote-to-prod`

| internal package | `prod` | `prod@uvenv/promote-to-prod` |
| --- | --- | --- |
| `bench-utils` | `v0.1.2 ([..])` | `v0.1.3 ([..])` |
| `print-utils` | `v0.1.2 ([..])` | `v0.1.3 ([..])` |

Promoted-by: cargo uvenv promote
"#]]
    );
    assert_eq!((repo.read("prod/pyproject.toml"), git(&["rev-parse", "HEAD"])), (before, head.clone()));
    assert_eq!(git(&["status", "--porcelain"]), "A  README.md");
    // What is on the branch is what a promotion of the files would have been.
    git(&["commit", "--quiet", "--message", "more"]);
    assert_eq!(promote(&["--branch"])["outcome"], "updated");
    repo.uvenv(["promote", "--to", "prod"]).ok();
    git(&["diff", "--exit-code", BRANCH, "--", "prod"]);
    git(&["checkout", "--quiet", "--", "prod"]);
    assert_eq!(promote(&["--branch=other", "bench-utils"])["outcome"], "created");
    for name in ["not a name", "a..b", "HEAD", "-x", "@{-1}"] {
        repo.uvenv(["promote", "--to", "prod", &format!("--branch={name}")]).refused("invalid-promotion").names([name]);
    }
    repo.uvenv(["promote", "--to", "prod", "--branch="]).ends(2);
}

#[test]
fn commits_only_what_git_can_commit() {
    let repo = committed();
    let git = |arguments: &[&str]| repo.program("git", arguments).ok().stdout().trim().to_owned();
    let both = |code: &str, part: &str| {
        for option in ["--branch", "--commit"] {
            repo.untouched_by(|| repo.uvenv(["promote", "--to", "prod", option]).refused(code)).names([part]);
        }
    };
    // What git changes when it commits is no change.
    git(&["config", "filter.upper.clean", "sed s/bench-prod/CLEAN/"]);
    git(&["config", "filter.upper.smudge", "sed s/CLEAN/bench-prod/"]);
    repo.write(".gitattributes", "pyproject.toml filter=upper\n");
    git(&["add", "."]);
    git(&["add", "--renormalize", "."]);
    git(&["commit", "--quiet", "--message", "filter"]);
    repo.uvenv(["promote", "--to", "prod", "--branch"]).ok();
    assert!(git(&["show", &format!("{BRANCH}:prod/pyproject.toml")]).contains("CLEAN"));
    // Checking the branch out would replace, and leaving it remove, what git does not have.
    git(&["rm", "--quiet", "--cached", "prod/uv.lock"]);
    repo.write(".gitignore", ".venv\nuv.lock\n");
    git(&["add", ".gitignore"]);
    git(&["commit", "--quiet", "--message", "ignored"]);
    both("invalid-promotion", "git ignores `prod/uv.lock`");
    fs::rename(repo.root().join("prod/uv.lock"), repo.root().join("prod.lock")).unwrap();
    std::os::unix::fs::symlink("../prod.lock", repo.root().join("prod/uv.lock")).unwrap();
    both("invalid-promotion", "symbolic link");
    fs::remove_dir_all(repo.root().join(".git")).unwrap();
    both("invalid-promotion", "not in a git repository");
}

#[test]
fn two_promotions_at_once_make_one_branch() {
    let repo = committed();
    let promote = || repo.uvenv(["promote", "--to", "prod", "--branch"]).json().report("promote-finished");
    let reports = thread::scope(|scope| {
        let started = [scope.spawn(promote), scope.spawn(promote)];
        started.map(|running| running.join().unwrap()["branch"].clone())
    });
    assert_eq!(reports[0]["commit"], reports[1]["commit"], "{reports:?}");
    let mut outcomes = reports.map(|report| report["outcome"].as_str().unwrap().to_owned());
    outcomes.sort();
    assert_eq!(outcomes, ["created", "unchanged"]);
}

#[test]
fn branch_with_commits_of_somebody_else_stays() {
    let repo = committed();
    let git = |arguments: &[&str]| repo.program("git", arguments).ok().stdout().trim().to_owned();
    let main = git(&["branch", "--show-current"]);
    repo.uvenv(["promote", "--to", "prod", "--branch", "bench-utils"]).ok();
    for change in
        [&["commit", "--quiet", "--allow-empty", "--message", "mine"][..], &["commit", "--amend", "--no-edit"], &[]]
    {
        git(&["branch", "--force", BRANCH, BRANCH]);
        git(&["checkout", "--quiet", BRANCH]);
        if change.is_empty() {
            // With the time of before, but with another file.
            repo.write("mine", "");
            git(&["add", "mine"]);
            let amend = repo.program("git", ["commit", "--quiet", "--amend", "--no-edit"]);
            amend.env("GIT_COMMITTER_DATE", git(&["show", "--no-patch", "--format=%cI", "HEAD"])).ok();
        } else {
            git(change);
        }
        let mine = git(&["rev-parse", "HEAD"]);
        git(&["checkout", "--quiet", &main]);
        repo.uvenv(["promote", "--to", "prod", "--branch"]).refused("foreign-branch").names([BRANCH]);
        assert_eq!(git(&["rev-parse", BRANCH]), mine);
        git(&["branch", "--force", BRANCH, &format!("{mine}^")]);
        git(&["branch", "--delete", "--force", BRANCH]);
        repo.uvenv(["promote", "--to", "prod", "--branch", "bench-utils"]).ok();
    }
    repo.write("prod/pyproject.toml", format!("# mine\n{}", repo.read("prod/pyproject.toml")));
    repo.uvenv(["promote", "--to", "prod", "--branch"]).refused("dirty-index").names(["prod/pyproject.toml"]);
}

#[test]
fn moved_tag_does_not_get_into_a_branch() {
    let repo = committed();
    repo.uvenv(["promote", "--to", "prod", "--commit"]).ok();
    let clone = Clone::of(&repo, "print-utils");
    clone.tag("v0.1.3").push();
    let promote = ["promote", "--to", "prod", "--branch"];
    repo.untouched_by(|| {
        repo.uvenv(promote).fails("moved-tag").names(["print-utils", "v0.1.3"]);
    });
    let other = Clone::of(&repo, "bench-utils");
    other.replace("pyproject.toml", "version = \"0.1.3\"", "version = \"0.1.4\"").tag("v0.1.4").push();
    repo.untouched_by(|| {
        repo.uvenv(promote).fails("moved-tag").names(["print-utils", "v0.1.3"]);
    });
    repo.program("git", ["rev-parse", "--verify", BRANCH]).ends(128);
}

#[test]
fn failed_commit_changes_nothing() {
    let repo = locked(pinned());
    let git = |arguments: &[&str]| repo.program("git", arguments).with_system().ok().stdout().trim().to_owned();
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    let hook = repo.root().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\necho not today >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let (manifest, lockfile) = (repo.read("prod/pyproject.toml"), repo.lockfile("prod"));
    let failed = repo.uvenv(["promote", "--to", "prod", "--commit"]).with_system().fails("git-failed");
    failed.names(["not today"]);
    assert_eq!((repo.read("prod/pyproject.toml"), repo.lockfile("prod")), (manifest, lockfile));
    assert_eq!(git(&["status", "--porcelain"]), "");
}

#[test]
fn rejects_a_workspace_that_would_include_the_candidate() {
    let repo = locked(pinned());
    repo.replace(
        "pyproject.toml",
        "members = [\"packages/*\"]",
        "members = [\"packages/*\", \"*\"]\nexclude = [\"packages\", \"prod\", \"staging\"]",
    );
    repo.untouched_by(|| {
        let refused = repo.uvenv(["promote", "--to", "prod"]).refused("promotion-in-workspace");
        refused.points_to("pyproject.toml", 12).helps(["exclude"]);
    });
    repo.replace("pyproject.toml", "\"staging\"]", "\"staging\", \".*\"]");
    repo.uvenv(["promote", "--to", "prod"]).ok();
    assert_eq!(tag_in(&repo, "prod", "bench-utils"), "v0.1.3");
}

/// A uv that signals when it starts to lock and then waits until it is killed.
#[cfg(unix)]
mod killed {
    use std::{fs, time::Duration};

    use uvenv_tests::Invocation;

    use super::*;

    const WAITING: &str =
        "#!/bin/sh\ncase \"$*\" in *lock*) touch \"$STARTED\"; sleep 600 & wait;; *) exec \"$REAL_UV\" \"$@\";; esac\n";

    /// Promotes with a uv that never ends.
    fn promotion(repo: &Fixture) -> Invocation<'_> {
        let uv = repo.temporary().join("uv");
        fs::write(&uv, WAITING).unwrap();
        fs::set_permissions(&uv, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let real = repo.which_uv().unwrap().path();
        let invocation = repo.uvenv(["promote", "--to", "prod"]).with_system();
        invocation.env("UVENV_UV", uv).env("REAL_UV", real).env("STARTED", repo.temporary().join("started"))
    }

    fn signal(repo: &Fixture, signal: &str, process: u32) {
        repo.program("sh", ["-c", &format!("kill {signal} -{process}")]).ok();
    }

    #[test]
    fn killing_it_during_the_lock_changes_nothing() {
        for with in ["-KILL", "-INT"] {
            let repo = locked(pinned());
            let (manifest, lockfile) = (repo.read("prod/pyproject.toml"), repo.lockfile("prod"));
            let mut child = promotion(&repo).start();
            while !repo.temporary().join("started").exists() {
                assert!(child.try_wait().unwrap().is_none(), "it has ended");
                std::thread::sleep(Duration::from_millis(20));
            }
            signal(&repo, with, child.id());
            assert!(!child.wait().unwrap().success());
            assert_eq!((repo.read("prod/pyproject.toml"), repo.lockfile("prod")), (manifest, lockfile));
            repo.uvenv(["sync", "--profile", "prod", "--locked"]).ok();
            repo.uvenv(["promote", "--to", "prod"]).ok();
            assert_eq!(tag_in(&repo, "prod", "bench-utils"), "v0.1.3");
            let left = repo.root().read_dir_utf8().unwrap().map(|entry| entry.unwrap().file_name().to_owned());
            assert_eq!(left.filter(|name| name.contains("promotion")).count(), 0);
        }
    }

    /// Whenever it is killed, the files are either unchanged or complete.
    #[test]
    fn files_match_whenever_it_is_killed() {
        let repo = locked(pinned());
        let files = |repo: &Fixture| (repo.read("prod/pyproject.toml"), repo.lockfile("prod"));
        let before = files(&repo);
        let (mut moment, mut was_done) = (Duration::from_millis(5), false);
        while !was_done {
            let mut child = repo.uvenv(["promote", "--to", "prod"]).start();
            std::thread::sleep(moment);
            let _ = child.kill();
            child.wait().unwrap();
            repo.uvenv(["lock", "--profile", "prod", "--locked"]).ok();
            was_done = files(&repo) != before;
            moment = moment * 5 / 4;
        }
        assert_eq!(tag_in(&repo, "prod", "bench-utils"), "v0.1.3");
        repo.uv(["lock", "--locked", "--offline", "--project", "prod"]).ok();
    }

    /// The time between the two files is too short to hit, so the test creates what a process killed there leaves.
    #[test]
    fn restores_the_manifest_if_killed_between_the_files() {
        let repo = locked(pinned());
        let before = (repo.read("prod/pyproject.toml"), repo.lockfile("prod"));
        let after = before.0.replace("v0.1.2", "v0.1.3");
        let left = ".prod-promotion-1";
        repo.write(format!("{left}/before/pyproject.toml"), &before.0);
        repo.write(format!("{left}/before/uv.lock"), &before.1);
        repo.write(format!("{left}/pyproject.toml"), &after);
        repo.write(format!("{left}/uv.lock"), "version = 1\n");
        repo.write("prod/pyproject.toml", &after);
        repo.uvenv(["lock", "--profile", "prod", "--locked"]).ok();
        assert_eq!((repo.read("prod/pyproject.toml"), repo.lockfile("prod")), before);
        assert!(!repo.root().join(left).exists());
    }
}

/// All packages are in one repository; each has its own tags and its own directory.
#[test]
fn promotes_packages_of_one_repository_by_their_own_tags() {
    let repo = empty().package("bench-utils").package("print-utils").build();
    let origin = repo.temporary().join("remotes/origin.git");
    let git = |arguments: &[&str]| repo.program("git", arguments).ok().stdout().trim().to_owned();
    git(&["init", "--quiet", "--bare", origin.as_str()]);
    git(&["init", "--quiet"]);
    git(&["remote", "add", "origin", &format!("file://{origin}")]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "all"]);
    for tag in ["bench-utils/v0.1.1", "bench-utils/v0.1.2", "print-utils/v0.1.2", "v9.0"] {
        git(&["tag", tag]);
    }
    git(&["push", "--quiet", "--tags", "origin", "HEAD"]);
    let prod = "[project]\nname = \"bench-prod\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\
                dependencies = [\"bench-utils\"]\n\n[tool.uv]\npackage = false\n\n[tool.uv.sources]\n";
    let pin = format!(
        "bench-utils = {{ git = \"file://{origin}\", tag = \"bench-utils/v0.1.1\", subdirectory = \"packages/bench-utils\" }}\n"
    );
    repo.write("prod/pyproject.toml", prod.to_owned() + &pin);
    let report = repo.uvenv(["promote", "--to", "prod"]).json().report("promote-finished");
    assert_eq!(package(&report, "bench-utils")["to"]["reference"], "bench-utils/v0.1.2", "{report}");
    let manifest = repo.read("prod/pyproject.toml");
    let source =
        format!("git = \"file://{origin}\", tag = \"print-utils/v0.1.2\", subdirectory = \"packages/print-utils\"");
    assert!(manifest.contains(&source), "{manifest}");
    repo.uv(["lock", "--locked", "--project", "prod"]).ok();
    repo.uvenv(["check", "--profile", "prod"]).ok();
}
