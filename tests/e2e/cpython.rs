//! The Python package as its users install it: the wheel in a fresh environment, away from its sources.
#![expect(clippy::disallowed_methods, reason = "a variable asks for the reference to be written")]
#![expect(clippy::print_stdout, reason = "`--nocapture` shows how far it is")]

use std::{
    env, fs,
    sync::Mutex,
    thread::{self, available_parallelism},
};

use camino::Utf8Path;
use uvenv_tests::{Build, Cpython, Environment, Invocation, Outcome, PythonHome, python_dir, wheel};

/// The CPython for tests that need to run in only one version.
fn cpython() -> &'static Cpython {
    // Type checkers and the like support it longest.
    Cpython::all().last().unwrap()
}

/// The tests that may differ between Python versions: functions, exceptions, command line, imports from an environment.
const IN_EACH: [&str; 4] = ["test_activate.py", "test_api.py", "test_cli.py", "test_errors.py"];

/// If set, every CPython runs all tests, not just the oldest and the newest, and not just one of each minor version.
const ALL: &str = "UVENV_TEST_ALL_CPYTHONS";

fn passes(cpython: &Cpython, is_all: bool) -> Result<(), String> {
    let home = PythonHome::with_wheel(cpython, Build::Debug, &["test"]);
    let tests = python_dir().join("tests");
    // A browser is slow and does not depend on the Python version.
    let browser = tests.join("test_jupyterlab.py");
    let left_out = (cpython.python != self::cpython().python).then(|| format!("--ignore={browser}"));
    let tests = if is_all { vec![tests] } else { IN_EACH.map(|name| tests.join(name)).to_vec() };
    let outcome = home.pytest(&tests).args(left_out).run();
    println!("CPython {}: {}", cpython.version, outcome.stdout().lines().last().unwrap_or_default());
    if outcome.status() == Some(0) { Ok(()) } else { Err(format!("CPython {}: {outcome}", cpython.version)) }
}

#[test]
fn python_tests_pass_with_every_installed_cpython() {
    let all: Vec<_> =
        if env::var_os(ALL).is_some() { Cpython::all().iter().collect() } else { Cpython::newest_of_each() };
    let is_all = |cpython| env::var_os(ALL).is_some() || cpython == all[0] || cpython == self::cpython();
    let mut waiting: Vec<_> = all.iter().map(|cpython| (is_all(*cpython), *cpython)).collect();
    // Start the slow ones first.
    waiting.sort();
    let waiting = Mutex::new(waiting);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        // They mostly wait: for uv, for kernels.
        for _ in 0..2 * available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let Some((is_all, cpython)) = waiting.lock().unwrap().pop() else { break };
                    // In the expression that takes the lock, it would be held while the tests run.
                    let outcome = passes(cpython, is_all);
                    failures.lock().unwrap().extend(outcome.err());
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn pip_installs_a_working_command_line() {
    let home = PythonHome::empty(cpython());
    home.program("python", ["-m", "ensurepip", "--upgrade"]).ok();
    let wheel = wheel(cpython(), Build::Debug);
    home.program("python", ["-m", "pip", "install", "--quiet", wheel.as_str()]).ok();

    let cargo = home.program("python", ["-c", "import subprocess; subprocess.run(['cargo', 'uvenv', '--version'])"]);
    let said = cargo.ok().stdout().to_owned();
    assert!(said.starts_with("cargo-uvenv "), "{said}");

    // A machine without Rust, whose only uv is the one installed with the wheel.
    let without_rust = |name: &str, arguments: &[&str]| -> Outcome {
        home.program(name, []).args(arguments).without("cargo").without("rustc").ok()
    };
    for (name, before) in [("cargo-uvenv", &["uvenv"][..]), ("cargo-uvenv", &[]), ("python", &["-m", "uvenv"])] {
        let command = |arguments: &[&str]| without_rust(name, &[before, arguments].concat());
        assert_eq!(command(&["--version"]).stdout(), said);
    }
    let root = home.machine().temporary().join("bench");
    without_rust("cargo-uvenv", &["new", root.as_str(), "--local-remotes"]);
    without_rust("python", &["-m", "uvenv", "-C", root.as_str(), "lock"]);
    without_rust("cargo-uvenv", &["-C", root.as_str(), "sync", "--backend", "none"]);
    assert_eq!(Environment::at(root.join(".venv")).version("bench-utils").as_deref(), Some("0.1.2"));
}

/// Type-checks the installed package and the tests, as a user of the package would.
#[test]
fn type_checkers_accept_the_package_and_its_tests() {
    let home = PythonHome::with_wheel(cpython(), Build::Debug, &["types"]);
    // Copy both to a separate directory, because type checkers skip files in an environment.
    let sources = home.machine().temporary().join("sources");
    fs::create_dir(&sources).unwrap();
    let installed = home.environment().site_packages().unwrap().join("uvenv");
    for (from, to) in [(installed, "uvenv"), (python_dir().join("tests"), "tests")] {
        copy_python(&from, &sources.join(to));
    }
    fs::copy(python_dir().join("pyproject.toml"), sources.join("pyproject.toml")).unwrap();
    let checks = [
        home.program("mypy", ["uvenv", "tests"]).within(&sources),
        home.program("pyright", []).within(&sources),
        // Checks that the native module matches its stub.
        home.program("stubtest", ["--mypy-config-file=pyproject.toml", "uvenv._uvenv"]).within(&sources),
    ];
    let outcomes = checks.into_iter().map(Invocation::run).filter(|outcome| outcome.status() != Some(0));
    let findings: Vec<_> = outcomes.map(|outcome| outcome.to_string()).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n\n"));
}

fn copy_python(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir(to).unwrap();
    for entry in from.read_dir_utf8().unwrap().map(|entry| entry.unwrap().into_path()) {
        let copy = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_python(&entry, &copy);
        } else {
            fs::copy(&entry, copy).unwrap();
        }
    }
}

#[test]
fn api_reference_matches_the_docstrings() {
    let home = PythonHome::with_wheel(cpython(), Build::Debug, &["docs"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/api_reference.py");
    let written = home.program("python", [script]).ok();
    let page = python_dir().with_file_name("docs").join("python-api.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(page, written.stdout()).unwrap();
        return;
    }
    let committed = fs::read_to_string(&page).unwrap();
    assert!(
        committed == written.stdout(),
        "{page} is out of date: UPDATE_DOCS=1 cargo test -p uvenv-tests --test e2e reference"
    );
}
