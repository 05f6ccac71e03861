//! `check` on pins and lockfiles, in monorepos that the real uv has locked.

use uvenv_tests::Fixture;

use super::{empty, pinned, three_profiles};

const PROFILES: [&str; 3] = ["dev", "staging", "prod"];

/// A monorepo whose profiles are locked.
fn locked(repo: Fixture) -> Fixture {
    for profile in PROFILES {
        lock(&repo, profile);
    }
    repo
}

fn lock(repo: &Fixture, profile: &str) {
    repo.uvenv(["lock", "--profile", profile]).ok();
}

/// The findings, each as `severity[code] path:line`.
fn found(repo: &Fixture) -> Vec<String> {
    let root = format!("{}/", repo.root());
    let outcome = repo.uvenv(["check"]).arg_json().run();
    let report = outcome.report("check-finished");
    assert_eq!(outcome.status(), Some(i32::from(report["errors"] != 0)), "{outcome}");
    let findings = report["findings"].as_array().expect("a list").iter();
    findings
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap_or_else(|| panic!("no `{key}`: {finding}"));
            let path = text("file").strip_prefix(&root).expect("a file of the monorepo");
            format!("{}[{}] {path}:{}", text("severity"), text("code"), finding["line"])
        })
        .collect()
}

/// Pins another tag of `bench-utils` in a profile and locks it again.
fn promote(repo: &Fixture, profile: &str, from: &str, to: &str) {
    let tag = |tag: &str| format!("bench-utils.git\", tag = \"{tag}\"");
    repo.replace(format!("{profile}/pyproject.toml"), &tag(from), &tag(to));
    lock(repo, profile);
}

#[test]
fn clean_monorepo_has_no_findings() {
    let repo = locked(three_profiles().build());
    assert_eq!(found(&repo), [""; 0]);
    repo.untouched_by(|| repo.uvenv(["check"]).ok());
    // One package has been released, the other has not.
    promote(&repo, "staging", "v0.1.2.dev0", "v0.1.3.dev0");
    assert_eq!(found(&repo), [""; 0]);
    promote(&repo, "prod", "v0.1.2", "v0.1.3");
    assert_eq!(found(&repo), [""; 0]);
}

#[test]
fn reports_each_stale_package() {
    let repo = locked(pinned().build());
    repo.replace("prod/pyproject.toml", "\"v0.1.2\"", "\"v0.1.3\"");
    repo.replace("prod/pyproject.toml", ">=3.9", ">=3.10");
    let stale = [4, 13, 12].map(|line| format!("error[stale-lockfile] prod/pyproject.toml:{line}"));
    let behind = [13, 12].map(|line| format!("warning[staging-behind-prod] staging/pyproject.toml:{line}"));
    let other_python = ["error[python-mismatch] prod/pyproject.toml:4".to_owned()];
    assert_eq!(found(&repo), [&stale[..], &behind, &other_python].concat());
}

/// uv agrees with every lockfile that uvenv calls stale.
#[test]
fn uv_agrees_that_a_lockfile_is_stale() {
    let repo = locked(pinned().build());
    let manifest = repo.read("prod/pyproject.toml");
    let sources = manifest.lines().filter(|line| line.contains("= { git")).collect::<Vec<_>>();
    let unpinned = |source: &str| manifest.replace(&sources.join("\n"), source);
    let path = |package: &str| format!("{package} = {{ path = \"../packages/{package}\" }}\n");
    for text in [
        manifest.replace(">=3.9", ">=3.10"),
        manifest.replace("\"0.1.0\"", "\"0.1.1\""),
        manifest.replace("\"print-utils\"", "\"print-utils\", \"uv-build\""),
        manifest.replace("\"print-utils\", ", ""),
        manifest.replace("[tool.uv]", "[dependency-groups]\ntest = [\"uv-build\"]\n\n[tool.uv]"),
        manifest.replace("[tool.uv]", "[project.optional-dependencies]\nx = [\"uv-build\"]\n\n[tool.uv]"),
        unpinned(""),
        unpinned(&(path("print-utils") + &path("bench-utils"))),
    ] {
        assert_ne!(text, manifest);
        repo.write("prod/pyproject.toml", &text);
        let stale = found(&repo).iter().any(|finding| finding.starts_with("error[stale-lockfile]"));
        let by_uv = repo.uv(["lock", "--project", "prod", "--check", "--offline"]).run();
        assert_eq!((stale, by_uv.status() == Some(0)), (true, false), "{text}\n{by_uv}");
    }
}

