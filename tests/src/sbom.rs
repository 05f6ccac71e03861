//! Documents of CycloneDX, and the library of that specification, which validates them.

use std::{fs, process::Command};

use crate::wheel::tools_uv;

/// The library.
const LIBRARY: &str = "cyclonedx-python-lib[json-validation]==11.7.0";

/// Validates the text of a document against the schema of CycloneDX 1.6.
pub fn validate_sbom(text: &str) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(file.path(), text).expect("it can be written");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/validate_sbom.py");
    let run = ["run", "--quiet", "--no-project", "--isolated", "--with", LIBRARY, "python", script];
    let output = Command::new(tools_uv()).args(run).arg(file.path()).output().expect("uv starts");
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}
