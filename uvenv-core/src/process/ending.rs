//! Ending a program as Ctrl-C does: together with what it has started, which would go on without it.

use std::{io, process::Child};

use rustix::process::{Pid, Signal, kill_process};

use super::Invocation;

/// Asks the program and all that it has started to end.
pub(super) fn interrupt(child: &mut Child) -> io::Result<()> {
    let program = Pid::from_child(child);
    // Once the program has ended, nothing tells whose they were.
    let started = descendants(program).unwrap_or_default();
    kill_process(program, Signal::INT)?;
    for process in started {
        // It may have ended by now, because the program has.
        let _ = kill_process(process, Signal::INT);
    }
    Ok(())
}

/// What `program` has started, and what that has. `None` where the system has no `ps`.
fn descendants(program: Pid) -> Option<Vec<Pid>> {
    let listed = Invocation::new("ps").args(["-A", "-o", "pid=,ppid="]).capture().ok()?.stdout;
    let pairs: Vec<(Pid, Pid)> = listed.lines().filter_map(parse).collect();
    let mut found = vec![program];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(pairs.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    Some(found.split_off(1))
}

/// Reads `  123   45`.
fn parse(line: &str) -> Option<(Pid, Pid)> {
    let mut numbers = line.split_whitespace().map(|word| word.parse().ok().and_then(Pid::from_raw));
    Some((numbers.next()??, numbers.next()??))
}
