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

/// Asserts that after `sync`, which ends early, the command `next` makes the environment whole again. Returns whether it
/// did end early.
fn is_repaired(repo: &Fixture, early: (Killed, &str, usize), next: (&[&str], &str), whole: &[(&str, Files)]) -> bool {
    let note = repo.temporary().join("killed");
    let _ = fs::remove_file(&note);
    let (who, call, nth) = early;
    kill_at(repo.uvenv(["sync", "--backend", "cu128"]), who, call, nth, &note).run();
    if !note.exists() {
        return false;
    }
    let (next, backend) = next;
    println!("{who:?}, {call} {nth}: {}", next.join(" "));
    repo.uvenv(next).ok();
    let (_, whole) = whole.iter().find(|(other, _)| *other == backend).unwrap();
    packages(repo).assert_eq(whole);
    true
}

#[test]
fn any_command_repairs_a_sync_that_ended_at_any_step() {
    let repo = backends_only().build();
    repo.uvenv(["lock"]).ok();
    let whole = ["cu128", "cu124"].map(|backend| {
        repo.uvenv(["sync", "--backend", backend]).ok();
        (backend, packages(&repo))
    });
    let all = std::env::var_os(ALL).is_some();
    let steps: Vec<usize> = if all { (1..10_000).collect() } else { vec![1, 5, 20] };
    let mut count = 0;
    for is_new in [false, true] {
        for who in [Killed::Uv, Killed::Parent, Killed::Nobody] {
            for call in CALLS {
                for nth in &steps {
                    let mut ended = true;
                    for next in if all { &NEXT[..] } else { &NEXT[count % NEXT.len()..][..1] } {
                        if is_new {
                            fs::remove_dir_all(repo.environment("dev").path()).unwrap();
                        } else {
                            repo.uvenv(["sync", "--backend", "cu124"]).ok();
                        }
                        ended = is_repaired(&repo, (who, call, *nth), *next, &whole);
                        count += usize::from(ended);
                    }
                    if !ended {
                        break;
                    }
                }
            }
        }
    }
    println!("{count} times");
    assert!(count > 45, "a sync ended early only {count} times");
}
