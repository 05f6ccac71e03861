//! The variables that let programs use an environment: through an interpreter that they start, or through one that
//! they embed.
//!
//! An embedded interpreter (`Py_Initialize`, as PyO3 calls it) does not know which environment to use. If its library
//! was moved after it was built, it cannot even find its standard library. On Linux it searches `PATH` for `python3`,
//! takes that for its own executable, and finds `pyvenv.cfg` next to it. That file identifies the environment, and its
//! `home` key identifies the base interpreter. It is therefore enough to put the environment's programs first on
//! `PATH`. This was measured with Python 3.10 to 3.13: from a distribution, with a shared library in another place, and
//! with a compiled-in prefix that does not exist. `PYTHONHOME` is not set, because it would break every other Python
//! that the program starts.

use std::ffi::{OsStr, OsString};

use camino::Utf8PathBuf;

use super::{
    Environment,
    base::{BaseInterpreter, System},
};
use crate::{
    backend::Choice,
    model::{Profile, Variables},
    process::Invocation,
};

/// Variables of other Pythons that mislead an interpreter or a build for it. PyO3's build script and maturin consider a
/// conda environment in addition to a virtual one.
const HARMFUL: [&str; 6] =
    ["PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", LAUNCHER, "CONDA_PREFIX", "CONDA_DEFAULT_ENV"];

/// The variable with which the launchers of environments on macOS and Windows tell an interpreter its own location. The
/// interpreter reads and removes it.
const LAUNCHER: &str = "__PYVENV_LAUNCHER__";

/// The variable with the environment whose backend `UVENV_BACKEND` names, so that a sync of another environment does not
/// take it for a request.
pub(crate) const BACKEND_HOLDS_FOR: &str = "UVENV_ENVIRONMENT";

/// A change to a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VariableEdit {
    /// Sets the variable to this value.
    Set(String),
    /// Puts these directories before the existing ones.
    Prepend(Vec<Utf8PathBuf>),
    /// Removes the variable.
    Unset,
}

/// The changes to variables for an environment, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) changes: Vec<(&'static str, VariableEdit)>,
}

/// Who uses the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One program and the programs that it starts.
    Program,
    /// Everything that a shell, or the steps of a workflow, starts from now on.
    #[cfg_attr(not(any(feature = "full", test)), expect(dead_code, reason = "for `env`"))]
    Shell,
}

impl Activation {
    /// Returns the changes for `environment`, which was made from `base`. `backend` is the backend of its last sync.
    pub(crate) fn new(
        system: System,
        environment: &Environment,
        base: &BaseInterpreter,
        (profile, backend): (Profile, Option<&Choice>),
        variables: &Variables,
        audience: Audience,
    ) -> Self {
        let set = |value: &str| VariableEdit::Set(value.to_owned());
        let mut programs = vec![environment.scripts()];
        let mut library = None;
        if let Some(found) = base.library.as_ref().filter(|found| found.shared && !found.on_default_path) {
            let directory = found.directory.clone();
            match system {
                System::Windows => programs.push(directory),
                System::MacOs => library = Some(("DYLD_FALLBACK_LIBRARY_PATH", with_fallback(directory, variables))),
                System::Linux => library = Some(("LD_LIBRARY_PATH", vec![directory])),
            }
        }
        let mut changes = vec![
            ("VIRTUAL_ENV", set(environment.root().as_str())),
            ("PATH", VariableEdit::Prepend(programs)),
            // The base interpreter, not the environment's: it is the same for all environments that were made from it,
            // so that compiled artifacts remain valid.
            ("PYO3_PYTHON", set(base.executable.as_str())),
            ("UVENV_PROFILE", set(profile.as_str())),
        ];
        if let Some(backend) = backend {
            changes.push(("UVENV_BACKEND", set(&backend.to_string())));
            changes.push((BACKEND_HOLDS_FOR, set(environment.root().as_str())));
        }
        changes.extend(library.map(|(name, directories)| (name, VariableEdit::Prepend(directories))));
        changes.extend(HARMFUL.map(|name| (name, VariableEdit::Unset)));
        // On macOS and Windows, a program that embeds Python is taken for its executable, regardless of `PATH`. In a
        // shell, the variable would mislead every Python outside this environment.
        if system != System::Linux && audience == Audience::Program {
            changes.retain(|(name, _)| *name != LAUNCHER);
            changes.push((LAUNCHER, set(environment.executable().as_str())));
        }
        Self { changes }
    }

