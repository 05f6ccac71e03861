//! The Python package: its wheel, built by maturin once in a run, and fresh environments in which that is installed.

use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    process::Command,
    sync::OnceLock,
};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::{
    Cpython, Environment, Fixture, Invocation, Monorepo,
    programs::{all_on_path, interpreter, made_once, run, scratch, target_dir, tool_from_pip, uv_from_pip},
};

/// What builds the wheel.
const MATURIN: &str = "1.16.0";

/// What makes environments and installs the wheel.
const UV: &str = "0.13.9";

/// Where the sources of the package are.
pub fn python_dir() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("python")
}

/// The uv of this module and of [`Cpython::all`], which has nothing to do with what is tested.
pub(crate) fn tools_uv() -> Utf8PathBuf {
    uv_from_pip(UV)
}

/// An environment with a distribution and what that requires, which outlives the test run.
pub(crate) fn environment_with(name: &str, version: &str) -> Environment {
    let home = scratch().join(name).join(version);
    made_once(&home, |unfinished| {
        let cache = scratch().join("uv-cache");
        let uv = |arguments: &[&str]| {
            run(Command::new(tools_uv())
                .args(["--quiet", "--no-config", "--cache-dir", cache.as_str()])
                .args(arguments));
        };
        uv(&["venv", "--allow-existing", "--python", interpreter().as_str(), unfinished.as_str()]);
        let python = unfinished.join("bin/python");
        uv(&["pip", "install", "--python", python.as_str(), &format!("{name}=={version}")]);
    });
    Environment::at(home)
}

/// How the wheel is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// As tests are.
    Debug,
    /// As it is published, for measuring.
    Release,
}

/// The wheel for an interpreter: one for all that have the stable ABI, one each for those without the lock.
pub fn wheel(cpython: &Cpython, build: Build) -> Utf8PathBuf {
    static DEBUG: OnceLock<Option<Utf8PathBuf>> = OnceLock::new();
    static RELEASE: OnceLock<Option<Utf8PathBuf>> = OnceLock::new();
    let stable = match build {
        Build::Debug => &DEBUG,
        Build::Release => &RELEASE,
    };
    // The failure is kept as well, so that not every test builds again what does not compile.
    let wheel = if cpython.free_threaded {
        build_wheel(&cpython.python, &cpython.version, build)
    } else {
        stable.get_or_init(|| build_wheel(interpreter(), "abi3", build)).clone()
    };
    wheel.expect("the wheel builds; maturin's messages are above")
}

/// Builds where the workspace is built: it has compiled most of it already.
fn build_wheel(python: &Utf8Path, abi: &str, build: Build) -> Option<Utf8PathBuf> {
    let directory = scratch().join("wheel");
    let wheels = directory.join(format!("{abi}-{build:?}").to_lowercase());
    fs::create_dir_all(&wheels).expect("the scratch directory can be written");
    let lock = File::create(wheels.join(".lock")).expect("the scratch directory can be written");
    lock.lock().expect("files can be locked");
    for old in wheels_in(&wheels) {
        fs::remove_file(old).expect("the scratch directory can be written");
    }
    let mut maturin = Command::new(tool_from_pip("maturin", MATURIN).join("bin/maturin"));
    for (name, _) in env::vars_os().filter(|(name, _)| selects_a_python(&name.to_string_lossy())) {
        maturin.env_remove(name);
    }
    maturin
        .args(["build", "--quiet", "--manifest-path", python_dir().join("Cargo.toml").as_str()])
        .args(["--interpreter", python.as_str(), "--out", wheels.as_str()])
        .args(["--target-dir", target_dir().as_str()])
        .args((build == Build::Release).then_some("--release"));
    let output = maturin.output().expect("maturin starts");
    if !output.status.success() {
        io::stderr().write_all(&output.stderr).expect("there is a standard error");
        return None;
    }
    Some(wheels_in(&wheels).pop().expect("maturin has built a wheel"))
}

fn wheels_in(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let entries = directory.read_dir_utf8().expect("the directory can be read");
    let paths = entries.map(|entry| entry.expect("the directory can be read").into_path());
    paths.filter(|path| path.extension() == Some("whl")).collect()
}

