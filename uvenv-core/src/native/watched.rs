//! What the native packages of an environment depend on, for callers that need to know whether anything has changed
//! without a full freshness check.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::{
    BuildContext, NativePackages,
    build_inputs::{self as inputs, FoundFiles, found_at, is_live, walk},
    build_record::BuildRecord,
    toolchain,
};
use crate::{environment::Environment, model::Name};

/// The files, directories and variables to watch. Extra entries do no harm.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Files whose content is relevant, and paths where a file may appear.
    pub(crate) files: BTreeSet<Utf8PathBuf>,
    /// Directories in which a file may appear.
    pub(crate) directories: BTreeSet<Utf8PathBuf>,
    /// Files and directories of which any change counts, such as those of the toolchain.
    pub(crate) stamped: BTreeSet<Utf8PathBuf>,
    pub(crate) variables: BTreeSet<String>,
}

impl NativePackages {
    /// Whether `name` is one of the native packages.
    pub(crate) fn contains(&self, name: &Name) -> bool {
        self.packages.iter().any(|package| package.name == *name)
    }

    /// Returns the recorded dependencies of the packages that are installed in `environment`.
    pub(crate) fn watched(&self, environment: &Environment, context: &BuildContext<'_>) -> Watched {
        let mut watched = Watched::default();
        if self.packages.is_empty() {
            return watched;
        }
        let record = BuildRecord::read(environment);
        for package in &self.packages {
            let Some(entry) = record.of(&package.name) else { continue };
            let Some(built) = &entry.built else { continue };
            let (closure, discovered) = (&entry.closure, &entry.discovered);
            watched.files.extend(inputs::keys(package, closure, context));
            watched.files.extend(entry.inputs.files.keys().cloned());
            // A file that an editable installation reads in place needs no build.
            watched.files.retain(|path| !is_live(package, closure, discovered, path));
            watched.files.extend(built.keys().cloned());
            let elsewhere = discovered.files.iter().map(|path| found_at(path));
            for FoundFiles { directories, marks, .. } in elsewhere.chain([walk(package, closure)]) {
                watched.directories.extend(directories);
                watched.files.extend(marks);
            }
            watched.stamped.extend(toolchain::files(&package.directory, context));
            watched.variables.extend(discovered.variables.iter().cloned());
        }
        let names = inputs::VARIABLES.iter().chain(&toolchain::VARIABLES).map(|name| (*name).to_owned());
        watched.variables.extend(names);
        watched
    }
}
