//! The interpreter that an environment was made from, and the library that programs link with to embed Python.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::EnvironmentError;
use crate::process::Invocation;

/// The script that makes a Python describe itself, as JSON. Python's own value for the base executable is not enough:
/// up to Python 3.10 it is the link in the environment, and otherwise it may be any of the links next to the
/// executable.
const QUESTION: &str = r"
import json, os, site, sys, sysconfig
executable = os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable)
if os.path.exists(os.path.join(os.path.dirname(os.path.dirname(executable)), 'pyvenv.cfg')):
    name = 'python%d.%d' % sys.version_info[:2]
    executable = os.path.realpath(os.path.join(sys.base_prefix, 'bin', name))
value = sysconfig.get_config_var
print(json.dumps({
    'executable': executable,
    'prefix': sys.base_prefix,
    'version': list(sys.version_info[:3]),
    'implementation': sys.implementation.name,
    'free_threaded': bool(value('Py_GIL_DISABLED')),
    'suffix': value('LDVERSION') or '',
    'framework': value('PYTHONFRAMEWORKPREFIX') or '',
    'directories': [path for path in (value('LIBDIR'), value('LIBPL')) if path],
    'soname': value('INSTSONAME') or '',
    'multiarch': value('MULTIARCH') or '',
    'site_packages': site.getsitepackages([sys.base_prefix]),
}))
";

/// The interpreter that an environment was made from. All environments made from one interpreter get the same value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BaseInterpreter {
    /// The executable, with links resolved.
    pub executable: Utf8PathBuf,
    /// Where it is installed.
    pub prefix: Utf8PathBuf,
    /// Its version: major, minor and micro.
    pub version: (u8, u8, u8),
    /// Its implementation: `cpython` or `pypy`.
    pub implementation: String,
    /// Whether it runs without a global interpreter lock.
    pub free_threaded: bool,
    /// Where its own packages are.
    pub site_packages: Vec<Utf8PathBuf>,
    /// Its library; `None` if it has none that programs can link with.
    pub library: Option<PythonLibrary>,
}

/// The library of an interpreter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PythonLibrary {
    /// The directory that contains it.
    pub directory: Utf8PathBuf,
    /// Its name for the linker: `python3.11`.
    pub link_name: String,
    /// Whether programs load it at startup.
    pub shared: bool,
    /// Whether programs find it at startup without being told where it is.
    pub on_default_path: bool,
    /// On macOS, the directory of the framework that contains it.
    pub framework: Option<Utf8PathBuf>,
}

/// The operating systems, which differ in their loaders and in the layout of installations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum System {
    Linux,
    MacOs,
    Windows,
}

/// The output of the script.
#[derive(Debug, Deserialize)]
struct InterpreterReply {
    executable: Utf8PathBuf,
    prefix: Utf8PathBuf,
    version: (u8, u8, u8),
    implementation: String,
    free_threaded: bool,
    suffix: String,
    framework: String,
    directories: Vec<Utf8PathBuf>,
    soname: String,
    multiarch: String,
    site_packages: Vec<Utf8PathBuf>,
}

impl BaseInterpreter {
    /// Runs the script with `python`, which may be an environment's. `child` sets the variables that the process sees.
    pub(crate) fn ask(python: &Utf8Path, child: impl FnOnce(Invocation) -> Invocation) -> crate::Result<Self> {
        let failed = |problem| EnvironmentError::Silent { python: python.to_owned(), problem };
        // In isolated mode, Python ignores all its variables except these.
        let invocation = Invocation::new(python.as_str()).args(["-I", "-S", "-B", "-c", QUESTION]);
        let invocation = child(invocation).env_remove("__PYVENV_LAUNCHER__").env_remove("PYTHONEXECUTABLE");
        let said = invocation.capture().map_err(|error| failed(error.to_string()))?;
        if !said.status.success() {
            return Err(failed(last_line(&said.stderr).unwrap_or_else(|| crate::process::ending(said.status))).into());
        }
        let answer: InterpreterReply =
            serde_json::from_str(&said.stdout).map_err(|error| failed(format!("unexpected output: {error}")))?;
        Ok(answer.interpreter(System::CURRENT, &|path| path.exists()))
    }
}

