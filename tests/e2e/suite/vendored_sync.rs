//! `sync --vendored`: without index, git and network.

use std::{
    fs,
    io::{Write as _, stderr},
    os::unix::fs::symlink,
};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};
use uvenv_tests::{Cpython, Fixture, Invocation, Kind, Refusal, interpreter_of, seed};

use super::{PACKAGES, three_profiles, torch};

const SYNC: [&str; 7] = ["sync", "--profile", "prod", "--backend", "cu124", "--vendored", "vendored"];

/// A monorepo whose prod is vendored with cu124.
fn vendored() -> Fixture {
    let repo = three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124", "-o", "vendored"]).ok();
    repo
}

/// The command on a machine without git and cargo and, where the machine allows it, in a namespace without network.
fn sealed<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    let command = repo.uvenv(arguments).without("git").without("cargo").without("rustc");
    command.clone().without_network().unwrap_or(command)
}

fn wheel(repo: &Fixture, start: &str) -> Utf8PathBuf {
    let entries = repo.root().join("vendored/wheels").read_dir_utf8().unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().into_path());
    paths.find(|path| path.file_name().unwrap().starts_with(start)).unwrap()
}

/// The lock with the checksum that belongs to it.
fn sealed_lock(lock: &str) -> String {
    let (before, checksum) = lock.split_once("\nchecksum = \"").unwrap();
    let (_, after) = checksum.split_once('"').unwrap();
    let with = |checksum: &str| format!("{before}\nchecksum = \"{checksum}\"{after}");
    let hash = Sha256::digest(with(""));
    with(&hash.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat())
}

fn refused(repo: &Fixture, code: &str) -> Refusal {
    repo.untouched_by(|| sealed(repo, &SYNC).refused(code))
}

#[test]
fn equals_the_environment_of_a_sync_with_network() {
    let repo = vendored();
    sealed(&repo, &SYNC).ok();
    let environment = repo.environment("prod");
    let files = environment.files();
    for package in PACKAGES {
        assert_eq!(environment.commit(package), repo.tag_commit(package, "v0.1.2"));
    }
    assert_eq!(environment.version("torch"), Some(torch("cu124")));
    repo.uvenv(["verify", "--profile", "prod"]).ok();
    // The next sync has nothing to do, whether from the directory or with network.
    let report = sealed(&repo, &SYNC).json().report("sync-finished");
    assert_eq!(report["changed"], false, "{report}");
    let report = repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124"]).json().report("sync-finished");
    assert_eq!(report["changed"], false, "{report}");
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu124", "--recreate"]).ok();
    repo.environment("prod").files().assert_eq(&files);
}

#[test]
fn a_second_sync_starts_nothing_until_something_changes() {
    let repo = vendored();
    let sync = |arguments: &[&str]| sealed(&repo, arguments).json().report("sync-finished");
    assert_eq!(sync(&SYNC)["changed"], true);
    assert_eq!(sync(&SYNC)["uv_invoked"], false);
    let run = ["run", "--profile", "prod", "--vendored", "vendored", "-v", "--", "python", "-V"];
    sealed(&repo, &run).ok();
    let again = sealed(&repo, &run).ok();
    assert!(!again.stderr().contains("Checked") && !again.stderr().contains("Audited"), "{again}");

    let wheel = wheel(&repo, "bench_utils");
    let surplus = wheel.with_file_name("surplus.whl");
    let content = fs::read(&wheel).unwrap();
    fs::write(&wheel, [&content[..], b"x"].concat()).unwrap();
    refused(&repo, "changed-vendored-file");
    fs::write(&wheel, &content).unwrap();
    assert_eq!((&sync(&SYNC)["changed"], &sync(&SYNC)["uv_invoked"]), (&false.into(), &false.into()));
    fs::write(&surplus, "").unwrap();
    refused(&repo, "surplus-vendored-file");
    fs::remove_file(&surplus).unwrap();
    sync(&SYNC);
    assert_eq!(sync(&SYNC)["uv_invoked"], false);
    let lock = repo.read("vendored/pylock.toml");
    repo.write("vendored/pylock.toml", lock.replace("profile = \"prod\"", "profile = \"staging\""));
    refused(&repo, "damaged-vendored-lock");
    repo.write("vendored/pylock.toml", lock);
    sync(&SYNC);
    assert_eq!(sync(&SYNC)["uv_invoked"], false);

    // A sync with network has quick answers of its own.
    repo.uv(["pip", "uninstall", "--python", repo.environment("prod").path().as_str(), "bench-utils"]).ok();
    assert_eq!(sync(&SYNC)["installed"][0]["name"], "bench-utils");
    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v9\"");
    sealed(&repo, &SYNC).fails("stale-lockfile");
}

