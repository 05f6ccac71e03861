//! `verify`: what was changed in an environment, by name.

use std::{
    fs::{self, File},
    time::{Duration, SystemTime},
};

use camino::Utf8PathBuf;
use serde_json::Value;
use snapbox::{assert_data_eq, prelude::*, str};
use uvenv_tests::Fixture;

use super::{backends_only, empty, pinned, three_profiles};

fn verify(repo: &Fixture, profile: &str, more: &[&str], status: i32) -> Value {
    let arguments = [&["verify", "--profile", profile], more].concat();
    repo.uvenv(arguments).arg_json().ends(status).report("verify-finished")
}

/// `KIND DISTRIBUTION FILE INSTALLED EXPECTED` of each difference, without what a kind does not have.
fn differences(report: &Value) -> Vec<String> {
    let words = |difference: &Value| {
        let keys = ["kind", "distribution", "file", "installed", "expected"];
        keys.iter().filter_map(|key| difference[key].as_str()).collect::<Vec<_>>().join(" ")
    };
    report["differences"].as_array().unwrap().iter().map(words).collect()
}

fn found(repo: &Fixture, profile: &str) -> Vec<String> {
    differences(&verify(repo, profile, &[], 1))
}

/// The file of a package in an environment.
fn installed_file(repo: &Fixture, profile: &str, path: &str) -> Utf8PathBuf {
    repo.environment(profile).site_packages().unwrap().join(path)
}

/// How a difference names that file.
fn shown(repo: &Fixture, profile: &str, path: &str) -> String {
    let file = installed_file(repo, profile, path);
    file.strip_prefix(repo.environment(profile).path()).unwrap().to_string()
}

/// A monorepo whose prod is synced.
fn synced() -> Fixture {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod"]).ok();
    repo
}

#[test]
fn an_environment_is_as_it_was_synced() {
    let repo = three_profiles().build();
    for profile in ["dev", "prod"] {
        repo.uvenv(["lock", "--profile", profile]).ok();
        repo.uvenv(["sync", "--profile", profile, "--backend", "cu124"]).ok();
        // Importing writes bytecode.
        let import = "import bench_utils, print_utils, torch";
        repo.uvenv(["run", "--profile", profile, "--", "python", "-c", import]).ok();
        let report = repo.untouched_by(|| verify(&repo, profile, &[], 0));
        assert_eq!(report["backend"], "cu124");
        assert_eq!(report["distributions"], repo.environment(profile).distributions().len());
        assert!(report["files"].as_u64().unwrap() > 10 && report["bytes"].as_u64().unwrap() > 100, "{report}");
        assert_eq!(verify(&repo, profile, &["--fast", "--backend", "cu124"], 0)["fast"], true);
    }
    repo.uvenv(["verify", "--backend", "cu128"]).refused("other-backend");
    repo.uvenv(["verify", "--profile", "staging"]).refused("missing-environment");
}

#[test]
fn names_each_changed_file() {
    let repo = synced();
    let python = repo.environment("prod").python();
    let file = |path: &str| installed_file(&repo, "prod", path);
    fs::remove_file(file("print_utils/__init__.py")).unwrap();
    // A file that is linked to uv's cache is replaced, so that the cache stays whole.
    let module = file("bench_utils/__init__.py");
    let text = fs::read_to_string(&module).unwrap();
    fs::remove_file(&module).unwrap();
    fs::write(&module, text + "\n# more\n").unwrap();
    fs::write(file("sitecustomize.py"), "").unwrap();
    fs::write(file("bench_utils/more.so"), "").unwrap();
    fs::write(python.with_file_name("tool"), "").unwrap();
    let added = [shown(&repo, "prod", "bench_utils/more.so"), shown(&repo, "prod", "sitecustomize.py")];
    assert_eq!(
        found(&repo, "prod"),
        [
            format!("changed-file bench-utils {}", shown(&repo, "prod", "bench_utils/__init__.py")),
            format!("missing-file print-utils {}", shown(&repo, "prod", "print_utils/__init__.py")),
            "added-file bin/tool".to_owned(),
            format!("added-file {}", added[0]),
            format!("added-file {}", added[1]),
        ]
    );
    repo.uvenv(["sync", "--profile", "prod", "--recreate"]).ok();
    verify(&repo, "prod", &[], 0);
}