/// Returns the last line of the output, where a program usually states what went wrong.
fn last_line(stderr: &str) -> Option<String> {
    stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

impl System {
    pub(crate) const CURRENT: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Linux
    };
}

impl InterpreterReply {
    fn interpreter(self, system: System, exists: &dyn Fn(&Utf8Path) -> bool) -> BaseInterpreter {
        let library = self.library(system, exists);
        let Self { executable, prefix, version, implementation, free_threaded, site_packages, .. } = self;
        BaseInterpreter { executable, prefix, version, implementation, free_threaded, site_packages, library }
    }

    /// Returns the library. Searches the directory that the interpreter reports, then the installation: an interpreter
    /// that was moved after it was built may still report the directory that it was built for.
    fn library(&self, system: System, exists: &dyn Fn(&Utf8Path) -> bool) -> Option<PythonLibrary> {
        let link_name = self.link_name(system);
        let (shared, archive) = self.files(system, &link_name);
        let find = |names: &[String]| {
            let has =
                |directory: &Utf8PathBuf| names.iter().any(|name| !name.is_empty() && exists(&directory.join(name)));
            self.directories(system).into_iter().find(has)
        };
        let (directory, shared) = match find(&shared) {
            Some(directory) => (directory, true),
            None => (find(&archive)?, false),
        };
        Some(PythonLibrary {
            on_default_path: !shared || self.is_default(system, &directory),
            framework: (!self.framework.is_empty()).then(|| self.framework.clone().into()),
            directory,
            link_name,
            shared,
        })
    }

    fn link_name(&self, system: System) -> String {
        let (major, minor, _) = self.version;
        let threads = if self.free_threaded { "t" } else { "" };
        match system {
            _ if self.implementation == "pypy" => format!("pypy{major}.{minor}-c"),
            System::Windows => format!("python{major}{minor}{threads}"),
            _ if self.suffix.is_empty() => format!("python{major}.{minor}{threads}"),
            _ => format!("python{}", self.suffix),
        }
    }

    /// Returns the names of the library's files: those that programs load, and those that they only link with.
    fn files(&self, system: System, link_name: &str) -> (Vec<String>, Vec<String>) {
        match system {
            // A linker needs the import library in `libs`, but a program needs the DLL next to the executable.
            System::Windows => (vec![format!("{link_name}.dll")], Vec::new()),
            System::MacOs => (vec![format!("lib{link_name}.dylib")], vec![format!("lib{link_name}.a")]),
            System::Linux => {
                // Without the development files, only the versioned name exists.
                let versioned = Some(self.soname.clone()).filter(|name| name.contains(".so"));
                let shared = [format!("lib{link_name}.so")].into_iter().chain(versioned).collect();
                (shared, vec![format!("lib{link_name}.a")])
            }
        }
    }

    fn directories(&self, system: System) -> Vec<Utf8PathBuf> {
        if system == System::Windows {
            return vec![self.prefix.clone()];
        }
        let installed = ["lib", "lib64"].map(|name| self.prefix.join(name));
        self.directories.iter().cloned().chain(installed).chain([self.prefix.join("bin")]).collect()
    }

