//! The tools for vendoring: `packaging` and pip in an environment of their own, one for each interpreter.

use camino::{Utf8Path, Utf8PathBuf};

use super::{VendorContext, VendorError, described, describing};
use crate::{
    environment::Environment,
    fs::{atomic, cache, digest},
    process::{Invocation, ending, on_new_lines},
    uv::{interpreter, neutral_pip},
};

/// What uv installs. `packaging` selects from PEP 751 locks since 26.1.
const REQUIREMENTS: [&str; 3] = ["packaging>=26.1,<27", "pip>=25", "tomli>=2"];

/// The file that is written once they are there.
const INSTALLED: &str = ".installed";

/// The tools of an interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    directory: Utf8PathBuf,
    python: Utf8PathBuf,
    /// The interpreter for which they select.
    pub(crate) interpreter: String,
    /// For what it installs: `cpython 3 11  linux x86_64 linux-x86_64 glibc-2.36`.
    pub(crate) target: String,
}

impl Tools {
    /// Returns the tools of the interpreter that a sync of `project` would use or, with `request`, of another one. Installs
    /// them if necessary.
    pub(crate) fn find(context: &VendorContext<'_>, project: &Utf8Path, request: Option<&str>) -> crate::Result<Self> {
        let find = interpreter::find_python(context.uv, project, request, context.offline);
        let interpreter = captured(context, find).map_err(|error| {
            let request = request.unwrap_or("that fits the profile").to_owned();
            VendorError::Python { request, problem: error.to_string() }
        })?;
        let interpreter = interpreter.trim().to_owned();
        let name = digest::digest(format!("{interpreter} {REQUIREMENTS:?}").as_bytes());
        let directory = cache::directory(context.variables)?.join("vendoring").join(name);
        let python = Environment::new(directory.clone()).executable();
        // Not from the cache: the system can be another one now.
        let target = described(&captured(context, describing(Utf8Path::new(&interpreter)))?);
        let tools = Self { directory, python, interpreter, target };
        if !tools.directory.join(INSTALLED).exists() {
            tools.install(context)?;
        }
        Ok(tools)
    }

    /// Installs them again if they do not work, for example because the interpreter is another one now.
    pub(crate) fn repair(&self, context: &VendorContext<'_>) -> crate::Result<()> {
        let script = "import packaging.pylock, pip, tomli; packaging.pylock.Pylock.select";
        let answer = (context.child)(self.python().args(["-c", script])).capture();
        if answer.is_ok_and(|answer| answer.status.success()) {
            return Ok(());
        }
        self.install(context)
    }

    /// Installs them.
    fn install(&self, context: &VendorContext<'_>) -> crate::Result<()> {
        let busy = || "is installing the tools for vendoring".to_owned();
        let lock = self.directory.with_extension("lock");
        let _lock = cache::FileLock::acquire(&lock, context.variables, context.observer, busy)?;
        let offline = context.offline.then_some("--offline");
        let (interpreter, directory) = (&self.interpreter, &self.directory);
        captured(context, interpreter::make_environment(context.uv, interpreter, directory, context.offline))?;
        let install = context.uv.invocation().args(["pip", "install", "--quiet", "--python", self.python.as_str()]);
        captured(context, install.args(offline).args(REQUIREMENTS))?;
        let file = self.directory.join(INSTALLED);
        atomic::replace_cached(&file, "").map_err(cache::CacheError::unusable(&file))?;
        Ok(())
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
pub(crate) fn captured(context: &VendorContext<'_>, invocation: Invocation) -> crate::Result<String> {
    let invocation = (context.child)(invocation);
    let failed = |problem: String| VendorError::Tools { problem };
    let captured =
        invocation.capture().map_err(|error| failed(format!("`{invocation}` could not be started: {error}")))?;
    if !captured.status.success() {
        let said = on_new_lines(&captured.words());
        return Err(failed(format!("`{invocation}` {}{said}", ending(captured.status))).into());
    }
    Ok(captured.stdout)
}
