//! A pipe instead of an invisible terminal, for systems without one.

use std::{
    io::{self, PipeReader},
    process::{Child, Stdio},
};

use super::screen::Screen;

pub(super) fn open_screen() -> io::Result<(PipeReader, [Stdio; 2], Screen)> {
    let (reader, writer) = io::pipe()?;
    Ok((reader, [writer.try_clone()?.into(), writer.into()], Screen::new(usize::from(u16::MAX))))
}

pub(super) fn interrupt(child: &mut Child) -> io::Result<()> {
    child.kill()
}
