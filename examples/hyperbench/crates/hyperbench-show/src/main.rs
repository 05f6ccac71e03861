//! `hyperbench-show SECONDS…`: summarises durations in Rust and has the Python package `print-utils` lay them out.
//!
//! The interpreter is embedded, and `print_utils` comes from the environment that the build script has prepared.

use std::{error::Error, process::ExitCode};

use hyperbench_kernels::{CUDA, Summary};
use hyperbench_units::format_seconds;
use pyo3::{
    prelude::*,
    types::{IntoPyDict, PyList},
};

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("hyperbench-show: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<String, Box<dyn Error>> {
    let seconds: Vec<f64> = std::env::args()
        .skip(1)
        .map(|word| word.parse().map_err(|_| format!("not a number: {word}")))
        .collect::<Result<_, _>>()?;
    let summary = Summary::of(&seconds)?;
    let rows = [
        ("mean", summary.mean),
        ("stdev", summary.stdev),
        ("min", summary.minimum),
        ("median", summary.median),
        ("max", summary.maximum),
    ];
    let rows = rows.map(|(name, seconds)| (name, format_seconds(seconds)));
    let table = Python::attach(|python| table(python, &rows))?;
    let built_for = CUDA.map_or("no CUDA".to_owned(), |release| format!("CUDA {release}"));
    Ok(format!("{table}\n\nbuilt for {built_for}"))
}

fn table(python: Python<'_>, rows: &[(&str, String)]) -> PyResult<String> {
    // An embedded interpreter does not know of an environment unless it is started in one, as `cargo uvenv run` does it.
    python
        .import("site")?
        .call_method1("addsitedir", (env!("UVENV_SITE_PACKAGES"),))?;
    let header = PyList::new(python, ["", "seconds"])?;
    let options = [("right", ["seconds"])].into_py_dict(python)?;
    let format_table = python.import("print_utils")?.getattr("format_table")?;
    format_table
        .call((header, rows.to_vec()), Some(&options))?
        .extract()
}