#[test]
fn a_lock_is_as_it_was_vendored() {
    let repo = vendored();
    let lock = repo.read("vendored/pylock.toml");
    let commit = repo.tag_commit("bench-utils", "v0.1.2");
    for (old, new) in [
        (commit.as_str(), "0".repeat(40).as_str()),
        ("file:///", "https://evil.invalid/"),
        ("name = \"torch\"\n", "name = \"torch\"\nmarker = \"sys_platform == 'win32'\"\n"),
    ] {
        assert!(lock.contains(old), "{old}");
        repo.write("vendored/pylock.toml", lock.replace(old, new));
        refused(&repo, "damaged-vendored-lock");
    }
}

#[test]
fn the_lockfile_must_satisfy_the_manifest() {
    let repo = vendored();
    repo.replace("prod/pyproject.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
    for more in [&[][..], &["--locked"]] {
        sealed(&repo, &[&SYNC, more].concat()).fails("stale-lockfile");
    }
    sealed(&repo, &[&SYNC[..], &["--frozen"]].concat()).ok();
}

#[test]
fn replaces_what_is_otherwise() {
    let repo = vendored();
    repo.uvenv(["sync", "--profile", "prod", "--backend", "cu128"]).ok();
    let python = repo.environment("prod").python();
    let remote = repo.remote("bench-utils");
    // The same version from another commit, and another distribution.
    let other = format!("bench-utils @ git+file://{remote}@main");
    repo.uv(["pip", "install", "--quiet", "--no-deps", "--python", python.as_str(), &other, "iniconfig"]).ok();
    sealed(&repo, &SYNC).ok();
    repo.uvenv(["verify", "--profile", "prod", "--backend", "cu124"]).ok();
    assert_eq!(repo.environment("prod").commit("bench-utils"), repo.tag_commit("bench-utils", "v0.1.2"));
}

#[test]
fn run_and_the_variable_use_it() {
    let repo = vendored();
    let run = [
        "run",
        "--profile",
        "prod",
        "--backend",
        "cu124",
        "--",
        "python",
        "-c",
        "import torch; print(torch.__version__)",
    ];
    let said = sealed(&repo, &run).env("UVENV_VENDORED", repo.root().join("vendored")).ok();
    assert_eq!(said.stdout(), "2.6.0+cu124\n");
    // It is kept.
    let again = ["run", "--profile", "prod", "--vendored", "vendored", "--", "python", "-V"];
    sealed(&repo, &again).ok();
    assert_eq!(repo.environment("prod").version("torch"), Some(torch("cu124")));
}

#[test]
fn rejects_a_file_that_was_changed_removed_or_added() {
    let repo = vendored();
    let path = wheel(&repo, "torch");
    let content = fs::read(&path).unwrap();
    for place in [0, content.len() / 2, content.len() - 1] {
        let mut changed = content.clone();
        changed[place] ^= 1;
        fs::write(&path, changed).unwrap();
        refused(&repo, "changed-vendored-file").names(["torch-2.6.0"]);
    }
    fs::write(&path, &content[..content.len() - 1]).unwrap();
    refused(&repo, "changed-vendored-file").names(["torch-2.6.0"]);
    fs::remove_file(&path).unwrap();
    refused(&repo, "missing-vendored-file").names(["torch-2.6.0"]);
    fs::write(&path, &content).unwrap();
    let surplus = repo.root().join("vendored/wheels/other-1.0-py3-none-any.whl");
    fs::write(&surplus, "").unwrap();
    refused(&repo, "surplus-vendored-file").names(["other-1.0"]);
    fs::remove_file(surplus).unwrap();
    assert!(!repo.environment("prod").exists());
    sealed(&repo, &SYNC).ok();
}

/// Makes a random change to the wheels, and returns the file that is wrong then and the code of the refusal.
fn tamper(rng: &mut fastrand::Rng, wheels: &[(Utf8PathBuf, Vec<u8>)]) -> (Utf8PathBuf, &'static str) {
    let (path, content) = &wheels[rng.usize(..wheels.len())];
    let mut changed = content.clone();
    match rng.u8(..5) {
        0 | 1 => changed[rng.usize(..content.len())] ^= rng.u8(1..),
        2 => changed.truncate(rng.usize(..content.len())),
        3 => {
            let other = path.with_file_name(format!("other_{}", path.file_name().unwrap()));
            if rng.bool() {
                fs::copy(path, &other).unwrap();
                return (other, "surplus-vendored-file");
            }
            fs::rename(path, other).unwrap();
            return (path.clone(), "missing-vendored-file");
        }
        _ => {
            let (_, other) = wheels.iter().find(|(other, _)| other != path).unwrap();
            changed.clone_from(other);
        }
    }
    fs::write(path, changed).unwrap();
    (path.clone(), "changed-vendored-file")
}

/// Flipped, truncated, swapped, renamed and added files; `UVENV_TAMPER_STEPS` sets how many.
#[test]
fn rejects_tampered_wheels_by_name() {
    let repo = vendored();
    let directory = repo.root().join("vendored/wheels");
    let entries = directory.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let wheels: Vec<_> = entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let (seed, steps) = seed::from_variables("UVENV_TAMPER", 1, 20);
    writeln!(stderr(), "UVENV_TAMPER_SEED={seed}").unwrap();
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..steps {
        let (file, code) = tamper(&mut rng, &wheels);
        refused(&repo, code).names([file.file_name().unwrap()]);
        fs::remove_dir_all(&directory).unwrap();
        fs::create_dir(&directory).unwrap();
        for (path, content) in &wheels {
            fs::write(path, content).unwrap();
        }
    }
    assert!(!repo.environment("prod").exists());
    sealed(&repo, &SYNC).ok();
}

#[test]
fn rejects_a_directory_for_something_else() {
    let repo = vendored();
    let other = |arguments: &[&str], code| repo.untouched_by(|| sealed(&repo, arguments).refused(code));
    let with = |backend: &'static str| ["sync", "--profile", "prod", "--backend", backend, "--vendored", "vendored"];
    other(&with("cu128"), "vendored-for-another-backend").names(["cu128", "prod with cu124"]);
    other(&with("none"), "vendored-for-another-backend").names(["no backend"]);
    repo.uvenv(["lock", "--profile", "staging"]).ok();
    let staging = ["sync", "--profile", "staging", "--backend", "cu124", "--vendored", "vendored"];
    other(&staging, "vendored-for-another-profile").names(["staging", "prod with cu124"]);
    other(&[&SYNC[..5], &["--vendored", "packages"]].concat(), "no-vendored-lock").names(["packages"]);
    other(&[&SYNC[..5], &["--vendored", "nowhere"]].concat(), "no-vendored-lock").names(["nowhere"]);
    for (option, code) in [("--extra=plots", "vendored-selection"), ("--dry-run", "vendored-selection")] {
        other(&[&SYNC[..], &[option]].concat(), code);
    }
    let lock = repo.read("vendored/pylock.toml");
    repo.write("vendored/pylock.toml", sealed_lock(&lock.replace("pythons = [\"3.", "pythons = [\"2.")));
    other(&SYNC, "vendored-for-another-python").names(["2."]);
    repo.write("vendored/pylock.toml", &lock);

    // The pins of the manifest are not those of the lockfile.
    repo.replace("prod/pyproject.toml", "tag = \"v0.1.2\"", "tag = \"v0.1.3\"");
    repo.untouched_by(|| sealed(&repo, &SYNC).ends(1));
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    other(&SYNC, "vendored-from-another-lockfile").names(["pylock.toml", "uv.lock"]);
}

#[test]
fn a_new_environment_has_the_python_that_uv_would_take_now() {
    let Some(system) = interpreter_of(Kind::System) else { return };
    let repo = vendored();
    let home = |command: Invocation<'_>| {
        let _ = fs::remove_dir_all(repo.environment("prod").path());
        command.ok();
        repo.uvenv(["verify", "--profile", "prod", "--vendored", "vendored"]).ok();
        repo.read("prod/.venv/pyvenv.cfg").lines().find(|line| line.starts_with("home")).unwrap().to_owned()
    };
    let first = home(sealed(&repo, &SYNC));
    let other = home(sealed(&repo, &SYNC).env("UV_PYTHON", system));
    assert_ne!(first, other);
    assert_eq!(home(sealed(&repo, &SYNC)), first);
    // The last time, uv has found one that is gone.
    let link = repo.root().join("python3");
    symlink(system, &link).unwrap();
    assert_ne!(home(sealed(&repo, &SYNC).env("UV_PYTHON", &link)), first);
    fs::remove_file(link).unwrap();
    assert_eq!(home(sealed(&repo, &SYNC)), first);
    // The profile asks for one.
    repo.write("prod/.python-version", system.as_str());
    assert_ne!(home(sealed(&repo, &SYNC)), first);
    repo.write("prod/.python-version", "3\n");
    assert_eq!(home(sealed(&repo, &SYNC)), first);
    // Also where uv is not asked before, and where there is an environment.
    repo.write("prod/.python-version", "3.99\n");
    fs::remove_dir_all(repo.environment("prod").path()).unwrap();
    let failed = repo.untouched_by(|| sealed(&repo, &SYNC).ends(1));
    assert!(failed.stderr().contains("3.99"), "{failed}");
    fs::remove_file(repo.root().join("prod/.python-version")).unwrap();
    assert_eq!(home(sealed(&repo, &SYNC)), first);
    repo.write("prod/.python-version", "3.99\n");
    repo.untouched_by(|| sealed(&repo, &SYNC).refused("no-python-for-vendored")).names(["3.99"]);
    fs::remove_file(repo.root().join("prod/.python-version")).unwrap();
    let settings = repo.root().join("prod/uv.toml");
    fs::write(&settings, "python-preference = \"only-managed\"\n").unwrap();
    let managed = repo.root().join("managed");
    fs::remove_dir_all(repo.environment("prod").path()).unwrap();
    repo.untouched_by(|| sealed(&repo, &SYNC).env("UV_PYTHON_INSTALL_DIR", &managed).refused("no-python-for-vendored"));
    fs::remove_file(settings).unwrap();
    assert_eq!(home(sealed(&repo, &SYNC)), first);
}

