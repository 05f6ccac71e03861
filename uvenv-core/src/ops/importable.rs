//! Determines whether a running interpreter, such as that of a notebook, can import the packages of an environment, and
//! from where. The environment is not changed.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{
    Session, SyncRequest,
    env::changed,
    run::{activate, existing_environment},
};
use crate::{
    environment::{Audience, BaseInterpreter, SyncRecord},
    model::{Diagnostic, Name, Profile},
    monorepo::Monorepo,
    report::{PythonInfo, Variable},
};

/// A running interpreter. Extension modules are compiled for one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningPython {
    /// `sys.implementation.name`: `cpython`.
    pub implementation: String,
    /// Its version: major, minor, micro. The micro version is ignored.
    pub version: (u8, u8, u8),
    /// Whether it runs without a global interpreter lock.
    pub free_threaded: bool,
}

/// The directories from which the packages of an environment can be imported.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ImportReport {
    /// The profile.
    pub profile: Profile,
    /// The backend of the environment's last sync.
    pub backend: Option<Name>,
    /// The environment.
    pub environment: Utf8PathBuf,
    /// Its Python.
    pub python: PythonInfo,
    /// The directories of packages, in the same order as in the environment's own interpreter.
    pub site_packages: Vec<Utf8PathBuf>,
    /// The variables to change.
    pub variables: Vec<Variable>,
}

/// The environment was created from a different Python than the one that imports from it.
#[derive(Debug, thiserror::Error)]
#[error("the environment `{environment}` has {other}, but this is {running}: they cannot import the same packages")]
struct OtherPython {
    environment: Utf8PathBuf,
    other: RunningPython,
    running: RunningPython,
    profile: Profile,
}

impl Diagnostic for OtherPython {
    fn code(&self) -> &'static str {
        "other-python"
    }

    fn help(&self) -> Option<String> {
        let profile = self.profile;
        Some(format!(
            "run `cargo uvenv kernel install --profile {profile}` to get a Jupyter kernel with the environment's own \
             Python, or start this program with `cargo uvenv run --profile {profile}`"
        ))
    }
}

/// Returns from where `running` can import the packages in the environment of `profile`.
///
/// # Errors
///
/// `other-python` if the environment was created from another Python: one with another implementation or minor version,
/// or one that differs in free threading.
pub fn importable(
    monorepo: &Monorepo,
    session: &Session,
    profile: Profile,
    request: &SyncRequest,
    running: &RunningPython,
) -> crate::Result<ImportReport> {
    let environment = existing_environment(monorepo, session, profile, request)?;
    let (activation, base) = activate(session, &environment, profile, Audience::Shell)?;
    let other = RunningPython::from(&base);
    if !running.fits(&other) {
        let (environment, running) = (environment.root().to_owned(), running.clone());
        return Err(OtherPython { environment, other, running, profile }.into());
    }
    let (major, minor, micro) = base.version;
    Ok(ImportReport {
        profile,
        backend: SyncRecord::read(&environment).and_then(|record| record.backend?.into_name()),
        environment: environment.root().to_owned(),
        python: PythonInfo { path: environment.executable(), version: format!("{major}.{minor}.{micro}") },
        site_packages: environment.all_site_packages(&base),
        variables: changed(&activation, &session.settings.variables),
    })
}

impl RunningPython {
    /// Whether it can load modules that were compiled for `other`.
    fn fits(&self, other: &Self) -> bool {
        let abi = |python: &Self| {
            (python.implementation.to_ascii_lowercase(), python.version.0, python.version.1, python.free_threaded)
        };
        abi(self) == abi(other)
    }
}

impl From<&BaseInterpreter> for RunningPython {
    fn from(base: &BaseInterpreter) -> Self {
        Self { implementation: base.implementation.clone(), version: base.version, free_threaded: base.free_threaded }
    }
}

/// `Python 3.11.7`, `free-threaded Python 3.13.0`, `PyPy 3.10.14`.
impl std::fmt::Display for RunningPython {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor, micro) = self.version;
        let name = match self.implementation.to_ascii_lowercase().as_str() {
            "cpython" => "Python",
            "pypy" => "PyPy",
            "graalpy" => "GraalPy",
            _ => &self.implementation,
        };
        let threads = if self.free_threaded { "free-threaded " } else { "" };
        write!(f, "{threads}{name} {major}.{minor}.{micro}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(version: (u8, u8, u8)) -> RunningPython {
        RunningPython { implementation: "cpython".to_owned(), version, free_threaded: false }
    }

    #[test]
    fn pythons_of_one_minor_version_fit() {
        let ours = python((3, 11, 7));
        assert!(ours.fits(&python((3, 11, 2))));
        assert!(!ours.fits(&python((3, 12, 7))));
        assert!(ours.fits(&RunningPython { implementation: "CPython".to_owned(), ..ours.clone() }));
        assert!(!ours.fits(&RunningPython { implementation: "pypy".to_owned(), ..ours.clone() }));
        assert!(!ours.fits(&RunningPython { free_threaded: true, ..ours.clone() }));
    }

    #[test]
    fn displays_a_readable_python_name() {
        let free = RunningPython { free_threaded: true, ..python((3, 13, 0)) };
        let pypy = RunningPython { implementation: "pypy".to_owned(), ..python((3, 10, 14)) };
        let shown = [python((3, 11, 7)), free, pypy].map(|python| python.to_string());
        assert_eq!(shown, ["Python 3.11.7", "free-threaded Python 3.13.0", "PyPy 3.10.14"]);
    }
}