    /// Adds these changes to `variables` to `invocation`.
    pub(crate) fn apply(&self, invocation: Invocation, variables: &Variables) -> Invocation {
        self.values(variables).into_iter().fold(invocation, |invocation, (name, value)| match value {
            Some(value) => invocation.env(name, value),
            None => invocation.env_remove(name),
        })
    }

    /// Returns the values of the variables after the changes; `None` for a variable that is unset.
    pub(crate) fn values(&self, variables: &Variables) -> Vec<(&'static str, Option<OsString>)> {
        let value = |(name, change): &(&'static str, VariableEdit)| {
            let value = match change {
                VariableEdit::Set(value) => Some(value.into()),
                VariableEdit::Prepend(directories) => Some(prepended(directories, variables.get_path(name))),
                VariableEdit::Unset => None,
            };
            (*name, value)
        };
        self.changes.iter().map(value).collect()
    }
}

/// Adds the directories where the macOS loader looks by default for libraries that are not where a program says. The
/// variable replaces these.
fn with_fallback(directory: Utf8PathBuf, variables: &Variables) -> Vec<Utf8PathBuf> {
    let default = match variables.get("DYLD_FALLBACK_LIBRARY_PATH") {
        Some(_) => &[][..],
        None => &["/usr/local/lib", "/usr/lib"],
    };
    std::iter::once(directory).chain(default.iter().map(Utf8PathBuf::from)).collect()
}

