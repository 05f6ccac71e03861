//! `init` and `add-package`: staging and prod manifests from the dev manifest.

use std::fs;

use serde_json::Value;
use uvenv_tests::{Fixture, Index};

use super::{PACKAGES, empty, pinned};

/// A monorepo with only the dev manifest. Its packages are clones of their remotes.
fn dev_only(repo: &Fixture) {
    for profile in ["staging", "prod"] {
        fs::remove_dir_all(repo.root().join(profile)).unwrap();
    }
    for package in PACKAGES {
        let directory = repo.root().join("packages").join(package);
        fs::remove_dir_all(&directory).unwrap();
        repo.program("git", ["clone", "--quiet", repo.remote(package).as_str(), directory.as_str()]).ok();
    }
    repo.replace("pyproject.toml", "\"packages/*\"", "\"packages/bench-utils\", \"packages/print-utils/python\"");
}

fn report(repo: &Fixture, arguments: &[&str], reason: &str) -> Value {
    repo.uvenv(arguments).arg_json().ok().report(reason)
}

fn pins(report: &Value) -> Vec<String> {
    let text = |pin: &Value, key: &str| pin[key].as_str().unwrap().to_owned();
    let pins = report["pins"].as_array().unwrap().iter();
    pins.map(|pin| format!("{} {} {}", text(pin, "profile"), text(pin, "name"), text(pin, "tag"))).collect()
}

fn written(repo: &Fixture, report: &Value) -> Vec<String> {
    let root = format!("{}/", repo.root());
    report["written"].as_array().unwrap().iter().map(|path| path.as_str().unwrap().replace(&root, "")).collect()
}

#[test]
fn manifests_have_the_urls_of_remotes_before_git_rewrites_them() {
    let repo = pinned().build();
    dev_only(&repo);
    repo.program("git", ["init", "--quiet"]).ok();
    let local = format!("url.file://{}/.insteadOf", repo.temporary().join("remotes"));
    for directory in ["", "packages/bench-utils", "packages/print-utils"] {
        let directory = repo.root().join(directory);
        let git = |words: [&str; 3]| repo.program("git", [&["-C", directory.as_str()], &words[..]].concat()).ok();
        git(["config", &local, "https://git.internal.example/"]);
        if let Some(package) = directory.file_name().filter(|name| PACKAGES.contains(name)) {
            let url = format!("https://git.internal.example/{package}.git");
            git(["config", "remote.origin.url", &url]);
        }
    }
    let report = report(&repo, &["init"], "init-finished");
    assert_eq!(pins(&report).len(), 4, "{report}");
    let prod = repo.read("prod/pyproject.toml");
    for package in PACKAGES {
        assert!(prod.contains(&format!("git = \"https://git.internal.example/{package}.git\"")), "{prod}");
    }
    assert!(!prod.contains("file://"), "{prod}");
}

#[test]
fn creates_staging_and_prod_that_lock_without_findings() {
    let repo = pinned().backends(["cu124", "cu128"]).build();
    dev_only(&repo);
    let more = "[project.scripts]\nbench = \"bench:main\"\n\n[dependency-groups]\ndev = [\"pytest\"]\n\n[tool.other]\nx = 1\n\n[tool.uv]\n";
    repo.replace("pyproject.toml", "[tool.uv]\n", more);
    repo.replace(
        "pyproject.toml",
        "dependencies = [",
        "readme = \"README.md\"\ndependencies = [\n    # six\n    \"six\",\n    ",
    );
    repo.write("README.md", "");
    let report_of_first = report(&repo, &["init"], "init-finished");
    assert_eq!(
        written(&repo, &report_of_first),
        [
            "staging/pyproject.toml",
            "prod/pyproject.toml",
            ".github/workflows/uvenv.yml",
            ".gitignore",
            "pyproject.toml"
        ]
    );
    assert_eq!(
        pins(&report_of_first),
        [
            "staging bench-utils v0.1.3.dev0",
            "staging print-utils v0.1.3.dev0",
            "prod bench-utils v0.1.3",
            "prod print-utils v0.1.3"
        ]
    );
    assert_eq!(report_of_first["unknown"], serde_json::json!([]));
    let prod = repo.read("prod/pyproject.toml");
    assert!(prod.starts_with("# The prod profile: internal packages at tags of stable releases.\n"), "{prod}");
    for gone in ["workspace", "pytest", "readme", "scripts", "tool.other", "tool.uvenv"] {
        assert!(!prod.contains(gone), "{gone} in\n{prod}");
    }
    let print_utils = format!(
        "print-utils = {{ git = \"file://{}\", tag = \"v0.1.3\", subdirectory = \"python\" }}",
        repo.remote("print-utils")
    );
    for there in [
        "# six\n    \"six\"",
        "cu124 = [\"torch==2.6.0\"]",
        "conflicts = [[{ extra = \"cu124\" }, { extra = \"cu128\" }]]",
        &format!("url = \"{}\"", Index::url("cu128")),
        "torch = [{ index = \"pytorch-cu124\", extra = \"cu124\" }",
        "package = false",
        &print_utils,
    ] {
        assert!(prod.contains(there), "no {there} in\n{prod}");
    }

    // A second run changes nothing.
    let again = repo.untouched_by(|| report(&repo, &["init"], "init-finished"));
    assert_eq!(again["written"], serde_json::json!([]));

    // Run the commands of the workflow.
    repo.replace("pyproject.toml", "dev = [\"pytest\"]", "dev = [\"idna\"]");
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo.uvenv(["lock", "--all-profiles", "--locked"]).ok();
    let check = repo.uvenv(["check", "--remote"]).arg_json().run().report("check-finished");
    assert_eq!(check["findings"], serde_json::json!([]));
    repo.uvenv(["sync", "--profile", "prod", "--frozen", "--backend", "cu124"]).ok();
    repo.assert_from_tag("prod", "v0.1.3", &PACKAGES);
}

