//! `run`: a command in an up-to-date environment.

use uvenv_tests::cargo_uvenv;

use super::{backends_only, empty, pinned};

/// Prints the arguments that Python got, as JSON.
const ARGUMENTS: &str = "import json, sys; print(json.dumps(sys.argv[1:]))";

#[test]
fn passes_the_exit_code_through() {
    let repo = empty().build();
    for status in [0, 1, 2, 7, 101, 255] {
        let script = format!("raise SystemExit({status})");
        repo.uvenv(["run", "--", "python", "-c", &script]).ends(status);
    }
}

#[test]
fn leaves_the_standard_streams_to_the_command() {
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    let script = "import sys; print('out'); print('err', file=sys.stderr)";
    let said = repo.uvenv(["-q", "run", "--", "python", "-c", script]).ok();
    assert_eq!(said.stdout(), "out\n");
    assert!(said.stderr().ends_with("err\n"), "{said}");
}

#[cfg(unix)]
#[test]
fn ends_with_the_signal_that_killed_the_command() {
    let repo = empty().build();
    let script = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)";
    let outcome = repo.uvenv(["run", "--", "python", "-c", script]).run();
    assert_eq!(outcome.signal(), Some(15), "{outcome}");
}

#[cfg(unix)]
#[test]
fn forwards_signals_to_the_command() {
    use std::io::{BufRead as _, BufReader};

    let repo = empty().build();
    let script = "import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))
print('ready', flush=True)
signal.pause()";
    let mut child = repo.uvenv(["run", "--", "python", "-c", script]).start();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    repo.program("sh", ["-c", &format!("kill -TERM {}", child.id())]).ok();
    assert_eq!(child.wait().unwrap().code(), Some(42));
}

/// What uvenv's caller ignores is ignored in the command too, as for `nohup`; except for SIGPIPE, which `uv run` lets end
/// the command as well, so that `cargo uvenv run -- COMMAND | head` ends.
#[cfg(target_os = "linux")]
#[test]
fn hands_ignored_signals_on_as_uv_does() {
    const IGNORED: &str = "while read -r name value; do [ $name = SigIgn: ] && echo $value; done < /proc/self/status";
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    let ignored = |ignoring: &str, program: &str| {
        let script = format!("trap '' {ignoring}; exec '{program}' run -- sh -c '{IGNORED}; :'");
        let said = repo.program("sh", ["-c", &script]).ok();
        let signals = u64::from_str_radix(said.stdout().trim(), 16).unwrap_or_else(|error| panic!("{error}: {said}"));
        // The signals above are the C library's own.
        signals & 0x7fff_ffff
    };
    let uvenv = cargo_uvenv().as_str();
    assert_eq!(ignored("HUP USR1 PIPE", uvenv), 0x201);
    assert_eq!(ignored("PIPE", uvenv), ignored("PIPE", repo.which_uv().unwrap().path().as_str()));
}

#[test]
fn syncs_the_environment_first() {
    let repo = empty().package("print-utils").build();
    let version = ["run", "--", "python", "-c", "import print_utils; print(print_utils.__version__)"];
    assert_eq!(repo.uvenv(version).ok().stdout(), "0.1.2\n");
    repo.write(
        "packages/new-utils/pyproject.toml",
        repo.read("packages/print-utils/pyproject.toml").replace("print-", "new-"),
    );
    repo.write("packages/new-utils/src/new_utils/__init__.py", "");
    repo.replace("pyproject.toml", "dependencies = [", "dependencies = [\"new-utils\", ");
    repo.replace("pyproject.toml", "[tool.uv.sources]\n", "[tool.uv.sources]\nnew-utils = { workspace = true }\n");
    repo.uvenv(["run", "--", "python", "-c", "import new_utils"]).ok();
}

#[test]
fn uses_the_environment_of_the_profile() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "staging"]).ok();
    let script = "import bench_utils, sys; print(bench_utils.__version__, sys.prefix)";
    let said = repo.uvenv(["run", "--profile", "staging", "--", "python", "-c", script]).ok();
    assert_eq!(said.stdout().trim(), format!("0.1.2.dev0 {}", repo.environment("staging").path()));
}

#[test]
fn activates_the_environment() {
    let repo = empty().build();
    let script = "import os, shutil
print(os.environ['VIRTUAL_ENV'])
print(os.environ['PATH'].split(os.pathsep)[0])
print(shutil.which('python'))
print('PYTHONHOME' in os.environ)";
    let said = repo.uvenv(["run", "python", "-c", script]).env("VIRTUAL_ENV", "/elsewhere").ok();
    let environment = repo.environment("dev");
    let bin = environment.path().join("bin");
    let expected = format!("{}\n{bin}\n{bin}/python\nFalse\n", environment.path());
    assert_eq!(said.stdout(), expected);
}

#[test]
fn passes_arguments_unchanged() {
    let repo = empty().build();
    let odd =
        ["two words", "\"", "'", "$(touch touched)", "`touch touched`", "--", "-x", "--profile", "", "*", "a\\b", "é"];
    let said = repo.uvenv(["run", "--", "python", "-c", ARGUMENTS]).args(odd).ok();
    let seen: Vec<String> = serde_json::from_str(said.stdout()).unwrap();
    assert_eq!(seen, odd);
    assert!(!repo.root().join("touched").exists());
}

