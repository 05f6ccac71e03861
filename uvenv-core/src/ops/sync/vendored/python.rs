//! The interpreter of an environment that is synced from a vendored directory.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    environment::{BaseInterpreter, Environment, Inspection},
    fs::{PrivateDirectory, Remembered},
    model::Variables,
    monorepo::ProfileContext,
    ops::Session,
    process::{Invocation, Stderr, is_program},
    uv::{
        Uv, interpreter,
        pip_plan::PipPlanCommand,
        settings::{ConfigFiles, PYTHON_VERSION_FILES, is_known, is_version, keys_in, python_requests},
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
pub(super) struct PythonSearch {
    finding: Invocation,
    answer: Remembered,
}

impl PythonSearch {
    /// `request` is `--python`.
    pub(super) fn new(session: &Session, uv: &Uv, context: &ProfileContext<'_>, request: Option<&str>) -> Self {
        let finding = interpreter::find_python(uv, &context.paths.directory, request, true);
        let question = finding.to_string();
        let answer = Remembered::new(("pythons", &question), &uv.path, &[], &session.settings.variables);
        Self { finding: session.settings.child(finding), answer }
    }

    /// Returns the interpreter that uv has found the last time, unless its choice depends on settings of the project at
    /// `root`.
    pub(super) fn guess(&self, root: &Utf8Path, variables: &Variables) -> Option<NewPython> {
        let path: Utf8PathBuf = self.answer.known()?;
        is_program(path.as_std_path()).then_some(())?;
        Some(NewPython { path, guessed_from: Some(version_files(root, variables)?) })
    }

    /// Asks uv, which downloads none.
    pub(super) fn find(&self) -> Result<NewPython, VendoredDirectoryError> {
        let none = |problem| VendoredDirectoryError::NoPython { problem };
        let captured = self.finding.clone().capture().map_err(|error| none(error.to_string()))?;
        if !captured.status.success() {
            return Err(none(captured.stderr));
        }
        let path = Utf8PathBuf::from(captured.stdout.trim());
        self.answer.keep(&path);
        Ok(NewPython { path, guessed_from: None })
    }
}

/// Returns the version files of the project at `root`, if nothing else there decides which interpreter uv takes.
fn version_files(root: &Utf8Path, variables: &Variables) -> Option<VersionFiles> {
    let files = ConfigFiles::new(root, variables).ok()?;
    let is_neutral = |path: &Utf8PathBuf| keys_in(path).is_ok_and(|keys| keys.iter().all(|key| is_known(key)));
    files.of_project.iter().chain(&files.others).all(is_neutral).then_some(())?;
    let of_user = files.user_directory.iter().flat_map(|user| PYTHON_VERSION_FILES.map(|name| user.join(name)));
    (!of_user.into_iter().any(|path| path.exists())).then_some(())?;
    let read = |name: &'static str| Some((name, std::fs::read_to_string(root.join(name)).ok()?));
    let found: VersionFiles = PYTHON_VERSION_FILES.into_iter().filter_map(read).collect();
    // A path or a link could lead elsewhere from another directory.
    found.iter().all(|(_, text)| python_requests(text).all(is_version)).then_some(found)
}

/// Whether an existing environment has another Python than the one that `request`, `--python`, or a version file of the
/// project at `root` asks for. uv makes it anew then.
pub(super) fn has_other_python(
    session: &Session,
    search: &PythonSearch,
    environment: &Environment,
    (request, root): (Option<&str>, &Utf8Path),
) -> crate::Result<bool> {
    let Inspection::Ready(interpreter) = environment.inspect()? else { return Ok(false) };
    let requests = request.map_or_else(|| requests_at(root), |request| vec![request.to_owned()]);
    let has = |request: &String| {
        let rest = interpreter.version.strip_prefix(request.as_str());
        is_version(request) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if requests.iter().all(has) {
        return Ok(false);
    }
    let wanted = search.find()?.path;
    let version = |python: &Utf8Path| {
        let base = BaseInterpreter::ask(python, |invocation| session.settings.child(invocation))?;
        Ok::<_, crate::Error>((base.implementation, base.version, base.free_threaded))
    };
    Ok(version(&wanted)? != version(&environment.executable())?)
}

/// Returns what the version files of the project at `root` ask for.
fn requests_at(root: &Utf8Path) -> Vec<String> {
    let read = |name: &str| std::fs::read_to_string(root.join(name)).ok();
    let texts = PYTHON_VERSION_FILES.into_iter().filter_map(read);
    texts.filter_map(|text| python_requests(&text).next().map(str::to_owned)).collect()
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