#[test]
fn reports_and_omits_what_it_cannot_determine() {
    let repo = pinned().build();
    dev_only(&repo);
    let clone = repo.root().join("packages/bench-utils");
    repo.program("git", ["-C", clone.as_str(), "remote", "remove", "origin"]).ok();
    repo.write("prod/pyproject.toml", "[project]\nname = \"unrelated\"\nversion = \"1\"\n");
    let found = report(&repo, &["init"], "init-finished");
    assert_eq!(pins(&found), ["staging print-utils v0.1.3.dev0"]);
    let codes: Vec<_> =
        found["unknown"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["not-a-profile", "unknown-repository"]);
    assert_eq!(repo.read("prod/pyproject.toml"), "[project]\nname = \"unrelated\"\nversion = \"1\"\n");
    // It is not taken from an index instead.
    assert!(!repo.read("staging/pyproject.toml").contains("bench-utils"));
}

/// All packages are in one repository, that of the monorepo.
#[test]
fn pins_packages_of_one_repository_by_subdirectory() {
    let repo = empty().package("bench-utils").package("print-utils").build();
    let git = |arguments: &[&str]| {
        repo.program("git", ["-C", repo.root().as_str()].into_iter().chain(arguments.iter().copied())).ok();
    };
    let remote = repo.temporary().join("remotes/all.git");
    repo.program("git", ["init", "--quiet", "--bare", remote.as_str()]).ok();
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "All"]);
    for tag in ["bench-utils/v0.1.2", "print-utils/v0.1.2"] {
        git(&["tag", tag]);
    }
    let url = format!("file://{remote}");
    git(&["push", "--quiet", "--tags", &url, "HEAD:main"]);
    let found = report(&repo, &["init", "--git", &url], "init-finished");
    assert_eq!(pins(&found), ["prod bench-utils bench-utils/v0.1.2", "prod print-utils print-utils/v0.1.2"]);
    assert_eq!(found["unknown"].as_array().unwrap().len(), 2, "there is no dev-release: {found}");
    let prod = repo.read("prod/pyproject.toml");
    assert!(prod.contains("subdirectory = \"packages/print-utils\""), "{prod}");
    repo.uvenv(["lock", "--profile", "prod"]).ok();
}

#[test]
fn add_package_adds_it_to_all_profiles() {
    let repo = pinned().build();
    repo.write("pyproject.toml", repo.read("pyproject.toml").replace("\"packages/*\"", "\"packages/print-utils\""));
    repo.write("pyproject.toml", repo.read("pyproject.toml").replace("bench-utils = { workspace = true }\n", ""));
    for profile in ["pyproject.toml", "staging/pyproject.toml", "prod/pyproject.toml"] {
        let text = repo.read(profile);
        let lines = text.lines().filter(|line| !line.starts_with("bench-utils = "));
        let text = lines.collect::<Vec<_>>().join("\n") + "\n";
        repo.write(profile, text.replace(", \"bench-utils\"", "").replace("\"bench-utils\", ", ""));
    }
    let directory = repo.root().join("packages/bench-utils");
    fs::remove_dir_all(&directory).unwrap();
    repo.program("git", ["clone", "--quiet", repo.remote("bench-utils").as_str(), directory.as_str()]).ok();

    let found = report(&repo, &["add-package", "packages/bench-utils"], "package-added");
    assert_eq!(written(&repo, &found), ["pyproject.toml", "staging/pyproject.toml", "prod/pyproject.toml"]);
    assert_eq!(pins(&found), ["staging bench-utils v0.1.3.dev0", "prod bench-utils v0.1.3"]);
    let dev = repo.read("pyproject.toml");
    assert!(dev.contains("members = [\"packages/print-utils\", \"packages/bench-utils\"]"), "{dev}");
    repo.uvenv(["lock", "--all-profiles"]).ok();
    repo.uvenv(["check"]).ok();
    let again = repo.untouched_by(|| report(&repo, &["add-package", "packages/bench-utils"], "package-added"));
    assert_eq!(again["written"], serde_json::json!([]));

    repo.untouched_by(|| {
        repo.uvenv(["add-package", "packages/none"]).refused("unreadable-file");
        let outside = repo.temporary().join("tmp/elsewhere");
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("pyproject.toml"), "[project]\nname = \"elsewhere\"\nversion = \"1\"\n").unwrap();
        repo.uvenv(["add-package", outside.as_str()]).refused("outside-monorepo");
    });
}