#[test]
fn separator_is_optional() {
    let repo = empty().build();
    let said = repo.uvenv(["run", "python", "-c", ARGUMENTS, "--profile", "prod", "--", "-v"]).ok();
    let seen: Vec<String> = serde_json::from_str(said.stdout()).unwrap();
    assert_eq!(seen, ["--profile", "prod", "--", "-v"]);
}

#[test]
fn keeps_the_working_directory() {
    let repo = empty().file("data/.keep", "").build();
    let said = repo.uvenv(["run", "--", "python", "-c", "import os; print(os.getcwd())"]).within("data").ok();
    assert_eq!(said.stdout().trim(), repo.root().join("data"));
}

#[test]
fn reports_a_missing_command() {
    let repo = empty().build();
    let outcome = repo.uvenv(["run", "--", "no-such-command-anywhere"]).ends(2);
    let told = outcome.told();
    assert!(told.contains("error[command-not-started]: `no-such-command-anywhere`"), "{told}");
}

#[test]
fn runs_nothing_if_the_pinned_lockfile_is_stale() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    repo.replace("prod/pyproject.toml", "bench-utils.git\", tag = \"v0.1.2\"", "bench-utils.git\", tag = \"v0.1.3\"");
    let touch = ["run", "--profile", "prod", "--", "python", "-c", "open('touched', 'w')"];
    repo.untouched_by(|| repo.uvenv(touch).fails("stale-lockfile"));
}

#[test]
fn runs_nothing_without_a_backend() {
    let repo = backends_only().build();
    repo.untouched_by(|| repo.uvenv(["run", "--", "python", "-c", "open('touched', 'w')"]).refused("backend-required"));
}

/// Prints some variables of the command as JSON.
const VARIABLES: &str = "import json, os
names = ['UVENV_PROFILE', 'UVENV_BACKEND', 'PYO3_PYTHON', 'PYTHONHOME', 'PYTHONPATH', 'CONDA_PREFIX']
print(json.dumps({name: os.environ.get(name) for name in names}))";

#[test]
fn sets_profile_and_backend_for_nested_commands() {
    let repo = super::three_profiles().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let seen = |arguments: &[&str]| -> serde_json::Value {
        let run = repo.uvenv(["-q", "run"]).args(arguments).args(["--", "python", "-c", VARIABLES]);
        serde_json::from_str(run.ok().stdout()).unwrap()
    };
    let dev = seen(&["--backend", "cu124"]);
    assert_eq!((&dev["UVENV_PROFILE"], &dev["UVENV_BACKEND"]), (&"dev".into(), &"cu124".into()));
    let prod = seen(&["--profile", "prod", "--backend", "cu128"]);
    assert_eq!((&prod["UVENV_PROFILE"], &prod["UVENV_BACKEND"]), (&"prod".into(), &"cu128".into()));
    assert_eq!(seen(&["--no-sync"])["UVENV_BACKEND"], "cu124");
    assert_eq!(seen(&["--backend", "none"])["UVENV_BACKEND"], "none");

    // All environments use the same interpreter for compilation.
    assert_eq!(dev["PYO3_PYTHON"], prod["PYO3_PYTHON"]);
    assert!(dev["PYO3_PYTHON"].as_str().unwrap().contains("uvenv-tests/python/"), "{dev}");
}

#[test]
fn unsets_variables_that_mislead_python() {
    let repo = empty().build();
    let run = repo.uvenv(["-q", "run", "--", "python", "-c", VARIABLES]);
    let run = run.env("PYTHONHOME", "/home").env("PYTHONPATH", "/path").env("CONDA_PREFIX", "/opt/conda");
    let seen: serde_json::Value = serde_json::from_str(run.ok().stdout()).unwrap();
    for name in ["PYTHONHOME", "PYTHONPATH", "CONDA_PREFIX", "UVENV_BACKEND"] {
        assert_eq!(seen[name], serde_json::Value::Null, "{name}");
    }
}

#[test]
fn uvenv_profile_selects_the_profile_without_an_option() {
    let repo = pinned().build();
    repo.uvenv(["lock", "--profile", "prod"]).ok();
    let synced = |arguments: &[&str]| {
        let sync = repo.uvenv(["sync"]).args(arguments).env("UVENV_PROFILE", "prod").json();
        sync.report("sync-finished")["profile"].as_str().unwrap().to_owned()
    };
    assert_eq!(synced(&[]), "prod");
    assert_eq!(synced(&["--profile", "dev"]), "dev");
    assert_eq!(synced(&["--project", "."]), "dev");
    let here = repo.uvenv(["sync"]).within("prod").env("UVENV_PROFILE", "dev").json();
    assert_eq!(here.report("sync-finished")["profile"], "dev", "it is stronger than the directory");

    for command in [&["sync"][..], &["lock"], &["env"], &["run", "--", "python"]] {
        let refused = repo.uvenv(command).env("UVENV_PROFILE", "production").refused("unknown-profile");
        refused.names(["`UVENV_PROFILE`", "`production`", "`staging`"]);
    }
}

#[cfg(unix)]
#[test]
fn rejects_a_python_that_does_not_run() {
    let repo = empty().build();
    repo.uvenv(["sync"]).ok();
    repo.program("sh", ["-c", "cd .venv/bin && rm python && cp /bin/false python"]).with_system().ok();
    for command in [&["run", "--no-sync", "--", "true"][..], &["env"]] {
        let refused = repo.uvenv(command).refused("python-does-not-run");
        refused.names([".venv/bin/python", "exit status"]).helps(["--recreate"]);
    }
}
