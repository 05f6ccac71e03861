//! What must be checked: paths and variables.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::fingerprint::FingerprintKind;
use crate::{backend::SelectionInputs, native::Watched, uv::variables::in_requirements};

/// How many links are followed from a path.
const MAX_LINKS: usize = 40;

/// What an answer of uv depends on. Extra entries do no harm: they only make uvenv start uv more often than necessary.
#[derive(Clone, Debug, Default)]
pub(super) struct WatchList {
    /// As text, because comparing paths is slow.
    paths: BTreeSet<(String, FingerprintKind)>,
    /// The names of variables, in addition to those that are always relevant.
    pub(super) variables: BTreeSet<String>,
}

/// The reason, in words, why only uv can tell whether there is something to do.
pub(crate) type Uncacheable = String;

impl WatchList {
    pub(super) fn add(&mut self, kind: FingerprintKind, path: impl Into<Utf8PathBuf>) {
        self.paths.insert((path.into().into_string(), kind));
    }

    pub(super) fn content(&mut self, path: impl Into<Utf8PathBuf>) {
        self.add(FingerprintKind::Content, path);
    }

    pub(super) fn stamp(&mut self, path: impl Into<Utf8PathBuf>) {
        self.add(FingerprintKind::Stamp, path);
    }

    /// Adds these files in `directory` and in all its ancestors. Where a file does not exist, one may appear.
    pub(super) fn upwards(&mut self, directory: &Utf8Path, names: &[&str]) {
        for directory in directory.ancestors() {
            for name in names {
                self.content(directory.join(name));
            }
        }
    }

    /// Adds where the links in `path`, a directory, lead to. What else is watched is what they lead to now.
    pub(super) fn links(&mut self, path: &Utf8Path) {
        let mut waiting = vec![path.to_owned()];
        // More links than any path may have are a loop.
        for _ in 0..MAX_LINKS {
            let Some(path) = waiting.pop() else { return };
            for link in path.ancestors().filter(|path| path.is_symlink()) {
                self.add(FingerprintKind::Link, link);
                let target = link.read_link_utf8().map(|target| link.parent().unwrap_or(link).join(target));
                waiting.extend(target);
            }
        }
    }

    /// Adds what the packages depend on, apart from what uv reads.
    pub(super) fn watched(&mut self, watched: Watched) {
        watched.files.into_iter().for_each(|path| self.content(path));
        watched.stamped.into_iter().for_each(|path| self.stamp(path));
        watched.directories.into_iter().for_each(|path| self.add(FingerprintKind::Sources, path));
        self.variables.extend(watched.variables);
    }

    /// Adds what the selection of a backend depends on.
    pub(super) fn selection_inputs(&mut self, selection_inputs: &SelectionInputs) {
        if selection_inputs.driver {
            self.content("/proc/driver/nvidia/version");
            self.add(FingerprintKind::Identity, "/dev/nvidiactl");
            self.stamp("/usr/lib/wsl/lib/libnvidia-ml.so.1");
        }
        selection_inputs.files.iter().for_each(|path| self.content(path));
        selection_inputs.folders.iter().for_each(|path| self.add(FingerprintKind::Folders, path));
        if !selection_inputs.files.is_empty() {
            self.variables.extend(["CARGO_HOME", "RUSTUP_TOOLCHAIN"].map(str::to_owned));
        }
    }

    /// Returns the paths, without redundant kinds: a stamp covers more than a content.
    pub(super) fn into_paths(self) -> impl Iterator<Item = (Utf8PathBuf, FingerprintKind)> {
        let mut paths: Vec<_> = self.paths.into_iter().collect();
        paths.dedup_by(|stamp, content| {
            let is_both =
                stamp.0 == content.0 && (content.1, stamp.1) == (FingerprintKind::Content, FingerprintKind::Stamp);
            if is_both {
                content.1 = FingerprintKind::Stamp;
            }
            is_both
        });
        paths.into_iter().map(|(path, kind)| (path.into(), kind))
    }

    /// Adds the variables in `text` of the form `${NAME}`, which uv expands in requirements. TOML can hide the `$`.
    pub(super) fn variables_in(&mut self, text: &str) -> Result<(), Uncacheable> {
        self.variables.extend(in_requirements(text).map(str::to_owned));
        let is_hidden = ["\\u0024", "\\U00000024"].iter().any(|dollar| text.contains(dollar));
        if is_hidden { Err("a `$` is written as an escape".to_owned()) } else { Ok(()) }
    }
}
