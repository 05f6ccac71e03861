//! The Python object that follows a call. It receives events, and its thread checks for signals.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::{prelude::*, types::PyString};
use uvenv_core::{
    observer::{Observer, Progress},
    report::Problem,
};

use crate::convert::to_python;

/// An object with the methods `progress(event)`, `say(line)`, `runs(command)` and `warn(problem)`.
pub(crate) struct Listener {
    object: Py<PyAny>,
    /// The exception that the object or a signal handler raised during the work.
    interrupt: Mutex<Option<PyErr>>,
}

impl Listener {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { object, interrupt: Mutex::default() }
    }

    /// Raises the exception that was raised since the start, if any.
    pub(crate) fn interrupted(&self, py: Python<'_>) -> PyResult<()> {
        match locked(&self.interrupt).take() {
            Some(error) => Err(error),
            None => py.check_signals(),
        }
    }

    pub(crate) fn warn(&self, problem: &Problem) {
        self.call("warn", |py| to_python(py, problem));
    }

    fn call(&self, method: &str, argument: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyAny>>) {
        // Without an interpreter there is no listener: Python is shutting down.
        Python::try_attach(|py| {
            let called = argument(py).and_then(|argument| self.object.bind(py).call_method1(method, (argument,)));
            // This can be the exception that a signal handler raised in the meantime.
            if let Err(error) = called {
                self.keep(error);
            }
        });
    }

    fn keep(&self, error: PyErr) {
        locked(&self.interrupt).get_or_insert(error);
    }
}

impl Observer for Listener {
    fn progress(&self, progress: &Progress) {
        self.call("progress", |py| to_python(py, progress));
    }

    fn say(&self, line: &str) {
        self.call("say", |py| Ok(PyString::new(py, line).into_any()));
    }

    fn runs(&self, command: &str) {
        self.call("runs", |py| Ok(PyString::new(py, command).into_any()));
    }

    fn wants_stop(&self) -> bool {
        let checked = Python::try_attach(|py| {
            if let Err(error) = py.check_signals() {
                self.keep(error);
            }
        });
        checked.is_none() || locked(&self.interrupt).is_some()
    }
}

/// The value is still valid after a panic in another thread.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