/// Whether a variable of the tester's tells maturin or PyO3 about another Python, or rustc about other features.
fn selects_a_python(name: &str) -> bool {
    ["PYO3_", "MATURIN_", "VIRTUAL_ENV", "CONDA_", "RUSTC_BOOTSTRAP"].iter().any(|prefix| name.starts_with(prefix))
}

/// A machine with one CPython and a fresh environment of it.
#[derive(Debug)]
pub struct PythonHome {
    machine: Fixture,
    environment: Environment,
    /// In the scratch directory, so that uv can link files from its cache.
    _directory: TempDir,
}

impl PythonHome {
    /// An empty environment.
    pub fn empty(cpython: &Cpython) -> Self {
        let parent = scratch().join("environments");
        fs::create_dir_all(&parent).expect("the scratch directory can be written");
        let prefix = format!("{}-", cpython.version);
        let directory = TempDir::with_prefix_in(prefix, parent).expect("the scratch directory can be written");
        let path = Utf8Path::from_path(directory.path()).expect("UTF-8").join("venv");
        let home = Self {
            machine: Monorepo::without_uv().build(),
            environment: Environment::at(path.clone()),
            _directory: directory,
        };
        home.uv(&["venv", "--quiet", "--python", cpython.python.as_str(), path.as_str()]);
        home
    }

    /// One with the wheel, what notebooks use, and these dependency groups of `python/pyproject.toml`.
    pub fn with_wheel(cpython: &Cpython, build: Build, groups: &[&str]) -> Self {
        let manifest = python_dir().join("pyproject.toml");
        let groups: Vec<_> = groups.iter().map(|group| format!("--group={manifest}:{group}")).collect();
        Self::with_extra(cpython, build, "notebook", &groups)
    }

    /// One with the wheel and this Ray.
    pub fn with_ray(cpython: &Cpython, version: &str) -> Self {
        Self::with_extra(cpython, Build::Debug, "ray", &[format!("ray=={version}")])
    }

    fn with_extra(cpython: &Cpython, build: Build, extra: &str, more: &[String]) -> Self {
        let home = Self::empty(cpython);
        let requirement = format!("{}[{extra}]", wheel(cpython, build));
        let python = home.environment.python();
        let mut arguments = vec!["pip", "install", "--quiet", "--python", python.as_str(), &requirement];
        // The wheel of an earlier run has the same name.
        arguments.extend(["--refresh-package", "cargo-uvenv"]);
        arguments.extend(more.iter().map(String::as_str));
        home.uv(&arguments);
        home
    }

    /// Its environment.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Around it: a home, caches and temporary directories.
    pub fn machine(&self) -> &Fixture {
        &self.machine
    }

    /// A program of the environment, with what the system has behind it on `PATH`.
    pub fn program<const N: usize>(&self, name: &str, arguments: [&str; N]) -> Invocation<'_> {
        let programs = self.environment.path().join("bin");
        Invocation::new(&self.machine, &programs.join(name)).args(arguments).on_path(programs).with_system()
    }

    /// Tests of the package, from these files or directories, which find it where it is installed.
    pub fn pytest(&self, tests: &[Utf8PathBuf]) -> Invocation<'_> {
        let pytest = self.program("python", ["-m", "pytest", "--durations=10", "-p", "no:cacheprovider", "-c"]);
        let pytest = pytest.args([python_dir().join("pyproject.toml")]).args(tests);
        match self.browser() {
            Some((variable, value)) => pytest.env(variable, value),
            None => pytest,
        }
    }

    /// What tells the tests of a browser to show JupyterLab in: the tester's, or one that playwright downloads once.
    fn browser(&self) -> Option<(&'static str, Utf8PathBuf)> {
        let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
        if let Some(browser) = names.into_iter().find_map(|name| all_on_path(name).next()) {
            return Some(("TEST_BROWSER", browser));
        }
        let place = ("PLAYWRIGHT_BROWSERS_PATH", scratch().join("browsers"));
        let download = self.program("playwright", ["install", "--only-shell", "chromium"]).env(place.0, &place.1);
        (download.run().status() == Some(0)).then_some(place)
    }

    fn uv(&self, arguments: &[&str]) {
        Invocation::new(&self.machine, &tools_uv()).args(arguments).ok();
    }
}