/// Kills the first sync while uv makes the environment with this interpreter.
fn interrupt_first_sync(repo: &Fixture, python: &Utf8Path) {
    let uv = repo.which_uv().unwrap().path();
    let venv = format!("'{uv}' venv -q --no-project --python '{python}' prod/.venv");
    let script = format!("#!/bin/sh\nif [ \"$1\" = sync ]; then {venv}; kill -9 $PPID; fi\nexec '{uv}' \"$@\"\n");
    repo.write("slow-uv", script);
    repo.program("sh", ["-c", "chmod +x slow-uv"]).with_system().ok();
    let slow = sealed(repo, &SYNC).env("UVENV_UV", repo.root().join("slow-uv")).run();
    assert_ne!(slow.status(), Some(0), "{slow}");
}

#[test]
fn an_interrupted_first_sync_is_repaired() {
    let repo = vendored();
    let own = Cpython::like(repo.python_version());
    // Also where it would have had a Python for which nothing was vendored.
    let minor = |version: &str| version.split('.').nth(1).map(str::to_owned);
    let other = Cpython::all().iter().find(|other| minor(&other.version) != minor(&own.version));
    for cpython in [own].into_iter().chain(other) {
        interrupt_first_sync(&repo, &cpython.python);
        sealed(&repo, &SYNC).ok();
        repo.uvenv(["verify", "--profile", "prod", "--vendored", "vendored"]).ok();
        fs::remove_dir_all(repo.environment("prod").path()).unwrap();
    }
}

