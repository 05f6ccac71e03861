//! Links a crate that embeds Python, so that its programs and tests find the library when they run.

use super::{BuildScriptError, output::CargoDirectives};
use crate::{
    environment::{BaseInterpreter, PythonLibrary},
    model::Variables,
};

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

/// Refuses to link for a target that cannot load the library of this machine's Python.
pub(super) fn check_target(variables: &Variables) -> crate::Result<()> {
    match (variables.get("TARGET"), variables.get("HOST")) {
        (Some(target), Some(host)) if target != host => {
            Err(BuildScriptError::OtherTarget { target: target.to_owned(), host: host.to_owned() }.into())
        }
        _ => Ok(()),
    }
}

/// Returns whether PyO3 is a dependency of the crate. It chooses a Python by itself; another one in the same program
/// would crash it.
pub(super) fn check_pyo3(
    variables: &Variables,
    base: &BaseInterpreter,
    library: &PythonLibrary,
) -> crate::Result<bool> {
    // A dependency on `pyo3` and one on `pyo3-ffi` (the value of `links` in their manifests).
    let configs = ["DEP_PYO3_PYTHON_PYO3_CONFIG", "DEP_PYTHON_PYO3_CONFIG"];
    let Some(config) = configs.into_iter().find_map(|name| variables.get(name)) else { return Ok(false) };
    let config = decoded(config);
    let value = |key: &str| config.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let is_same = match value("lib_name") {
        Some(name) => name == library.link_name,
        None => value("version").is_none_or(|version| version == format!("{}.{}", base.version.0, base.version.1)),
    };
    if is_same {
        return Ok(true);
    }
    let chosen = value("executable").or_else(|| value("lib_name")).or_else(|| value("version")).unwrap_or_default();
    Err(BuildScriptError::OtherPyo3 { chosen: chosen.to_owned(), python: base.executable.clone() }.into())
}

/// Decodes a text that PyO3 passes on in hexadecimal digits, because cargo accepts only a single line.
fn decoded(hex: &str) -> String {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<_>> = hex.as_bytes().chunks(2).map(byte).collect();
    String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
}

/// Returns the library of an interpreter.
pub(super) fn library(base: &BaseInterpreter) -> crate::Result<&PythonLibrary> {
    Ok(base.library.as_ref().ok_or_else(|| BuildScriptError::NoLibrary { python: base.executable.clone() })?)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn decodes_the_configuration_of_pyo3() {
        assert_eq!(decoded("76657273696f6e3d332e31310a"), "version=3.11\n");
        for damaged in ["", "zz", "ff"] {
            assert_eq!(decoded(damaged), "", "{damaged}");
        }
    }
}
