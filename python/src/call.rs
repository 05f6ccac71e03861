//! A call from Python: its arguments, the work without the GIL, and its result.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use pyo3::prelude::*;
use serde::Serialize;
use uvenv_core::{
    Monorepo, Profile, Variables,
    ops::{self, ProfileRequest, Session, Settings},
    report::Problem,
};

use crate::{
    convert::{to_python, utf8},
    failure::Failure,
    listener::Listener,
    request,
};

/// The arguments of every call: the directory in which it is made, and the listener.
#[derive(FromPyObject)]
pub(crate) struct Call {
    /// The directory from which the monorepo was found. The monorepo is read again, because its files may have changed.
    directory: PathBuf,
    profile: Option<String>,
    offline: bool,
    /// An object with the methods that [`Listener`] requires.
    listener: Py<PyAny>,
    /// Whether the listener receives the command lines of uv.
    commands: bool,
}

/// A running call.
pub(crate) struct Working {
    pub(crate) session: Session,
    profile: Option<String>,
    listener: Arc<Listener>,
}

impl Call {
    /// Runs `work` without the GIL and returns its result as a Python object.
    pub(crate) fn work<T: Serialize + Send>(
        self,
        py: Python<'_>,
        work: impl FnOnce(&Working) -> Result<T, Failure> + Send,
    ) -> PyResult<Bound<'_, PyAny>> {
        to_python(py, &self.detached(py, work)?)
    }

    /// Runs `work` without the GIL.
    pub(crate) fn detached<T: Send>(
        self,
        py: Python<'_>,
        work: impl FnOnce(&Working) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let Self { directory, profile, offline, listener, commands } = self;
        let (variables, companion_uv) = (variables(py)?, companion_uv(py));
        let listener = Arc::new(Listener::new(listener));
        let observer = Arc::clone(&listener);
        let result = py.detach(move || {
            let offline = offline || uvenv_core::uv::variables::is_offline(&variables);
            let mut settings = Settings::new(variables, utf8(directory)?, offline);
            settings.show_commands = commands;
            settings.companion_uv = companion_uv.map(utf8).transpose()?;
            settings.observer = Some(observer.clone());
            let working = Working { session: Session::new(settings), profile, listener: observer };
            let result = work(&working);
            for warning in working.session.take_warnings() {
                working.listener.warn(&Problem::new(&*warning));
            }
            result
        });
        // A Ctrl-C that reached uv as well is an interrupt, not a failure of uv.
        listener.interrupted(py)?;
        result.map_err(|failure| failure.raise(py))
    }
}

impl Working {
    pub(crate) fn monorepo(&self) -> Result<Monorepo, Failure> {
        Ok(self.target()?.monorepo(&self.session)?)
    }

    /// Returns the profile that was named; otherwise the one that the variable names or that contains the current
    /// directory.
    pub(crate) fn target(&self) -> Result<ProfileRequest, Failure> {
        let profile = self.profile.as_deref().map(request::profile).transpose()?;
        Ok(ProfileRequest { profile, ..ProfileRequest::default() })
    }

    /// Returns the monorepo and the selected profile.
    pub(crate) fn profile(&self) -> Result<(Monorepo, Profile), Failure> {
        let (monorepo, profile) = self.target()?.find(&self.session)?;
        self.warn(&monorepo, profile);
        Ok((monorepo, profile))
    }

    /// Reports warnings before an operation.
    pub(crate) fn warn(&self, monorepo: &Monorepo, profile: Profile) {
        for warning in ops::warnings(monorepo, profile) {
            self.listener.warn(&Problem::new(&warning));
        }
    }
}

/// Runs `work`, which starts no program, without the GIL.
pub(crate) fn without_session<T: Serialize + Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, Failure> + Send,
) -> PyResult<Bound<'_, PyAny>> {
    let result = py.detach(work);
    to_python(py, &result.map_err(|failure| failure.raise(py))?)
}

/// Returns the variables as Python sees them.
fn variables(py: Python<'_>) -> PyResult<Variables> {
    let variables: BTreeMap<OsString, OsString> = py.import("uvenv._variables")?.call_method0("current")?.extract()?;
    let unicode = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    Ok(Variables::given(unicode))
}

/// Returns the uv of the distribution `uv`, which our distribution requires; `None` if it was removed. The result is
/// reused as long as the file exists, because searching takes longer than detecting that nothing needs to be done.
pub(crate) fn companion_uv(py: Python<'_>) -> Option<PathBuf> {
    static FOUND: Mutex<Option<PathBuf>> = Mutex::new(None);
    let found = || FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let known = found().clone().filter(|path| path.is_file());
    if known.is_some() {
        return known;
    }
    let path: PathBuf = py.import("uv").ok()?.call_method0("find_uv_bin").ok()?.extract().ok()?;
    *found() = Some(path.clone());
    Some(path)
}
