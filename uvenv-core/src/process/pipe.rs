//! The output of a program that is followed through a pipe.

use std::{
    io::{self, PipeReader},
    process::Stdio,
};

/// Opens a pipe: one end to read, the other for the program's stdout and stderr.
pub(super) fn open() -> io::Result<(PipeReader, [Stdio; 2])> {
    let (reader, writer) = io::pipe()?;
    let second = writer.try_clone()?;
    Ok((reader, [writer.into(), second.into()]))
}

#[cfg(not(all(unix, feature = "full")))]
pub(super) use plain::{Screen, interrupt, open as open_screen};

/// Without a terminal, there are only lines.
#[cfg(not(all(unix, feature = "full")))]
mod plain {
    use std::{
        io::{self, PipeReader},
        process::{Child, Stdio},
    };

    use crate::{model::redact, process::Follower};

    /// The output of a program.
    #[derive(Default)]
    pub(in crate::process) struct Screen {
        text: String,
        unfinished: Vec<u8>,
    }

    pub(in crate::process) fn open() -> io::Result<(PipeReader, [Stdio; 2], Screen)> {
        let (reader, ends) = super::open()?;
        Ok((reader, ends, Screen::default()))
    }

    impl Screen {
        pub(in crate::process) fn advance(&mut self, bytes: &[u8], follower: &mut dyn Follower) {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                self.unfinished.extend_from_slice(piece);
                if piece.ends_with(b"\n") {
                    self.take(follower);
                }
            }
        }

        #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "as a screen has it")]
        pub(in crate::process) fn rest(&mut self, _: &mut dyn Follower) {}

        /// Returns all output of the program, without secrets.
        pub(in crate::process) fn finish(mut self, follower: &mut dyn Follower) -> String {
            self.take(follower);
            self.text
        }

        fn take(&mut self, follower: &mut dyn Follower) {
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.unfinished)).into_owned();
            let line = redact(&line);
            self.text.push_str(&line);
            let shown = line.trim_end();
            if !shown.is_empty() {
                follower.line(shown);
            }
        }
    }

    /// Stops the program.
    pub(in crate::process) fn interrupt(child: &mut Child) -> io::Result<()> {
        child.kill()
    }
}
