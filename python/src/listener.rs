//! The Python object that follows a call: it is told what goes on, and its thread is asked for signals.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use pyo3::{prelude::*, types::PyString};
use uvenv_core::{
    observer::{Observer, Progress},
    report::Problem,
};

use crate::call::to_python;

/// How often Python hears of one thing that goes on and on.
const PERIOD: Duration = Duration::from_millis(100);

/// An object with the methods `progress(event)`, `say(line)`, `runs(command)` and `warn(problem)`.
pub(crate) struct Listener {
    object: Py<PyAny>,
    /// What the object or the handler of a signal has raised while we were at work.
    interrupt: Mutex<Option<PyErr>>,
    /// When what was last told.
    told: Mutex<HashMap<String, Instant>>,
}

impl Listener {
    pub(crate) fn new(object: Py<PyAny>) -> Self {
        Self { object, interrupt: Mutex::default(), told: Mutex::default() }
    }

    /// Raises what was raised since the beginning.
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
        // No interpreter, no listener: it is being shut down.
        Python::try_attach(|py| {
            let called = argument(py).and_then(|argument| self.object.bind(py).call_method1(method, (argument,)));
            // It may be what the handler of a signal has raised meanwhile.
            if let Err(error) = called {
                self.keep(error);
            }
        });
    }

    fn keep(&self, error: PyErr) {
        locked(&self.interrupt).get_or_insert(error);
    }

    /// Whether it is time to tell of `progress`. What ends something is always told.
    fn is_due(&self, progress: &Progress) -> bool {
        let key = match progress {
            Progress::Resolving { .. } => "resolving",
            Progress::Preparing { done, total } if done < total => "preparing",
            Progress::Installing { done, total } if done < total => "installing",
            Progress::Downloading { name, bytes, total } if total.is_none_or(|total| *bytes < total) => name,
            _ => return true,
        };
        let (mut told, now) = (locked(&self.told), Instant::now());
        match told.get(key) {
            Some(last) if now.duration_since(*last) < PERIOD => false,
            _ => {
                told.insert(key.to_owned(), now);
                true
            }
        }
    }
}

impl Observer for Listener {
    fn progress(&self, progress: &Progress) {
        if self.is_due(progress) {
            self.call("progress", |py| to_python(py, progress));
        }
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

/// What a panic elsewhere has left is still good.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
