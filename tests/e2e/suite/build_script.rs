//! Build scripts that prepare Python, run by the real cargo.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use uvenv_tests::{Environment, Fixture, Invocation, Monorepo, Outcome, cargo_uvenv};

use super::{PACKAGES, backends_only, empty, three_profiles, torch};

/// The `build.rs` that most crates use.
const SYNC: &str = "fn main() -> Result<(), uvenv_core::Error> {
    uvenv_core::build_script::Sync::new().run()?;
    Ok(())
}
";

/// A generator that writes a constant to the given directory.
const GENERATOR: &str = "import pathlib, sys
pathlib.Path(sys.argv[1], 'generated.rs').write_text('pub const ANSWER: u32 = 42;')
";

const BACKENDS: &str = "[features]\ncu124 = []\ncu128 = []\n";

trait BuildScripts {
    /// Adds a crate with a build script.
    fn scripted(self, name: &str, manifest: &str, script: &str) -> Self;
}

impl BuildScripts for Monorepo {
    fn scripted(self, name: &str, manifest: &str, script: &str) -> Self {
        let core = Fixture::core_dir();
        let dependency = format!("\n[build-dependencies]\nuvenv-core = {{ path = \"{core}\", features = [] }}\n");
        let lock = fs::read(core.with_file_name("Cargo.lock")).unwrap();
        self.rust_crate(name, &(manifest.to_owned() + &dependency))
            .file(&format!("crates/{name}/build.rs"), script)
            .file("Cargo.lock", lock)
    }
}

fn cargo<'a>(repo: &'a Fixture, arguments: &[&str]) -> Invocation<'a> {
    repo.cargo("target", arguments)
}

/// Whether `cargo -v` has run the build script of a crate.
fn ran(outcome: &Outcome, name: &str) -> bool {
    let fresh = outcome.stderr().contains(&format!("Fresh {name} v0.1.0"));
    let running = outcome.stderr().contains(&format!("/build/{name}-"));
    assert_ne!(fresh, running, "{outcome}");
    running
}

/// Builds twice: each crate's script runs the first time and not the second.
fn runs_once(repo: &Fixture, crates: &[&str], arguments: &[&str]) {
    let arguments = [&["build", "-v"], arguments].concat();
    let first = cargo(repo, &arguments).ok();
    let second = cargo(repo, &arguments).ok();
    for name in crates {
        assert!(ran(&first, name), "{name}: {first}");
        assert!(!ran(&second, name), "{name}: {second}");
    }
}

fn installed_torch(repo: &Fixture) -> Option<String> {
    repo.environment("dev").version("torch")
}

/// The message of a failed script, without cargo's formatting.
fn told(outcome: &Outcome) -> String {
    let told = outcome.told_at_last();
    told.split("\nwarning: ").next().unwrap().replace("\n  ", "\n")
}

