//! uvenv does not start uv if it knows that there is nothing to do, and reports why it starts uv otherwise.

use std::fs;

use serde_json::Value;
use uvenv_tests::{
    Fixture,
    native::{LOADED, SOURCE},
};

use super::{backends_only, empty, pinned, three_profiles};

/// A monorepo whose dev environment is recorded as in sync.
fn at_rest() -> Fixture {
    let repo = empty().package("print-utils").build();
    for _ in 0..2 {
        repo.uvenv(["sync"]).ok();
    }
    assert!(!asks(&repo, &["sync"]));
    repo
}

/// Whether uvenv starts uv; the command must succeed and change nothing.
fn asks(repo: &Fixture, command: &[&str]) -> bool {
    let said = repo.uvenv(["-v"].iter().chain(command)).json();
    let report = said.report("sync-finished");
    assert_eq!(report["changed"], false, "{report}");
    report["uv_invoked"].as_bool().expect("it is said")
}

/// The reason why uvenv calls uv.
fn why(repo: &Fixture, command: &[&str]) -> String {
    let said = repo.uvenv(["-v"].iter().chain(command)).ok();
    let line = said.stderr().lines().find_map(|line| line.split_once("calling uv: "));
    line.map_or_else(|| panic!("no line `calling uv`: {said}"), |(_, why)| why.to_owned())
}

