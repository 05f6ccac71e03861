//! Packages built from Rust are never stale and match the backend of their environment.

use std::{
    fs, thread,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use uvenv_tests::{
    Environment, Fixture, Invocation, Monorepo, Uv,
    native::{BINDINGS, BINDINGS_SOURCE, CORE, CORE_SOURCE, LOADED, MANIFEST, MEMBERS, SOURCE},
};

use super::{empty, uv};

/// Two native packages, `fast-math` with a crate of the workspace behind it and `slow-math`, and two backends.
fn native() -> Monorepo {
    empty().native()
}

/// Only `fast-math`, because an older uv can only pass the same arguments to all packages.
fn alone() -> Monorepo {
    let monorepo = native();
    let manifest = MEMBERS.replace("packages/*", "packages/fast").replace(", \"slow-math\"", "");
    monorepo.file("pyproject.toml", manifest.replace("slow-math = { workspace = true }\n", ""))
}

/// uvenv on a machine with a linker.
fn uvenv<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    repo.uvenv(arguments).env("UVENV_BACKEND", "none").with_system()
}

/// Syncs and returns the rebuilt packages with their causes.
fn rebuilt(repo: &Fixture, arguments: &[&str]) -> Vec<(String, String)> {
    causes(&uvenv(repo, &[&["sync"], arguments].concat()).json().report("sync-finished"), "rebuilt")
}

fn causes(report: &Value, key: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report[key].as_array().unwrap().iter().map(|one| (text(&one["name"]), text(&one["cause"]))).collect()
}

/// Syncs, which must rebuild only `fast-math`, and returns the cause.
fn cause(repo: &Fixture, arguments: &[&str]) -> String {
    let rebuilt = rebuilt(repo, arguments);
    let [(name, cause)] = rebuilt.as_slice() else { panic!("{rebuilt:?}") };
    assert_eq!(name, "fast-math");
    cause.clone()
}

const NOTHING: [(String, String); 0] = [];

/// The result of a native function of a module in an environment.
fn answer(repo: &Fixture, environment: &Environment, module: &str, function: &str) -> String {
    let script = format!("import {module}; print({module}.library.{function}())");
    let said = repo.program("sh", ["-c", "exec \"$@\"", "sh", environment.python().as_str(), "-c", &script]).ok();
    said.stdout().trim().to_owned()
}

fn fast(repo: &Fixture, function: &str) -> String {
    answer(repo, &repo.environment("dev"), "fm", function)
}

/// When the native part of a package was last built.
fn made(repo: &Fixture, path: &str) -> SystemTime {
    fs::metadata(repo.root().join(path)).unwrap().modified().unwrap()
}

const FAST_LIBRARY: &str = "packages/fast/python/fm/native/libnative.so";
const SLOW_LIBRARY: &str = "packages/slow/python/sm/native/libnative.so";

/// Sets the time of a file to now, like an editor that saves it unchanged.
fn touch(repo: &Fixture, path: &str) {
    let file = fs::File::options().append(true).open(repo.root().join(path)).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
}

#[test]
fn editing_a_path_crate_rebuilds_only_its_dependents() {
    let repo = native().build();
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    let slow = made(&repo, SLOW_LIBRARY);
    assert_eq!((fast(&repo, "value"), fast(&repo, "backend")), ("1".into(), "0".into()));

    let fast_library = made(&repo, FAST_LIBRARY);
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    touch(&repo, SOURCE);
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    repo.write("packages/fast/python/fm/more.py", "");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    repo.write("crates/kernel-core/tests/value.rs", "");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    assert_eq!(made(&repo, FAST_LIBRARY), fast_library);

    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    repo.uv(["sync"]).env("UV_OFFLINE", "1").with_system().ok();
    assert_eq!(fast(&repo, "value"), "1", "uv alone leaves the old code");
    assert_eq!(cause(&repo, &[]), format!("{SOURCE} has changed"));
    assert_eq!(fast(&repo, "value"), "2");

    repo.replace(SOURCE, "VALUE: i32 = 2", "VALUE: i32 = 3");
    let print = ["run", "--", "python", "-c", "import fm; print(fm.library.value())"];
    assert_eq!(uvenv(&repo, &print).ok().stdout(), "3\n");
    assert_eq!(rebuilt(&repo, &["--locked"]), NOTHING);
    assert_eq!(made(&repo, SLOW_LIBRARY), slow);

    repo.replace(SOURCE, "VALUE: i32 = 3", "VALUE: i32 = more::VALUE");
    repo.write("crates/kernel-core/src/more.rs", "pub const VALUE: i32 = 4;");
    repo.write(SOURCE, format!("mod more;\n{}", repo.read(SOURCE)));
    assert_eq!(cause(&repo, &["--frozen"]), format!("{SOURCE} has changed"));
    repo.write("crates/kernel-core/src/more.rs", "pub const VALUE: i32 = 5;");
    assert_eq!(cause(&repo, &["--frozen"]), "crates/kernel-core/src/more.rs has changed");
    assert_eq!(fast(&repo, "value"), "5");
}