/// A monorepo with a generator, and a crate that uses it.
fn with_generator(script: &str) -> Fixture {
    let library = "include!(concat!(env!(\"OUT_DIR\"), \"/generated.rs\"));
pub const PREPARED: [&str; 4] =
    [env!(\"UVENV_PYTHON\"), env!(\"UVENV_SITE_PACKAGES\"), env!(\"UVENV_PROFILE\"), env!(\"UVENV_BACKEND\")];
";
    let program = "fn main() { println!(\"{} {:?}\", user::ANSWER, user::PREPARED); }\n";
    empty()
        .package("my-codegen")
        .file("packages/my-codegen/src/my_codegen/__main__.py", GENERATOR)
        .scripted("user", "", script)
        .file("crates/user/src/lib.rs", library)
        .file("crates/user/src/main.rs", program)
        .build()
}

/// The `build.rs` files of the page on build scripts.
fn samples() -> Vec<String> {
    let page = fs::read_to_string(Fixture::core_dir().with_file_name("docs").join("build-scripts.md")).unwrap();
    let codes = page.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let codes: Vec<_> = codes.collect();
    assert!(codes.iter().all(|code| code.starts_with("fn main()")), "{codes:?}");
    codes
}

fn sample() -> String {
    samples().remove(0)
}

/// The monorepo in which the commands of the page run, and the variables that they need.
pub(crate) fn documented() -> (Fixture, String) {
    let repo = backends_only().scripted("kernels", BACKENDS, SYNC).build();
    let variables =
        format!("export CARGO_HOME='{}' CARGO_TARGET_DIR='{}'", Fixture::cargo_home(), repo.target_dir("target"));
    (repo, variables)
}

#[test]
fn documented_samples_compile_and_run() {
    let generating: Vec<_> = samples().into_iter().filter(|sample| sample.contains("my_codegen")).collect();
    let repo = with_generator(&generating[1]);
    for sample in &generating[1..] {
        repo.write("crates/user/build.rs", sample);
        runs_once(&repo, &["user"], &[]);
        assert!(cargo(&repo, &["run", "-q"]).ok().stdout().starts_with("42 "));
    }
}

#[test]
fn reruns_the_generator_when_an_input_changes() {
    let repo = with_generator(&sample());
    runs_once(&repo, &["user"], &[]);
    let environment = repo.environment("dev");
    let site_packages = environment.site_packages().unwrap();
    let shown = cargo(&repo, &["run", "-q"]).ok();
    assert_eq!(
        shown.stdout(),
        format!("42 {:?}\n", [environment.python().as_str(), site_packages.as_str(), "dev", ""])
    );
    let append = |path: &str| repo.write(path, repo.read(path) + "\n");
    let changes: [(&str, &dyn Fn()); 6] = [
        ("the manifest", &|| append("pyproject.toml")),
        ("a member's manifest", &|| append("packages/my-codegen/pyproject.toml")),
        ("the lockfile", &|| append("uv.lock")),
        ("the configuration", &|| append("Cargo.toml")),
        ("the environment is gone", &|| fs::remove_dir_all(environment.path()).unwrap()),
        ("another sync", &|| drop(repo.uvenv(["sync"]).ok())),
    ];
    for (what, change) in changes {
        change();
        assert!(ran(&cargo(&repo, &["build", "-v"]).ok(), "user"), "{what}");
        assert!(!ran(&cargo(&repo, &["build", "-v"]).ok(), "user"), "{what}");
    }
    let with_variable = || cargo(&repo, &["build", "-v"]).env("UV_PYTHON", "python3").ok();
    assert!(ran(&with_variable(), "user"));
    assert!(!ran(&with_variable(), "user"));

    // Both scripts use one environment in turn.
    cargo(&repo, &["build"]).ok();
    repo.uvenv(["run", "--", "python", "-c", ""]).ok();
    assert!(!ran(&cargo(&repo, &["build", "-v"]).ok(), "user"));

    // A generator that fails fails the build. Cargo does not know what it consists of.
    repo.write("crates/user/build.rs", sample());
    repo.write("packages/my-codegen/src/my_codegen/__main__.py", "raise SystemExit('no answer')\n");
    let failed = cargo(&repo, &["build"]).ends(101);
    assert!(failed.stderr().contains("no answer"), "{failed}");
    let told = told(&failed);
    assert!(told.starts_with("error[command-failed]: `[ROOT]/repo/.venv/bin/python -m my_codegen"), "{told}");
    assert!(told.contains("` failed with exit status 1\n |\n = help: "), "{told}");
}

#[test]
fn features_select_the_backend_before_variables() {
    let repo = backends_only().scripted("kernels", BACKENDS, SYNC).build();
    variables_decide_and_someone_must(&repo);
    runs_once(&repo, &["kernels"], &["-F", "cu124"]);
    assert_eq!(installed_torch(&repo), Some(torch("cu124")));
    runs_once(&repo, &["kernels"], &["-F", "cu128"]);
    assert_eq!(installed_torch(&repo), Some(torch("cu128")));

    // Switching back reruns the script, because the other script changed the environment.
    runs_once(&repo, &["kernels"], &["-F", "cu124"]);
    assert_eq!(installed_torch(&repo), Some(torch("cu124")));
    repo.uvenv(["sync", "--backend", "cu128"]).ok();
    runs_once(&repo, &["kernels"], &["-F", "cu124"]);
    assert_eq!(installed_torch(&repo), Some(torch("cu124")));

    // A variable may agree, and `auto` leaves the choice to others.
    for agreeing in [("UVENV_BACKEND", "cu124"), ("UV_TORCH_BACKEND", "auto")] {
        cargo(&repo, &["build", "-F", "cu124"]).env(agreeing.0, agreeing.1).ok();
    }
    repo.untouched_by(|| {
        let both = told(&cargo(&repo, &["build", "--all-features"]).ends(101));
        assert!(
            both.starts_with(
                "error[backend-conflict]: two GPU backends are selected: `cu124` by the feature `cu124` of the crate \
                 `kernels`, `cu128` by the feature `cu128` of the crate `kernels`\n"
            ),
            "{both}"
        );
        for variable in ["UVENV_BACKEND", "UV_TORCH_BACKEND"] {
            let contradicted = cargo(&repo, &["build", "-F", "cu124"]).env(variable, "cu128").ends(101);
            let expected = format!("`cu128` by the variable `{variable}`");
            assert!(told(&contradicted).contains(&expected), "{contradicted}");
        }
    });
}

/// Without features, in a monorepo that was never synced.
fn variables_decide_and_someone_must(repo: &Fixture) {
    let refused = cargo(repo, &["build"]).ends(101);
    let told = told(&refused);
    let by_command_line = repo.uvenv(["sync"]).refused("backend-required");
    assert!(told.starts_with(&format!("error[backend-required]: {}\n", by_command_line.message)), "{told}");
    assert!(told.contains("repo/pyproject.toml:13:15\n   |\n13 | conflicts = [[{ extra = \"cu124\" }, "), "{told}");
    assert!(told.contains("\n   |               ^^^^^^^^^^^^^^^^^^^\n   |\n   = help: "), "{told}");
    assert!(told.contains("enable a feature with one of these names in the crate"), "{told}");
    assert!(!repo.environment("dev").exists());
    for backend in ["cu124", "cu128"] {
        cargo(repo, &["build"]).env("UVENV_BACKEND", backend).env("UV_TORCH_BACKEND", "cu124").ok();
        assert_eq!(installed_torch(repo), Some(torch(backend)));
    }
    cargo(repo, &["build"]).env("UVENV_BACKEND", "none").ok();
    assert_eq!(installed_torch(repo), None);
    let guessed = cargo(repo, &["build"]).env("UVENV_BACKEND", "auto").ends(101);
    assert!(guessed.stderr().contains("error[no-fitting-backend]"), "{guessed}");
}

#[test]
fn uvenv_core_features_select_the_backend_for_a_crate_without_any() {
    let repo = backends_only().scripted("kernels", "[features]\nboth = [\"uvenv-core/cu128\"]\n", SYNC).build();
    repo.replace("crates/kernels/Cargo.toml", "features = []", "features = [\"cu124\"]");
    runs_once(&repo, &["kernels"], &[]);
    assert_eq!(installed_torch(&repo), Some(torch("cu124")));
    // Cargo unifies features, so two of them compile; the script refuses them.
    let both = cargo(&repo, &["build", "--all-features"]).ends(101);
    let expected = "`cu124` by the feature `cu124` of the crate `uvenv-core`, `cu128` by the feature `cu128` of the crate \
                    `uvenv-core`";
    assert!(told(&both).contains(expected), "{both}");
}

#[test]
fn crates_with_different_backends_need_separate_environments() {
    let defaults = |backend: &str| format!("[features]\ndefault = [\"{backend}\"]\n{}", &BACKENDS[11..]);
    let repo = backends_only()
        .scripted("first", &defaults("cu124"), SYNC)
        .scripted("second", &defaults("cu128"), SYNC)
        .build();
    let refused = cargo(&repo, &["build"]).ends(101);
    let told = told(&refused);
    assert!(
        told.starts_with("error[backend-conflict]: two GPU backends are selected for the environment `.venv`: `"),
        "{told}"
    );
    for side in ["`cu124` by the crate `first`", "`cu128` by the crate `second`"] {
        assert!(told.contains(side), "{told}");
    }
    assert!(told.contains("`env-per-backend = true` under `[workspace.metadata.uvenv]` in `Cargo.toml`"), "{told}");

    // Building one after the other is not a conflict.
    for name in ["first", "second"] {
        cargo(&repo, &["build", "-p", name]).ok();
    }
    repo.write("Cargo.toml", repo.read("Cargo.toml") + "\n[workspace.metadata.uvenv]\nenv-per-backend = true\n");
    runs_once(&repo, &["first", "second"], &[]);
    for backend in ["cu124", "cu128"] {
        let environment = Environment::at(repo.root().join(format!(".venv-{backend}")));
        assert_eq!(environment.version("torch"), Some(torch(backend)));
    }
}

#[test]
fn crates_and_concurrent_cargo_processes_share_an_environment() {
    let crates = ["one", "two"];
    let with = crates.iter().fold(empty().package("my-codegen"), |repo, name| repo.scripted(name, "", SYNC));
    let repo = with.build();
    for into in ["target-a", "target-b"] {
        repo.target_dir(into);
    }
    thread::scope(|scope| {
        for into in ["target-a", "target-b"] {
            let repo = &repo;
            scope.spawn(move || repo.cargo(into, ["build", "-v"]).ok());
        }
    });
    assert_eq!(repo.environment("dev").version("my-codegen").as_deref(), Some("0.1.2"));
    for into in ["target-a", "target-b"] {
        // The other build's changes may rerun a script once.
        repo.cargo(into, ["build"]).ok();
    }
    for into in ["target-a", "target-b"] {
        let again = repo.cargo(into, ["build", "-v"]).ok();
        assert!(crates.iter().all(|name| !ran(&again, name)), "{again}");
    }
    // If one cargo runs two scripts, the second does not cause the first to rerun.
    fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    for (command, fresh) in [("build", false), ("build", true)] {
        let outcome = repo.cargo("target-a", [command, "-v"]).ok();
        assert!(crates.iter().all(|name| ran(&outcome, name) != fresh), "{outcome}");
    }
}

#[cfg(unix)]
#[test]
fn next_build_repairs_a_killed_one() {
    let repo = with_generator(&sample());
    cargo(&repo, &["build"]).ok();
    let complete = repo.environment("dev").files();
    let mut killed = 0;
    for moment in ["pyvenv.cfg", "bin/python", "lib"] {
        fs::remove_dir_all(repo.environment("dev").path()).unwrap();
        let moment = repo.environment("dev").path().join(moment);
        let mut build = cargo(&repo, &["build"]).start();
        let deadline = Instant::now() + Duration::from_mins(1);
        while !moment.exists() && build.try_wait().unwrap().is_none() && Instant::now() < deadline {
            thread::yield_now();
        }
        repo.program("sh", ["-c", &format!("kill -KILL -{}", build.id())]).run();
        killed += usize::from(build.wait().unwrap().code().is_none());
        cargo(&repo, &["build"]).ok();
        repo.environment("dev").files().assert_eq(&complete);
    }
    assert!(killed > 0, "every build ended before it could be killed");
}

#[cfg(target_os = "linux")]
#[test]
fn locked_cargo_and_uvs_variables_keep_the_lockfile() {
    let repo = backends_only().scripted("user", "", SYNC).build();
    let cargo = |arguments: &[&str]| cargo(&repo, arguments).env("UVENV_BACKEND", "cu124");
    repo.uvenv(["lock"]).ok();
    cargo(&["fetch"]).ok();
    cargo(&["build", "--locked"]).ok();
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"iniconfig\", ");
    let lockfile = repo.lockfile("dev");
    for (arguments, variable) in
        [(&["build", "--locked"][..], ""), (&["build", "--frozen"], ""), (&["build"], "UV_LOCKED")]
    {
        let build = cargo(arguments);
        let build = if variable.is_empty() { build } else { build.env(variable, "1") };
        let refused = told(&build.ends(101));
        assert!(refused.starts_with("error[stale-lockfile]"), "{arguments:?} {variable}: {refused}");
        assert_eq!(repo.lockfile("dev"), lockfile);
    }
    cargo(&["build"]).env("UV_FROZEN", "1").ok();
    assert_eq!(repo.lockfile("dev"), lockfile);
    cargo(&["build"]).ok();
    assert_ne!(repo.lockfile("dev"), lockfile);

    repo.replace("pyproject.toml", "dependencies = [\"iniconfig\", ", "dependencies = [");
    cargo(&["build"]).env("UV_NO_SYNC", "1").ok();
    assert!(repo.environment("dev").version("iniconfig").is_some());
    fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    let refused = told(&cargo(&["build"]).env("UV_NO_SYNC", "1").ends(101));
    assert!(refused.starts_with("error[missing-environment]"), "{refused}");
}

/// A package of the workspace is built by something that itself syncs the environment into which it is installed.
#[test]
fn sync_within_a_sync_of_the_same_environment_fails_at_once() {
    let backend = "import os, subprocess
def build_editable(directory, *_):
    subprocess.run([os.environ['UVENV_HERE'], 'sync', '-C', os.environ['ROOT'], '--backend=none'], check=True)
";
    let repo = backends_only()
        .file(
            "packages/loop/pyproject.toml",
            "[project]\nname = \"loop\"\nversion = \"1\"\n\n[build-system]\nrequires = []\n\
             build-backend = \"back\"\nbackend-path = [\".\"]\n",
        )
        .file("packages/loop/back.py", backend)
        .build();
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"loop\", ");
    repo.replace("pyproject.toml", "[tool.uv.sources]\n", "[tool.uv.sources]\nloop = { workspace = true }\n");
    repo.replace("pyproject.toml", "[tool.uv]\n", "[tool.uv]\nworkspace = { members = [\"packages/*\"] }\n");
    let sync = repo.uvenv(["sync", "--backend=none"]).env("UVENV_HERE", cargo_uvenv()).env("ROOT", repo.root());
    let refused = sync.ends(1);
    assert!(refused.told().contains("error[environment-in-use]"), "{refused}");
}

