//! Fetches uv with pip, so that the user's own index, proxy and certificate settings apply. The download is verified
//! against the hashes in this file.

use std::{fmt::Write as _, fs};

use camino::{Utf8Path, Utf8PathBuf};

use super::{INSTALL, PINNED, executable_in, on_new_lines};
use crate::{
    fs::cache::{self, CacheError, FileLock},
    model::{Diagnostic, Fault, Observer, Variables},
    process::{Invocation, ending, is_program, on_path},
};

/// The SHA-256 hashes of all wheels of [`PINNED`].
#[rustfmt::skip]
const SHA256: [&str; 18] = [
    "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5", // macosx_10_12_x86_64
    "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63", // macosx_11_0_arm64
    "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19", // manylinux_2_17_x86_64
    "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25", // musllinux_1_1_x86_64
    "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe", // manylinux_2_17_aarch64, musllinux_1_1_aarch64
    "ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375", // manylinux_2_28_aarch64
    "6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b", // win_amd64
    "eeb92051c2123b9730c46b04cc843cfa4bc7d7b0aec56df431a2215ef4cb0273", // win_arm64
    "3eeeb51a267a2144640fcd8f38d4a2f63439b39bc47445fd84727c3fc462c843", // win32
    "db5c8df7145c21ffea9c0f74e38823bac3af60cbadf0e26b8633f08627b17bab", // manylinux_2_17_i686
    "a2ee66fe8b6608e1482ab1bde5799da04705c1cb40324c7f66054ecf46ae6e40", // musllinux_1_1_i686
    "7ec1e1dd9b6cb335c301afdf877989df384227313981850755a59561f75e4ab8", // manylinux_2_17_armv7l, musllinux_1_1_armv7l
    "16963d19594e18d746a70c7fce82237bde4f2cac4cfcf0ca2b84796fe9d0c6e9", // manylinux_2_17_armv7l
    "56ec37616c00220032fc7b8c9d0ef51367fd0d70d9cd6ddd841660f949f84fed", // linux_armv6l
    "c5dbdb7c8737cd183a9dce95b39cfd1f3d54ec2a27a1bb58f160293f9ba2c805", // manylinux_2_17_ppc64le
    "a6e845f387e4ed55bb59342957a9179e24a631fcc7668bda3426ae1cef8ed4b9", // manylinux_2_17_s390x
    "6d5114bba238adddacb32fb11904f2b3ff4e988f8e9ff0d8d3b5e9822cf836b8", // manylinux_2_31_riscv64, musllinux_1_1_riscv64
    "6b0c7b9f47a5d011939d61e324d3fe18a8bc155d8dd53add738709a92f290a7c", // manylinux_2_31_riscv64
];

/// The name prefix of [`fetch`]'s work directories in the cache, which also identifies leftover ones.
pub(super) const WORK: &str = ".fetch-";

/// Variables that undo settings of the user's pip configuration with which pip would install uv elsewhere or refuse to
/// install it. A variable overrides pip's configuration files, but an empty variable does not.
const NEUTRAL: [(&str, &str); 8] = [
    ("PIP_BREAK_SYSTEM_PACKAGES", "0"),
    ("PIP_CONSTRAINT", if cfg!(windows) { "nul" } else { "/dev/null" }),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("PIP_DRY_RUN", "0"),
    // Nobody can answer a prompt.
    ("PIP_NO_INPUT", "1"),
    ("PIP_NO_DEPS", "1"),
    ("PIP_REQUIRE_VIRTUALENV", "0"),
    ("PIP_USER", "0"),
];

/// Variables of this kind that no value can undo, so they are removed. Our own `--target` and `--prefix` override the
/// configuration files.
const REMOVED: [&str; 10] = [
    "PIP_ABI",
    "PIP_EDITABLE",
    "PIP_IMPLEMENTATION",
    "PIP_PLATFORM",
    "PIP_PREFIX",
    "PIP_PYTHON",
    "PIP_PYTHON_VERSION",
    "PIP_REQUIREMENT",
    "PIP_ROOT",
    "PIP_TARGET",
];

/// pip could not install uv.
#[derive(Debug, thiserror::Error)]
#[error("uv {PINNED} could not be fetched: {problem}")]
struct FetchFailed {
    /// What happened, without secrets.
    problem: String,
}

impl Diagnostic for FetchFailed {
    fn code(&self) -> &'static str {
        "uv-fetch-failed"
    }

    fn help(&self) -> Option<String> {
        Some(INSTALL.to_owned())
    }

    fn fault(&self) -> Fault {
        Fault::Finding
    }
}

