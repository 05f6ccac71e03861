//! A uv that is killed at a certain step.

use std::{
    collections::hash_map::DefaultHasher,
    hash::{Hash as _, Hasher as _},
    process::Command,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Invocation,
    programs::{made_once, run, scratch},
};

/// The functions of the C library at whose calls uv can be killed.
pub const CALLS: [&str; 5] = ["unlink", "rename", "link", "mkdir", "write"];

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killed {
    /// uv.
    Uv,
    /// The process that has started uv, which itself goes on.
    Parent,
    /// Nobody; the call fails as on a full disk.
    Nobody,
}

/// Has the uv of `invocation` kill itself or its parent, or fail, at the `nth` call of `call`. At that moment, it creates the file
/// `note`.
pub fn kill_at<'a>(invocation: Invocation<'a>, who: Killed, call: &str, nth: usize, note: &Utf8Path) -> Invocation<'a> {
    let who = match who {
        Killed::Uv => "uv",
        Killed::Parent => "parent",
        Killed::Nobody => "none",
    };
    invocation
        .env("LD_PRELOAD", library())
        .env("KILL_CALL", call)
        .env("KILL_AT", nth.to_string())
        .env("KILL_WHO", who)
        .env("KILLED", note)
}

fn library() -> Utf8PathBuf {
    let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kill_at.c");
    let mut hasher = DefaultHasher::new();
    include_str!("kill_at.c").hash(&mut hasher);
    let directory = scratch().join(format!("kill-at-{:016x}", hasher.finish()));
    made_once(&directory, |unfinished| {
        let library = unfinished.join("kill_at.so");
        run(Command::new("cc").args(["-shared", "-fPIC", "-O", "-o", library.as_str(), source.as_str(), "-ldl"]));
    });
    directory.join("kill_at.so")
}