#[test]
fn a_document_names_the_crates_that_are_linked() {
    let repo = alone().build();
    rebuilt(&repo, &[]);
    let crates = || {
        let report = uvenv(&repo, &["sbom"]).json().report("sbom-finished");
        assert_eq!(report["unknown"].to_string(), "[]");
        let components = report["document"]["components"].as_array().unwrap().clone();
        let package = components.into_iter().find(|component| component["name"] == "fast-math").unwrap();
        assert_eq!(package["properties"][0]["value"], "packages/fast");
        let linked = package["components"].as_array().unwrap().iter();
        // Nobody has published them.
        assert!(linked.clone().all(|one| one.get("purl").is_none()));
        linked.map(|one| format!("{} {}", one["name"], one["version"])).collect::<Vec<_>>()
    };
    let expected = ["\"fm-bindings\" \"0.1.0\"", "\"kernel-core\" \"0.1.0\""];
    assert_eq!(crates(), expected);
    // As of builders that write none.
    let site_packages = repo.environment("dev").site_packages().unwrap();
    let entries = site_packages.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path());
    let sboms: Vec<_> = entries.map(|path| path.join("sboms")).filter(|path| path.exists()).collect();
    assert_eq!(sboms.len(), 1);
    fs::remove_dir_all(&sboms[0]).unwrap();
    assert_eq!(crates(), expected);
}

#[test]
fn restored_older_version_of_a_source_is_compiled() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    let path = repo.root().join(SOURCE);
    let (old, time) = (repo.read(SOURCE), fs::metadata(&path).unwrap().modified().unwrap());
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "value"), "2");
    // As `cp -p`, tar, and tools that restore times do.
    repo.write(SOURCE, &old);
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(cause(&repo, &[]), format!("{SOURCE} has changed"));
    assert_eq!((fast(&repo, "value"), repo.read(SOURCE)), ("1".into(), old));
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
}

#[test]
fn status_and_dry_run_report_a_rebuild_without_changing_anything() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    let state = || {
        let status = repo.untouched_by(|| uvenv(&repo, &["status"]).json()).report("status");
        let environment = status["profiles"][0]["environments"][0].clone();
        (environment["state"].as_str().unwrap().to_owned(), environment["detail"].as_str().map(str::to_owned))
    };
    assert_eq!(state(), ("in-sync".into(), None));
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    let planned = repo.untouched_by(|| uvenv(&repo, &["sync", "--dry-run"]).json()).report("sync-planned");
    let cause = format!("{SOURCE} has changed");
    assert_eq!(causes(&planned, "rebuild"), [("fast-math".into(), cause.clone())]);
    assert_eq!(state(), ("out-of-sync".into(), Some(format!("fast-math would be rebuilt: {cause}"))));
    let said = uvenv(&repo, &["sync"]).ok();
    assert!(said.stderr().contains(&format!("Rebuilt fast-math: {cause}")), "{said}");
    assert_eq!(state(), ("in-sync".into(), None));
}

#[test]
fn detects_builds_installed_by_other_tools() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    repo.uv(["sync", "--reinstall-package=fast-math"]).with_system().ok();
    repo.replace(SOURCE, "VALUE: i32 = 2", "VALUE: i32 = 1");
    assert_eq!(fast(&repo, "value"), "2");
    let cause = cause(&repo, &[]);
    assert!(cause.ends_with("has changed since the build"), "{cause}");
    assert_eq!(fast(&repo, "value"), "1");
    repo.uv(["pip", "uninstall", "fast-math"]).ok();
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 3");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    assert_eq!(fast(&repo, "value"), "3", "not what uv has in its cache");
}

#[test]
fn new_environment_gets_a_fresh_build() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "value"), "2");
    repo.replace(SOURCE, "VALUE: i32 = 2", "VALUE: i32 = 3");
    rebuilt(&repo, &["--recreate"]);
    assert_eq!(fast(&repo, "value"), "3");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
}

