//! The programs that the tests run, each found, built or installed once.

use std::{
    env,
    fs::{self, File},
    process::{Command, Stdio},
    sync::OnceLock,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::Monorepo;

/// The oldest uv that uvenv works with.
const OLDEST: &str = "0.7.16";

/// Which uv a fixture's uvenv drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uv {
    /// The one that uvenv itself fetches.
    Newest,
    /// The oldest that uvenv works with.
    Oldest,
}

impl Uv {
    /// The program.
    pub fn path(self) -> &'static Utf8Path {
        static NEWEST: OnceLock<Utf8PathBuf> = OnceLock::new();
        static OLDEST_PATH: OnceLock<Utf8PathBuf> = OnceLock::new();
        match self {
            Self::Newest => NEWEST.get_or_init(fetched_by_uvenv),
            Self::Oldest => OLDEST_PATH.get_or_init(|| uv_from_pip(OLDEST)),
        }
    }

    /// Its version.
    pub fn version(self) -> &'static str {
        static NEWEST: OnceLock<String> = OnceLock::new();
        match self {
            Self::Newest => NEWEST.get_or_init(|| {
                let said = answer(Command::new(self.path()).arg("--version"));
                said.split_whitespace().nth(1).expect("`uv VERSION`").to_owned()
            }),
            Self::Oldest => OLDEST,
        }
    }
}

/// Lets uvenv fetch its uv into a cache that outlives the test run, and asks it where that is.
fn fetched_by_uvenv() -> Utf8PathBuf {
    let cache = scratch().join("uvenv-cache");
    let repo = Monorepo::without_uv().build();
    let outcome = repo.uvenv(["sync"]).env("UVENV_CACHE_DIR", &cache).arg_json().ok();
    let finished = outcome.report("sync-finished");
    Utf8PathBuf::from(finished["uv"]["path"].as_str().expect("`sync-finished` names the uv"))
}

/// uv of `version`, installed with pip into a directory that outlives the test run.
pub fn uv_from_pip(version: &str) -> Utf8PathBuf {
    tool_from_pip("uv", version).join("bin").join(format!("uv{}", env::consts::EXE_SUFFIX))
}

/// The directory of a distribution that needs no other, installed with pip to outlive the test run.
pub(crate) fn tool_from_pip(name: &str, version: &str) -> Utf8PathBuf {
    let home = scratch().join(name).join(version);
    made_once(&home, |unfinished| {
        pip_install(&format!("{name}=={version}"), unfinished);
    });
    home
}

/// `cargo-uvenv`, built as `cargo build --workspace` does: with the features of the whole workspace.
pub fn cargo_uvenv() -> &'static Utf8Path {
    // The failure is kept as well, so that not every test builds again what does not compile.
    static BINARY: OnceLock<Option<Utf8PathBuf>> = OnceLock::new();
    BINARY.get_or_init(build).as_deref().expect("cargo-uvenv builds; cargo's messages are above")
}

fn build() -> Option<Utf8PathBuf> {
    let profile = profile_dir();
    let mut build = Command::new(env!("CARGO"));
    build
        // Set for this process only, to have libtest report times.
        .env_remove("RUSTC_BOOTSTRAP")
        .args(["build", "--quiet", "--workspace", "--bin", "cargo-uvenv", "--message-format=json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml"))
        .arg("--target-dir")
        .arg(target_dir())
        .stderr(Stdio::inherit());
    if let Some(name) = profile.file_name().filter(|name| *name != "debug") {
        build.args(["--profile", name]);
    }
    let output = build.output().expect("cargo starts");
    executable(&String::from_utf8_lossy(&output.stdout))
}

/// The executable that cargo's messages name.
fn executable(messages: &str) -> Option<Utf8PathBuf> {
    let message = messages.lines().find(|line| line.contains("\"executable\":\""))?;
    let message: serde_json::Value = serde_json::from_str(message).expect("cargo writes JSON");
    message["executable"].as_str().map(Utf8PathBuf::from)
}

/// A directory that holds only the program `name`, to put on a fixture's `PATH`.
///
/// A script and not a link: an interpreter finds its library from where it really is, and a rustup proxy looks at the
/// name by which it is called.
pub(crate) fn path_entry(name: &str) -> Utf8PathBuf {
    let real = match name {
        "cargo" => Utf8PathBuf::from(env!("CARGO")),
        "rustc" => beside_cargo("rustc"),
        "python3" => interpreter().to_owned(),
        other => on_path(other),
    };
    assert!(!name.contains('/'), "`{name}` is the name of a program, not its path");
    let entry = scratch().join("path").join(name);
    // Parts of git are shell scripts, which need the system's tools; a uv that may lie there stays out of sight.
    let tools = if name == "git" { "PATH=\"$PATH:/usr/bin:/bin\" " } else { "" };
    let script = format!("#!/bin/sh\n{tools}exec '{real}' \"$@\"\n");
    if fs::read_to_string(entry.join(name)).is_ok_and(|text| text == script) {
        return entry;
    }
    let _ = fs::remove_dir_all(&entry);
    made_once(&entry, |unfinished| {
        let path = unfinished.join(name);
        fs::write(&path, &script).expect("the scratch directory can be written");
        make_executable(&path);
    });
    entry
}

