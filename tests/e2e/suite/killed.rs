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

/// A sync that ends early, and whether there is an environment before, which has cu124.
const EARLY: [(&[&str], bool); 3] = [
    (&["sync", "--backend", "cu128"], true),
    (&["sync", "--backend", "cu128"], false),
    (&["sync", "--backend", "cu128", "--recreate"], true),
];

/// Asserts that after `early`, which ends early, the command `next` makes the environment whole again. Returns whether it
/// did end early.
fn is_repaired(
    repo: &Fixture,
    early: (&[&str], Killed, &str, usize),
    next: (&[&str], &str),
    whole: &[(&str, Files)],
) -> bool {
    let note = repo.temporary().join("killed");
    let _ = fs::remove_file(&note);
    let (early, who, call, nth) = early;
    kill_at(repo.uvenv(early), who, call, nth, &note).run();
    if !note.exists() {
        return false;
    }
    let (next, backend) = next;
    println!("{} ({who:?}, {call} {nth}), {}", early.join(" "), next.join(" "));
    repo.uvenv(next).ok();
    let (_, whole) = whole.iter().find(|(other, _)| *other == backend).unwrap();
    packages(repo).assert_eq(whole);
    let mut names = fs::read_dir(repo.root()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.find(|name| name.to_string_lossy().contains("removed")), None);
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
    for (early, is_there) in EARLY {
        for who in [Killed::Uv, Killed::Parent, Killed::Nobody] {
            for call in CALLS {
                for nth in &steps {
                    let mut ended = true;
                    for next in if all { &NEXT[..] } else { &NEXT[count % NEXT.len()..][..1] } {
                        repo.uvenv(["sync", "--backend", "cu124"]).ok();
                        if !is_there {
                            fs::remove_dir_all(repo.environment("dev").path()).unwrap();
                        }
                        ended = is_repaired(&repo, (early, who, call, *nth), *next, &whole);
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
    assert!(count > 60, "a sync ended early only {count} times");
}