#[test]
fn unselected_package_is_neither_built_nor_recorded_as_fresh() {
    let repo = native().build();
    repo.replace("pyproject.toml", "[\"fast-math\", \"slow-math\"]", "[\"slow-math\"]");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    assert!(!repo.root().join(FAST_LIBRARY).exists());
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    // It is not mentioned either.
    repo.write("packages/fast/Cargo.toml", "[package");
    let outcome = uvenv(&repo, &["sync"]).json();
    assert!(!outcome.stdout().contains("native-freshness-unknown"), "{outcome}");
    repo.write("packages/fast/Cargo.toml", BINDINGS);
    repo.replace("pyproject.toml", "[\"slow-math\"]", "[\"fast-math\", \"slow-math\"]");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    assert_eq!(fast(&repo, "value"), "2");
}

#[test]
fn builds_packages_for_the_backend() {
    let repo = native().build();
    if uv() == Uv::Oldest {
        let refusal = uvenv(&repo, &["sync", "--backend", "cu124"]).refused("uv-too-old");
        refusal.names(["slow-math", "0.8.1"]);
        return;
    }
    rebuilt(&repo, &["--backend", "cu124"]);
    assert_eq!(fast(&repo, "backend"), "124");
    let slow = made(&repo, SLOW_LIBRARY);
    assert_eq!(rebuilt(&repo, &["--backend", "cu124"]), NOTHING);
    let print = ["run", "--", "python", "-c", "import fm; print(fm.library.backend())"];
    assert_eq!(repo.uvenv(print).with_system().ok().stdout(), "124\n");

    let cause = cause(&repo, &["--backend", "cu128"]);
    assert_eq!(cause, "it was built with `--features=cu124`, and would now be built with `--features=cu128`");
    assert_eq!(fast(&repo, "backend"), "128");
    assert_eq!(made(&repo, SLOW_LIBRARY), slow);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    let said = repo.uvenv(print).with_system().ok();
    assert_eq!(said.stdout(), "128\n");
    assert_eq!((fast(&repo, "backend"), fast(&repo, "value")), ("128".into(), "2".into()));
    rebuilt(&repo, &["--backend", "none"]);
    assert_eq!(fast(&repo, "backend"), "0");
}

#[test]
fn builds_a_single_package_for_the_backend_with_every_uv() {
    let repo = alone().build();
    rebuilt(&repo, &["--backend", "cu124"]);
    assert_eq!(fast(&repo, "backend"), "124");
    assert_eq!(rebuilt(&repo, &["--backend", "cu124"]), NOTHING);
    rebuilt(&repo, &["--backend", "cu128"]);
    assert_eq!(fast(&repo, "backend"), "128");
    // Plain uv does not pass features.
    repo.uv(["sync", "--extra=cu128", "--reinstall-package=fast-math"]).with_system().ok();
    assert_eq!(fast(&repo, "backend"), "0");
    rebuilt(&repo, &["--backend", "cu128"]);
    assert_eq!(fast(&repo, "backend"), "128");
}

#[test]
fn removes_only_the_other_backend_from_default_features() {
    let features = "[features]\ndefault = [\"loud\", \"gpu\"]\ngpu = [\"cu124\"]\n";
    let repo = alone().file("packages/fast/Cargo.toml", BINDINGS.replace("[features]\n", features)).build();
    rebuilt(&repo, &["--backend", "cu124"]);
    assert_eq!((fast(&repo, "backend"), fast(&repo, "loud")), ("124".into(), "1".into()));
    rebuilt(&repo, &["--backend", "cu128"]);
    assert_eq!((fast(&repo, "backend"), fast(&repo, "loud")), ("128".into(), "1".into()));
    rebuilt(&repo, &["--backend", "none"]);
    assert_eq!((fast(&repo, "backend"), fast(&repo, "loud")), ("0".into(), "1".into()));
}

#[test]
fn keeps_the_features_of_the_manifest() {
    let manifest = MANIFEST.replace("bindings =", "features = [\"loud\"]\nbindings =");
    let repo = alone().file("packages/fast/pyproject.toml", manifest).build();
    rebuilt(&repo, &["--backend", "cu128"]);
    assert_eq!((fast(&repo, "backend"), fast(&repo, "loud")), ("128".into(), "1".into()));
}

