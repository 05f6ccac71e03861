//! Stops a program as Ctrl-C does: together with the processes that it started, which would otherwise keep running.

use std::{io, process::Child};

use rustix::process::{Pid, Signal, kill_process};

use super::Invocation;

/// Interrupts the program and all processes that it started.
pub(super) fn interrupt(child: &mut Child) -> io::Result<()> {
    let program = Pid::from_child(child);
    // After the program has exited, nothing shows which processes belonged to it.
    let started = descendants(program).unwrap_or_default();
    kill_process(program, Signal::INT)?;
    for process in started {
        // The process may have exited already, because the program has.
        let _ = kill_process(process, Signal::INT);
    }
    Ok(())
}

/// Returns the processes that `program` started, and those that they started in turn. Returns `None` if the system has
/// no `ps`.
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

/// Parses `  123   45`.
fn parse(line: &str) -> Option<(Pid, Pid)> {
    let mut numbers = line.split_whitespace().map(|word| word.parse().ok().and_then(Pid::from_raw));
    Some((numbers.next()??, numbers.next()??))
}
