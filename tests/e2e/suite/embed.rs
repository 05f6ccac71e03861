//! Crates that embed Python through PyO3, built and tested by the real cargo.

use std::{fs, path::Path};

use uvenv_tests::{Fixture, Invocation, Kind, Monorepo, Outcome, interpreter_of};

use super::empty;

/// A test and a documentation test that print which environment they see. `print_utils` is an editable package.
const EMBEDDING: &str = r#"//! ```
//! pyo3::Python::attach(|py| pyo3::types::PyModule::import(py, "print_utils").map(drop).unwrap());
//! ```

#[test]
fn sees_the_environment() {
    use pyo3::prelude::*;

    Python::attach(|py| {
        let module = |name| py.import(name).unwrap();
        assert!(module("json").hasattr("dumps").unwrap());
        let prefix: String = module("sys").getattr("prefix").unwrap().extract().unwrap();
        let file: String = module("print_utils").getattr("__file__").unwrap().extract().unwrap();
        let version = py.version_info();
        let version = format!("{}.{}.{}", version.major, version.minor, version.patch);
        println!("{} with {version} in {prefix} has {file}", env!("CARGO_PKG_NAME"));
    });
}
"#;

/// A crate that embeds the interpreter with its full API, and one with the stable ABI.
const CRATES: [(&str, &str); 2] = [("embed", ""), ("embed-abi3", ", \"abi3-py310\"")];

trait Embedding {
    fn embedding(self) -> Self;
}

impl Embedding for Monorepo {
    fn embedding(self) -> Self {
        let lock = fs::read(Fixture::core_dir().with_file_name("Cargo.lock")).unwrap();
        CRATES.into_iter().fold(self.file("Cargo.lock", lock), |repo, (name, feature)| {
            let features = format!("\"auto-initialize\"{feature}");
            let manifest = format!("[dependencies]\npyo3 = {{ version = \"0.30\", features = [{features}] }}\n");
            repo.rust_crate(name, &manifest).file(&format!("crates/{name}/src/lib.rs"), EMBEDDING)
        })
    }
}