#[test]
fn rebuilds_when_two_environments_share_a_source_tree() {
    let repo = alone().build();
    repo.write(
        "Cargo.toml",
        format!("{}\n[workspace.metadata.uvenv]\nenv-per-backend = true\n", repo.read("Cargo.toml")),
    );
    let ask = |backend: &str| {
        let environment = Environment::at(repo.root().join(format!(".venv-{backend}")));
        answer(&repo, &environment, "fm", "backend")
    };
    rebuilt(&repo, &["--backend", "cu124"]);
    rebuilt(&repo, &["--backend", "cu128"]);
    assert_eq!(ask("cu128"), "128");
    let cause = cause(&repo, &["--backend", "cu124"]);
    assert_eq!(cause, format!("{FAST_LIBRARY} has changed since the build"));
    assert_eq!(ask("cu124"), "124");
    assert_eq!(rebuilt(&repo, &["--backend", "cu124"]), NOTHING);
}

#[test]
fn run_keeps_the_cargo_profile_of_the_sync() {
    let repo = alone().build();
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "debug"), "0");
    rebuilt(&repo, &["--debug"]);
    assert_eq!(fast(&repo, "debug"), "1");
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    let print = ["run", "--", "python", "-c", "import fm; print(fm.library.debug(), fm.library.value())"];
    assert_eq!(uvenv(&repo, &print).ok().stdout(), "1 2\n");
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "debug"), "0");
    rebuilt(&repo, &["--debug"]);
    rebuilt(&repo, &["--release"]);
    assert_eq!(fast(&repo, "debug"), "0");
}

#[test]
fn files_outside_the_crates_trigger_a_rebuild() {
    let build = "fn main() {\n    println!(\"cargo::rerun-if-changed=../../data/factor.txt\");\n    \
                 println!(\"cargo::rerun-if-env-changed=KERNEL_OFFSET\");\n    \
                 let factor = std::fs::read_to_string(\"../../data/factor.txt\").unwrap();\n    \
                 println!(\"cargo::rustc-env=FACTOR={}\", factor.trim());\n    \
                 println!(\"cargo::rustc-env=OFFSET={}\", std::env::var(\"KERNEL_OFFSET\").unwrap_or_default());\n}\n";
    let source = CORE_SOURCE.replace(
        "VALUE: i32 = 1",
        "VALUE: i32 = (include_str!(\"../../../data/table.txt\").len() * 100 + env!(\"FACTOR\").len() * 10 \
         + env!(\"OFFSET\").len()) as i32",
    );
    let repo = native()
        .file(SOURCE, source)
        .file("crates/kernel-core/build.rs", build)
        .file("data/factor.txt", "x")
        .file("data/table.txt", "x")
        .file("data/other.txt", "x")
        .build();
    // What changes within a step of the clock before a build counts as changed during it, and is built again.
    let a_moment_passes = || thread::sleep(Duration::from_millis(50));
    a_moment_passes();
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "value"), "110");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    repo.write("data/other.txt", "xx");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    repo.write("data/table.txt", "xx");
    a_moment_passes();
    assert_eq!(cause(&repo, &[]), "data/table.txt has changed");
    repo.write("data/factor.txt", "xxx");
    a_moment_passes();
    assert_eq!(cause(&repo, &[]), "data/factor.txt has changed");
    assert_eq!(fast(&repo, "value"), "230");
    let with_offset = || uvenv(&repo, &["sync"]).env("KERNEL_OFFSET", "xxxx").json().report("sync-finished");
    assert_eq!(causes(&with_offset(), "rebuilt")[0].1, "the variable KERNEL_OFFSET has changed");
    assert_eq!(fast(&repo, "value"), "234");
    assert_eq!(causes(&with_offset(), "rebuilt"), NOTHING);
}

#[test]
fn cargo_configuration_triggers_a_rebuild() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    repo.write(".cargo/config.toml", "[build]\nrustflags = [\"-Cdebug-assertions\"]\n");
    let both = rebuilt(&repo, &[]);
    let is_new = |name: &str| (name.to_owned(), ".cargo/config.toml is new".to_owned());
    assert_eq!(both, [is_new("fast-math"), is_new("slow-math")]);
    assert_eq!(fast(&repo, "debug"), "1");
    fs::remove_file(repo.root().join(".cargo/config.toml")).unwrap();
    assert_eq!(rebuilt(&repo, &[]).len(), 2);
    assert_eq!(fast(&repo, "debug"), "0");
}

