//! Jupyter kernels: installed, listed, removed, and started by Jupyter.

use std::{collections::BTreeSet, fs, thread};

use serde_json::{Value, json};
use uvenv_tests::{Fixture, cargo_uvenv};

use super::{backends_only, empty, three_profiles, torch};

/// A group with the real ipykernel, from PyPI.
const NOTEBOOK: &str = "[dependency-groups]\nnotebook = [\"ipykernel\"]\n\n[tool.uv]\n";

fn with_notebook(repo: &Fixture, manifest: &str) {
    repo.replace(manifest, "[tool.uv]\n", NOTEBOOK);
}

/// A monorepo with a small stand-in for ipykernel, for tests that start no kernel.
fn with_stand_in() -> Fixture {
    empty().package("ipykernel").build()
}

fn kernels(repo: &Fixture) -> Vec<Value> {
    let report = repo.uvenv(["kernel", "list"]).json().report("kernels");
    report["kernels"].as_array().unwrap().clone()
}

fn names(repo: &Fixture) -> Vec<String> {
    kernels(repo).iter().map(|kernel| kernel["name"].as_str().unwrap().to_owned()).collect()
}

/// The directory of the user's kernels.
const USER: &str = "home/.local/share/jupyter/kernels";

#[test]
fn warns_of_kernels_with_different_backends_in_one_environment() {
    let repo = uvenv_tests::Monorepo::new(super::uv()).package("ipykernel").backends(["cu124", "cu128"]).build();
    let install = |backend| repo.uvenv(["kernel", "install", "--backend", backend]).ok().stderr().to_owned();
    assert!(!install("cu124").contains("warning"));
    let warning = install("cu128");
    for part in ["warning[kernels-share-environment]", "`bench-dev-cu124` (cu124)", "`.venv`", "env-per-backend"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    repo.uvenv(["kernel", "remove", "bench-dev-cu124"]).ok();
    assert!(!install("cu128").contains("warning"));
    repo.write("pyproject.toml", repo.read("pyproject.toml") + "\n[tool.uvenv]\nenv-per-backend = true\n");
    assert!(!install("cu124").contains("warning"));
}

#[test]
fn jupyter_starts_the_kernel_with_its_environment_and_backend() {
    let repo = three_profiles().build();
    with_notebook(&repo, "prod/pyproject.toml");
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let install = ["kernel", "install", "--profile", "prod", "--backend", "cu124", "--group", "notebook"];
    repo.uvenv(install).ok();
    // Another sync changes the environment: without the group, with another backend.
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu128"]).ok();
    assert_eq!(repo.environment("prod").version("ipykernel"), None);

    let about = "import os, sys, importlib.metadata as m\n\
                 print(sys.prefix, os.environ['UVENV_BACKEND'], os.environ['UVENV_PROFILE'], m.version('torch'))";
    let sleep = "import time\nprint('interrupt me', flush=True)\ntime.sleep(3600)";
    let started =
        repo.start_kernel("bench-prod-cu124", &[about, sleep, "import bench_utils"], &[("UVENV_BACKEND", "cu128")]);
    let environment = repo.environment("prod");
    let expected = format!("{} cu124 prod {}\n", environment.path(), torch("cu124"));
    assert_eq!(started.cells[0], json!({ "status": "ok", "error": "", "stdout": expected }));
    assert_eq!(started.cells[1]["error"], "KeyboardInterrupt", "{started:?}");
    assert_eq!(started.cells[2]["status"], "ok", "{started:?}");
    assert_eq!(started.status, 0);
    assert_eq!(environment.version("torch"), Some(torch("cu124")));

    // If nothing has changed, it needs no network.
    let started = repo.start_kernel("bench-prod-cu124", &["print(1)"], &[("UV_OFFLINE", "1")]);
    assert_eq!(started.cells[0]["stdout"], "1\n", "{started:?}");
}

#[test]
fn jupyter_and_uvenv_list_the_installed_kernel() {
    let repo = with_stand_in();
    let path = repo.temporary().join(USER).join("bench-dev");
    let installed = repo.uvenv(["kernel", "install", "--display-name", "Bench"]).json().report("kernel-installed");
    let manifest = repo.root().join("pyproject.toml");
    let command = json!([
        cargo_uvenv().as_str(),
        "uvenv",
        "run",
        "--manifest-path",
        manifest.as_str(),
        "--profile",
        "dev",
        "--",
        "python",
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}"
    ]);
    let expected = json!({
        "reason": "kernel-installed", "name": "bench-dev", "display_name": "Bench", "path": path.as_str(),
        "root": repo.root().as_str(), "profile": "dev", "backend": null, "command": command, "state": "ready",
    });
    assert_eq!(installed, expected);

    let said = repo.jupyter(["-m", "jupyter_client.kernelspecapp", "list", "--json"]).ok();
    let listed: Value = serde_json::from_str(said.stdout()).unwrap();
    let spec = &listed["kernelspecs"]["bench-dev"];
    assert_eq!(spec["resource_dir"], path.as_str(), "{said}");
    assert_eq!(spec["spec"]["argv"], command);
    assert_eq!(spec["spec"]["display_name"], "Bench");
    assert_eq!(spec["spec"]["language"], "python");
    assert_eq!(spec["spec"]["metadata"]["debugger"], true);
    assert_eq!(spec["spec"]["metadata"]["uvenv"]["profile"], "dev");

    assert_eq!(names(&repo), ["bench-dev"]);
    let removed = repo.uvenv(["kernel", "remove", "Bench-Dev"]).json().report("kernel-removed");
    assert_eq!(removed["path"], path.as_str());
    assert!(names(&repo).is_empty());
    assert!(!path.exists());
}