/// Puts `directories` before those of `search`, unless `search` already begins with them. A directory with a separator
/// in its name cannot be searched.
fn prepended(directories: &[Utf8PathBuf], search: Option<&OsStr>) -> OsString {
    let present: Vec<_> = search.map(|search| std::env::split_paths(search).collect()).unwrap_or_default();
    let ours = directories.iter().map(|directory| directory.as_std_path().to_owned());
    let begins = present.len() >= directories.len() && ours.clone().zip(&present).all(|(ours, other)| ours == *other);
    let search = search.unwrap_or_default();
    if begins {
        return search.to_owned();
    }
    std::env::join_paths(ours.chain(present)).unwrap_or_else(|_| search.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{PythonLibrary, layout::Platform};

    fn environment(platform: Platform) -> Environment {
        Environment { root: "/code/.venv".into(), platform }
    }

    fn base(on_default_path: bool) -> BaseInterpreter {
        BaseInterpreter {
            executable: "/opt/python/bin/python3.11".into(),
            prefix: "/opt/python".into(),
            version: (3, 11, 7),
            implementation: "cpython".to_owned(),
            free_threaded: false,
            site_packages: Vec::new(),
            library: Some(PythonLibrary {
                directory: "/opt/python/lib".into(),
                link_name: "python3.11".to_owned(),
                shared: true,
                on_default_path,
                framework: None,
            }),
        }
    }

    fn none() -> Variables {
        Variables::default()
    }

    fn find<'a>(activation: &'a Activation, name: &str) -> Option<&'a VariableEdit> {
        let mut found = activation.changes.iter().filter(|(other, _)| *other == name).map(|(_, change)| change);
        let first = found.next();
        assert_eq!(found.next(), None, "{name} is changed once");
        first
    }

    fn prepend(directories: &[&str]) -> VariableEdit {
        VariableEdit::Prepend(directories.iter().map(Utf8PathBuf::from).collect())
    }

    fn on(system: System, base: &BaseInterpreter, backend: Option<&Choice>, audience: Audience) -> Activation {
        let platform = if system == System::Windows { Platform::Windows } else { Platform::Unix };
        Activation::new(system, &environment(platform), base, (Profile::Prod, backend), &none(), audience)
    }

    #[test]
    fn sets_the_library_path_only_for_unfound_libraries() {
        let found = on(System::Linux, &base(true), None, Audience::Program);
        assert_eq!(find(&found, "LD_LIBRARY_PATH"), None);
        let static_only = BaseInterpreter { library: None, ..base(false) };
        assert_eq!(find(&on(System::Linux, &static_only, None, Audience::Program), "LD_LIBRARY_PATH"), None);
        let elsewhere = on(System::Linux, &base(false), None, Audience::Program);
        assert_eq!(find(&elsewhere, "LD_LIBRARY_PATH"), Some(&prepend(&["/opt/python/lib"])));
        assert_eq!(find(&elsewhere, "PATH"), Some(&prepend(&["/code/.venv/bin"])));
        assert_eq!(find(&elsewhere, "PYTHONHOME"), Some(&VariableEdit::Unset));
    }

    #[test]
    fn keeps_default_library_directories_on_macos() {
        let found = on(System::MacOs, &base(false), None, Audience::Shell);
        let expected = prepend(&["/opt/python/lib", "/usr/local/lib", "/usr/lib"]);
        assert_eq!(find(&found, "DYLD_FALLBACK_LIBRARY_PATH"), Some(&expected));
        assert_eq!(find(&found, "LD_LIBRARY_PATH"), None);
    }

    #[test]
    fn puts_the_library_directory_on_path_on_windows() {
        let found = on(System::Windows, &base(false), None, Audience::Program);
        assert_eq!(find(&found, "PATH"), Some(&prepend(&["/code/.venv/Scripts", "/opt/python/lib"])));
    }

    #[test]
    fn sets_the_python_launcher_only_for_a_single_program() {
        let launcher = |system, audience| find(&on(system, &base(false), None, audience), LAUNCHER).cloned();
        assert_eq!(launcher(System::Linux, Audience::Program), Some(VariableEdit::Unset));
        assert_eq!(launcher(System::MacOs, Audience::Shell), Some(VariableEdit::Unset));
        let expected = VariableEdit::Set("/code/.venv/bin/python".to_owned());
        assert_eq!(launcher(System::MacOs, Audience::Program), Some(expected));
        let expected = VariableEdit::Set("/code/.venv/Scripts/python.exe".to_owned());
        assert_eq!(launcher(System::Windows, Audience::Program), Some(expected));
    }

    #[test]
    fn sets_the_backend_of_the_environment() {
        let backend = |backend: Option<Choice>| {
            find(&on(System::Linux, &base(true), backend.as_ref(), Audience::Program), "UVENV_BACKEND").cloned()
        };
        assert_eq!(backend(Choice::parse("cu124").ok()), Some(VariableEdit::Set("cu124".to_owned())));
        assert_eq!(backend(Some(Choice::None)), Some(VariableEdit::Set("none".to_owned())));
        assert_eq!(backend(None), None, "nothing is known of it");
    }

    #[cfg(unix)]
    #[test]
    fn does_not_prepend_directories_twice() {
        let directories = [Utf8PathBuf::from("/a"), Utf8PathBuf::from("/b")];
        let prepended = |search: &str| prepended(&directories, Some(OsStr::new(search)).filter(|s| !s.is_empty()));
        assert_eq!(prepended("/usr/bin:/a"), "/a:/b:/usr/bin:/a");
        assert_eq!(prepended("/a:/b:/usr/bin"), "/a:/b:/usr/bin");
        assert_eq!(prepended("/a"), "/a:/b:/a");
        assert_eq!(prepended(""), "/a:/b");
    }
}