#[test]
fn keeps_an_environment_whose_python_is_asked_for() {
    let Some(system) = interpreter_of(Kind::System) else { return };
    let repo = vendored();
    sealed(&repo, &SYNC).env("UV_PYTHON", system).ok();
    let kept = repo.read("prod/.venv/pyvenv.cfg");
    // uv would take another one for a new environment.
    for request in ["3", "cpython", ">=3.10"] {
        repo.write("prod/.python-version", request);
        sealed(&repo, &SYNC).ok();
        assert_eq!(repo.read("prod/.venv/pyvenv.cfg"), kept, "{request}");
    }
    fs::remove_file(repo.root().join("prod/.python-version")).unwrap();
    let python = sealed(&repo, &[&SYNC[..], &["--python", repo.python_home()]].concat()).ok();
    assert_ne!(repo.read("prod/.venv/pyvenv.cfg"), kept, "{python}");
}

/// uv takes `NAME=URL` for the name of an index.
#[test]
fn syncs_from_a_directory_of_any_name() {
    let repo = vendored();
    let place = repo.root().join("a=b %20 #ü?");
    fs::rename(repo.root().join("vendored"), &place).unwrap();
    for _ in 0..2 {
        sealed(&repo, &[&SYNC[..6], &[place.as_str()]].concat()).ok();
        fs::remove_dir_all(repo.environment("prod").path()).unwrap();
    }
}