#[test]
fn added_path_dependency_triggers_rebuilds() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    repo.write("crates/extra/Cargo.toml", CORE.replace("kernel-core", "extra"));
    repo.write("crates/extra/src/lib.rs", "pub const VALUE: i32 = 7;");
    assert_eq!(rebuilt(&repo, &[]), NOTHING, "nothing depends on it");
    repo.write("crates/kernel-core/Cargo.toml", format!("{CORE}\n[dependencies]\nextra = {{ path = \"../extra\" }}\n"));
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = extra::VALUE");
    cause(&repo, &[]);
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    repo.write("crates/extra/src/lib.rs", "pub const VALUE: i32 = 8;");
    assert_eq!(cause(&repo, &[]), "crates/extra/src/lib.rs has changed");
    assert_eq!(fast(&repo, "value"), "8");
}

#[test]
fn python_sources_trigger_a_rebuild_when_not_editable() {
    let repo = native().build();
    let copy = &["--", "--no-editable"];
    rebuilt(&repo, copy);
    assert_eq!(rebuilt(&repo, copy), NOTHING);
    repo.write("packages/fast/python/fm/more.py", "MORE = 1");
    assert_eq!(cause(&repo, copy), "packages/fast/python/fm/more.py is new");
    let installed = repo.environment("dev").site_packages().unwrap().join("fm/more.py");
    assert_eq!(fs::read_to_string(installed).unwrap(), "MORE = 1");
    assert_eq!(rebuilt(&repo, copy), NOTHING);
}

#[test]
fn leaves_the_decision_to_uv_when_cargo_fails() {
    let repo = native().build();
    rebuilt(&repo, &[]);
    // Neither the crates nor the compiler are known now.
    repo.write("crates/kernel-core/Cargo.toml", format!("{CORE}\n# A comment.\n"));
    let outcome = uvenv(&repo, &["sync"]).without("cargo").env("MATURIN_NO_INSTALL_RUST", "1").arg_json().run();
    let warned: Vec<_> = outcome.reports().into_iter().filter(|report| report["reason"] == "warning").collect();
    assert_eq!(warned.len(), 1, "{outcome}");
    assert_eq!(warned[0]["code"], "native-freshness-unknown");
    let message = warned[0]["message"].as_str().unwrap();
    assert!(message.contains("`fast-math`") && message.contains("cargo was not found on `PATH`"), "{message}");
    assert_eq!(outcome.refusal().code, "uv-failed", "uv was asked to build it");

    repo.write("crates/kernel-core/Cargo.toml", CORE.replace("version = \"0.1.0\"", "version = 1"));
    let said = uvenv(&repo, &["sync"]).ends(1);
    assert!(said.stderr().contains("warning[native-freshness-unknown]"), "{said}");
    repo.write("crates/kernel-core/Cargo.toml", CORE);
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "value"), "1");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
}