/// Sets the variables of a real cargo. Builds for an interpreter are kept between tests.
fn with_cargo(invocation: Invocation<'_>, kind: Kind) -> Invocation<'_> {
    let builds = invocation.fixture().cargo_build_dir().join(format!("embed-{kind:?}").to_lowercase());
    let invocation = invocation.with_system().env("CARGO_HOME", Fixture::cargo_home());
    let rustdoc = Path::new(env!("CARGO")).with_file_name("rustdoc");
    invocation.env("CARGO_BUILD_BUILD_DIR", builds).env("RUSTDOC", rustdoc)
}

/// A monorepo with crates that embed Python, whose dev environment uses an interpreter of this kind.
fn synced(kind: Kind) -> Option<Fixture> {
    let python = interpreter_of(kind)?;
    let repo = empty().package("print-utils").embedding().build();
    repo.uvenv(["sync", "--python", python.as_str()]).ok();
    Some(repo)
}

const TEST: [&str; 5] = ["cargo", "test", "--workspace", "--", "--nocapture"];

/// Asserts that the tests of both crates used the dev environment and the library of its interpreter.
fn saw(repo: &Fixture, outcome: &Outcome) {
    let configuration = repo.read(".venv/pyvenv.cfg");
    let version = configuration.lines().find_map(|line| line.strip_prefix("version_info = ")).unwrap();
    for (name, _) in CRATES {
        let module = repo.root().join("packages/print-utils/src/print_utils/__init__.py");
        let line = format!("{name} with {version} in {} has {module}", repo.root().join(".venv"));
        assert!(outcome.stdout().lines().any(|said| said.ends_with(&line)), "{line}\n{outcome}");
    }
}

/// Asserts how the build fails without uvenv, if only PyO3 knows the environment.
fn fails_without(repo: &Fixture, kind: Kind, directory: Option<&str>, problems: &[&str]) {
    let test = with_cargo(repo.program("cargo", &TEST[1..]), kind).args(["--test-threads=1"]);
    // The same value as in `run`; otherwise PyO3 is compiled again.
    let python = repo.uvenv(["run", "--no-sync", "--", "sh", "-c", "echo $PYO3_PYTHON"]).ok();
    let mut test = test.env("PYO3_PYTHON", python.stdout().trim()).env("VIRTUAL_ENV", repo.environment("dev").path());
    if let Some(directory) = directory {
        test = test.env("LD_LIBRARY_PATH", directory);
    }
    let outcome = test.run();
    assert_ne!(outcome.status(), Some(0), "{outcome}");
    assert!(problems.iter().any(|problem| outcome.stderr().contains(problem)), "{outcome}");
}

fn works_with(repo: &Fixture, kind: Kind) {
    let run = with_cargo(repo.uvenv(["run", "--"]).args(TEST), kind);
    let outside = [("PYTHONHOME", "/somewhere"), ("PYTHONPATH", "/elsewhere"), ("CONDA_PREFIX", "/opt/conda")];
    let run = outside.into_iter().fold(run, |run, (name, value)| run.env(name, value));
    saw(repo, &run.ok());
}

#[test]
fn embeds_the_system_interpreter() {
    let Some(repo) = synced(Kind::System) else { return };
    fails_without(&repo, Kind::System, None, &["No module named 'print_utils'"]);
    works_with(&repo, Kind::System);
    works_once_it_is_configured(&repo, Kind::System);
}

#[test]
fn embeds_a_libpython_outside_the_loader_path() {
    let Some(repo) = synced(Kind::Shared) else { return };
    // The second one occurs if the loader finds the library of another Python of the same version.
    let problems = ["error while loading shared libraries", "No module named 'print_utils'"];
    fails_without(&repo, Kind::Shared, None, &problems);
    works_with(&repo, Kind::Shared);
    works_once_it_is_configured(&repo, Kind::Shared);
}

#[test]
fn embeds_a_relocated_interpreter() {
    let Some(repo) = synced(Kind::Relocated) else { return };
    let library = interpreter_of(Kind::Relocated).unwrap().parent().unwrap().with_file_name("lib");
    fails_without(&repo, Kind::Relocated, Some(library.as_str()), &["No module named 'encodings'"]);
    works_with(&repo, Kind::Relocated);
    // A shell that evaluates `env` runs plain cargo.
    let script = format!("eval \"$(cargo uvenv env --shell bash)\"; {}", TEST.join(" "));
    let outcome = shell(&repo, Kind::Relocated, &script).env("PYTHONHOME", "/somewhere").ok();
    saw(&repo, &outcome);
    works_once_it_is_configured(&repo, Kind::Relocated);
}

/// The packages that `cargo build -v` has compiled, or has run the build script of.
fn built(outcome: &Outcome) -> Vec<&str> {
    let compiling = outcome.stderr().lines().filter_map(|line| line.trim().strip_prefix("Compiling "));
    compiling.chain(outcome.stderr().lines().filter_map(|line| line.trim().strip_prefix("Dirty "))).collect()
}

#[test]
fn switching_profile_or_backend_recompiles_nothing() {
    let backends = empty().package("print-utils").backends(["cu124", "cu128"]).remotes().embedding().build();
    let python = interpreter_of(Kind::Shared).unwrap_or_else(|| interpreter_of(Kind::System).unwrap());
    let build = |arguments: &[&str]| {
        let run = backends.uvenv(["run", "--python", python.as_str()]).args(arguments);
        let run = run.args(["--", "cargo", "build", "--workspace", "-v"]);
        with_cargo(run, Kind::Shared).ok()
    };
    backends.uvenv(["lock", "--profile", "prod"]).ok();
    assert!(built(&build(&["--backend", "cu124"])).iter().any(|line| line.starts_with("embed v")));
    let all: [&[&str]; 4] = [
        &["--backend", "cu128"],
        &["--profile", "prod", "--backend", "cu124"],
        &["--profile", "prod", "--backend", "cu128"],
        &["--profile", "dev"],
    ];
    for arguments in all {
        let outcome = build(arguments);
        assert_eq!(built(&outcome), [""; 0], "{arguments:?}: {outcome}");
        assert!(outcome.stderr().contains("Fresh pyo3-ffi") && outcome.stderr().contains("Fresh embed"), "{outcome}");
    }
    backends.replace("Cargo.toml", "[workspace]\n", "[workspace]\nmetadata.uvenv.env-per-backend = true\n");
    for backend in ["cu124", "cu128"] {
        let outcome = build(&["--backend", backend]);
        assert_eq!(built(&outcome), [""; 0], "{backend}: {outcome}");
    }
    assert!(backends.root().join(".venv-cu124").exists() && backends.root().join(".venv-cu128").exists());
}

/// `script` in a shell with cargo and cargo-uvenv on `PATH`.
fn shell<'a>(repo: &'a Fixture, kind: Kind, script: &str) -> Invocation<'a> {
    let bin = uvenv_tests::cargo_uvenv().parent().unwrap();
    with_cargo(repo.program("sh", ["-euc", script]), kind).on_path(bin)
}

