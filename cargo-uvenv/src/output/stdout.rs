//! Stdout, to which results go. A result that could not be written is an error at the end of the command.

use std::{
    io::{self, ErrorKind, Write},
    sync::{Mutex, PoisonError},
};

use uvenv_core::error::{Diagnostic, Fault};

/// The first failure of this process.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Stdout could not take the result.
#[derive(Debug, thiserror::Error)]
#[error("the output cannot be written: {source}")]
pub(super) struct NotWritten {
    source: io::Error,
}

impl Diagnostic for NotWritten {
    fn code(&self) -> &'static str {
        "output-not-written"
    }

    fn help(&self) -> Option<String> {
        Some("see that the place where stdout leads has room".to_owned())
    }

    fn fault(&self) -> Fault {
        Fault::Finding
    }
}

/// Writes text with colors, if stdout shows them.
pub(super) fn styled(text: &str) {
    write(&mut anstream::stdout(), text);
}

/// Writes text as it is, for a shell or another program.
pub(super) fn plain(text: &str) {
    write(&mut io::stdout(), text);
}

/// Returns what could not be written, once.
pub(super) fn failure() -> Option<NotWritten> {
    let source = FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    Some(NotWritten { source })
}

fn write(stdout: &mut impl Write, text: &str) {
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    // A reader that has gone away has read enough.
    if let Err(error) = written.map_err(|error| (error.kind() != ErrorKind::BrokenPipe).then_some(error)) {
        let mut failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            *failure = error;
        }
    }
}