/// Fetches uv into the cache, only once even if several processes need it. Returns `None` if no Python has pip.
pub(super) fn fetch(variables: &Variables, observer: &dyn Observer) -> crate::Result<Option<Utf8PathBuf>> {
    let Some(pip) = pip(variables) else { return Ok(None) };
    let directory = cache::directory(variables)?.join("uv");
    let place = directory.join(PINNED.to_string());
    let lock = directory.join(".lock");
    let _lock = FileLock::acquire(&lock, variables, observer, || "is fetching uv".to_owned())?;
    let executable = executable_in(&place);
    if is_program(executable.as_std_path()) {
        return Ok(Some(executable));
    }
    remove_remains(&directory, &place)?;
    observer.say(&format!("Fetching uv {PINNED} with pip ({pip})…"));
    let work = directory.join(format!("{WORK}{}", std::process::id()));
    let made = install(&pip, &work).and_then(|made| {
        fs::rename(&made, &place).map_err(CacheError::unusable(&place))?;
        Ok(())
    });
    // If it cannot be removed now, the next process that fetches uv removes it.
    let _ = fs::remove_dir_all(&work);
    made.map(|()| Some(executable))
}

/// Removes what an interrupted run left behind. This process has the lock, so no other process is using it.
pub(super) fn remove_remains(directory: &Utf8Path, place: &Utf8Path) -> Result<(), CacheError> {
    let entries = directory.read_dir_utf8().map_err(CacheError::unusable(directory))?;
    for entry in entries.flatten() {
        if entry.file_name().starts_with(WORK) || entry.path() == place {
            fs::remove_dir_all(entry.path()).map_err(CacheError::unusable(entry.path()))?;
        }
    }
    Ok(())
}

/// Installs uv with pip into a directory below `work`, and returns that directory.
fn install(pip: &Invocation, work: &Utf8Path) -> crate::Result<Utf8PathBuf> {
    fs::create_dir_all(work).map_err(CacheError::unusable(work))?;
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, requirement()).map_err(CacheError::unusable(&requirements))?;
    let target = work.join("uv");
    let command = pip.clone().args(["install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]).args([
        "--prefix=",
        "--target",
        target.as_str(),
        "-r",
        requirements.as_str(),
    ]);
    let failed = |problem: String| crate::Error::from(FetchFailed { problem });
    let captured = command.capture().map_err(|error| failed(format!("`{command}` could not be started: {error}")))?;
    if !captured.status.success() {
        return Err(failed(format!("`{command}` {}{}", ending(captured.status), on_new_lines(&captured.words()))));
    }
    if !is_program(executable_in(&target).as_std_path()) {
        return Err(failed(format!("`{command}` did not create `{}`", executable_in("".into()))));
    }
    Ok(target)
}

/// Returns `pip` without the user's settings with which it would do something else than it is told to.
pub(crate) fn neutral_pip(pip: Invocation) -> Invocation {
    let pip = NEUTRAL.into_iter().fold(pip, |pip, (name, value)| pip.env(name, value));
    REMOVED.into_iter().fold(pip, Invocation::env_remove)
}

fn requirement() -> String {
    let mut line = format!("uv=={PINNED}");
    for hash in SHA256 {
        // Writing to a string cannot fail.
        let _ = write!(line, " --hash=sha256:{hash}");
    }
    line + "\n"
}

/// Returns the first pip that responds. An environment that uv created has a Python without pip, and is often first on
/// `PATH`.
fn pip(variables: &Variables) -> Option<Invocation> {
    let candidates: &[(&str, &[&str])] = if cfg!(windows) {
        &[("py", &["-3"]), ("python", &[]), ("python3", &[])]
    } else {
        &[("python3", &[]), ("python", &[])]
    };
    candidates
        .iter()
        .flat_map(|(name, arguments)| on_path(variables, name).map(move |path| (path, *arguments)))
        .map(|(python, arguments)| {
            // `python -m` imports from the current directory first, so this must be neither the user's directory nor
            // one to which everyone can write.
            let directory = python.parent().unwrap_or(&python).to_owned();
            let pip = Invocation::new(python.as_str())
                .args(arguments)
                .args(["-m", "pip"])
                .current_dir(directory)
                .seeing(variables);
            neutral_pip(pip)
        })
        .find(|pip| pip.clone().arg("--version").capture().is_ok_and(|answer| answer.status.success()))
}