#[test]
fn names_distributions_that_are_missing_extra_or_of_another_version() {
    let repo = empty().build();
    repo.replace("pyproject.toml", "dependencies = []", "dependencies = [\"iniconfig==2.0.0\", \"six==1.17.0\"]");
    repo.uvenv(["sync"]).ok();
    let python = repo.environment("dev").python();
    let pip = |arguments: &[&str]| {
        repo.uv(["pip"].iter().chain(&arguments[..1]).chain(&["--python", python.as_str()]).chain(&arguments[1..]))
            .ok();
    };
    pip(&["install", "six==1.16.0", "packaging==24.2"]);
    pip(&["uninstall", "iniconfig"]);
    assert_eq!(
        found(&repo, "dev"),
        [
            "missing-distribution iniconfig 2.0.0",
            "extra-distribution packaging 24.2",
            "wrong-version six 1.16.0 1.17.0"
        ]
    );
    let said = repo.uvenv(["verify"]).ends(1);
    assert_data_eq!(
        said.stdout(),
        str![[r#"
 difference            distribution  file  installed  expected
 missing-distribution  iniconfig     -     -          2.0.0
 extra-distribution    packaging     -     24.2       -
 wrong-version         six           -     1.16.0     1.17.0

"#]]
        .raw()
    );
    assert!(said.stderr().contains("Verified dev in .venv: 2 distributions, "), "{said}");
    assert!(said.stderr().trim_end().ends_with(", 3 differences"), "{said}");
}

#[test]
fn names_pins_from_another_commit() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).ok();
    let before = repo.tag_commit("bench-utils", "v0.1.2");
    let clone = repo.temporary().join("clone");
    let git = |arguments: &[&str]| {
        repo.program("git", ["-C", clone.as_str()].into_iter().chain(arguments.iter().copied())).ok();
    };
    repo.program("git", ["clone", "--quiet", repo.remote("bench-utils").as_str(), clone.as_str()]).ok();
    git(&["checkout", "--quiet", "v0.1.2"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "Again"]);
    git(&["tag", "--force", "--no-sign", "v0.1.2"]);
    git(&["push", "--quiet", "--force", "--tags"]);
    let after = repo.tag_commit("bench-utils", "v0.1.2");
    repo.uvenv(["lock", "--profile", "prod", "--upgrade-package", "bench-utils"]).ok();
    // The backend is as it was.
    let status = repo.uvenv(["status"]).json().report("status");
    assert_eq!(status["profiles"][2]["environments"][0]["state"], "out-of-sync", "{status}");
    assert!(status["profiles"][2]["environments"][0]["detail"].is_null(), "{status}");
    assert_eq!(found(&repo, "prod"), [format!("wrong-commit bench-utils {before} {after}")]);
}

#[test]
fn names_the_backend_that_another_program_has_installed() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    repo.uv(["sync", "--extra", "cu128"]).ok();
    let found = found(&repo, "dev");
    assert_eq!(found[0], "wrong-backend cu128 cu124");
    assert_eq!(found[1], "wrong-version torch 2.6.0+cu128 2.6.0+cu124");
    // What only uv has synced has the backend that is asked for, or not.
    fs::remove_file(repo.environment("dev").path().join(".uvenv.json")).unwrap();
    verify(&repo, "dev", &["--backend", "cu128"], 0);
    assert_eq!(
        differences(&verify(&repo, "dev", &["--backend", "cu124"], 1)),
        ["wrong-version torch 2.6.0+cu128 2.6.0+cu124"]
    );
    repo.uvenv(["verify"]).refused("backend-required");
}

#[test]
fn fast_trusts_files_of_the_same_size_and_age() {
    let repo = synced();
    let module = installed_file(&repo, "prod", "bench_utils/__init__.py");
    let text = fs::read_to_string(&module).unwrap();
    let other = format!("#{}", &text[1..]);
    assert!(text != other && text.len() == other.len());
    fs::remove_file(&module).unwrap();
    fs::write(&module, other).unwrap();
    let changed = [format!("changed-file bench-utils {}", shown(&repo, "prod", "bench_utils/__init__.py"))];
    assert_eq!(differences(&verify(&repo, "prod", &["--fast"], 1)), changed);
    let before = SystemTime::now() - Duration::from_hours(1);
    File::options().append(true).open(&module).unwrap().set_modified(before).unwrap();
    verify(&repo, "prod", &["--fast"], 0);
    assert_eq!(found(&repo, "prod"), changed);
}

#[test]
fn files_of_two_distributions_may_be_those_of_either() {
    let repo = synced();
    let site_packages = repo.environment("prod").site_packages().unwrap();
    let info = |package: &str| {
        let entries = site_packages.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
        let folder = entries
            .into_iter()
            .find(|path| path.extension() == Some("dist-info") && path.file_name().unwrap().starts_with(package));
        folder.unwrap().join("RECORD")
    };
    // The second package lists the file of the first with a hash of its own, as two packages of one namespace do.
    let record = info("print_utils");
    let text = fs::read_to_string(&record).unwrap();
    fs::remove_file(&record).unwrap();
    fs::write(&record, format!("{text}bench_utils/__init__.py,sha256=AAAA,3\n")).unwrap();
    verify(&repo, "prod", &[], 0);
}
