//! The tools for vendoring: `packaging` and pip in an environment of their own, one for each interpreter.

use camino::{Utf8Path, Utf8PathBuf};

use super::{VendorContext, VendorError};
use crate::{
    environment::Environment,
    fs::{cache, digest},
    model::redact,
    process::{Captured, Invocation, ending, on_new_lines},
    uv::neutral_pip,
};

/// What uv installs. `packaging` selects from PEP 751 locks since 26.1.
const REQUIREMENTS: [&str; 3] = ["packaging>=26.1,<27", "pip>=25", "tomli>=2"];

/// The tools of an interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    python: Utf8PathBuf,
    /// The interpreter for which they select.
    pub(crate) interpreter: String,
}

impl Tools {
    /// Returns the tools of the interpreter that a sync of `project` would use or, with `request`, of another one. Installs
    /// them if necessary.
    pub(crate) fn find(context: &VendorContext<'_>, project: &Utf8Path, request: Option<&str>) -> crate::Result<Self> {
        let find = context.uv.invocation().args(["python", "find", "--system", "--project", project.as_str()]);
        let interpreter = captured(context, find.args(request)).map_err(|error| match request {
            Some(request) => VendorError::Python { request: request.to_owned(), problem: error.to_string() }.into(),
            None => error,
        })?;
        let interpreter = interpreter.trim().to_owned();
        let name = digest::digest(format!("{interpreter} {REQUIREMENTS:?}").as_bytes());
        let directory = cache::directory(context.variables)?.join("vendoring").join(name);
        let busy = || "is installing the tools for vendoring".to_owned();
        let lock = directory.with_extension("lock");
        let _lock = cache::FileLock::acquire(&lock, context.variables, context.observer, busy)?;
        let environment = Environment::new(directory.clone());
        let tools = Self { python: environment.executable(), interpreter };
        if !tools.works(context) {
            let make =
                context.uv.invocation().args(["venv", "--quiet", "--no-project", "--allow-existing", "--python"]);
            captured(context, make.arg(&tools.interpreter).arg(directory.as_str()))?;
            let install =
                context.uv.invocation().args(["pip", "install", "--quiet", "--python", tools.python.as_str()]);
            captured(context, install.args(REQUIREMENTS))?;
        }
        Ok(tools)
    }

    fn works(&self, context: &VendorContext<'_>) -> bool {
        let script = "import packaging.pylock, pip, tomli; packaging.pylock.Pylock.select";
        let answer = (context.child)(self.python().args(["-c", script])).capture();
        answer.is_ok_and(|answer| answer.status.success())
    }

    /// Returns their Python, isolated from the user's directory and variables.
    pub(super) fn python(&self) -> Invocation {
        Invocation::new(self.python.as_str()).arg("-I")
    }

    /// Returns their pip, which has the user's settings, except those with which it would do something else.
    pub(super) fn pip(&self) -> Invocation {
        neutral_pip(self.python().args(["-m", "pip"]))
    }
}

/// Returns the output of a program that should succeed.
pub(super) fn captured(context: &VendorContext<'_>, invocation: Invocation) -> crate::Result<String> {
    let invocation = (context.child)(invocation);
    let failed = |problem: String| VendorError::Tools { problem };
    let Captured { status, stdout, stderr } =
        invocation.capture().map_err(|error| failed(format!("`{invocation}` could not be started: {error}")))?;
    if !status.success() {
        let said = if stderr.trim().is_empty() { redact(&stdout).into_owned() } else { stderr };
        return Err(failed(format!("`{invocation}` {}{}", ending(status), on_new_lines(&said))).into());
    }
    Ok(stdout)
}
