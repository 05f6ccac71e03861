//! Whatever a sync was doing when it was killed or failed, the next command makes the environment whole.
#![expect(clippy::disallowed_methods, reason = "a variable asks for all steps")]
#![expect(clippy::print_stdout, reason = "`--nocapture` shows how far it is")]

use std::fs;

use uvenv_tests::{
    Files, Fixture,
    kill_at::{CALLS, Killed, kill_at},
};

use super::backends_only;

/// If set, uv is killed at every call, and not just at some.
const ALL: &str = "UVENV_TEST_ALL_KILLS";

/// A command after a killed switch to cu128, and the backend that the environment must have then.
const NEXT: [(&[&str], &str); 4] = [
    (&["sync", "--backend", "cu128"], "cu128"),
    (&["sync", "--backend", "cu124"], "cu124"),
    (&["run", "--backend", "cu128", "--", "python", "-c", "import torch.version"], "cu128"),
    (&["sync", "--backend", "cu124", "--recreate"], "cu124"),
];

/// Whatever uvenv and uv note for themselves is left out.
fn packages(repo: &Fixture) -> Files {
    Files::under(&repo.environment("dev").path().join("lib"))
}

#[test]
fn any_command_repairs_a_switch_of_backends_that_ended_at_any_step() {
    let repo = backends_only().build();
    repo.uvenv(["lock"]).ok();
    let whole = ["cu128", "cu124"].map(|backend| {
        repo.uvenv(["sync", "--backend", backend]).ok();
        (backend, packages(&repo))
    });
    let note = repo.temporary().join("killed");
    let steps: Vec<usize> =
        if std::env::var_os(ALL).is_some() { (1..).take(10_000).collect() } else { vec![1, 4, 15, 30] };
    let mut kills = 0;
    for who in [Killed::Uv, Killed::Parent, Killed::Nobody] {
        for call in CALLS {
            for nth in &steps {
                repo.uvenv(["sync", "--backend", "cu124"]).ok();
                let _ = fs::remove_file(&note);
                kill_at(repo.uvenv(["sync", "--backend", "cu128"]), who, call, *nth, &note).run();
                if !note.exists() {
                    break;
                }
                let (next, backend) = NEXT[kills % NEXT.len()];
                repo.uvenv(next).ok();
                println!("{who:?}, {call} {nth}: {}", next.join(" "));
                let (_, whole) = whole.iter().find(|(other, _)| *other == backend).unwrap();
                packages(&repo).assert_eq(whole);
                kills += 1;
            }
        }
    }
    println!("{kills} times");
    assert!(kills > 30, "uv was stopped only {kills} times");
}
