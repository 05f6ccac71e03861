//! The interpreter of an environment that is synced from a vendored directory.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    environment::{BaseInterpreter, Environment},
    fs::{PrivateDirectory, Remembered},
    model::Variables,
    ops::Session,
    process::{Invocation, Stderr, is_program},
    uv::{
        Uv, interpreter,
        pip_plan::PipPlanCommand,
        settings::{ConfigFiles, PYTHON_VERSION_FILES, is_neutral, is_version, keys_in, python_requests},
    },
    vendor::{VendoredDirectoryError, VendoredLock, described, describing, have_same_markers, version_in},
};

/// The interpreter of a new environment.
#[derive(Clone, Debug)]
pub(super) struct NewPython {
    pub(super) path: Utf8PathBuf,
    /// The texts of the version files of the profile, if this is what uv has found the last time: for a project with these
    /// files, uv finds what it would find now for the profile.
    pub(super) guessed_from: Option<VersionFiles>,
}

/// The version files of a project, by name.
pub(super) type VersionFiles = Vec<(&'static str, String)>;

/// Finds the interpreter that uv would use for a new environment.
pub(super) struct PythonSearch<'a> {
    session: &'a Session,
    uv: &'a Uv,
    /// The directory of the profile.
    project: &'a Utf8Path,
    /// `--python`.
    request: Option<&'a str>,
    answer: Remembered,
}

impl<'a> PythonSearch<'a> {
    /// `request` is `--python`.
    pub(super) fn new(session: &'a Session, uv: &'a Uv, project: &'a Utf8Path, request: Option<&'a str>) -> Self {
        let question = interpreter::find_python(uv, project, request, true).to_string();
        let answer = Remembered::new(("pythons", &question), &uv.path, &[], &session.settings.variables);
        Self { session, uv, project, request, answer }
    }

    /// Returns the interpreter that uv has found the last time, unless its choice depends on settings.
    pub(super) fn guess(&self) -> Option<NewPython> {
        let path: Utf8PathBuf = self.answer.known()?;
        is_program(path.as_std_path()).then_some(())?;
        let files = version_files(self.project, &self.session.settings.variables)?;
        Some(NewPython { path, guessed_from: Some(files) })
    }

    /// Asks uv, which downloads none.
    pub(super) fn find(&self) -> Result<NewPython, VendoredDirectoryError> {
        let path = self.ask(interpreter::find_python(self.uv, self.project, self.request, true))?;
        self.answer.keep(&path);
        Ok(NewPython { path, guessed_from: None })
    }

    /// Whether uv would make an existing environment anew, because something asks for another Python.
    pub(super) fn finds_another_than(&self, environment: &Environment) -> crate::Result<bool> {
        let (root, own) = (environment.root(), environment.executable());
        let found = self.ask(interpreter::find_python_in(root, (self.uv, self.project), self.request))?;
        if found.starts_with(root) {
            return Ok(false);
        }
        let version = |python: &Utf8Path| {
            let base = BaseInterpreter::ask(python, |invocation| self.session.settings.child(invocation))?;
            Ok::<_, crate::Error>((base.implementation, base.version, base.free_threaded))
        };
        Ok(version(&found)? != version(&own)?)
    }

    /// Whether a version file or `--python` asks for a Python.
    pub(super) fn has_request(&self) -> bool {
        self.request.is_some() || PYTHON_VERSION_FILES.iter().any(|name| self.project.join(name).exists())
    }

    fn ask(&self, find: Invocation) -> Result<Utf8PathBuf, VendoredDirectoryError> {
        let none = |problem| VendoredDirectoryError::NoPython { problem };
        let captured = self.session.settings.child(find).capture().map_err(|error| none(error.to_string()))?;
        if captured.status.success() { Ok(captured.stdout.trim().into()) } else { Err(none(captured.stderr)) }
    }
}

/// Returns the version files of the project at `root`, if nothing else there decides which interpreter uv takes.
fn version_files(root: &Utf8Path, variables: &Variables) -> Option<VersionFiles> {
    let files = ConfigFiles::new(root, variables).ok()?;
    let is_neutral = |path: &Utf8PathBuf| keys_in(path).is_ok_and(|keys| keys.iter().all(|key| is_neutral(key)));
    files.of_project.iter().chain(&files.others).all(is_neutral).then_some(())?;
    let names = PYTHON_VERSION_FILES.into_iter().filter(|name| root.join(name).symlink_metadata().is_ok());
    let found: VersionFiles =
        names.map(|name| Some((name, std::fs::read_to_string(root.join(name)).ok()?))).collect::<Option<_>>()?;
    // A path would lead elsewhere from another directory.
    found.iter().all(|(_, text)| python_requests(text).all(is_version)).then_some(found)
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