/// uvenv calls no lockfile stale that uv accepts.
#[test]
fn lockfile_that_uv_accepts_is_fresh() {
    let repo = locked(pinned().build());
    for (from, to) in [
        (">=3.9", ">=3.9.0"),
        ("dependencies = [\"print-utils\", \"bench-utils\"]", "dependencies = [\"Bench.Utils\", \"print_utils\"]"),
        ("bench-utils = {", "\"Bench_Utils\" = {"),
        ("\"file://", "\"git+file://"),
        ("bench-prod", "Bench_Prod"),
    ] {
        repo.replace("prod/pyproject.toml", from, to);
    }
    repo.uv(["lock", "--project", "prod", "--check"]).ok();
    assert_eq!(found(&repo), [""; 0]);
    // Whether the same pin is written as uv would write it.
    repo.replace("prod/pyproject.toml", "bench-utils.git\"", "bench-utils.git/\", subdirectory = \".\"");
    let by_uv = repo.uv(["lock", "--project", "prod", "--check", "--offline"]).run();
    assert_eq!(found(&repo).is_empty(), by_uv.status() == Some(0), "{by_uv}");
}

/// Manifests whose lockfiles seem to be stale, and that uv accepts: so do `lock --locked`, `sync`, `status` and `check`.
#[test]
fn uv_has_the_last_word_on_a_lockfile() {
    let including_itself = empty()
        .file(
            "pyproject.toml",
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.9\"\n\n\
             [project.optional-dependencies]\nx = []\n\n[dependency-groups]\ndev = [\"app[x]\"]\n",
        )
        .build();
    let below_a_member = empty().package("print-utils").build();
    below_a_member.replace("pyproject.toml", "\"packages/*\"", "\"packages/*\", \"packages/print-utils/below\"");
    let below = "[project]\nname = \"below\"\nversion = \"1\"\n\n[tool.uv]\npackage = false\n";
    below_a_member.write("packages/print-utils/below/pyproject.toml", below);
    let elsewhere = pinned().build();
    let win = "\"bench-utils; sys_platform == 'win32'\"";
    elsewhere.replace("prod/pyproject.toml", "\"bench-utils\"", win);
    elsewhere.replace(
        "prod/pyproject.toml",
        "[tool.uv]\n",
        "[tool.uv]\nenvironments = [\"sys_platform == 'linux'\"]\n",
    );
    for (repo, profile) in [(including_itself, "dev"), (below_a_member, "dev"), (elsewhere, "prod")] {
        lock(&repo, profile);
        let project = if profile == "dev" { "." } else { profile };
        repo.uv(["lock", "--project", project, "--check"]).ok();
        for arguments in [&["lock", "--locked"][..], &["sync", "--locked"], &["sync", "--frozen"], &["sync"]] {
            repo.uvenv([arguments, &["--profile", profile]].concat()).ok();
        }
        let status = repo.uvenv(["status"]).json().report("status");
        let profiles = status["profiles"].as_array().unwrap();
        let state = &profiles.iter().find(|one| one["profile"] == profile).unwrap()["lockfile"]["state"];
        assert_eq!(state, "fresh", "{status}");
        let stale_finding = found(&repo).into_iter().find(|finding| {
            let directory = if profile == "dev" { "" } else { "prod/" };
            finding.contains("[stale-lockfile]") && finding.contains(&format!("] {directory}pyproject.toml"))
        });
        assert_eq!(stale_finding, None);
    }
}

#[test]
fn reports_a_lockfile_that_only_uv_sees_to_be_stale() {
    let repo = locked(pinned().build());
    let manifest = repo.read("prod/pyproject.toml");
    let setting = |setting: &str| manifest.replace("[tool.uv]\n", &format!("[tool.uv]\n{setting}\n"));
    for text in [setting("resolution = \"lowest\""), setting("environments = [\"sys_platform == 'linux'\"]")] {
        assert_ne!(text, manifest);
        repo.write("prod/pyproject.toml", &text);
        let by_uv = repo.uv(["lock", "--project", "prod", "--check", "--offline"]).run();
        assert_ne!(by_uv.status(), Some(0), "{text}\n{by_uv}");
        let stale = found(&repo).into_iter().filter(|finding| finding.contains("[stale-lockfile]"));
        assert_eq!(stale.collect::<Vec<_>>(), ["error[stale-lockfile] prod/pyproject.toml:2"], "{text}");
        let said = repo.uvenv(["check", "--profile", "prod"]).ends(1);
        assert!(
            said.told().contains("the lockfile of prod is stale: uv reports that it needs to be updated"),
            "{said}"
        );
        repo.uvenv(["lock", "--profile", "prod", "--locked"]).fails("stale-lockfile");
    }
}

#[test]
fn reports_a_tag_on_the_wrong_commit() {
    let repo = locked(pinned().build());
    let remote = repo.remote("bench-utils");
    repo.program("git", ["-C", remote.as_str(), "tag", "v0.1.4", "v0.1.3^{commit}"]).ok();
    promote(&repo, "prod", "v0.1.2", "v0.1.4");
    assert_eq!(
        found(&repo),
        [
            "error[version-tag-mismatch] prod/pyproject.toml:13",
            "warning[staging-behind-prod] staging/pyproject.toml:13"
        ]
    );
}

