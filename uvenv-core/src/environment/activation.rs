//! What a program must see to use an environment: an interpreter that it starts, and one that it embeds.
//!
//! An embedded interpreter (`Py_Initialize`, as PyO3 calls it) does not know which environment is meant, and where its
//! library was moved after it was built, not even where its standard library is. On Linux it looks for `python3` on
//! `PATH`, takes that for its own executable, and finds `pyvenv.cfg` beside it: the environment, and through its `home` the
//! base interpreter. So the environment's programs first on `PATH` are all that it needs; measured with Python 3.10 to
//! 3.13, from a distribution, with a shared library elsewhere, and with a compiled-in prefix that does not exist.
//! `PYTHONHOME` is not set: it would be in the way of every other Python that the program starts.

use std::ffi::{OsStr, OsString};

use camino::Utf8PathBuf;

use super::{
    Environment,
    base::{BaseInterpreter, System},
};
use crate::{
    model::{Profile, Variables},
    process::Invocation,
};

/// Variables of other Pythons that lead an interpreter, or what builds for it, astray. PyO3's build script and maturin take
/// a conda environment into account beside a virtual one.
const HARMFUL: [&str; 6] =
    ["PYTHONHOME", "PYTHONPATH", "PYTHONEXECUTABLE", LAUNCHER, "CONDA_PREFIX", "CONDA_DEFAULT_ENV"];

/// What the launchers of environments on macOS and Windows tell an interpreter of where they are. It reads and removes it.
const LAUNCHER: &str = "__PYVENV_LAUNCHER__";

/// What becomes of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VariableEdit {
    /// It gets this value.
    Set(String),
    /// These directories are put before those that it has.
    Prepend(Vec<Utf8PathBuf>),
    /// It is taken away.
    Unset,
}

/// The variables that are changed for an environment, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    pub(crate) changes: Vec<(&'static str, VariableEdit)>,
}

/// Whom the variables are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One program and what it starts.
    Program,
    /// All that is started from now on, by a shell or by the steps of a workflow.
    #[cfg_attr(not(any(feature = "full", test)), expect(dead_code, reason = "for `env`"))]
    Shell,
}

impl Activation {
    /// For `environment`, which was made from `base`. `backend` is that of its last sync, `none` among them.
    pub(crate) fn new(
        environment: &Environment,
        base: &BaseInterpreter,
        (profile, backend): (Profile, Option<&str>),
        variables: &Variables,
        audience: Audience,
    ) -> Self {
        Self::on(System::CURRENT, environment, base, (profile, backend), variables, audience)
    }

    fn on(
        system: System,
        environment: &Environment,
        base: &BaseInterpreter,
        (profile, backend): (Profile, Option<&str>),
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
            // Not the environment's: what was compiled for the one is right for the other, and stays.
            ("PYO3_PYTHON", set(base.executable.as_str())),
            ("UVENV_PROFILE", set(profile.as_str())),
        ];
        changes.extend(backend.map(|backend| ("UVENV_BACKEND", set(backend))));
        changes.extend(library.map(|(name, directories)| (name, VariableEdit::Prepend(directories))));
        changes.extend(HARMFUL.map(|name| (name, VariableEdit::Unset)));
        // There a program that embeds Python is taken for its executable, whatever `PATH` says. In a shell the variable
        // would mislead every Python that is not this environment's.
        if system != System::Linux && audience == Audience::Program {
            changes.retain(|(name, _)| *name != LAUNCHER);
            changes.push((LAUNCHER, set(environment.executable().as_str())));
        }
        Self { changes }
    }

    /// `invocation` with these changes to `variables`.
    pub(crate) fn apply(&self, invocation: Invocation, variables: &Variables) -> Invocation {
        self.values(variables).into_iter().fold(invocation, |invocation, (name, value)| match value {
            Some(value) => invocation.env(name, value),
            None => invocation.env_remove(name),
        })
    }

    /// What the variables are after the changes; `None` for one that is not there.
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

/// Where the loader of macOS looks for libraries that are not where a program says, which the variable replaces.
fn with_fallback(directory: Utf8PathBuf, variables: &Variables) -> Vec<Utf8PathBuf> {
    let default = match variables.get("DYLD_FALLBACK_LIBRARY_PATH") {
        Some(_) => &[][..],
        None => &["/usr/local/lib", "/usr/lib"],
    };
    std::iter::once(directory).chain(default.iter().map(Utf8PathBuf::from)).collect()
}

/// `directories` before those of `search`, unless it begins with them. A directory with a separator in its name cannot be
/// searched.
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

    fn on(system: System, base: &BaseInterpreter, backend: Option<&str>, audience: Audience) -> Activation {
        let platform = if system == System::Windows { Platform::Windows } else { Platform::Unix };
        Activation::on(system, &environment(platform), base, (Profile::Prod, backend), &none(), audience)
    }

    #[test]
    fn a_library_that_the_loader_finds_is_not_named() {
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
    fn macos_keeps_its_default_directories() {
        let found = on(System::MacOs, &base(false), None, Audience::Shell);
        let expected = prepend(&["/opt/python/lib", "/usr/local/lib", "/usr/lib"]);
        assert_eq!(find(&found, "DYLD_FALLBACK_LIBRARY_PATH"), Some(&expected));
        assert_eq!(find(&found, "LD_LIBRARY_PATH"), None);
    }

    #[test]
    fn windows_searches_libraries_on_path() {
        let found = on(System::Windows, &base(false), None, Audience::Program);
        assert_eq!(find(&found, "PATH"), Some(&prepend(&["/code/.venv/Scripts", "/opt/python/lib"])));
    }

    #[test]
    fn an_executable_that_is_not_looked_for_is_named_to_one_program_only() {
        let launcher = |system, audience| find(&on(system, &base(false), None, audience), LAUNCHER).cloned();
        assert_eq!(launcher(System::Linux, Audience::Program), Some(VariableEdit::Unset));
        assert_eq!(launcher(System::MacOs, Audience::Shell), Some(VariableEdit::Unset));
        let expected = VariableEdit::Set("/code/.venv/bin/python".to_owned());
        assert_eq!(launcher(System::MacOs, Audience::Program), Some(expected));
        let expected = VariableEdit::Set("/code/.venv/Scripts/python.exe".to_owned());
        assert_eq!(launcher(System::Windows, Audience::Program), Some(expected));
    }

    #[test]
    fn the_backend_is_that_of_the_environment() {
        let backend =
            |backend| find(&on(System::Linux, &base(true), backend, Audience::Program), "UVENV_BACKEND").cloned();
        assert_eq!(backend(Some("cu124")), Some(VariableEdit::Set("cu124".to_owned())));
        assert_eq!(backend(Some("none")), Some(VariableEdit::Set("none".to_owned())));
        assert_eq!(backend(None), None, "nothing is known of it");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_first_already_is_not_put_first_again() {
        let directories = [Utf8PathBuf::from("/a"), Utf8PathBuf::from("/b")];
        let prepended = |search: &str| prepended(&directories, Some(OsStr::new(search)).filter(|s| !s.is_empty()));
        assert_eq!(prepended("/usr/bin:/a"), "/a:/b:/usr/bin:/a");
        assert_eq!(prepended("/a:/b:/usr/bin"), "/a:/b:/usr/bin");
        assert_eq!(prepended("/a"), "/a:/b:/a");
        assert_eq!(prepended(""), "/a:/b");
    }
}