#[test]
fn list_prints_a_table() {
    let repo = backends_only().build();
    with_stand_in_group(&repo);
    let list = || repo.uvenv(["kernel", "list"]).ok().shown();
    snapbox::assert_data_eq!(
        list(),
        snapbox::str![[r#"
No kernels found.

"#]]
    );
    let install = ["kernel", "install", "--backend", "cu124", "--group", "notebook"];
    let told = repo.uvenv(install).args(["-q"]).ok();
    assert_eq!((told.stdout(), told.stderr()), ("", ""));
    let told = repo.uvenv(install).ok().told();
    snapbox::assert_data_eq!(
        told.lines().last().unwrap(),
        snapbox::str![
            "   Installed kernel bench-dev-cu124, shown as `bench (dev, cu124)`, in [ROOT]/home/.local/share/jupyter/kernels/bench-dev-cu124"
        ]
    );
    snapbox::assert_data_eq!(
        list(),
        snapbox::str![[r#"
 kernel           shown as            profile  backend  monorepo
 bench-dev-cu124  bench (dev, cu124)  dev      cu124    [ROOT]/repo

"#]]
    );
    // Its monorepo was moved.
    let moved = repo.temporary().join("moved");
    fs::rename(repo.root(), &moved).unwrap();
    fs::create_dir(repo.root()).unwrap();
    assert_eq!(kernels(&repo)[0]["state"], "no-monorepo");
    snapbox::assert_data_eq!(
        list(),
        snapbox::str![[r#"
 kernel           shown as            profile  backend  monorepo
 bench-dev-cu124  bench (dev, cu124)  dev      cu124    [ROOT]/repo (gone)

"#]]
    );
    repo.uvenv(["kernel", "remove", "bench-dev-cu124"]).ok();
    assert!(names(&repo).is_empty());
}

/// A dependency group with the stand-in for ipykernel, a package beside the monorepo's own.
fn with_stand_in_group(repo: &Fixture) {
    repo.write("ipykernel/pyproject.toml", "[project]\nname = \"ipykernel\"\nversion = \"0.1.0\"\n[tool.uv]\npackage = true\n[build-system]\nrequires = [\"uv_build>=0.7.16,<0.14\"]\nbuild-backend = \"uv_build\"\n");
    repo.write("ipykernel/src/ipykernel/__init__.py", "");
    repo.replace("pyproject.toml", "[tool.uv]\n", "[dependency-groups]\nnotebook = [\"ipykernel\"]\n\n[tool.uv]\n");
    repo.replace("pyproject.toml", "[tool.uv.sources]\n", "[tool.uv.sources]\nipykernel = { path = \"ipykernel\" }\n");
}

#[test]
fn help_explains_how_to_add_ipykernel() {
    let repo = backends_only().build();
    let install = ["kernel", "install", "--backend", "cu128"];
    let refusal = repo.uvenv(install).refused("missing-ipykernel");
    refusal.names([repo.environment("dev").path().as_str()]);
    assert!(names(&repo).is_empty());
    // Run the exact commands of the help.
    let commands: Vec<_> = refusal.help.split('`').skip(1).step_by(2).collect();
    let [add, install] = commands[..] else { panic!("{refusal:?}") };
    let (add, install) = (add.strip_prefix("uv ").unwrap(), install.strip_prefix("cargo uvenv ").unwrap());
    repo.uv(add.split(' ')).ok();
    repo.uvenv(install.split(' ')).ok();
    let [kernel] = &kernels(&repo)[..] else { panic!("one kernel") };
    assert_eq!((&kernel["name"], &kernel["backend"]), (&json!("bench-dev-cu128"), &json!("cu128")));
}

#[test]
fn rejects_a_name_that_another_kernel_uses() {
    let (repo, other) = (with_stand_in(), with_stand_in());
    let home = repo.temporary().join("home");
    let foreign = repo.temporary().join(USER).join("python3/kernel.json");
    fs::create_dir_all(foreign.parent().unwrap()).unwrap();
    let text = r#"{"argv": ["python"], "display_name": "Python 3", "language": "python"}"#;
    fs::write(&foreign, text).unwrap();
    repo.untouched_by(|| {
        let refusal = repo.uvenv(["kernel", "install", "--name", "python3"]).refused("kernel-exists");
        refusal.names(["python3", "was not installed by uvenv"]).helps(["--name"]);
        let refusal = repo.uvenv(["kernel", "install", "--name", "bench dev"]).refused("invalid-kernel-name");
        refusal.names(["bench dev"]);
    });
    assert_eq!(fs::read_to_string(&foreign).unwrap(), text);
    // A kernel of the same profile is replaced, regardless of case.
    repo.uvenv(["kernel", "install", "--name", "Bench"]).ok();
    repo.uvenv(["kernel", "install", "--name", "bench", "--display-name", "Another"]).ok();
    assert_eq!(kernels(&repo).len(), 1);
    assert_eq!(kernels(&repo)[0]["display_name"], "Another");
    let refusal = other.uvenv(["kernel", "install", "--name", "bench"]).env("HOME", &home).refused("kernel-exists");
    refusal.names(["dev", repo.root().as_str()]);
    // The other monorepo is gone, so the name is free.
    fs::rename(repo.root(), repo.temporary().join("moved")).unwrap();
    other.uvenv(["kernel", "install", "--name", "bench"]).env("HOME", &home).ok();
}

#[test]
fn removes_only_kernels_of_uvenv() {
    let repo = with_stand_in();
    let foreign = repo.temporary().join(USER).join("python3");
    fs::create_dir_all(&foreign).unwrap();
    fs::write(foreign.join("kernel.json"), r#"{"argv": ["python"], "display_name": "Python 3"}"#).unwrap();
    repo.uvenv(["kernel", "install"]).ok();
    repo.uvenv(["kernel", "remove", "python3"]).refused("not-a-uvenv-kernel").names(["python3", foreign.as_str()]);
    assert!(foreign.join("kernel.json").exists());
    repo.uvenv(["kernel", "remove", "bench-dve"]).refused("unknown-kernel").helps(["bench-dev"]);
    repo.uvenv(["kernel", "remove", "../kernels/bench-dev"]).refused("unknown-kernel");
    // A kernel that does not exist does not stop the removal of the others.
    repo.uvenv(["kernel", "remove", "none", "bench-dev"]).refused("unknown-kernel").names(["none"]);
    assert!(names(&repo).is_empty());
}

#[test]
fn prefix_installs_for_a_single_jupyter() {
    let repo = with_stand_in();
    let prefix = repo.temporary().join("jupyter");
    let prefix = ["--prefix", prefix.as_str()];
    let installed = repo.uvenv(["kernel", "install"]).args(prefix).json().report("kernel-installed");
    let data = repo.temporary().join("jupyter/share/jupyter");
    assert_eq!(installed["path"], data.join("kernels/bench-dev").as_str());
    assert!(names(&repo).is_empty());
    let listed = |variable: (&str, &str)| {
        let report = repo.uvenv(["kernel", "list"]).env(variable.0, variable.1).json().report("kernels");
        report["kernels"].as_array().unwrap().len()
    };
    assert_eq!(listed(("JUPYTER_PATH", data.as_str())), 1);
    assert_eq!(listed(("JUPYTER_DATA_DIR", data.as_str())), 1);
    assert_eq!(listed(("VIRTUAL_ENV", prefix[1])), 1);
    repo.uvenv(["kernel", "remove", "bench-dev"]).refused("unknown-kernel");
    repo.uvenv(["kernel", "remove", "bench-dev"]).args(prefix).ok();
    assert_eq!(listed(("JUPYTER_PATH", data.as_str())), 0);
}

#[test]
fn concurrent_installs_leave_complete_kernels() {
    let repo = with_stand_in();
    repo.uvenv(["sync"]).ok();
    thread::scope(|scope| {
        for name in ["one", "one", "two", "two"] {
            let repo = &repo;
            scope.spawn(move || repo.uvenv(["kernel", "install", "--name", name]).ok());
        }
    });
    assert_eq!(names(&repo), ["one", "two"]);
    let entries = repo.temporary().join(USER).read_dir_utf8().unwrap();
    let entries: BTreeSet<_> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
    assert_eq!(entries, BTreeSet::from(["one".to_owned(), "two".to_owned()]));
}

#[test]
fn kernel_command_keeps_the_options_of_the_install() {
    let repo = with_stand_in();
    repo.replace("pyproject.toml", "[tool.uv]\n", "[dependency-groups]\nplots = []\n\n[tool.uv]\n");
    let flags = ["--group", "plots", "--no-default-groups", "--all-packages", "--python", "3"];
    let installed = repo.uvenv(["kernel", "install"]).args(flags).json().report("kernel-installed");
    let command: Vec<_> = installed["command"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for flag in ["--group=plots", "--no-default-groups", "--all-packages", "--python=3"] {
        assert!(command.contains(&flag), "{flag}: {command:?}");
    }
    // uvenv accepts this command line, up to the kernel itself.
    let end = command.iter().position(|word| *word == "--").unwrap();
    repo.uvenv(&command[2..=end]).args(["python", "-c", "import ipykernel"]).ok();
}
