//! The output of uvenv: the table of profiles and the JSON objects.

use snapbox::{assert_data_eq, str};

use super::{PACKAGES, empty, pinned, three_profiles, uv};

#[test]
fn shows_a_new_monorepo() {
    let repo = three_profiles().build();
    let said = repo.untouched_by(|| repo.uvenv(["status"]).ok());
    assert_data_eq!(
        said.shown(),
        str![[r#"
[ROOT]/repo
 profile  manifest                lockfile  environment
 dev      pyproject.toml          missing   .venv missing
 staging  staging/pyproject.toml  missing   staging/.venv missing
 prod     prod/pyproject.toml     missing   prod/.venv missing

 package      dev    staging                   prod
 bench-utils  0.1.2  v0.1.2.dev0 (not locked)  v0.1.2 (not locked)
 print-utils  0.1.2  v0.1.2.dev0 (not locked)  v0.1.2 (not locked)

"#]]
    );
}

#[test]
fn shows_profiles_that_are_in_sync_stale_and_missing() {
    let repo = three_profiles().build();
    for profile in ["dev", "prod"] {
        repo.uvenv(["sync", "--profile", "dev", "--backend", "cu124"]).ok();
        repo.uvenv(["lock", "--profile", profile]).ok();
    }
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu128"]).ok();
    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v0.1.3\"");
    let said = repo.untouched_by(|| repo.uvenv(["status"]).ok());
    assert_data_eq!(
        said.shown(),
        str![[r#"
[ROOT]/repo
 profile  manifest                lockfile  environment
 dev      pyproject.toml          fresh     .venv in sync (Python [PYTHON], cu124)
 staging  staging/pyproject.toml  missing   staging/.venv missing
 prod     prod/pyproject.toml     stale     prod/.venv in sync (Python [PYTHON], cu128)
prod: `bench-utils` is pinned to tag `v0.1.3`, but is locked from tag `v0.1.2`

 package      dev    staging                   prod
 bench-utils  0.1.2  v0.1.2.dev0 (not locked)  v0.1.3 (not locked)
 print-utils  0.1.2  v0.1.2.dev0 (not locked)  v0.1.2 ([COMMIT])

"#]]
    );
    let status = repo.untouched_by(|| repo.uvenv(["status"]).json()).report("status");
    let each = |of: fn(&serde_json::Value) -> &serde_json::Value| -> Vec<String> {
        let profiles = status["profiles"].as_array().unwrap().iter();
        profiles.map(|profile| of(profile).as_str().unwrap_or("null").to_owned()).collect()
    };
    assert_eq!(each(|profile| &profile["profile"]), ["dev", "staging", "prod"]);
    assert_eq!(each(|profile| &profile["lockfile"]["state"]), ["fresh", "missing", "stale"]);
    assert_eq!(each(|profile| &profile["environments"][0]["state"]), ["in-sync", "missing", "in-sync"]);
    assert_eq!(each(|profile| &profile["environments"][0]["backend"]), ["cu124", "null", "cu128"]);
    let commit = repo.tag_commit("print-utils", "v0.1.2");
    let prod = &status["packages"][1]["profiles"][2];
    assert_eq!((&prod["reference"], &prod["commit"]), (&"v0.1.2".into(), &commit.into()), "{status}");
}

#[test]
fn status_works_without_uv_network_and_cargo() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--all-profiles"]).ok();
    for package in PACKAGES {
        std::fs::remove_dir_all(repo.remote(package)).unwrap();
    }
    repo.uvenv(["status"]).without("cargo").without("rustc").env_remove("UVENV_UV").ok();
}

#[test]
fn sync_finished_reports_what_was_done() {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let sync = ["sync", "--profile", "prod", "--backend", "cu124"];
    let finished = repo.uvenv(sync).json().report("sync-finished");
    assert_eq!(finished["profile"], "prod");
    assert_eq!(finished["backend"], "cu124");
    assert_eq!(finished["environment"], repo.environment("prod").path().as_str());
    assert_eq!(finished["python"]["path"], repo.environment("prod").python().as_str());
    assert_eq!(finished["python"]["version"], repo.python_version());
    assert_eq!(finished["changed"], true);
    assert_eq!(finished["removed"], serde_json::json!([]));
    assert_eq!(finished["uv"]["version"], uv().version());
    assert_eq!(finished["uv"]["path"], uv().path().as_str());
    assert!(finished["elapsed_ms"].is_number(), "{finished}");
    let installed = finished["installed"].as_array().unwrap();
    let names: Vec<_> = installed.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["bench-utils", "print-utils", "torch"]);
    assert_eq!(installed[0]["version"], "0.1.2");
    let source = installed[0]["source"].to_string();
    assert!(source.contains(&repo.tag_commit("bench-utils", "v0.1.2")), "{source}");

    let again = repo.uvenv(sync).json().report("sync-finished");
    assert_eq!(again["changed"], false);
    assert_eq!(again["installed"], serde_json::json!([]));
}

#[test]
fn json_format_prints_only_json_objects() {
    let repo = three_profiles().build();
    for arguments in [
        &["status"][..],
        &["backend", "list"],
        &["backend", "detect"],
        &["lock", "--dry-run"],
        &["lock", "--all-profiles"],
        &["lock", "--all-profiles", "--locked"],
        &["sync", "--backend", "cu124", "--dry-run"],
        &["sync", "--backend", "cu124"],
        &["status"],
    ] {
        let outcome = repo.uvenv(arguments).json();
        assert!(!outcome.reports().is_empty(), "{outcome}");
    }
}

#[test]
fn errors_point_into_their_file() {
    let repo = empty().file("pyproject.toml", "[project]\nname = \"bench\"\nversion = 1\n").build();
    repo.uvenv(["status"]).refused("invalid-value").points_to("pyproject.toml", 3);
}

#[test]
fn quiet_prints_nothing_and_verbose_shows_commands() {
    let repo = empty().package("print-utils").build();
    let verbose = repo.uvenv(["-v", "sync"]).ok();
    assert!(verbose.stderr().contains(uv().path().as_str()), "{verbose}");
    let quiet = repo.uvenv(["-q", "sync"]).ok();
    assert_eq!((quiet.stdout(), quiet.stderr()), ("", ""));
}

#[test]
fn honours_colour_settings() {
    let repo = empty().backends(["cu124", "cu128"]).build();
    let coloured = |arguments: &[&str], name: &str, value: &str| {
        let outcome = repo.uvenv(arguments).env("CARGO_TERM_COLOR", "auto").env(name, value).ends(2);
        outcome.stderr().contains('\x1b')
    };
    assert!(coloured(&["sync", "--color", "always"], "NO_COLOR", ""));
    assert!(coloured(&["sync"], "CARGO_TERM_COLOR", "always"));
    assert!(!coloured(&["sync", "--color", "never"], "CARGO_TERM_COLOR", "always"));
    assert!(!coloured(&["sync"], "NO_COLOR", "1"));
    assert!(!coloured(&["sync"], "NO_COLOR", ""));
}

#[test]
fn detects_changes_made_by_other_tools() {
    let repo = empty().package("print-utils").build();
    repo.uvenv(["sync"]).ok();
    let state = || {
        let status = repo.untouched_by(|| repo.uvenv(["status"]).json()).report("status");
        let profile = &status["profiles"][0];
        let text = |value: &serde_json::Value| value["state"].as_str().unwrap().to_owned();
        (text(&profile["lockfile"]), text(&profile["environments"][0]))
    };
    assert_eq!(state(), ("fresh".into(), "in-sync".into()));
    repo.uv(["pip", "install", "six"]).ok();
    assert_eq!(state(), ("fresh".into(), "out-of-sync".into()));
    repo.uvenv(["sync"]).ok();
    assert_eq!(state(), ("fresh".into(), "in-sync".into()));
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"six\", ");
    assert_eq!(state().0, "stale");
    repo.write("pyproject.toml", repo.read("pyproject.toml").replace("\"six\", ", ""));
    std::fs::remove_file(repo.environment("dev").path().join("pyvenv.cfg")).unwrap();
    assert_eq!(state(), ("fresh".into(), "broken".into()));
    repo.write("uv.lock", "version = 1\n[[");
    assert_eq!(state().0, "unreadable");
}
