//! Replaces the progress of uv in a build script, which has no observer of its own.

use std::io;

use crate::{
    model::Observer,
    process::{Invocation, Stderr, Streamed},
};

/// Runs uv and then reports to `observer`, if `is_shown` is set, what it has printed.
pub(crate) fn follow(invocation: &Invocation, observer: &dyn Observer, is_shown: bool) -> io::Result<Streamed> {
    let streamed = invocation.stream(Stderr::Capture)?;
    if is_shown {
        streamed.stderr.lines().for_each(|line| observer.say(line));
    }
    Ok(streamed)
}