    /// Whether the loader searches the directory by default.
    fn is_default(&self, system: System, directory: &Utf8Path) -> bool {
        match system {
            System::Linux => ["/lib", "/usr/lib", "/lib64", "/usr/lib64"].map(Utf8Path::new).iter().any(|default| {
                directory == *default || (!self.multiarch.is_empty() && directory == default.join(&self.multiarch))
            }),
            // Programs name the libraries of frameworks by their full paths.
            System::MacOs => !self.framework.is_empty() || ["/usr/lib", "/usr/local/lib"].contains(&directory.as_str()),
            // The search path is `PATH`, and installers do not always add Python to it.
            System::Windows => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> InterpreterReply {
        InterpreterReply {
            executable: "/opt/python/bin/python3.11".into(),
            prefix: "/opt/python".into(),
            version: (3, 11, 7),
            implementation: "cpython".to_owned(),
            free_threaded: false,
            suffix: "3.11".to_owned(),
            framework: String::new(),
            directories: vec!["/opt/python/lib".into(), "/opt/python/lib/python3.11/config".into()],
            soname: "libpython3.11.so.1.0".to_owned(),
            multiarch: "x86_64-linux-gnu".to_owned(),
            site_packages: vec!["/opt/python/lib/python3.11/site-packages".into()],
        }
    }

    fn library(answer: &InterpreterReply, system: System, files: &[&str]) -> Option<PythonLibrary> {
        answer.library(system, &|path| files.contains(&path.as_str()))
    }

    #[test]
    fn prefers_a_shared_library_to_an_archive() {
        let both = ["/opt/python/lib/libpython3.11.so", "/opt/python/lib/python3.11/config/libpython3.11.a"];
        let found = library(&answer(), System::Linux, &both).unwrap();
        assert_eq!(found.directory, "/opt/python/lib");
        assert_eq!(found.link_name, "python3.11");
        assert!(found.shared && !found.on_default_path);

        let found = library(&answer(), System::Linux, &both[1..]).unwrap();
        assert_eq!(found.directory, "/opt/python/lib/python3.11/config");
        assert!(!found.shared && found.on_default_path, "nothing is loaded");
        assert_eq!(library(&answer(), System::Linux, &[]), None);
    }

    #[test]
    fn ignores_a_build_directory_that_does_not_exist() {
        let moved = InterpreterReply { directories: vec!["/install/lib".into()], ..answer() };
        let found = library(&moved, System::Linux, &["/opt/python/lib/libpython3.11.so.1.0"]).unwrap();
        assert_eq!(found.directory, "/opt/python/lib");
    }

    #[test]
    fn system_directories_are_on_the_default_path() {
        for directory in ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu"] {
            let system = InterpreterReply { prefix: "/usr".into(), directories: vec![directory.into()], ..answer() };
            let file = format!("{directory}/libpython3.11.so");
            assert!(library(&system, System::Linux, &[&file]).unwrap().on_default_path, "{directory}");
        }
        let local =
            InterpreterReply { prefix: "/usr/local".into(), directories: vec!["/usr/local/lib".into()], ..answer() };
        let found = library(&local, System::Linux, &["/usr/local/lib/libpython3.11.so"]).unwrap();
        assert!(!found.on_default_path, "only some loaders are configured so");
    }

    #[test]
    fn link_name_depends_on_system_and_build() {
        let free =
            InterpreterReply { free_threaded: true, suffix: "3.13t".to_owned(), version: (3, 13, 0), ..answer() };
        assert_eq!(free.link_name(System::Linux), "python3.13t");
        assert_eq!(free.link_name(System::Windows), "python313t");
        let pypy = InterpreterReply { implementation: "pypy".to_owned(), version: (3, 10, 14), ..answer() };
        assert_eq!(pypy.link_name(System::Linux), "pypy3.10-c");
    }

    #[test]
    fn finds_the_library_beside_the_executable_on_windows() {
        let windows = InterpreterReply { prefix: "C:/Python311".into(), directories: Vec::new(), ..answer() };
        let found = library(&windows, System::Windows, &["C:/Python311/python311.dll"]).unwrap();
        assert_eq!((found.directory.as_str(), found.link_name.as_str()), ("C:/Python311", "python311"));
        assert!(found.shared && !found.on_default_path);
    }

    #[test]
    fn finds_a_macos_framework() {
        let versions = "/Library/Frameworks/Python.framework/Versions/3.11";
        let framework = InterpreterReply {
            prefix: versions.into(),
            framework: "/Library/Frameworks".to_owned(),
            directories: vec![format!("{versions}/lib").into()],
            ..answer()
        };
        let found = library(&framework, System::MacOs, &[&format!("{versions}/lib/libpython3.11.dylib")]).unwrap();
        assert!(found.shared && found.on_default_path);
        assert_eq!(found.framework.unwrap(), "/Library/Frameworks");
    }

    #[cfg(unix)]
    #[test]
    fn reports_an_interpreter_that_does_not_answer() {
        let ask = |path: &str| BaseInterpreter::ask(Utf8Path::new(path), |invocation| invocation).unwrap_err();
        for (path, problem) in
            [("/no/such/python", "No such file"), ("/bin/true", "unexpected output"), ("/bin/false", "exit status 1")]
        {
            let said = ask(path).to_string();
            assert!(said.contains(path) && said.contains(problem), "{said}");
        }
    }
}
