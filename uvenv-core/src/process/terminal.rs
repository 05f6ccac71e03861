//! An invisible terminal, from which we read the progress that a program shows on it.

use std::{fs::File, io, os::fd::OwnedFd, process::Stdio};

use rustix::{
    fs::{Mode, OFlags, open as open_file},
    io::{FdFlags, fcntl_setfd},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::{pipe, screen::Screen};

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
    let (reader, ends) = pipe::open()?;
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
