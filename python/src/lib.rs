//! The extension module behind `import uvenv`.

use pyo3::prelude::*;

/// Native part of the `uvenv` package.
#[pymodule]
fn _uvenv(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", uvenv_core::VERSION)
}