/// Lets everybody run the file.
pub(crate) fn make_executable(path: &Utf8Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("own files can be made executable");
    }
}

/// The interpreter of the fixtures: a copy of the one behind `python3`, with pip and nothing else installed.
///
/// A copy, because a uv that is led astray by a broken environment changes the *base* interpreter, which must not be
/// the one of whoever runs the tests.
pub(crate) fn interpreter() -> &'static Utf8Path {
    static INTERPRETER: OnceLock<Utf8PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| {
        let version = "import platform; print(platform.python_version())";
        let version = answer(Command::new("python3").args(["-c", version]));
        let home = scratch().join("python").join(version.trim());
        made_once(&home, |unfinished| {
            let copy = include_str!("interpreter.py");
            run(Command::new("python3").args(["-c", copy, unfinished.as_str()]));
            let place = "import sysconfig; print(sysconfig.get_path('purelib'))";
            let place = answer(Command::new(unfinished.join("bin/python3")).args(["-c", place]));
            let place = Utf8Path::new(place.trim());
            assert!(place.starts_with(unfinished), "the copied interpreter installs into {place}");
            pip_install("pip", place);
        });
        home.join("bin/python3")
    })
}

/// git without the settings of whoever runs the tests.
pub(crate) fn git() -> Command {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    git
}

/// Installs one distribution into `directory` with the pip of the tester's Python.
fn pip_install(requirement: &str, directory: &Utf8Path) {
    run(Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--target", directory.as_str(), requirement]));
}

/// The version of that interpreter, `3.11.7`.
pub(crate) fn python_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let script = "import platform; print(platform.python_version())";
        answer(Command::new(interpreter()).args(["-c", script])).trim().to_owned()
    })
}

fn beside_cargo(name: &str) -> Utf8PathBuf {
    let beside = Utf8Path::new(env!("CARGO")).with_file_name(name);
    if beside.exists() { beside } else { on_path(name) }
}

fn on_path(name: &str) -> Utf8PathBuf {
    all_on_path(name).next().unwrap_or_else(|| panic!("the tests need `{name}` on PATH"))
}

/// The programs of a name in the directories of the tester's `PATH`.
pub(crate) fn all_on_path(name: &str) -> impl Iterator<Item = Utf8PathBuf> + use<'_> {
    let path = env::var_os("PATH").expect("PATH is set");
    let directories: Vec<_> = env::split_paths(&path).collect();
    directories
        .into_iter()
        .filter_map(move |directory| Utf8PathBuf::from_path_buf(directory.join(name)).ok())
        .filter(|candidate| candidate.is_file())
}

/// What the tests keep from one run to the next, in cargo's target directory.
pub(crate) fn scratch() -> &'static Utf8Path {
    static SCRATCH: OnceLock<Utf8PathBuf> = OnceLock::new();
    SCRATCH.get_or_init(|| {
        let scratch = target_dir().join("uvenv-tests");
        fs::create_dir_all(&scratch).expect("the target directory can be written");
        scratch
    })
}

/// Cargo's target directory.
pub(crate) fn target_dir() -> Utf8PathBuf {
    profile_dir().parent().expect("the profile's directory lies in the target directory").to_owned()
}

/// `target/debug`: a test runs as `target/debug/deps/newest-0123456789abcdef`.
fn profile_dir() -> Utf8PathBuf {
    let test = Utf8PathBuf::from_path_buf(env::current_exe().expect("the test knows its file")).expect("UTF-8");
    test.ancestors().nth(2).expect("tests lie in `deps`").to_owned()
}

/// Makes `directory` with `fill` unless it is there, whichever of several processes comes first.
pub(crate) fn made_once(directory: &Utf8Path, fill: impl FnOnce(&Utf8Path)) {
    let parent = directory.parent().expect("a directory in the scratch directory");
    fs::create_dir_all(parent).expect("the scratch directory can be written");
    let lock = File::create(parent.join(".lock")).expect("the scratch directory can be written");
    lock.lock().expect("files can be locked");
    if directory.exists() {
        return;
    }
    let unfinished = tempfile::tempdir_in(parent).expect("the scratch directory can be written");
    fill(Utf8Path::from_path(unfinished.path()).expect("UTF-8"));
    fs::rename(unfinished.keep(), directory).expect("a new name in the same directory");
}

/// Runs a program that must succeed and gives its standard output.
pub fn answer(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({})\n{stderr}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a program that must succeed.
pub fn run(command: &mut Command) {
    answer(command);
}