#[test]
fn reports_an_internal_package_locked_from_an_index() {
    let repo = locked(pinned().build());
    repo.uv(["build", "--wheel", "packages/print-utils", "--out-dir", "wheels"]).ok();
    repo.replace("prod/pyproject.toml", "\"print-utils\", ", "");
    repo.replace("prod/pyproject.toml", "[tool.uv]\n", "[tool.uv]\nfind-links = [\"../wheels\"]\n");
    lock(&repo, "prod");
    let findings = found(&repo);
    assert_eq!(
        findings[..2],
        ["error[missing-internal-package] prod/pyproject.toml:2", "error[unused-source] prod/pyproject.toml:13"]
    );
    assert!(findings[2].starts_with("error[internal-package-from-index] prod/uv.lock:"), "{findings:?}");
    assert_eq!(findings.len(), 3);
}

#[test]
fn reports_a_lockfile_made_from_the_working_tree() {
    let repo = locked(pinned().build());
    let pins = repo.read("prod/pyproject.toml");
    let (before, _) = pins.split_once("[tool.uv.sources]").expect("it has sources");
    let path = |package: &str| format!("{package} = {{ path = \"../packages/{package}\", editable = true }}\n");
    let sources = path("print-utils") + &path("bench-utils");
    repo.write("prod/pyproject.toml", format!("{before}[tool.uv.sources]\n{sources}"));
    lock(&repo, "prod");
    let starts: Vec<_> = found(&repo).iter().map(|one| one.split_once(':').expect("a line").0.to_owned()).collect();
    let unpinned = "error[unpinned-internal-package] prod/pyproject.toml";
    let working_tree = "error[lockfile-from-working-tree] prod/uv.lock";
    assert_eq!(starts, [unpinned, unpinned, working_tree, working_tree]);

    repo.write("prod/pyproject.toml", pins);
    let stale = "error[stale-lockfile] prod/pyproject.toml";
    let starts: Vec<_> = found(&repo).iter().map(|one| one.split_once(':').expect("a line").0.to_owned()).collect();
    assert_eq!(starts, [stale, stale, working_tree, working_tree]);
}

#[test]
fn reports_missing_lockfiles() {
    let repo = pinned().build();
    assert_eq!(
        found(&repo),
        [
            "warning[missing-lockfile] pyproject.toml:2",
            "error[missing-lockfile] staging/pyproject.toml:2",
            "error[missing-lockfile] prod/pyproject.toml:2",
        ]
    );
}

#[test]
fn reports_pins_meant_for_another_profile() {
    let repo = locked(pinned().build());
    promote(&repo, "prod", "v0.1.2", "v0.1.3.dev0");
    promote(&repo, "staging", "v0.1.2.dev0", "v0.1.3");
    assert_eq!(
        found(&repo),
        ["warning[stable-tag-in-staging] staging/pyproject.toml:13", "error[dev-tag-in-prod] prod/pyproject.toml:13"]
    );
}

/// A monorepo in one git repository. Prod pins each package by a separate tag.
#[test]
fn accepts_several_packages_from_one_repository() {
    let repo = empty().package("print-utils").package_using("bench-utils", ["print-utils"]).build();
    let git = |arguments: &[&str]| repo.program("git", arguments).ok();
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "0.1.2"]);
    let pin = |package: &str| {
        git(&["tag", &format!("{package}/v0.1.2")]);
        let root = repo.root();
        format!(
            "{package} = {{ git = \"file://{root}\", tag = \"{package}/v0.1.2\", subdirectory = \"packages/{package}\" }}\n"
        )
    };
    let (bench, print) = (pin("bench-utils"), pin("print-utils"));
    let prod = |dependencies: &str, sources: &str| {
        format!(
            "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\ndependencies = [{dependencies}]\n\n\
             [tool.uv]\npackage = false\n\n[tool.uv.sources]\n{sources}"
        )
    };
    repo.write("prod/pyproject.toml", prod("\"bench-utils\", \"print-utils\"", &(bench.clone() + &print)));
    lock(&repo, "dev");
    lock(&repo, "prod");
    // uv locks both with the tag of one of them, because both tags name the same commit.
    let lockfile = repo.lockfile("prod");
    assert_eq!(lockfile.matches("&tag=print-utils%2Fv0.1.2#").count() % 2, 0, "{lockfile}");
    assert_eq!(found(&repo), [""; 0]);
    repo.uvenv(["sync", "--profile", "prod", "--frozen"]).ok();

    // One package depends on the other, at the same commit.
    repo.write("prod/pyproject.toml", prod("\"bench-utils\"", &bench));
    lock(&repo, "prod");
    assert_eq!(found(&repo), [""; 0]);
}