/// Asserts that plain cargo works after `cargo uvenv env --write-cargo-config`.
fn works_once_it_is_configured(repo: &Fixture, kind: Kind) {
    let before = "# what the team has agreed on\n[build]\nincremental = false   # for sccache\n";
    repo.write(".cargo/config.toml", before);
    let configure = || shell(repo, kind, "cargo uvenv env --write-cargo-config").ok();
    configure();
    let written = repo.read(".cargo/config.toml");
    assert!(written.starts_with(before), "{written}");
    assert!(configure().stderr().contains("unchanged"));
    assert_eq!(repo.read(".cargo/config.toml"), written);
    let outcome = shell(repo, kind, &TEST.join(" ")).env("PYTHONPATH", "/somewhere").ok();
    saw(repo, &outcome);
    assert!(outcome.stdout().contains("crates/embed/src/lib.rs - (line 1) ... ok"), "{outcome}");
}

#[test]
fn cargo_configuration_follows_the_profile_of_run() {
    let Some(python) = interpreter_of(Kind::Shared) else { return };
    let repo = empty().package("print-utils").remotes().embedding().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    for profile in ["dev", "prod"] {
        repo.uvenv(["sync", "--profile", profile, "--python", python.as_str()]).ok();
    }
    shell(&repo, Kind::Shared, "cargo uvenv env --write-cargo-config").ok();
    let test = "cargo test -p embed --lib -- --nocapture";
    let in_environment = |script: &str, environment: &str| {
        let outcome = shell(&repo, Kind::Shared, script).ok();
        let line = format!(" in {} has", repo.root().join(environment));
        assert!(outcome.stdout().contains(&line), "{line}\n{outcome}");
    };
    in_environment(test, ".venv");
    in_environment(&format!("cargo uvenv run --profile prod -- {test}"), "prod/.venv");
    in_environment(&format!("eval \"$(cargo uvenv env --profile prod --shell bash)\"; {test}"), "prod/.venv");
}

/// The monorepo of the PyO3 page, and a shell line that sets up cargo for it.
pub(crate) fn documented() -> (Fixture, String) {
    let repo = empty().package("print-utils").remotes().embedding().build();
    let variables = format!(
        "export CARGO_HOME='{}' CARGO_BUILD_BUILD_DIR='{}' GITHUB_ENV='{}'",
        Fixture::cargo_home(),
        repo.cargo_build_dir().join("embed-page"),
        repo.temporary().join("github")
    );
    (repo, variables)
}
