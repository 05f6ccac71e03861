//! The variables of an environment: printed for shells and files, and merged into cargo's configuration.

use std::collections::BTreeMap;

use uvenv_tests::{Fixture, Invocation, cargo_uvenv};

use super::{backends_only, empty};

/// `script` in a shell with cargo-uvenv on `PATH` and leftover variables of another Python.
fn shell<'a>(repo: &'a Fixture, script: &str) -> Invocation<'a> {
    let shell = repo.program("sh", ["-euc", script]).on_path(cargo_uvenv().parent().unwrap()).with_system();
    shell.env("PYTHONHOME", "/somewhere").env("CONDA_PREFIX", "/opt/conda").env("LD_LIBRARY_PATH", "/opt/lib")
}

/// The variables that a shell has at the end of `script`, without the shell's own.
fn variables(repo: &Fixture, script: &str) -> BTreeMap<String, String> {
    let said = shell(repo, script).ok();
    let pairs = said.stdout().lines().filter_map(|line| line.split_once('='));
    let pairs = pairs.filter(|(name, _)| !["_", "PWD", "OLDPWD", "SHLVL"].contains(name));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn shell_output_sets_the_same_variables_as_run() {
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    let of_run = variables(&repo, "cargo-uvenv -q run --no-sync -- env");
    assert_eq!(of_run["VIRTUAL_ENV"], repo.environment("dev").path().as_str());
    assert!(!of_run.contains_key("PYTHONHOME") && !of_run.contains_key("CONDA_PREFIX"));
    let evaluate = "eval \"$(cargo-uvenv env --shell bash)\"";
    assert_eq!(variables(&repo, &format!("{evaluate}; env")), of_run);
    assert_eq!(variables(&repo, &format!("{evaluate}; {evaluate}; env")), of_run);
}

#[test]
fn file_formats_hold_the_same_variables_as_run() {
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    let mut expected = variables(&repo, "cargo-uvenv -q run --no-sync -- env");
    let json = shell(&repo, "cargo-uvenv env --format json").ok();
    let json: serde_json::Value = serde_json::from_str(json.stdout()).unwrap();
    for (name, value) in json.as_object().unwrap() {
        assert_eq!(value.as_str(), expected.get(name).map(String::as_str), "{name}");
    }

    // Variables that `run` unsets are empty here, because a line of a file cannot unset a variable.
    expected.extend(["PYTHONHOME", "CONDA_PREFIX"].map(|name| (name.to_owned(), String::new())));
    assert_eq!(variables(&repo, "cargo-uvenv env --format dotenv > file; set -a; . ./file; env"), expected);
    let github = shell(&repo, "cargo-uvenv env --format github").ok();
    for line in github.stdout().lines() {
        let (name, value) = line.split_once('=').unwrap();
        assert_eq!(value, expected[name], "{name}");
    }
    assert!(github.stdout().contains("\nPATH=") && github.stdout().contains("\nPYTHONHOME=\n"), "{github}");

    // In a workflow, the directory goes to `GITHUB_PATH`, so that it precedes those of earlier steps.
    repo.write("added", "/opt/python/bin\n");
    let github = shell(&repo, "cargo-uvenv env --format github").env("GITHUB_PATH", repo.root().join("added")).ok();
    assert!(!github.stdout().contains("\nPATH="), "{github}");
    assert_eq!(repo.read("added"), format!("/opt/python/bin\n{}\n", repo.environment("dev").path().join("bin")));
    let refused = repo.uvenv(["env", "--format", "github"]).env("GITHUB_PATH", "/no/such/file").ends(2);
    assert!(refused.told().contains("error[not-writable]") && refused.stdout().is_empty(), "{refused}");
}

#[test]
fn quotes_a_path_with_quotes_and_spaces() {
    let repo =
        empty().file("it's `a` \"$HOME\"/pyproject.toml", "[project]\nname = \"odd\"\nversion = \"1\"\n").build();
    let evaluate = "cd \"it's \\`a\\` \\\"\\$HOME\\\"\"; cargo-uvenv -q sync; eval \"$(cargo-uvenv env --shell bash)\"";
    let seen = variables(&repo, &format!("{evaluate}; env"));
    assert_eq!(seen["VIRTUAL_ENV"], repo.root().join("it's `a` \"$HOME\"/.venv"));
    let refused = repo.uvenv(["env", "--format", "dotenv"]).within("it's `a` \"$HOME\"").ends(2);
    assert!(refused.told().contains("error[unquotable-value]"), "{refused}");
}

#[test]
fn rejects_a_missing_environment() {
    let repo = empty().build();
    for arguments in [&["env"][..], &["env", "--format", "json"], &["env", "--write-cargo-config"]] {
        let refused = repo.untouched_by(|| repo.uvenv(arguments).refused("missing-environment"));
        refused.names([".venv"]).helps(["cargo uvenv sync --profile dev"]);
    }
}

#[test]
fn backend_selects_the_environment() {
    let repo = backends_only().rust_crate("kernels", "").build();
    repo.replace("Cargo.toml", "[workspace]\n", "[workspace]\nmetadata.uvenv.env-per-backend = true\n");
    for backend in ["cu124", "cu128"] {
        repo.uvenv(["sync", "--backend", backend]).ok();
    }
    let report = repo.uvenv(["env", "--backend", "cu128"]).json().report("environment");
    assert_eq!(report["environment"], repo.root().join(".venv-cu128").as_str());
    assert_eq!(report["backend"], "cu128");
    repo.uvenv(["env", "--backend", "cu128", "--write-cargo-config"]).ok();
    assert!(repo.read(".cargo/config.toml").contains("UVENV_BACKEND = \"cu128\""));
    repo.uvenv(["env"]).refused("backend-required");
}

#[test]
fn json_message_has_the_change_of_each_variable() {
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    let report = repo.uvenv(["env"]).json().report("environment");
    let change = |name: &str| {
        let variables = report["variables"].as_array().unwrap();
        variables.iter().find(|variable| variable["name"] == name).unwrap().clone()
    };
    assert_eq!(change("PATH")["change"], "prepend");
    assert_eq!(change("PATH")["directories"][0], repo.environment("dev").path().join("bin").as_str());
    assert_eq!(change("PYTHONHOME")["change"], "unset");
    assert_eq!(change("PYO3_PYTHON")["value"], report["python"]["path"]);
    assert!(report["cargo_config"].is_null());
}

#[test]
fn keeps_a_cargo_configuration_that_it_cannot_change() {
    let repo = empty().file(".cargo/config.toml", "[env]\nA = \n").build();
    repo.uvenv(["sync"]).ok();
    let write = || repo.uvenv(["env", "--write-cargo-config"]);
    let refused = repo.untouched_by(|| write().refused("invalid-toml"));
    refused.points_to(".cargo/config.toml", 2);

    repo.write(".cargo/config.toml", "env = 1\n");
    repo.untouched_by(|| write().refused("invalid-value")).points_to(".cargo/config.toml", 1);

    repo.write(".cargo/config.toml", "# ours\n");
    repo.program("sh", ["-c", "chmod a-w .cargo/config.toml"]).with_system().ok();
    repo.untouched_by(|| write().refused("cargo-config-not-writable")).names([".cargo/config.toml"]);
}

#[test]
fn keeps_a_custom_runner_and_warns() {
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    let runner = "[target.x86_64-unknown-linux-gnu]\nrunner = \"valgrind\"\n";
    repo.write(".cargo/config.toml", runner);
    let outcome = repo.uvenv(["env", "--write-cargo-config"]).json();
    assert_eq!(outcome.report("warning")["code"], "other-runner");
    assert_eq!(outcome.report("environment")["cargo_config"]["changed"], true);
    let written = repo.read(".cargo/config.toml");
    assert!(written.starts_with(runner) && !written.contains("cfg(all())"), "{written}");
}
