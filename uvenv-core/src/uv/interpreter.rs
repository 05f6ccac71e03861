//! Which interpreter uv uses for a new environment, and how it makes one.

use camino::Utf8Path;

use super::Uv;
use crate::process::Invocation;

/// Returns `uv python find`, which prints the interpreter that a sync of `project` would use for a new environment or, with
/// `request`, another one.
pub(crate) fn find_python(uv: &Uv, project: &Utf8Path, request: Option<&str>, offline: bool) -> Invocation {
    let find = uv.invocation().args(["python", "find", "--system", "--project", project.as_str()]);
    find.args(offline.then_some("--offline")).args(request)
}

/// Returns `uv python find`, which prints the interpreter of `environment` if a sync of `project` would keep it, and otherwise
/// the one that [`find_python`] prints.
#[cfg(feature = "vendored")]
pub(crate) fn find_python_in(
    environment: &Utf8Path,
    (uv, project): (&Uv, &Utf8Path),
    request: Option<&str>,
) -> Invocation {
    let find = uv.invocation().args(["python", "find", "--offline", "--project", project.as_str()]).args(request);
    find.env("VIRTUAL_ENV", environment.as_str())
}

/// Returns `uv venv`, which makes an environment that belongs to no project.
#[cfg(feature = "full")]
pub(crate) fn make_environment(uv: &Uv, python: &str, environment: &Utf8Path, offline: bool) -> Invocation {
    let flags = ["venv", "--quiet", "--no-project", "--no-config", "--allow-existing", "--python", python];
    uv.invocation().args(flags).args(offline.then_some("--offline")).arg(environment.as_str())
}

/// Returns `uv venv`, which makes an environment that can be moved: its programs do not contain its path.
#[cfg(feature = "full")]
pub(crate) fn make_relocatable_environment(uv: &Uv, python: &str, environment: &Utf8Path) -> Invocation {
    make_environment(uv, python, environment, true).arg("--relocatable")
}
