//! An invisible terminal, from which we read the progress that a program shows on it; and an interrupt, which stops a
//! program as Ctrl-C does: together with the processes that it started, which would otherwise keep running.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    process::{Child, Stdio},
};

use rustix::{
    fs::{Mode, OFlags, open as open_file},
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::{Invocation, screen::Screen};

/// Wide enough that no row of uv's progress is truncated.
const COLUMNS: u16 = 500;

/// High enough that no download is left out.
const ROWS: u16 = 1000;

/// Opens a terminal: one end to read, the other for the program's stdout and stderr. Uses a pipe if the system cannot
/// provide a terminal.
pub(super) fn open_screen() -> io::Result<(File, [Stdio; 2], Screen)> {
    if let Ok((controller, ends)) = open() {
        return Ok((controller.into(), ends, Screen::new(COLUMNS.into())));
    }
    let (reader, writer) = io::pipe()?;
    let ends = [writer.try_clone()?.into(), writer.into()];
    Ok((OwnedFd::from(reader).into(), ends, Screen::new(usize::from(u16::MAX))))
}

fn open() -> io::Result<(OwnedFd, [Stdio; 2])> {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // Not every system can set this flag when it opens a terminal.
    fcntl_setfd(&controller, FdFlags::CLOEXEC)?;
    grantpt(&controller)?;
    unlockpt(&controller)?;
    // In a session without a terminal, such as that of a notebook's kernel, the first one opened would become the
    // controlling terminal.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let program = open_file(ptsname(&controller, Vec::new())?.as_c_str(), flags, Mode::empty())?;
    tcsetwinsize(&program, Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 })?;
    let second = program.try_clone()?;
    Ok((controller, [program.into(), second.into()]))
}

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
