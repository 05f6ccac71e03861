//! Links a crate that embeds Python, so that its programs and tests find the library when they run.

use super::{BuildScriptError, output::CargoDirectives};
use crate::environment::{BaseInterpreter, PythonLibrary};

/// Tells cargo how to link to the library of `python`. If PyO3 is a dependency, it specifies the library itself, but
/// not where programs find it.
pub(super) fn emit(library: &PythonLibrary, has_pyo3: bool, output: &mut CargoDirectives) -> crate::Result<()> {
    if !has_pyo3 {
        let directory = if cfg!(windows) { library.directory.join("libs") } else { library.directory.clone() };
        output.link("rustc-link-search", &format!("native={directory}"))?;
        // This instruction applies to the crate's library and the crates that depend on it; the argument applies to the
        // crate's programs and tests.
        output.link("rustc-link-lib", &library.link_name)?;
        if !cfg!(windows) {
            output.link("rustc-link-arg", &format!("-l{}", library.link_name))?;
        }
    }
    let arguments: &[&str] = if cfg!(windows) {
        // On Windows, programs find libraries through `PATH` only.
        &[]
    } else if library.shared {
        if library.on_default_path { &[] } else { &["-rpath", library.directory.as_str()] }
    } else if cfg!(target_os = "macos") {
        &[]
    } else {
        // The modules of the standard library need the symbols of the library that is linked in.
        &["--export-dynamic"]
    };
    for argument in arguments {
        // With `-Wl,`, a path would be split at its commas.
        output.link("rustc-link-arg", "-Xlinker")?;
        output.link("rustc-link-arg", argument)?;
    }
    Ok(())
}

/// Returns the library of an interpreter.
pub(super) fn library(base: &BaseInterpreter) -> crate::Result<&PythonLibrary> {
    Ok(base.library.as_ref().ok_or_else(|| BuildScriptError::NoLibrary { python: base.executable.clone() })?)
}
