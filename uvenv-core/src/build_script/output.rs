//! The output of a build script for cargo, line by line on stdout.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use camino::Utf8Path;

use super::BuildScriptError;

/// The lines, which are printed all at once.
#[derive(Debug, Default)]
pub(super) struct CargoDirectives {
    lines: Vec<String>,
    /// The files and variables that were reported, so that each is reported once.
    read: BTreeSet<String>,
}

impl CargoDirectives {
    /// Makes cargo run the script again when the variable changes.
    pub(super) fn reads_variable(&mut self, name: &str) -> crate::Result<()> {
        self.reads("rerun-if-env-changed", name)
    }

    /// Makes cargo run the script again when the file changes. Missing files are skipped, because cargo would run the
    /// script every time.
    pub(super) fn reads_file(&mut self, path: &Utf8Path) -> crate::Result<()> {
        if path.is_file() { self.reads("rerun-if-changed", path.as_str()) } else { Ok(()) }
    }

    /// Makes cargo run the script again when a file in the directory changes, or when one is added.
    #[cfg(feature = "vendored")]
    pub(super) fn reads_directory(&mut self, path: &Utf8Path) -> crate::Result<()> {
        if path.is_dir() { self.reads("rerun-if-changed", path.as_str()) } else { Ok(()) }
    }

    fn reads(&mut self, instruction: &str, what: &str) -> crate::Result<()> {
        let line = line(instruction, what)?;
        if self.read.insert(line.clone()) {
            self.lines.push(line);
        }
        Ok(())
    }

    /// Passes a value to the crate itself, as a variable of its compilation and, if the crate has `links`, to the
    /// crates that depend on it.
    pub(super) fn value(&mut self, name: &str, value: &str, has_links: bool) -> crate::Result<()> {
        let pair = format!("{name}={value}");
        self.lines.push(line("rustc-env", &pair)?);
        if has_links {
            self.lines.push(line("metadata", &pair)?);
        }
        Ok(())
    }

    /// Adds an argument of the linker.
    pub(super) fn link(&mut self, instruction: &str, value: &str) -> crate::Result<()> {
        self.lines.push(line(instruction, value)?);
        Ok(())
    }

    /// Adds a warning, which cargo shows for the crates of the workspace.
    pub(super) fn warning(&mut self, text: &str) -> crate::Result<()> {
        self.lines.push(line("warning", text)?);
        Ok(())
    }

    /// Prints all lines. Errors are ignored: if nobody reads the lines, cargo has ended and nobody needs them.
    pub(super) fn print(self) {
        let mut stdout = io::stdout().lock();
        // All lines are written in one call, because stdout would otherwise write each line separately.
        let _ = stdout.write_all((self.text() + "\n").as_bytes());
        let _ = stdout.flush();
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// Formats an instruction. A value must not contain anything that cargo would read as another instruction.
fn line(instruction: &str, value: &str) -> crate::Result<String> {
    if value.contains(['\n', '\r']) {
        return Err(BuildScriptError::TwoLines { value: value.to_owned() }.into());
    }
    Ok(format!("cargo::{instruction}={value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_values_to_dependents_only_with_links() {
        let mut output = CargoDirectives::default();
        output.value("UVENV_PROFILE", "dev", false).unwrap();
        output.value("UVENV_BACKEND", "", true).unwrap();
        assert_eq!(
            output.text(),
            "cargo::rustc-env=UVENV_PROFILE=dev\ncargo::rustc-env=UVENV_BACKEND=\ncargo::metadata=UVENV_BACKEND="
        );
    }

    #[test]
    fn prints_each_input_once_and_no_missing_files() {
        let mut output = CargoDirectives::default();
        for _ in 0..2 {
            output.reads_variable("UVENV_BACKEND").unwrap();
            output.reads_file(Utf8Path::new("/no/such/file")).unwrap();
        }
        assert_eq!(output.text(), "cargo::rerun-if-env-changed=UVENV_BACKEND");
    }

    #[test]
    fn rejects_values_with_line_breaks() {
        let mut output = CargoDirectives::default();
        for value in ["a\ncargo::rustc-link-lib=evil", "a\rb"] {
            let error = output.value("UVENV_PYTHON", value, false).unwrap_err();
            assert_eq!(error.code(), "line-break");
        }
        assert_eq!(output.text(), "");
    }
}
