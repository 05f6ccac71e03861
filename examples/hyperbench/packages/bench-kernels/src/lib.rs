//! The kernels as a Python module.

use hyperbench_kernels::{CUDA, Summary};
use pyo3::{exceptions::PyValueError, prelude::*};

/// The kernels of the Rust half.
#[pymodule]
mod bench_kernels {
    #[pymodule_export]
    use super::{cuda, median};
}

/// The CUDA release that the kernels are built for; `None` without one.
#[pyfunction]
fn cuda() -> Option<String> {
    CUDA.map(|release| release.to_string())
}

/// The median of `values`.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "what Python passes becomes a vector"
)]
fn median(values: Vec<f64>) -> PyResult<f64> {
    let summary = Summary::of(&values).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(summary.median)
}
