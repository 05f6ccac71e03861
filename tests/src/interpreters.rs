//! Interpreters of other kinds than the fixtures' own, for programs that embed Python.

use std::{process::Command, sync::OnceLock};

use camino::{Utf8Path, Utf8PathBuf};

use crate::programs::{answer, interpreter, made_once, run, scratch};

/// Kinds of interpreters that can cause problems when embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The system's, whose library is on the loader's path.
    System,
    /// One with its library elsewhere, like pyenv's.
    Shared,
    /// One that was moved after it was built, like those that uv installs.
    Relocated,
}

/// The interpreter of a kind, or `None` if this machine has none.
pub fn interpreter_of(kind: Kind) -> Option<&'static Utf8Path> {
    static SYSTEM: OnceLock<Option<Utf8PathBuf>> = OnceLock::new();
    static RELOCATED: OnceLock<Option<Utf8PathBuf>> = OnceLock::new();
    match kind {
        Kind::System => SYSTEM.get_or_init(|| with_library(Utf8Path::new("/usr/bin/python3"), "/usr/")).as_deref(),
        Kind::Shared => with_library(interpreter(), "/").map(|_| interpreter()),
        Kind::Relocated => RELOCATED.get_or_init(relocated).as_deref(),
    }
}

/// `python`, if it has a shared library, with what linkers need, below `directory`.
fn with_library(python: &Utf8Path, directory: &str) -> Option<Utf8PathBuf> {
    let question = "import sys, sysconfig as s; v = s.get_config_var; \
                    print(v('LIBDIR') + '/' + v('LDLIBRARY') if sys.version_info >= (3, 10) else '')";
    let said = python.exists().then(|| answer(Command::new(python).args(["-c", question])))?;
    let library = Utf8Path::new(said.trim());
    let is_shared = library.starts_with(directory) && library.extension() == Some("so") && library.is_file();
    is_shared.then(|| python.to_owned())
}

fn relocated() -> Option<Utf8PathBuf> {
    let python = answer(Command::new("python3").args(["-c", "import sys; print(sys._base_executable)"]));
    let python = with_library(Utf8Path::new(python.trim()), "/")?;
    let version = answer(Command::new(&python).args(["-c", "import platform; print(platform.python_version())"]));
    let home = scratch().join("relocated").join(version.trim());
    made_once(&home, |unfinished| {
        let script = include_str!("relocated.py");
        run(Command::new(&python).args(["-c", script, unfinished.as_str(), home.as_str()]));
    });
    Some(home.join("bin/python3"))
}
