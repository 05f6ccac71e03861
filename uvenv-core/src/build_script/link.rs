//! How a crate that embeds Python is linked, so that its programs and tests find the library when they run.

use super::{BuildScriptError, output::CargoDirectives};
use crate::environment::{BaseInterpreter, PythonLibrary};

/// Tells cargo how to link with the library of `python`. Where PyO3 is a dependency, that says itself what to link with,
/// but not where programs find it.
pub(super) fn emit(
    library: &PythonLibrary,
    has_pyo3: bool,
    output: &mut CargoDirectives,
) -> Result<(), BuildScriptError> {
    if !has_pyo3 {
        let directory = if cfg!(windows) { library.directory.join("libs") } else { library.directory.clone() };
        output.link("rustc-link-search", &format!("native={directory}"))?;
        // This reaches the crate's library and those that depend on it, and the argument its programs and tests.
        output.link("rustc-link-lib", &library.link_name)?;
        if !cfg!(windows) {
            output.link("rustc-link-arg", &format!("-l{}", library.link_name))?;
        }
    }
    let arguments: &[&str] = if cfg!(windows) {
        // There, programs are found through `PATH` only.
        &[]
    } else if library.shared {
        if library.on_default_path { &[] } else { &["-rpath", library.directory.as_str()] }
    } else if cfg!(target_os = "macos") {
        &[]
    } else {
        // What is linked in is also what the modules of the standard library look for.
        &["--export-dynamic"]
    };
    for argument in arguments {
        // `-Wl,` would split a path at its commas.
        output.link("rustc-link-arg", "-Xlinker")?;
        output.link("rustc-link-arg", argument)?;
    }
    Ok(())
}

/// The library of an interpreter.
pub(super) fn library(base: &BaseInterpreter) -> Result<&PythonLibrary, BuildScriptError> {
    base.library.as_ref().ok_or_else(|| BuildScriptError::NoLibrary { python: base.executable.clone() })
}