#[test]
fn recorded_sync_reports_the_same_as_uv() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["lock"]).ok();
    let first = repo.uvenv(["sync"]).json().report("sync-finished");
    assert_eq!((&first["changed"], &first["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));
    // The files that were just installed are already trusted.
    let second = repo.uvenv(["sync"]).json().report("sync-finished");
    assert_eq!((&second["changed"], &second["uv_invoked"]), (&Value::Bool(false), &Value::Bool(false)));
    for key in ["profile", "backend", "backend_origin", "environment", "python", "uv"] {
        assert_eq!(first[key], second[key], "{key}");
    }
}

#[test]
fn records_each_profile_and_backend_separately() {
    let repo = three_profiles().build();
    for profile in ["dev", "staging", "prod"] {
        repo.uvenv(["lock", "--profile", profile]).ok();
        let sync = ["sync", "--profile", profile, "--backend", "cu124"];
        repo.uvenv(sync).ok();
        assert!(!asks(&repo, &sync), "{profile}");
    }
    for profile in ["dev", "staging", "prod"] {
        assert!(!asks(&repo, &["sync", "--profile", profile, "--backend", "cu124"]), "{profile}");
    }
    let other = ["sync", "--profile", "prod", "--backend", "cu128"];
    let report = repo.uvenv(other).json().report("sync-finished");
    assert_eq!((&report["changed"], &report["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));
    assert!(!asks(&repo, &other));
    // The record of the first backend is no longer valid.
    let report = repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).json().report("sync-finished");
    assert_eq!((&report["changed"], &report["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));
}

#[test]
fn reports_why_uv_is_called() {
    let repo = at_rest();
    repo.replace("packages/print-utils/pyproject.toml", "version = \"0.1.2\"", "version = \"0.1.2\"\n# more");
    assert_eq!(why(&repo, &["sync"]), "`packages/print-utils/pyproject.toml` has changed");
    repo.uvenv(["sync"]).ok();
    assert!(!asks(&repo, &["sync"]));

    repo.write("packages/new-utils/pyproject.toml", "[project]\nname = \"new-utils\"\nversion = \"1\"\n");
    assert_eq!(why(&repo, &["sync"]), "`packages` has changed");
    repo.uvenv(["sync"]).ok();
    repo.write("uv.toml", "resolution = \"lowest\"\n");
    assert_eq!(why(&repo, &["sync"]), "`uv.toml` is new");
    repo.uvenv(["sync"]).ok();
    assert!(!asks(&repo, &["sync"]));
    fs::remove_file(repo.root().join("uv.toml")).unwrap();
    assert_eq!(why(&repo, &["sync"]), "`uv.toml` is gone");
    repo.uvenv(["sync"]).ok();

    let variable = repo.uvenv(["-v", "sync"]).env("UV_HTTP_TIMEOUT", "99").ok();
    assert!(variable.stderr().contains("calling uv: the variable `UV_HTTP_TIMEOUT` has changed"), "{variable}");
}

#[test]
fn calls_uv_once_for_a_new_request() {
    let repo = backends_only().build();
    repo.uvenv(["lock"]).ok();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    assert_eq!(why(&repo, &["sync", "--backend", "cu124", "--locked"]), "no earlier sync with these options is cached");
    assert!(!asks(&repo, &["sync", "--backend", "cu124", "--locked"]));
    assert!(!asks(&repo, &["sync", "--backend", "cu124"]));
}

#[test]
fn alternating_sync_and_run_do_not_call_uv() {
    let repo = at_rest();
    let run = ["run", "--", "python", "-c", "pass"];
    repo.uvenv(run).ok();
    for _ in 0..2 {
        let said = repo.uvenv(["-v"].iter().chain(&run)).ok();
        assert!(!said.stderr().contains("Running"), "{said}");
        assert!(!asks(&repo, &["sync"]));
    }
}

#[test]
fn always_calls_uv_for_options_that_act_every_time() {
    let repo = at_rest();
    for _ in 0..2 {
        let again = ["sync", "--", "--reinstall-package", "print-utils"];
        let report = repo.uvenv(again).json().report("sync-finished");
        assert_eq!((&report["changed"], &report["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));
        let report = repo.uvenv(["sync"]).env("UV_COMPILE_BYTECODE", "1").json().report("sync-finished");
        assert_eq!(report["uv_invoked"], true);
    }
    let said = repo.uvenv(["-v", "sync"]).env("UV_COMPILE_BYTECODE", "1").ok();
    assert!(said.stderr().contains("the sync is not cached: the variable `UV_COMPILE_BYTECODE` is set"), "{said}");
}

#[test]
fn reinstalls_what_was_removed() {
    let repo = at_rest();
    let site_packages = repo.environment("dev").site_packages().unwrap();
    fs::remove_dir_all(site_packages.join("print_utils-0.1.2.dist-info")).unwrap();
    let report = repo.uvenv(["sync"]).json().report("sync-finished");
    assert_eq!((&report["changed"], &report["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));

    fs::remove_dir_all(repo.root().join(".venv")).unwrap();
    let report = repo.uvenv(["sync"]).json().report("sync-finished");
    assert_eq!((&report["changed"], &report["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));
}

#[test]
fn ignores_a_damaged_record() {
    let repo = at_rest();
    let states = repo.root().join(".venv/.uvenv-state");
    let entries = states.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    for path in entries.filter(|path| path.is_file()) {
        let text = fs::read_to_string(&path).unwrap();
        let (header, looks) = text.split_once('\n').unwrap();
        let without_look = format!("{header}\nnull\n{looks}");
        // A truncated record is ignored too.
        let ends = [text.len() / 2, looks.rfind("\n[").unwrap() + header.len() + 2, text.trim_end().len()];
        let halves = ends.map(|end| &text[..end]);
        for damaged in halves.into_iter().chain(["", "{}", "null", &without_look]) {
            fs::write(&path, damaged).unwrap();
            assert!(asks(&repo, &["sync"]));
            assert!(!asks(&repo, &["sync"]));
        }
        fs::write(&path, text.replacen("\"schema\":2", "\"schema\":99", 1)).unwrap();
        assert!(asks(&repo, &["sync"]));
    }
    fs::remove_dir_all(&states).unwrap();
    assert!(asks(&repo, &["sync"]));
    assert!(!asks(&repo, &["sync"]));
}

#[test]
fn asks_uv_for_its_version_once() {
    let repo = at_rest();
    let version = || {
        let report = repo.uvenv(["lock"]).json().report("lock-finished");
        report["uv"]["version"].as_str().expect("a version").to_owned()
    };
    let asked = version();
    let kept = repo.cache().join("versions").read_dir_utf8().unwrap().next().unwrap().unwrap().into_path();
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace(&asked, "99.0.0")).unwrap();
    assert_eq!(version(), "99.0.0");
    // It does not apply to another version of the executable.
    fs::write(&kept, text.replace(&asked, "99.0.0").replacen('[', "[1", 1)).unwrap();
    assert_eq!(version(), asked);
    assert_eq!(fs::read_to_string(&kept).unwrap(), text);
    fs::write(&kept, "damaged").unwrap();
    assert_eq!(version(), asked);
}

#[cfg(unix)]
#[test]
fn always_calls_a_uv_shim() {
    let repo = at_rest();
    let report = repo.uvenv(["lock"]).json().report("lock-finished");
    let (manager, shim) = (repo.temporary().join("manager"), repo.temporary().join("uv"));
    fs::copy(report["uv"]["path"].as_str().expect("a path"), &manager).unwrap();
    std::os::unix::fs::symlink(&manager, &shim).unwrap();
    for _ in 0..2 {
        let said = repo.uvenv(["-v", "sync"]).env("UVENV_UV", &shim).ok();
        let why = format!("the sync is not cached: `{shim}` may start different versions of uv");
        assert!(said.stderr().contains(&why), "{said}");
    }
}

#[test]
fn pinned_profile_depends_on_member_manifests_not_sources() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let sync = ["sync", "--profile", "prod", "--frozen"];
    repo.uvenv(sync).ok();
    assert!(!asks(&repo, &sync));
    fs::write(repo.root().join("packages/print-utils/src/print_utils/more.py"), "").unwrap();
    assert!(!asks(&repo, &sync));
    repo.replace("packages/print-utils/pyproject.toml", "version = \"0.1.2\"", "version = \"0.3.0\"");
    assert!(asks(&repo, &sync));
    repo.replace("packages/print-utils/pyproject.toml", "version = \"0.3.0\"", "version =");
    repo.uvenv(sync).refused("invalid-toml");
    repo.replace("packages/print-utils/pyproject.toml", "version =", "version = \"0.3.0\"");
    assert!(!asks(&repo, &sync));
    repo.replace("prod/pyproject.toml", "print-utils.git\", tag = \"v0.1.2\"", "print-utils.git\", tag = \"v0.1.3\"");
    repo.uvenv(sync).fails("stale-lockfile");
}

#[test]
fn status_calls_uv_only_after_a_change() {
    let repo = at_rest();
    let environment = |repo: &Fixture| {
        let status = repo.untouched_by(|| repo.uvenv(["-v", "status"]).json());
        let asked = status.stderr().contains("Running");
        let environment = status.report("status")["profiles"][0]["environments"][0].clone();
        (environment["state"].clone(), environment["uv_asked_because"].clone(), asked)
    };
    assert_eq!(environment(&repo), ("in-sync".into(), Value::Null, false));
    repo.write(".python-version", "3\n");
    assert_eq!(environment(&repo), ("in-sync".into(), "`.python-version` is new".into(), true));
    let said = repo.uvenv(["-v", "status"]).ok();
    assert!(said.stderr().contains("dev: checked .venv with uv because `.python-version` is new\n"), "{said}");
}

#[test]
fn frozen_record_does_not_vouch_for_the_lockfile() {
    let repo = at_rest();
    let manifest = "packages/print-utils/pyproject.toml";
    repo.replace(manifest, "version = \"0.1.2\"", "version = \"0.1.2\"\noptional-dependencies.x = []");
    for _ in 0..3 {
        repo.uvenv(["sync", "--frozen"]).ok();
    }
    assert!(!asks(&repo, &["sync", "--frozen"]));
    let status = repo.uvenv(["status"]).json().report("status")["profiles"][0].clone();
    assert_eq!(
        (&status["lockfile"]["state"], &status["environments"][0]["state"]),
        (&"stale".into(), &"in-sync".into())
    );
    repo.uvenv(["sync", "--locked"]).fails("stale-lockfile");
    // uv installs a version that is not the locked one each time.
    repo.replace(manifest, "version = \"0.1.2\"", "version = \"0.2.0\"");
    for _ in 0..3 {
        let report = repo.uvenv(["sync", "--frozen"]).json().report("sync-finished");
        assert_eq!((&report["changed"], &report["uv_invoked"]), (&Value::Bool(true), &Value::Bool(true)));
    }
}

#[test]
fn changed_crates_invalidate_a_feature_selection() {
    let repo = backends_only().rust_crate("kernels", "[features]\ncu124 = []\ncu128 = []\n").build();
    let sync = ["sync", "-p", "kernels", "-F", "cu124"];
    repo.uvenv(["lock"]).ok();
    repo.uvenv(sync).ok();
    assert!(!asks(&repo, &sync));
    repo.replace("crates/kernels/Cargo.toml", "cu124 = []", "cu124 = [\"cu128\"]");
    repo.uvenv(sync).refused("backend-conflict").names(["cu128"]);
    repo.replace("crates/kernels/Cargo.toml", "cu124 = [\"cu128\"]", "cu124 = []");
    repo.write("crates/other/Cargo.toml", "[package]\nname = \"other\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    repo.write("crates/other/src/lib.rs", "");
    assert!(asks(&repo, &sync));
    assert!(!asks(&repo, &sync));
}

/// Syncs a monorepo of native packages. Returns whether uvenv called uv, and how many packages were rebuilt.
fn sync_native(repo: &Fixture, arguments: &[&str]) -> (bool, usize) {
    let said = repo.uvenv([&["sync"], arguments].concat()).env("UVENV_BACKEND", "none").with_system().json();
    let report = said.report("sync-finished");
    (report["uv_invoked"].as_bool().unwrap(), report["rebuilt"].as_array().unwrap().len())
}

#[test]
fn first_native_build_is_recorded_with_its_sources() {
    let repo = empty().native().build();
    repo.uvenv(["lock"]).ok();
    assert!(sync_native(&repo, &[]).0);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    assert_eq!(sync_native(&repo, &[]), (true, 1));
}

#[test]
fn changed_native_sources_invalidate_the_record() {
    let repo = empty().native().build();
    let at_rest = |arguments: &[&str]| {
        let asked: Vec<_> = (0..3).map(|_| sync_native(&repo, arguments)).collect();
        assert_eq!(asked[2], (false, 0), "{asked:?}");
    };
    at_rest(&[]);
    // The package is editable, so Python reads this file directly.
    repo.write("packages/fast/python/fm/__init__.py", format!("{LOADED}# more\n"));
    assert_eq!(sync_native(&repo, &[]), (false, 0));
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    assert_eq!(sync_native(&repo, &[]), (true, 1));
    at_rest(&[]);
    repo.write("crates/kernel-core/src/new.rs", "// new\n");
    assert_eq!(sync_native(&repo, &[]), (true, 1));
    at_rest(&[]);
    assert_eq!(sync_native(&repo, &["--debug"]), (true, 2));
    at_rest(&["--debug"]);
    assert_eq!(sync_native(&repo, &[]), (true, 2), "another Cargo profile is another build");
}

/// Asserts that uvenv starts uv after `change`, whatever uv then makes of it.
#[cfg(target_os = "linux")]
fn asked_after(repo: &Fixture, command: &[&str], what: &str, change: impl FnOnce()) {
    repo.uvenv(command).ok();
    repo.uvenv(command).ok();
    assert!(!asks(repo, command), "before {what}");
    change();
    let said = repo.uvenv(["-v"].iter().chain(command)).run();
    assert!(said.stderr().contains("calling uv: "), "after {what}: {said}");
}

#[cfg(target_os = "linux")]
#[test]
fn links_to_a_path_dependency_and_to_the_project_are_followed_anew() {
    use std::os::unix::fs::symlink;

    let repo = empty().package("print-utils").build();
    let root = repo.root();
    for name in ["one", "two"] {
        repo.write(
            format!("releases/{name}/lib/pyproject.toml"),
            "[project]\nname = \"linked\"\nversion = \"1\"\n\n[tool.uv]\npackage = false\n",
        );
    }
    let current = root.join("releases/current");
    let lead_to = |name: &str| {
        let _ = fs::remove_file(&current);
        symlink(root.join("releases").join(name), &current).unwrap();
    };
    lead_to("one");
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"linked\", ");
    let source = "[tool.uv.sources]\nlinked = { path = \"releases/current/lib\" }\n";
    repo.replace("pyproject.toml", "[tool.uv.sources]\n", source);
    asked_after(&repo, &["sync"], "a link to a path dependency leads elsewhere", || lead_to("two"));

    let other = pinned().build();
    other.uvenv(["lock", "--profile", "prod"]).ok();
    fs::create_dir(other.root().join("deploy")).unwrap();
    fs::rename(other.root().join("prod"), other.root().join("deploy/one")).unwrap();
    other.program("cp", ["-R", "deploy/one", "deploy/two"]).with_system().ok();
    symlink("one", other.root().join("deploy/current")).unwrap();
    let config = "[tool.uvenv]\nprofiles = { prod = \"deploy/current\" }\n\n[tool.uv]\n";
    other.replace("pyproject.toml", "[tool.uv]\n", config);
    asked_after(&other, &["sync", "--profile", "prod"], "a link to a profile leads elsewhere", || {
        fs::remove_file(other.root().join("deploy/current")).unwrap();
        symlink("two", other.root().join("deploy/current")).unwrap();
    });
    assert!(other.root().join("deploy/two/.venv").is_dir());

    let link = repo.temporary().join("project");
    symlink(&root, &link).unwrap();
    asked_after(&repo, &["sync", "--project", link.as_str()], "a link to the project leads elsewhere", || {
        fs::remove_file(&link).unwrap();
        symlink(other.root(), &link).unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_member_without_a_manifest_and_hidden_variables_are_for_uv_to_judge() {
    let repo = empty().package("print-utils").build();
    repo.replace("pyproject.toml", "\"packages/*\"", "\"packages/*\", \"crates/*/python\"");
    repo.write("crates/a/Cargo.toml", "");
    repo.write(
        "crates/b/python/pyproject.toml",
        "[project]\nname = \"b\"\nversion = \"1\"\n\n[tool.uv]\npackage = false\n",
    );
    asked_after(&repo, &["sync"], "a directory appears where a member may be", || {
        fs::create_dir(repo.root().join("crates/a/python")).unwrap();
    });
    fs::remove_dir(repo.root().join("crates/a/python")).unwrap();
    asked_after(&repo, &["sync"], "a link appears where a member may be", || {
        std::os::unix::fs::symlink("gone", repo.root().join("crates/a/python")).unwrap();
    });
    fs::remove_file(repo.root().join("crates/a/python")).unwrap();
    asked_after(&repo, &["sync"], "the settings are a link to themselves", || {
        std::os::unix::fs::symlink("uv.toml", repo.root().join("uv.toml")).unwrap();
    });
    fs::remove_file(repo.root().join("uv.toml")).unwrap();

    repo.uvenv(["sync"]).ok();
    for (name, value) in [("RUST_LOG", "info"), ("TZDIR", "/nowhere"), ("HOME", "")] {
        let said = repo.uvenv(["-v", "sync"]).env(name, value).run();
        assert!(said.stderr().contains("calling uv: "), "{name}: {said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn never_follows_a_link_in_place_of_its_own_files() {
    use std::os::unix::fs::symlink;

    let repo = at_rest();
    let environment = repo.environment("dev");
    let documents = repo.temporary().join("documents");
    fs::create_dir(&documents).unwrap();
    for number in 0..70 {
        fs::write(documents.join(format!("{number}.jsonl")), "mine").unwrap();
    }
    let state = environment.path().join(".uvenv-state");
    fs::remove_dir_all(&state).unwrap();
    symlink(&documents, &state).unwrap();
    fs::write(repo.temporary().join("record"), "mine").unwrap();
    let record = environment.path().join(".uvenv.json");
    fs::remove_file(&record).unwrap();
    symlink(repo.temporary().join("record"), &record).unwrap();
    for _ in 0..2 {
        repo.uvenv(["sync"]).ok();
    }
    assert_eq!(fs::read_dir(&documents).unwrap().count(), 70);
    assert_eq!(fs::read_to_string(repo.temporary().join("record")).unwrap(), "mine");
    assert!(record.is_file() && !record.is_symlink());
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_environment_is_no_error_where_there_is_nothing_to_do() {
    let repo = at_rest();
    for command in [&["sync"][..], &["run", "--", "python", "-c", "pass"], &["sync", "--locked"], &["sync"]] {
        let Some(command) = repo.uvenv(command).with_read_only(&repo.root()) else { return };
        command.ok();
    }
    assert!(!asks(&repo, &["sync"]));
}
