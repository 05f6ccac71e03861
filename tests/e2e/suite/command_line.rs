//! What all commands have in common: help, completions, verbosity and colours.

use super::{backends_only, empty, uv};

/// All commands.
const COMMANDS: [&[&str]; 13] = [
    &[],
    &["lock"],
    &["sync"],
    &["run"],
    &["status"],
    &["backend"],
    &["backend", "list"],
    &["backend", "detect"],
    &["new"],
    &["verify"],
    &["vendor"],
    &["sbom"],
    &["completions"],
];

#[test]
fn help_of_each_command_has_examples() {
    let repo = empty().build();
    for command in COMMANDS {
        let help = repo.uvenv(command).args(["--help"]).within("/").ok();
        assert!(help.stdout().contains("\nExamples:\n  cargo uvenv"), "{help}");
        assert!(help.stdout().contains("Usage: cargo uvenv"), "{help}");
        assert!(help.stdout().lines().all(|line| line.chars().count() <= 120), "{help}");
        assert_eq!(help.stderr(), "");
    }
    assert_eq!(repo.uvenv(["-h"]).ok().stdout(), repo.cargo_uvenv(["-h"]).ok().stdout());
    assert_eq!(repo.cargo_subcommand(["sync", "--help"]).ok().stdout(), repo.uvenv(["sync", "--help"]).ok().stdout());
}

