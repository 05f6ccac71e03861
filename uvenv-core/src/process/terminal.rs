//! A terminal that nobody sees: a program shows its progress on it, and we read that.

use std::{fs::File, io, os::fd::OwnedFd, process::Stdio};

use rustix::{
    fs::{Mode, OFlags, open as open_file},
    io::{FdFlags, fcntl_setfd},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use super::{pipe, screen::Screen};

/// So wide that no row of uv's progress is cut short.
const COLUMNS: u16 = 500;

/// So high that no download is left out.
const ROWS: u16 = 1000;

/// A terminal: the end to read, and the other for the program's stdout and stderr. A pipe where the system has no
/// terminals to give.
pub(super) fn open_screen() -> io::Result<(File, [Stdio; 2], Screen)> {
    if let Ok((controller, ends)) = open() {
        return Ok((controller.into(), ends, Screen::new(COLUMNS.into())));
    }
    let (reader, ends) = pipe::open()?;
    Ok((OwnedFd::from(reader).into(), ends, Screen::new(usize::from(u16::MAX))))
}

fn open() -> io::Result<(OwnedFd, [Stdio; 2])> {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // Not every system can open one with this.
    fcntl_setfd(&controller, FdFlags::CLOEXEC)?;
    grantpt(&controller)?;
    unlockpt(&controller)?;
    // A session without a terminal, such as that of a notebook's kernel, would make the first that it opens its own.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let program = open_file(ptsname(&controller, Vec::new())?.as_c_str(), flags, Mode::empty())?;
    tcsetwinsize(&program, Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 })?;
    let second = program.try_clone()?;
    Ok((controller, [program.into(), second.into()]))
}
