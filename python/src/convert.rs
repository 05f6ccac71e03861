//! Converts values between Python and the core.

use std::path::PathBuf;

use camino::Utf8PathBuf;
use pyo3::{prelude::*, types::PyString};
use serde::Serialize;
use uvenv_core::monorepo;

use crate::failure::Failure;

/// Converts `value` to dicts, lists and strings.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text =
        serde_json::to_string(value).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))?;
    py.import("json")?.call_method1("loads", (PyString::new(py, &text),))
}

/// Converts a path from Python to an absolute path.
pub(crate) fn utf8(path: PathBuf) -> Result<Utf8PathBuf, Failure> {
    let path = std::path::absolute(&path).unwrap_or(path);
    Ok(monorepo::utf8_path(path)?)
}
