//! uv's variables mean to uvenv what they mean to uv, or are refused by name.

use uvenv_tests::Fixture;

use super::{empty, three_profiles};

const PRINT: [&str; 4] = ["python", "-c", "import os; print(os.environ.get('FIRST'), os.environ.get('SECOND'))", ""];

/// Options, variables, and what is then printed.
type Case = (&'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

/// What a command prints that `run` of uv or of uvenv starts.
fn printed(repo: &Fixture, is_uv: bool, options: &[&str], variables: &[(&str, &str)]) -> String {
    let arguments = [&["run"], options, &["--"], &PRINT].concat();
    let invocation = if is_uv { repo.uv(arguments) } else { repo.uvenv(arguments) };
    let invocation = variables.iter().fold(invocation, |invocation, (name, value)| invocation.env(name, value));
    invocation.ok().stdout().trim().to_owned()
}

#[test]
fn run_reads_variables_from_files_as_uv_does() {
    let repo = empty().build();
    repo.write("one.env", "FIRST=1\nSECOND='a # b'\n");
    repo.write("two.env", "# more\nexport SECOND=2\n");
    repo.write("bad.env", "FIRST=1\nno variable\nSECOND=2\n");
    let cases: [Case; 8] = [
        (&["--env-file", "one.env"], &[], "1 a # b"),
        (&["--env-file", "one.env", "--env-file", "two.env"], &[], "1 2"),
        (&["--env-file", "one.env"], &[("FIRST", "set")], "set a # b"),
        (&[], &[("UV_ENV_FILE", "one.env two.env")], "1 2"),
        (&["--env-file", "two.env"], &[("UV_ENV_FILE", "one.env")], "None 2"),
        (&["--no-env-file"], &[("UV_ENV_FILE", "one.env")], "None None"),
        (&[], &[("UV_ENV_FILE", "one.env"), ("UV_NO_ENV_FILE", "1")], "None None"),
        (&["--env-file", "bad.env"], &[], "1 None"),
    ];
    for (options, variables, expected) in cases {
        for is_uv in [true, false] {
            assert_eq!(printed(&repo, is_uv, options, variables), expected, "{options:?} {variables:?} {is_uv}");
        }
    }
    let run = [&["run", "--env-file", "bad.env", "--"], &PRINT[..]].concat();
    assert!(repo.uvenv(run).ok().stderr().contains("warning[invalid-env-file]"));
    repo.uv([&["run", "--env-file", "gone.env", "--"], &PRINT[..]].concat()).ends(2);
    let refusal = repo.uvenv([&["run", "--env-file", "gone.env", "--"], &PRINT[..]].concat());
    refusal.refused("unreadable-env-file").names(["gone.env"]).helps(["--no-env-file"]);
}

#[test]
fn variables_that_only_uv_run_supports_are_refused_by_name() {
    let repo = empty().build();
    for name in ["UV_ISOLATED", "UV_NO_PROJECT"] {
        let run = ["run", "--", "python", "-V"];
        repo.untouched_by(|| repo.uvenv(run).env(name, "1").refused("unsupported-variable")).names([name]);
        repo.uvenv(run).env(name, "0").ok();
    }
}

#[test]
fn lock_honours_uv_locked_and_refuses_uv_frozen() {
    let repo = empty().package("one").build();
    repo.uvenv(["lock"]).ok();
    repo.replace("pyproject.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
    repo.untouched_by(|| {
        assert_ne!(repo.uv(["lock"]).env("UV_LOCKED", "1").run().status(), Some(0));
        repo.uvenv(["lock"]).env("UV_LOCKED", "1").fails("stale-lockfile");
        repo.uvenv(["lock"]).env("UV_FROZEN", "1").refused("unsupported-variable").names(["UV_FROZEN"]);
    });
}

#[test]
fn working_directory_and_project_are_those_of_the_variables() {
    let repo = three_profiles().build();
    for profile in ["staging", "prod"] {
        repo.uvenv(["lock", "--profile", profile]).ok();
    }
    let synced = |arguments: &[&str], variables: &[(&str, &str)]| {
        let invocation = repo.uvenv([&["sync", "--backend", "none"], arguments].concat());
        let invocation = variables.iter().fold(invocation, |invocation, (name, value)| invocation.env(name, value));
        invocation.json().report("sync-finished")["profile"].as_str().unwrap().to_owned()
    };
    assert_eq!(synced(&[], &[("UV_WORKING_DIR", "prod")]), "prod");
    assert_eq!(synced(&[], &[("UV_WORKING_DIRECTORY", "prod")]), "prod");
    assert_eq!(synced(&["-C", "staging"], &[("UV_WORKING_DIR", "prod")]), "staging");
    assert_eq!(synced(&[], &[("UV_PROJECT", "prod")]), "prod");
    assert_eq!(synced(&[], &[("UV_PROJECT", "staging/pyproject.toml")]), "staging");
    assert_eq!(synced(&["--profile", "staging"], &[("UV_PROJECT", "prod")]), "staging");
    assert_eq!(synced(&[], &[("UV_PROJECT", "prod"), ("UVENV_PROFILE", "staging")]), "staging");
    assert_eq!(synced(&["--project", "staging"], &[("UV_PROJECT", "prod")]), "staging");
    repo.uvenv(["sync"]).env("UV_WORKING_DIR", "gone").refused("unreadable-directory");
}
