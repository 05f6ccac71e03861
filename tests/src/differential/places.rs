//! The interpreters of a differential test. Each monorepo has its own, which the test may change, break and swap.

use std::{fs, os::unix::fs::symlink, process::Command, sync::OnceLock};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    Cpython,
    programs::{answer, made_once, run, scratch},
};

/// Copies of the tester's interpreters, without packages: that behind `python3`, and where there is one of another minor
/// version, that one.
pub(super) fn copies() -> &'static [Utf8PathBuf] {
    static COPIES: OnceLock<Vec<Utf8PathBuf>> = OnceLock::new();
    COPIES.get_or_init(|| {
        let minor = |version: &str| version.rsplit_once('.').map(|(minor, _)| minor.to_owned());
        let question = "import platform, sys; print(platform.python_version(), sys._base_executable)";
        let said = answer(Command::new("python3").args(["-c", question]));
        let (version, python) = said.trim().split_once(' ').expect("a version and a path");
        let mut other = Cpython::all().iter().filter(|cpython| !cpython.free_threaded);
        let other = other.find(|cpython| minor(&cpython.version) != minor(version));
        let mut copies = vec![copy(version, Utf8Path::new(python))];
        copies.extend(other.map(|cpython| copy(&cpython.version, &cpython.python)));
        copies
    })
}

fn copy(version: &str, python: &Utf8Path) -> Utf8PathBuf {
    let home = scratch().join("differential").join(version);
    made_once(&home, |unfinished| {
        run(Command::new(python).args(["-c", include_str!("../interpreter.py"), unfinished.as_str()]));
    });
    home
}

/// Makes of each copy an interpreter of its own in `directory`, which shares all but the program; their `bin`s.
pub(super) fn lend(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let lend = |(number, copy): (usize, &Utf8PathBuf)| {
        let home = directory.join(format!("base-{number}"));
        fs::create_dir_all(home.join("bin")).expect("the temporary directory can be written");
        fs::copy(copy.join("bin/python3"), home.join("bin/python3")).expect("the program can be copied");
        symlink(copy.join("lib"), home.join("lib")).expect("the temporary directory can be written");
        home.join("bin")
    };
    copies().iter().enumerate().map(lend).collect()
}

/// Distributions wrongly installed into the copies.
pub(super) fn strays() -> Vec<Utf8PathBuf> {
    let libraries = copies().iter().flat_map(|copy| copy.join("lib").read_dir_utf8().into_iter().flatten().flatten());
    let packages = libraries.filter_map(|library| library.path().join("site-packages").read_dir_utf8().ok());
    packages
        .flatten()
        .flatten()
        .map(|entry| entry.path().to_owned())
        .filter(|path| path.file_name() != Some("__pycache__"))
        .collect()
}
