//! What a build script tells cargo, line by line on stdout.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use camino::Utf8Path;

use super::BuildScriptError;

/// The lines, which are printed together.
#[derive(Debug, Default)]
pub(super) struct CargoDirectives {
    lines: Vec<String>,
    /// Each thing that is read is told once.
    read: BTreeSet<String>,
}

impl CargoDirectives {
    /// The script runs again when the variable changes.
    pub(super) fn reads_variable(&mut self, name: &str) -> Result<(), BuildScriptError> {
        self.reads("rerun-if-env-changed", name)
    }

    /// The script runs again when the file changes. For a file that does not exist, cargo would run it each time.
    pub(super) fn reads_file(&mut self, path: &Utf8Path) -> Result<(), BuildScriptError> {
        if path.is_file() { self.reads("rerun-if-changed", path.as_str()) } else { Ok(()) }
    }

    fn reads(&mut self, instruction: &str, what: &str) -> Result<(), BuildScriptError> {
        let line = line(instruction, what)?;
        if self.read.insert(line.clone()) {
            self.lines.push(line);
        }
        Ok(())
    }

    /// A value for the crate itself, as a variable of its compilation, and for the crates that depend on it, where it
    /// has `links`.
    pub(super) fn value(&mut self, name: &str, value: &str, has_links: bool) -> Result<(), BuildScriptError> {
        let pair = format!("{name}={value}");
        self.lines.push(line("rustc-env", &pair)?);
        if has_links {
            self.lines.push(line("metadata", &pair)?);
        }
        Ok(())
    }

    /// An argument of the linker.
    pub(super) fn link(&mut self, instruction: &str, value: &str) -> Result<(), BuildScriptError> {
        self.lines.push(line(instruction, value)?);
        Ok(())
    }

    /// A warning, which cargo shows for the crates of the workspace.
    pub(super) fn warning(&mut self, text: &str) -> Result<(), BuildScriptError> {
        self.lines.push(line("warning", text)?);
        Ok(())
    }

    /// Prints all lines. If nobody reads them, cargo has gone and nobody needs them.
    pub(super) fn print(self) {
        let mut stdout = io::stdout().lock();
        // At once: stdout writes each line by itself.
        let _ = stdout.write_all((self.text() + "\n").as_bytes());
        let _ = stdout.flush();
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// An instruction. What cargo takes for one must not come out of a value.
fn line(instruction: &str, value: &str) -> Result<String, BuildScriptError> {
    if value.contains(['\n', '\r']) {
        return Err(BuildScriptError::TwoLines { value: value.to_owned() });
    }
    Ok(format!("cargo::{instruction}={value}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Diagnostic;

    #[test]
    fn values_go_to_dependents_only_where_there_are_links() {
        let mut output = CargoDirectives::default();
        output.value("UVENV_PROFILE", "dev", false).unwrap();
        output.value("UVENV_BACKEND", "", true).unwrap();
        assert_eq!(
            output.text(),
            "cargo::rustc-env=UVENV_PROFILE=dev\ncargo::rustc-env=UVENV_BACKEND=\ncargo::metadata=UVENV_BACKEND="
        );
    }

    #[test]
    fn what_is_read_twice_is_told_once_and_what_is_missing_not_at_all() {
        let mut output = CargoDirectives::default();
        for _ in 0..2 {
            output.reads_variable("UVENV_BACKEND").unwrap();
            output.reads_file(Utf8Path::new("/no/such/file")).unwrap();
        }
        assert_eq!(output.text(), "cargo::rerun-if-env-changed=UVENV_BACKEND");
    }

    #[test]
    fn a_value_cannot_become_an_instruction() {
        let mut output = CargoDirectives::default();
        for value in ["a\ncargo::rustc-link-lib=evil", "a\rb"] {
            let error = output.value("UVENV_PYTHON", value, false).unwrap_err();
            assert_eq!(error.code(), "line-break");
        }
        assert_eq!(output.text(), "");
    }
}