/// Stands in for `pyo3-ffi`, which passes its choice of a Python on to its dependents.
#[test]
fn refuses_to_link_the_environments_python_beside_another_one() {
    let config = |version: &str| {
        let config = format!("implementation=CPython\nversion={version}\nshared=true\n");
        config.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    let link = SYNC.replace("run()?;", "run()?.link_libpython()?;");
    let repo = empty()
        .package("print-utils")
        .rust_crate("ffi", "links = \"python\"\n")
        .file(
            "crates/ffi/build.rs",
            "fn main() { println!(\"cargo::metadata=PYO3_CONFIG={}\", std::env::var(\"CONFIG\").unwrap()) }",
        )
        .scripted("user", "[dependencies]\nffi = { path = \"../ffi\" }\n", &link)
        .build();
    repo.uvenv(["sync"]).ok();
    let version = repo.python_version().rsplit_once('.').unwrap().0;
    cargo(&repo, &["build"]).env("CONFIG", config(version)).ok();
    fs::write(
        repo.root().join("crates/ffi/build.rs"),
        format!("fn main() {{ println!(\"cargo::metadata=PYO3_CONFIG={}\") }}", config("3.99")),
    )
    .unwrap();
    let refused = told(&cargo(&repo, &["build"]).env("CONFIG", config("3.99")).ends(101));
    assert!(refused.starts_with("error[pyo3-uses-another-python]: PyO3 links to `3.99`, but"), "{refused}");
}

#[test]
fn refuses_to_link_libpython_for_another_target() {
    let link = SYNC.replace("run()?;", "run()?.link_libpython()?;");
    let repo = empty().package("print-utils").scripted("user", "", &link).build();
    repo.uvenv(["sync"]).ok();
    cargo(&repo, &["build"]).ok();
    // Cargo runs the script on this machine, before it would need the other target's standard library.
    let failed = cargo(&repo, &["build", "--target", "wasm32-unknown-unknown"]).ends(101);
    let told = told(&failed);
    assert!(told.starts_with("error[cross-compilation]: ") && told.contains("wasm32-unknown-unknown"), "{failed}");
}

#[cfg(target_os = "linux")]
#[test]
fn offline_cargo_makes_the_script_run_uv_offline() {
    let repo = backends_only().scripted("user", "", SYNC).build();
    let cargo = |repo, arguments: &[&str]| cargo(repo, arguments).env("UVENV_BACKEND", "cu124");
    let cold = repo.temporary().join("cold");
    cargo(&repo, &["fetch"]).ok();
    let ways: [(&[&str], &str); 4] = [
        (&["--offline"], ""),
        (&["--config", "net.offline = true"], ""),
        (&["--config=net.offline=true"], ""),
        (&[], "true"),
    ];
    for (arguments, variable) in ways {
        let build = cargo(&repo, &[&["build"], arguments].concat()).env("UV_CACHE_DIR", &cold);
        let build = if variable.is_empty() { build } else { build.env("CARGO_NET_OFFLINE", variable) };
        let failed = build.ends(101);
        assert!(failed.stderr().contains("error[uv-failed]"), "{arguments:?}: {failed}");
        assert!(failed.stderr().contains("cargo is offline, so uv was offline too"), "{arguments:?}: {failed}");
        assert!(failed.stderr().contains("--offline"), "{arguments:?}: {failed}");
    }
    // It works with a filled cache.
    cargo(&repo, &["build"]).ok();
    fs::remove_dir_all(repo.environment("dev").path()).unwrap();
    cargo(&repo, &["build", "--offline"]).ok();
    assert!(repo.environment("dev").exists());
}

#[test]
fn optional_script_says_why_it_prepared_no_environment() {
    let optional = SYNC.replace("new()", "new().optional()");
    let repo = with_generator(&optional.replace(
        "run()?;",
        "run().map(|python| {
        assert!(!python.is_present());
        std::fs::write(python.out_dir().join(\"generated.rs\"), \"pub const ANSWER: u32 = 0;\").unwrap();
        python.command().arg(\"/no/such/script\").status()
    })??;",
    ));
    let documented = cargo(&repo, &["run"]).env("DOCS_RS", "1").ok();
    assert_eq!(documented.stdout(), "0 [\"\", \"\", \"\", \"\"]\n");
    let said = "the Python environment of `user` was not prepared: docs.rs has no network access";
    assert!(documented.stderr().contains(said), "{documented}");
    assert!(!repo.environment("dev").exists());

    // The published or vendored crate: unpacked inside an unrelated project, or outside any project.
    for marker in ["Cargo.toml.orig", ".cargo-ok", ".cargo-checksum.json"] {
        let marker = repo.root().join("crates/user").join(marker);
        fs::write(&marker, "").unwrap();
        let unpacked = cargo(&repo, &["run"]).ok();
        assert_eq!(unpacked.stdout(), documented.stdout(), "{marker}");
        assert!(!repo.environment("dev").exists(), "{marker}");
        fs::remove_file(marker).unwrap();
    }
    fs::remove_file(repo.root().join("pyproject.toml")).unwrap();
    let published = cargo(&repo, &["run"]).ok();
    assert_eq!(published.stdout(), documented.stdout());
    assert!(published.stderr().contains("it is not built inside its monorepo"), "{published}");
    repo.replace("crates/user/build.rs", ".optional()", "");
    let refused = told(&cargo(&repo, &["build"]).ends(101));
    assert!(refused.starts_with("error[no-monorepo]: no monorepo here: "), "{refused}");
    assert!(refused.contains("= help: build `user` inside its monorepo;"), "{refused}");
}

#[test]
fn passes_values_to_dependents_and_rejects_other_programs() {
    let repo = backends_only()
        .scripted("linked", &format!("links = \"linked\"\n{BACKENDS}"), SYNC)
        .rust_crate("dependent", "[dependencies]\nlinked = { path = \"../linked\", features = [\"cu124\"] }\n")
        .file(
            "crates/dependent/build.rs",
            "fn main() {
    for name in [\"PYTHON\", \"SITE_PACKAGES\", \"PROFILE\", \"BACKEND\"] {
        println!(\"cargo::rustc-env={name}={}\", std::env::var(format!(\"DEP_LINKED_UVENV_{name}\")).unwrap());
    }
}
",
        )
        .file(
            "crates/dependent/src/main.rs",
            "fn main() { println!(\"{} {} {}\", env!(\"PYTHON\"), env!(\"PROFILE\"), env!(\"BACKEND\")); }\n",
        )
        .build();
    let shown = cargo(&repo, &["run", "-q", "-p", "dependent"]).ok();
    assert_eq!(shown.stdout(), format!("{} dev cu124\n", repo.environment("dev").python()));

    // The script's program, run outside of a build.
    let script = format!("exec '{}'/debug/build/linked-*/build-script-build", repo.target_dir("target"));
    let alone = repo.program("sh", ["-c", &script]);
    let refused = alone.ends(1);
    assert!(refused.stderr().contains("error[not-a-build-script]"), "{refused}");
}

#[test]
fn takes_the_profile_from_the_script_or_the_variable() {
    let repo = empty().package("bench-utils").remotes().scripted("user", "", SYNC).build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let with = |profile: &str| cargo(&repo, &["build", "-v"]).env("UVENV_PROFILE", profile);
    assert!(ran(&with("prod").ok(), "user"));
    assert!(!ran(&with("prod").ok(), "user"));
    repo.assert_from_tag("prod", "v0.1.2", &["bench-utils"]);
    assert!(!repo.environment("dev").exists());
    let refused = with("production").ends(101);
    assert!(refused.stderr().contains("error[unknown-profile]: the variable `UVENV_PROFILE`"), "{refused}");

    repo.replace("crates/user/build.rs", ".run()", ".profile(uvenv_core::Profile::Dev).run()");
    assert!(ran(&with("production").ok(), "user"));
    assert!(repo.environment("dev").exists());
}

#[test]
fn builds_a_native_workspace_package_while_cargo_holds_its_locks() {
    let manifest = "[project]\nname = \"bench\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"
dependencies = [\"bench-tool\"]\n\n[tool.uv]\npackage = false\n
[tool.uv.workspace]\nmembers = [\"crates/bench-tool\"]\n\n[tool.uv.sources]\nbench-tool = { workspace = true }\n";
    let tool = "[project]\nname = \"bench-tool\"\nversion = \"0.1.0\"\nrequires-python = \">=3.9\"\n
[build-system]\nrequires = [\"maturin>=1.7,<2\"]\nbuild-backend = \"maturin\"\n\n[tool.maturin]\nbindings = \"bin\"\n";
    let repo = empty()
        .scripted("user", "", SYNC)
        .rust_crate("bench-tool", "")
        .file("crates/bench-tool/src/main.rs", "fn main() { println!(\"built\"); }\n")
        .file("crates/bench-tool/pyproject.toml", tool)
        .file("pyproject.toml", manifest)
        .build();
    // Cargo holds the locks of both until the script has ended.
    let build_dir = repo.target_dir("build");
    let in_two_directories = |arguments: &[&str]| {
        let cargo = repo.cargo("build", arguments).env("CARGO_TARGET_DIR", repo.temporary().join("target"));
        cargo.env("CARGO_BUILD_BUILD_DIR", &build_dir).ok()
    };
    let arguments = ["build", "-v", "-p", "user", "-p", "bench-tool"];
    assert!(ran(&in_two_directories(&arguments), "user"));
    let second = in_two_directories(&arguments);
    assert!(!ran(&second, "user"), "{second}");
    let installed = repo.environment("dev").path().join("bin/bench-tool");
    let said = || repo.program("sh", ["-c", &format!("exec '{installed}'")]).ok().stdout().to_owned();
    assert_eq!(said(), "built\n");
    repo.replace("crates/bench-tool/src/main.rs", "built", "built again");
    assert!(ran(&in_two_directories(&["build", "-v", "-p", "user"]), "user"));
    assert_eq!(said(), "built again\n");
    assert!(build_dir.join("debug/.uvenv/release").is_dir());
}

#[test]
fn programs_and_tests_find_the_libpython_they_link_to() {
    let program = "use std::ffi::{CStr, c_char};
unsafe extern \"C\" {
    fn Py_GetVersion() -> *const c_char;
}
pub fn version() -> String {
    unsafe { CStr::from_ptr(Py_GetVersion()) }.to_str().unwrap().to_owned()
}
fn main() { println!(\"{}\", version()); }
#[test]
fn is_three() { assert!(version().starts_with(\"3.\")); }
";
    let script = samples().into_iter().find(|sample| sample.contains("link_libpython")).unwrap();
    let repo =
        empty().package("my-codegen").scripted("user", "", &script).file("crates/user/src/main.rs", program).build();
    let shown = cargo(&repo, &["run", "-q"]).ok();
    assert!(shown.stdout().starts_with(repo.python_version()), "{shown}");
    let tested = cargo(&repo, &["test", "-q", "--bins"]).ok();
    assert!(tested.stdout().contains("1 passed"), "{tested}");
}

#[test]
fn installs_from_a_vendored_directory() {
    let repo = three_profiles().scripted("user", BACKENDS, SYNC).build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.uvenv(["vendor", "--profile", "prod", "--backend", "cu124", "-o", "vendored"]).ok();
    for package in PACKAGES {
        fs::rename(repo.remote(package), repo.remote(package).with_extension("gone")).unwrap();
    }
    let build = || {
        let build = cargo(&repo, &["build", "-v", "--features", "user/cu124"]);
        build.env("UVENV_PROFILE", "prod").env("UVENV_VENDORED", "vendored")
    };
    let failed = build().run();
    assert!(told(&failed).contains("error[without-vendoring]") && failed.status() != Some(0), "{failed}");
    assert!(!repo.environment("prod").exists());

    repo.replace("crates/user/Cargo.toml", "features = []", "features = [\"vendored\"]");
    build().ok();
    assert_eq!(repo.environment("prod").version("torch"), Some(torch("cu124")));
    assert_eq!(repo.environment("prod").version("print-utils").as_deref(), Some("0.1.2"));
    assert!(!ran(&build().ok(), "user"));
    // Another directory, or a change in it.
    repo.write("vendored/wheels/surplus.whl", "");
    let failed = build().run();
    assert!(told(&failed).contains("error[surplus-vendored-file]"), "{failed}");
}