#[test]
fn recreates_a_damaged_environment() {
    let repo = vendored();
    sealed(&repo, &SYNC).ok();
    let files = repo.environment("prod").files();
    fs::remove_dir_all(repo.environment("prod").site_packages().unwrap().join("torch")).unwrap();
    sealed(&repo, &[&SYNC[..], &["--recreate"]].concat()).ok();
    repo.environment("prod").files().assert_eq(&files);
}

/// `KIND DISTRIBUTION FILE` of each difference that `verify` finds.
fn differences(repo: &Fixture, more: &[&str], status: i32) -> Vec<String> {
    let verify = [&["verify", "--profile", "prod"], more].concat();
    let report = repo.uvenv(verify).arg_json().ends(status).report("verify-finished");
    let words = |one: &serde_json::Value| {
        let keys = ["kind", "distribution", "file"];
        keys.iter().filter_map(|key| one[key].as_str()).collect::<Vec<_>>().join(" ")
    };
    report["differences"].as_array().unwrap().iter().map(words).collect()
}

#[test]
fn verify_compares_with_the_vendored_wheels() {
    let repo = vendored();
    sealed(&repo, &SYNC).ok();
    let with_wheels = ["--vendored", "vendored"];
    assert!(differences(&repo, &with_wheels, 0).is_empty());
    // A change that hides itself: the list of the distribution has the hash of the changed file, and of one that is new.
    let environment = repo.environment("prod");
    let site_packages = environment.site_packages().unwrap();
    let write = |path: &Utf8PathBuf, text: &str| {
        let _ = fs::remove_file(path);
        fs::write(path, text).unwrap();
    };
    write(&site_packages.join("torch/__init__.py"), "");
    write(&site_packages.join("torch/more.py"), "");
    let record = site_packages.join("torch-2.6.0+cu124.dist-info/RECORD");
    let empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0";
    let lines = fs::read_to_string(&record).unwrap();
    let lines = lines.lines().filter(|line| !line.starts_with("torch/__init__.py,"));
    let text: Vec<_> =
        lines.map(str::to_owned).chain(["__init__", "more"].map(|name| format!("torch/{name}.py,{empty}"))).collect();
    write(&record, &(text.join("\n") + "\n"));
    assert!(differences(&repo, &[], 0).is_empty());
    let site_packages = site_packages.strip_prefix(environment.path()).unwrap().to_owned();
    assert_eq!(
        differences(&repo, &with_wheels, 1),
        [
            format!("changed-file torch {site_packages}/torch/__init__.py"),
            format!("added-file {site_packages}/torch/more.py"),
        ]
    );
    fs::write(wheel(&repo, "torch"), "").unwrap();
    let verify = ["verify", "--profile", "prod", "--vendored", "vendored"];
    repo.uvenv(verify).refused("changed-vendored-file").names(["torch-2.6.0"]);
}

#[test]
fn variables_of_uv_do_not_decide_what_is_installed() {
    let repo = vendored();
    sealed(&repo, &SYNC).ok();
    let files = repo.environment("prod").files();
    for (name, value) in [
        ("UV_NO_BUILD", "1"),
        ("UV_NO_BUILD_PACKAGE", "bench-utils"),
        ("UV_NO_BINARY", "1"),
        ("UV_NO_BINARY_PACKAGE", "torch"),
        ("UV_NO_GROUP", "dev"),
        ("UV_NO_SOURCES", "1"),
        ("UV_EXCLUDE_NEWER", "2001-01-01"),
    ] {
        // Something is missing, and pins are kept.
        repo.uv(["pip", "uninstall", "--python", "prod/.venv", "torch"]).ok();
        sealed(&repo, &[&SYNC[..], &["--frozen"]].concat()).env(name, value).ok();
        repo.environment("prod").files().assert_eq(&files);
    }
}

#[test]
fn pin_that_was_built_with_settings_comes_from_its_wheel() {
    let repo = vendored();
    sealed(&repo, &SYNC).ok();
    let files = repo.environment("prod").files();
    let built = ["sync", "--project", "prod", "--frozen", "--extra", "cu124", "--reinstall-package", "bench-utils"];
    repo.uv(built.iter().chain(&["--config-setting", "a=b"])).ok();
    fs::rename(repo.temporary().join("remotes"), repo.temporary().join("away")).unwrap();
    sealed(&repo, &[&SYNC[..], &["--frozen"]].concat()).ok();
    repo.environment("prod").files().assert_eq(&files);
}
