//! Converts errors to Python exceptions; each code has its own class.

use pyo3::{prelude::*, types::PyDict};
use uvenv_core::{Error, report::Problem, uv};

/// Why a call fails.
pub(crate) enum Failure {
    Core(Error),
    /// The arguments contradict each other or are not valid names; includes the fix.
    Arguments {
        message: String,
        help: Option<String>,
    },
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Core(error.into())
    }
}

impl Failure {
    pub(crate) fn arguments(message: impl Into<String>) -> Self {
        Self::Arguments { message: message.into(), help: None }
    }

    /// Returns the exception.
    pub(crate) fn raise(self, py: Python<'_>) -> PyErr {
        self.exception(py).unwrap_or_else(|error| error)
    }

    fn exception(&self, py: Python<'_>) -> PyResult<PyErr> {
        let (problem, text, rest) = self.parts(py)?;
        let fields = PyDict::new(py);
        fields.set_item("text", text)?;
        fields.set_item("help", problem.help)?;
        fields.set_item("path", problem.file.map(camino::Utf8PathBuf::into_string))?;
        fields.set_item("line", problem.line)?;
        fields.set_item("column", problem.column)?;
        fields.update(rest.as_mapping())?;
        let class = py.import("uvenv._errors")?.call_method1("class_of", (problem.code,))?;
        Ok(PyErr::from_value(class.call((problem.message,), Some(&fields))?))
    }

    /// Returns the parts that all exceptions have, the whole text, and the parts that only this exception has.
    fn parts<'py>(&self, py: Python<'py>) -> PyResult<(Problem, String, Bound<'py, PyDict>)> {
        let rest = PyDict::new(py);
        match self {
            Self::Core(error) => {
                if let Some((status, stderr)) = uv::failure(error) {
                    rest.set_item("returncode", returncode(status))?;
                    rest.set_item("stderr", stderr)?;
                }
                Ok((Problem::new(&**error), format!("{error:?}"), rest))
            }
            Self::Arguments { message, help } => {
                let (code, message) = ("invalid-arguments".to_owned(), message.clone());
                let mut text = format!("error[{code}]: {message}");
                if let Some(help) = help {
                    text = format!("{text}\n |\n = help: {help}");
                }
                let problem = Problem { code, message, help: help.clone(), file: None, line: None, column: None };
                Ok((problem, text, rest))
            }
        }
    }
}

/// Converts a status as `subprocess` does: a signal is a negative number.
fn returncode(status: std::process::ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(-signal);
    }
    status.code()
}