#[test]
fn version_option_prints_the_package_version() {
    let repo = empty().build();
    for flag in ["--version", "-V"] {
        let said = repo.uvenv([flag]).ok();
        assert_eq!(said.stdout(), format!("cargo-uvenv {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn generates_completions_for_each_shell() {
    let repo = empty().build();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let said = repo.uvenv(["completions", shell]).within("/").ok();
        for part in ["uvenv", "profile", "backend"] {
            assert!(said.stdout().contains(part), "{shell} has no {part}");
        }
        assert_eq!(said.stderr(), "");
    }
}

/// If bash is installed, it loads the script and completes a subcommand and options with it.
#[cfg(unix)]
#[test]
fn bash_completions_work() {
    let repo = empty().build();
    let script = repo.temporary().join("completions.bash");
    std::fs::write(&script, repo.uvenv(["completions", "bash"]).ok().stdout()).unwrap();
    if !std::path::Path::new("/bin/bash").exists() {
        return;
    }
    let complete = ". \"$0\"; complete() { :; }
        words() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
                  _cargo__uvenv \"$1\" \"${@: -1}\" \"${@: -2:1}\"; echo \"${COMPREPLY[@]}\"; }
        words cargo-uvenv st; words cargo-uvenv sync --backe; words cargo-uvenv sync --profile pr; words cargo-uvenv completions po";
    let said = repo.program("sh", ["-c", "/bin/bash -n \"$1\" && exec /bin/bash -c \"$2\" \"$1\"", "sh"]);
    let said = said.args([script.as_str(), complete]).ok();
    assert_eq!(said.stdout(), "status\n--backend\nprod\npowershell\n", "{said}");
}

/// A reader that closes the pipe, such as `head`, must not cause a panic.
#[cfg(unix)]
#[test]
fn does_not_panic_when_the_reader_closes_the_pipe() {
    let repo = backends_only().build();
    for command in ["completions bash", "status", "status --message-format json", "sync --help", "backend list"] {
        let script = format!("{} uvenv {command} 2>&1 >&3 | cat", uvenv_tests::cargo_uvenv());
        let closed = format!("exec 3> >(exec 0<&-); sleep 0.1; {script}");
        let told = repo.program("sh", ["-c", "exec /bin/bash -c \"$1\"", "sh", &closed]).run();
        assert!(!told.stdout().contains("panicked"), "{command}: {told}");
    }
}

#[test]
fn quiet_prints_nothing_on_success() {
    let repo = backends_only().build();
    for arguments in [
        &["lock"][..],
        &["lock", "--locked"],
        &["lock", "--dry-run"],
        &["sync", "--backend", "cu124", "--dry-run"],
        &["sync", "--backend", "cu124"],
        &["run", "--", "python", "-c", ""],
        &["status"],
        &["backend", "list"],
        &["new", "made"],
    ] {
        let said = repo.uvenv(["-q"]).args(arguments).ok();
        assert_eq!((said.stdout(), said.stderr()), ("", ""), "{said}");
    }
    let refused = repo.uvenv(["-q", "sync"]).ends(2);
    assert!(refused.stderr().contains("error[backend-required]"), "{refused}");
    let said = repo.uvenv(["status"]).env("CARGO_TERM_QUIET", "true").ok();
    assert_eq!((said.stdout(), said.stderr()), ("", ""), "{said}");
}

#[test]
fn verbose_shows_uv_commands() {
    let repo = backends_only().build();
    let called = |arguments: &[&str]| {
        let told = repo.uvenv(arguments).ok().told();
        let lines = told.lines().filter_map(|line| line.trim_start().strip_prefix("Running "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let lock = called(&["-v", "lock"]);
    assert_eq!(lock, ["[UV] lock --project [ROOT]/repo --color never"]);
    let sync = called(&["sync", "--backend", "cu124", "--verbose"]);
    assert_eq!(sync, ["[UV] sync --project [ROOT]/repo --color never --extra=cu124"]);
    assert!(called(&["sync", "--backend", "cu124"]).is_empty());
    // The flag overrides the variable.
    let loud = repo.uvenv(["-v", "lock"]).env("CARGO_TERM_QUIET", "true").ok();
    assert!(loud.stderr().contains(uv().path().as_str()), "{loud}");
    // Given twice, it also shows uv's own log.
    let logged = repo.uvenv(["-vv", "lock"]).ok();
    assert!(logged.stderr().contains("DEBUG"), "{logged}");
}

#[test]
fn colour_settings_apply_to_all_output() {
    let repo = backends_only().build();
    repo.uvenv(["sync", "--backend", "cu124"]).ok();
    let coloured = |arguments: &[&str], name: &str, value: &str| {
        let said = repo.uvenv(arguments).env_remove("CARGO_TERM_COLOR").env(name, value).run();
        (said.stdout().contains('\x1b'), said.stderr().contains('\x1b'))
    };
    for (arguments, expected) in [
        (&["sync", "--backend", "cu124"][..], (false, true)),
        (&["sync"], (false, true)),
        (&["sync", "--no-such-option"], (false, true)),
        (&["--help"], (true, false)),
    ] {
        assert_eq!(coloured(arguments, "CARGO_TERM_COLOR", "always"), expected, "{arguments:?}");
        for (name, value) in [("CARGO_TERM_COLOR", "never"), ("NO_COLOR", "1"), ("CARGO_TERM_COLOR", "auto")] {
            assert_eq!(coloured(arguments, name, value), (false, false), "{arguments:?} with {name}={value}");
        }
    }
    // Output for programs has no colours.
    let status = repo.uvenv(["--color", "always", "status"]).json();
    assert!(!status.stdout().contains('\x1b'), "{status}");
}

#[test]
fn usage_errors_suggest_the_right_spelling() {
    let repo = empty().build();
    for (arguments, parts) in [
        (&["synk"][..], ["synk", "sync"]),
        (&["sync", "--profle", "prod"], ["--profle", "--profile"]),
        (&["sync", "--message-format", "yaml"], ["yaml", "human"]),
        (&["completions", "tcsh"], ["tcsh", "fish"]),
        (&["backend"], ["list", "detect"]),
    ] {
        let told = repo.uvenv(arguments).ends(2);
        for part in parts {
            assert!(told.stderr().contains(part), "{part}: {told}");
        }
        assert_eq!(told.stdout(), "", "{told}");
    }
}

#[test]
fn usage_errors_are_json_messages_too() {
    let repo = empty().package("print-utils").build();
    let refusal = repo.uvenv(["sync", "--profile", "prod", "--project", "prod"]).refused("invalid-arguments");
    refusal.names(["--profile", "--project"]);
    let refusal = repo.uvenv(["sync", "--bakend", "none"]).refused("invalid-arguments");
    refusal.names(["--bakend"]);
    assert!(refusal.help.contains("'--backend'"), "{refusal:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let repo = backends_only().build();
    for command in ["status", "--message-format json status", "explain", "explain backend-required", "backend list"] {
        let script = format!("\"$0\" uvenv {command} > /dev/full");
        let said = repo.program("sh", ["-c", &script, uvenv_tests::cargo_uvenv().as_str()]).run();
        assert!(said.status() != Some(0) && said.stderr().contains("output-not-written"), "{command}: {said}");
    }
    // A reader that has gone away has read enough.
    let script = "\"$0\" uvenv explain | head -n 1; exit ${PIPESTATUS:-0}";
    let said = repo.program("sh", ["-c", script, uvenv_tests::cargo_uvenv().as_str()]).with_system().ok();
    assert!(!said.stderr().contains("error"), "{said}");
}