#[test]
fn rebuilds_a_setuptools_rust_package() {
    let manifest = r#"[project]
name = "old-math"
version = "0.1.0"
requires-python = ">=3.9"

[build-system]
requires = ["setuptools>=70", "setuptools-rust>=1.10"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["om"]

[[tool.setuptools-rust.ext-modules]]
target = "om.native"
path = "rust/Cargo.toml"
binding = "NoBinding"
"#;
    let repo = native()
        .file("packages/old/pyproject.toml", manifest)
        .file("packages/old/om/__init__.py", LOADED)
        .file("packages/old/rust/Cargo.toml", BINDINGS.replace("fm-", "om-").replace("../../crates", "../../../crates"))
        .file("packages/old/rust/src/lib.rs", BINDINGS_SOURCE)
        .build();
    repo.replace("Cargo.toml", "\"packages/*\"", "\"packages/*\", \"packages/old/rust\"");
    repo.replace("Cargo.toml", "\"packages/*\"", "\"packages/fast\", \"packages/slow\"");
    repo.replace("pyproject.toml", "[\"fast-math\", \"slow-math\"]", "[\"old-math\"]");
    repo.replace("pyproject.toml", "fast-math = {", "old-math = { workspace = true }\nfast-math = {");
    let ask = |function: &str| answer(&repo, &repo.environment("dev"), "om", function);
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    assert_eq!(ask("value"), "1");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    assert_eq!(rebuilt(&repo, &["--release"]), [("old-math".into(), format!("{SOURCE} has changed"))]);
    assert_eq!((ask("value"), ask("debug")), ("2".into(), "0".into()));
    assert_eq!(rebuilt(&repo, &["--release"]), NOTHING);
    assert_eq!(rebuilt(&repo, &["--debug"]).len(), 1);
    assert_eq!(ask("debug"), "1");
}

#[test]
fn leaves_packages_with_build_hooks_and_cache_keys_to_uv() {
    let manifest = "[project]\nname = \"hooked\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n\n\
                    [build-system]\nrequires = [\"setuptools>=70\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
                    [tool.setuptools]\npackages = [\"hooked\"]\n\n\
                    [tool.uv]\ncache-keys = [{ file = \"pyproject.toml\" }, { file = \"../../crates/kernel-core/src/lib.rs\" }]\n";
    let hook = "import pathlib\nfrom setuptools import setup\n\
                text = pathlib.Path('../../crates/kernel-core/src/lib.rs').read_text()\n\
                pathlib.Path('hooked/made.py').write_text(f'TEXT = {text!r}')\nsetup()\n";
    let repo = native()
        .file("packages/hooked/pyproject.toml", manifest)
        .file("packages/hooked/setup.py", hook)
        .file("packages/hooked/hooked/__init__.py", "")
        .build();
    repo.replace("Cargo.toml", "\"packages/*\"", "\"packages/fast\", \"packages/slow\"");
    repo.replace("pyproject.toml", "[\"fast-math\", \"slow-math\"]", "[\"hooked\"]");
    repo.replace("pyproject.toml", "fast-math = {", "hooked = { workspace = true }\nfast-math = {");
    rebuilt(&repo, &[]);
    let unchanged = uvenv(&repo, &["sync"]).json().report("sync-finished");
    assert_eq!(unchanged["changed"], false);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    let finished = uvenv(&repo, &["sync"]).json().report("sync-finished");
    assert_eq!(finished["installed"][0]["name"], "hooked");
    assert_eq!(causes(&finished, "rebuilt"), NOTHING);
    assert!(repo.read("packages/hooked/hooked/made.py").contains("VALUE: i32 = 2"));
}

#[cfg(unix)]
#[test]
fn repeats_a_killed_build() {
    use std::thread;

    let repo = native().build();
    rebuilt(&repo, &[]);
    // A build script that signals that it runs and then waits.
    let build = "fn main() {\n    std::fs::write(\"../../started\", \"\").unwrap();\n    \
                 while !std::path::Path::new(\"../../go\").exists() {\n        \
                 std::thread::sleep(std::time::Duration::from_millis(5));\n    }\n}\n";
    repo.write("crates/kernel-core/build.rs", build);
    repo.replace(SOURCE, "VALUE: i32 = 1", "VALUE: i32 = 2");
    let mut sync = uvenv(&repo, &["sync"]).start();
    let started = repo.root().join("started");
    while !started.exists() {
        assert!(sync.try_wait().unwrap().is_none(), "the sync ends before the build script runs");
        thread::yield_now();
    }
    repo.program("sh", ["-c", &format!("kill -KILL -{}", sync.id())]).run();
    assert_eq!(sync.wait().unwrap().code(), None);
    repo.write("go", "");
    rebuilt(&repo, &[]);
    assert_eq!(fast(&repo, "value"), "2");
    assert_eq!(rebuilt(&repo, &[]), NOTHING);
}

#[test]
fn keeps_the_users_build_arguments() {
    let repo = alone().build();
    let manifest = repo.read("pyproject.toml");
    let given = |line: &str, arguments: &[&str], variable: &str| {
        repo.write("pyproject.toml", manifest.replace("package = false\n", &format!("package = false\n{line}\n")));
        uvenv(&repo, &["sync", "--backend", "cu128"]).args(arguments).env("MATURIN_PEP517_ARGS", variable).ok();
        let both = (fast(&repo, "backend"), fast(&repo, "loud"));
        assert_eq!(both, ("128".into(), "1".into()), "{line} {arguments:?} {variable}");
    };
    given("", &[], "--features=loud");
    if uv() == Uv::Newest {
        given("config-settings = { build-args = \"--features loud --strip\" }", &[], "");
        given("config-settings-package = { fast-math = { build-args = [\"--features\", \"loud\"] } }", &[], "");
        given("config-settings-package = { fast-math = { \"maturin.build-args\" = \"--features=loud\" } }", &[], "");
        given("", &["--", "-C", "build-args=--features=loud --strip"], "");
    }
}
