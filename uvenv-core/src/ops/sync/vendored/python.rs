//! The interpreter of an environment that is synced from a vendored directory.

use std::{
    io,
    panic::resume_unwind,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    environment::{BaseInterpreter, Environment, Inspection},
    fs::{PrivateDirectory, Remembered},
    monorepo::ProfileContext,
    ops::Session,
    process::{Captured, Invocation, Stderr, is_program},
    uv::{Uv, interpreter, pip_plan::PipPlanCommand},
    vendor::{VendoredDirectoryError, VendoredLock, described, describing, have_same_markers, version_in},
};

/// The interpreter of a new environment.
#[derive(Clone, Debug)]
pub(super) struct NewPython {
    pub(super) path: Utf8PathBuf,
    /// Whether it is the one of the last time, and uv has still to be asked.
    pub(super) is_guess: bool,
}

/// Finds the interpreter that uv would use for a new environment.
pub(super) struct PythonSearch {
    finding: Invocation,
    answer: Remembered,
    /// uv, where it was asked meanwhile.
    asked: Mutex<Option<JoinHandle<io::Result<Captured>>>>,
}

impl PythonSearch {
    /// `request` is `--python`.
    pub(super) fn new(session: &Session, uv: &Uv, context: &ProfileContext<'_>, request: Option<&str>) -> Self {
        let finding = interpreter::find_python(uv, &context.paths.directory, request, true);
        let question = finding.to_string();
        let answer = Remembered::new(("pythons", &question), &uv.path, &[], &session.settings.variables);
        Self { finding: session.settings.child(finding), answer, asked: Mutex::default() }
    }

    /// Asks uv in the background. That takes as long as reading the lockfile, and later, uv would need all cores.
    pub(super) fn start(&self) {
        let finding = self.finding.clone();
        *self.asked() = Some(thread::spawn(move || finding.capture()));
    }

    /// Whether uv, asked in the background, has answered.
    pub(super) fn is_answered(&self) -> bool {
        self.asked().as_ref().is_some_and(JoinHandle::is_finished)
    }

    fn asked(&self) -> MutexGuard<'_, Option<JoinHandle<io::Result<Captured>>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the interpreter that uv has found the last time.
    pub(super) fn guess(&self) -> Option<NewPython> {
        let path: Utf8PathBuf = self.answer.known()?;
        is_program(path.as_std_path()).then_some(NewPython { path, is_guess: true })
    }

    /// Returns uv's answer, or asks it. uv downloads none.
    pub(super) fn find(&self) -> Result<NewPython, VendoredDirectoryError> {
        let none = |problem| VendoredDirectoryError::NoPython { problem };
        let asked = self.asked().take();
        let captured = match asked {
            Some(asked) => asked.join().unwrap_or_else(|panic| resume_unwind(panic)),
            None => self.finding.capture(),
        };
        let captured = captured.map_err(|error| none(error.to_string()))?;
        if !captured.status.success() {
            return Err(none(captured.stderr));
        }
        let path = Utf8PathBuf::from(captured.stdout.trim());
        self.answer.keep(&path);
        Ok(NewPython { path, is_guess: false })
    }
}

/// Whether an existing environment has another Python than the one that `request`, `--python`, asks for. uv makes it anew then.
pub(super) fn has_other_python(
    session: &Session,
    search: &PythonSearch,
    environment: &Environment,
    request: Option<&str>,
) -> crate::Result<bool> {
    if request.is_none() || !matches!(environment.inspect()?, Inspection::Ready(_)) {
        return Ok(false);
    }
    let wanted = search.find()?.path;
    let version = |python: &Utf8Path| {
        let base = BaseInterpreter::ask(python, |invocation| session.settings.child(invocation))?;
        Ok::<_, crate::Error>((base.implementation, base.version, base.free_threaded))
    };
    Ok(version(&wanted)? != version(&environment.executable())?)
}

/// Rejects an interpreter for which nothing was vendored.
pub(super) fn check_python(session: &Session, uv: &Uv, python: &Utf8Path, lock: &VendoredLock) -> crate::Result<()> {
    let description = describe(session, python)?;
    let version = version_in(&description);
    let path = || lock.path.clone();
    if !lock.facts.pythons.contains(&version) {
        let available = lock.facts.pythons.clone();
        return Err(VendoredDirectoryError::OtherPython { lock: path(), python: version, available }.into());
    }
    if lock.facts.interpreters.contains(&description) {
        return Ok(());
    }
    let (platform, available) = (description, lock.facts.interpreters.clone());
    let other = |problem| VendoredDirectoryError::OtherPlatform {
        lock: path(),
        platform: platform.clone(),
        available,
        problem,
    };
    // Packages that only this platform needs are not there, and uv would not miss them.
    if !lock.facts.interpreters.iter().any(|known| have_same_markers(known, &platform)) {
        return Err(other(String::new()).into());
    }
    // Wheels for another C library can fit this one too.
    let target = PrivateDirectory::new()?;
    let command = PipPlanCommand { lock: &lock.path, python: python.as_str(), platform: None, target: target.path() };
    let streamed = session.stream(&command.invocation(uv), Stderr::Capture)?;
    if streamed.status.success() { Ok(()) } else { Err(other(streamed.stderr).into()) }
}

fn describe(session: &Session, python: &Utf8Path) -> crate::Result<String> {
    // With another system around it, the same Python can have another C library.
    let question =
        Remembered::new(("interpreters", python.as_str()), python, &["/etc/os-release"], &session.settings.variables);
    if let Some(description) = question.known() {
        return Ok(description);
    }
    let silent = |problem| VendoredDirectoryError::NoPython { problem };
    let said = session.settings.child(describing(python)).capture().map_err(|error| silent(error.to_string()))?;
    if !said.status.success() {
        return Err(silent(said.words().into_owned()).into());
    }
    let description = described(&said.stdout);
    question.keep(&description);
    Ok(description)
}
