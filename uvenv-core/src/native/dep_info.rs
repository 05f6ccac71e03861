//! Reads from the target directory which inputs cargo and the compiler have noted for a build.
//!
//! The notes of earlier builds are there too. The additional inputs do no harm.

use std::{collections::BTreeSet, fs};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    build_inputs::{Discovered, directories},
    cargo_graph::{Closure, Crate},
};

/// Returns what the builds of the crates of `closure` have read, or may have read, outside their own directories.
pub(super) fn discovered(closure: &Closure) -> Discovered {
    let mut found = Discovered::default();
    let profiles = directories(&closure.target);
    let with_triple = profiles.iter().flat_map(|path| directories(path));
    for profile in profiles.iter().cloned().chain(with_triple) {
        for file in files_in(&profile.join("deps")) {
            let Some(stem) = file.file_name().and_then(|name| name.strip_suffix(".d")) else { continue };
            let target = stem.rsplit_once('-').map_or(stem, |(target, _)| target);
            if let Some(one) = closure.crates.iter().find(|one| one.targets.contains(target)) {
                read_dep_info(&file, closure, one, &mut found);
            }
        }
        for directory in directories(&profile.join("build")) {
            let name = directory.file_name().and_then(|name| name.rsplit_once('-')).map(|(name, _)| name);
            if let Some(one) = closure.crates.iter().find(|one| Some(one.name.as_str()) == name) {
                read_script(&directory, closure, one, &mut found);
            }
        }
    }
    found.files.retain(|path| !path.starts_with(&closure.target));
    found
}

fn files_in(directory: &Utf8Path) -> impl Iterator<Item = Utf8PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok())
}

/// Reads a `.d` file: make rules, and the variables that the crate was compiled with.
fn read_dep_info(file: &Utf8Path, closure: &Closure, one: &Crate, found: &mut Discovered) {
    let Ok(text) = fs::read_to_string(file) else { return };
    for line in text.lines() {
        if let Some(variable) = line.strip_prefix("# env-dep:") {
            let name = variable.split('=').next().unwrap_or_default();
            // Cargo's own variables are not inputs.
            if !name.starts_with("CARGO") && name != "OUT_DIR" {
                found.variables.insert(name.to_owned());
            }
        } else if let Some((_, paths)) = line.split_once(": ").filter(|_| !line.starts_with('#')) {
            found.files.extend(unescaped(paths).iter().filter_map(|path| located(path, closure, one)));
        }
    }
}

/// Splits a rule into words. A backslash precedes a space in a path.
fn unescaped(paths: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut characters = paths.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.next_if_eq(&' ').is_some() => word.push(' '),
            ' ' => words.push(std::mem::take(&mut word)),
            character => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Returns the file that the compiler read as `path`. The compiler runs in the workspace's root or, for crates outside
/// it, in the crate's directory.
fn located(path: &str, closure: &Closure, one: &Crate) -> Option<Utf8PathBuf> {
    let candidates = [&closure.root, &one.directory].map(|directory| directory.join(path));
    candidates.into_iter().find_map(|path| path.canonicalize_utf8().ok()).filter(|path| path.is_file())
}

/// Reads what a build script was compiled from and what it told cargo.
fn read_script(directory: &Utf8Path, closure: &Closure, one: &Crate, found: &mut Discovered) {
    for file in files_in(directory).filter(|path| path.extension() == Some("d")) {
        read_dep_info(&file, closure, one, found);
    }
    let Ok(text) = fs::read_to_string(directory.join("output")) else { return };
    let directive = |line: &str, what: &str| {
        let line = line.strip_prefix("cargo:")?;
        line.strip_prefix(':').unwrap_or(line).strip_prefix(what).map(str::to_owned)
    };
    for line in text.lines() {
        if let Some(path) = directive(line, "rerun-if-changed=") {
            let path = one.directory.join(path);
            found.files.insert(path.canonicalize_utf8().unwrap_or(path));
        }
        found.variables.extend(directive(line, "rerun-if-env-changed="));
    }
}

/// Returns the discovered inputs, without the files that are `known`.
pub(super) fn beyond(discovered: Discovered, known: impl Fn(&Utf8Path) -> bool) -> Discovered {
    let files: BTreeSet<_> = discovered.files.into_iter().filter(|path| !known(path)).collect();
    Discovered { files, ..discovered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_inputs_from_dep_info_and_build_script_output() {
        let root = crate::fs::TestTree::new();
        let write = |path: &str, text: &str| drop(root.write(path, text));
        write("data/a table.txt", "");
        write("crates/k/src/lib.rs", "");
        write("target/made.rs", "");
        let rule = "/t/libk.rlib: crates/k/src/lib.rs crates/k/../../data/a\\ table.txt target/made.rs gone.rs\n\n";
        let rest = "data/only.txt:\n# env-dep:CARGO_PKG_NAME=k\n# env-dep:MODE\n";
        write("target/x86_64-unknown-linux-gnu/release/deps/my_kernel-0123.d", &format!("{rule}{rest}"));
        write("target/release/deps/other-0123.d", "x: crates/k/src/other.rs\n");
        let output = "cargo:rerun-if-changed=../../data\ncargo::rerun-if-changed=new.txt\n\
                      cargo::rerun-if-env-changed=LEVEL\ncargo:warning=rerun-if-changed=no\n";
        write("target/debug/build/my-kernel-89ab/output", output);
        let one = Crate {
            name: "my-kernel".to_owned(),
            directory: root.join("crates/k"),
            targets: BTreeSet::from(["my_kernel".to_owned()]),
            has_script: true,
        };
        let closure = Closure {
            root: root.to_owned(),
            target: root.join("target"),
            crates: vec![one],
            dependencies: String::new(),
        };
        let found = discovered(&closure);
        let files = ["crates/k/new.txt", "crates/k/src/lib.rs", "data", "data/a table.txt"].map(|path| root.join(path));
        assert_eq!(found.files, BTreeSet::from(files));
        assert_eq!(found.variables, ["LEVEL", "MODE"].map(str::to_owned).into());
    }
}
