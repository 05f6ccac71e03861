//! Every CPython on this machine that the wheel supports.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    process::Command,
    sync::OnceLock,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{
    programs::{all_on_path, answer},
    wheel::tools_uv,
};

/// The oldest minor version of Python 3 that the wheel supports.
const OLDEST: u64 = 10;

/// The newest minor version to look for on `PATH`, by names like `python3.14`.
const NEWEST: u64 = 30;

/// The first minor version whose free-threaded build PyO3 supports.
const FREE_THREADED: u64 = 14;

/// A CPython for which there is a wheel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cpython {
    /// Its minor version; the first field, because it determines the order.
    minor: u64,
    /// Whether it has no global interpreter lock.
    pub free_threaded: bool,
    /// `3.11.7`.
    pub version: String,
    /// Its executable, not that of a virtual environment.
    pub python: Utf8PathBuf,
}

impl Cpython {
    /// Every CPython on this machine: on `PATH`, from pyenv and from uv.
    pub fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Cpython>> = OnceLock::new();
        ALL.get_or_init(|| {
            let found: BTreeSet<_> = candidates().iter().filter_map(|python| Self::ask(python)).collect();
            assert!(!found.is_empty(), "the tests need CPython 3.{OLDEST} or newer");
            found.into_iter().collect()
        })
    }

    /// The one of the same minor version as `version`, such as `3.11.7`.
    pub fn like(version: &str) -> &'static Self {
        let minor = |version: &str| version.split('.').nth(1).map(str::to_owned);
        let is_like = |cpython: &&Self| !cpython.free_threaded && minor(&cpython.version) == minor(version);
        Self::all().iter().find(is_like).expect("a CPython for which there is a wheel")
    }

    /// The newest CPython of each minor version on this machine, with and without a global interpreter lock.
    pub fn newest_of_each() -> Vec<&'static Self> {
        let all = Self::all().iter().map(|cpython| ((cpython.minor, cpython.free_threaded), cpython));
        all.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// Describes `python`, if it runs and the wheel supports it.
    pub(crate) fn ask(python: &Utf8Path) -> Option<Self> {
        let output = Command::new(python).args(["-I", "-c", include_str!("cpython.py")]).output().ok()?;
        let said: Value = serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success())?;
        let text = |name: &str| said[name].as_str().expect("cpython.py says so").to_owned();
        let minor = said["minor"].as_u64().expect("cpython.py says so");
        let free_threaded = said["free_threaded"].as_bool().expect("cpython.py says so");
        let oldest = if free_threaded { FREE_THREADED } else { OLDEST };
        (text("implementation") == "cpython" && minor >= oldest).then(|| Self {
            minor,
            free_threaded,
            version: text("version"),
            python: text("python").into(),
        })
    }
}

/// Programs that may be a CPython. Several may be the same one; some do not run, such as what pyenv puts on `PATH` for
/// versions that are not in use.
fn candidates() -> Vec<Utf8PathBuf> {
    [on_path(), pyenv(), installed_by_uv()].concat()
}

fn on_path() -> Vec<Utf8PathBuf> {
    let versioned = (OLDEST..NEWEST).flat_map(|minor| ["", "t"].map(|tag| format!("python3.{minor}{tag}")));
    let names: Vec<_> = ["python3".to_owned()].into_iter().chain(versioned).collect();
    names.iter().flat_map(|name| all_on_path(name)).collect()
}

fn pyenv() -> Vec<Utf8PathBuf> {
    let root = env::var("PYENV_ROOT").ok().map(Utf8PathBuf::from);
    let Some(root) = root.or_else(|| Some(Utf8PathBuf::from(env::var("HOME").ok()?).join(".pyenv"))) else {
        return Vec::new();
    };
    let Ok(versions) = fs::read_dir(root.join("versions")) else { return Vec::new() };
    let homes = versions.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok());
    homes.map(|home| home.join("bin/python3")).collect()
}

fn installed_by_uv() -> Vec<Utf8PathBuf> {
    let mut list = Command::new(tools_uv());
    list.args(["python", "list", "--managed-python", "--only-installed", "--output-format", "json"]);
    let said: Value = serde_json::from_str(&answer(&mut list)).expect("uv writes JSON");
    let listed = said.as_array().expect("a list").iter();
    listed.filter_map(|python| Some(python["path"].as_str()?.into())).collect()
}
