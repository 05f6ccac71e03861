//! Finds the packages that are built from Rust, their builders, and their crates.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    manifest::{self, Manifest, SourceKind},
    model::Name,
    monorepo::ProfileContext,
};

/// A package that is built from Rust.
#[derive(Clone, Debug)]
pub(crate) struct NativePackage {
    pub(crate) name: Name,
    /// The directory of its manifest, in which its build runs.
    pub(crate) directory: Utf8PathBuf,
    pub(super) builder: Builder,
    /// The `Cargo.toml` of each crate that it is built from.
    pub(super) crates: Vec<Utf8PathBuf>,
    pub(super) manifest: Manifest,
}

/// The builder of a package, which decides what settings it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Builder {
    /// maturin.
    Maturin,
    /// setuptools with setuptools-rust.
    SetuptoolsRust,
    /// Another builder, which calls maturin or setuptools-rust.
    Hook,
}

/// Returns the packages of a profile that are built from Rust and come from directories: the manifest's own, the
/// members of the workspace, and the packages that their path sources lead to.
pub(crate) fn packages(context: &ProfileContext<'_>) -> Vec<NativePackage> {
    let mut waiting: Vec<Manifest> = context.manifests().cloned().collect();
    let mut known: BTreeSet<_> = waiting.iter().map(|manifest| manifest.directory().to_owned()).collect();
    let mut found = Vec::new();
    while let Some(manifest) = waiting.pop() {
        for directory in path_sources(&manifest) {
            if known.insert(directory.clone()) {
                // A manifest that cannot be read is skipped, because uv reports it.
                waiting.extend(Manifest::read(&directory.join(manifest::FILE_NAME)).ok());
            }
        }
        found.extend(NativePackage::of(manifest));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// Returns the `Cargo.toml` of each crate that the project in `directory` is built from, none if it is not native, and the
/// features that it enables.
#[cfg(feature = "full")]
pub(crate) fn crates_of(directory: &Utf8Path) -> (Vec<Utf8PathBuf>, Vec<String>) {
    let manifest = Manifest::read(&directory.join(manifest::FILE_NAME)).ok();
    let package = manifest.and_then(NativePackage::of);
    package.map(|package| (package.crates, package.manifest.build.maturin.features)).unwrap_or_default()
}

fn path_sources(manifest: &Manifest) -> Vec<Utf8PathBuf> {
    let sources = manifest.uv.sources.iter().flat_map(|(_, sources)| sources);
    let paths = sources.filter_map(|source| match &source.kind {
        SourceKind::Path(path) => Some(manifest.directory().join(path)),
        _ => None,
    });
    paths.filter_map(|path| path.canonicalize_utf8().ok()).filter(|path| path.is_dir()).collect()
}

impl NativePackage {
    /// Its manifest.
    #[cfg(feature = "full")]
    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn of(manifest: Manifest) -> Option<Self> {
        let name = manifest.name()?.clone();
        if manifest.uv.package == Some(false) {
            return None;
        }
        let requires = |name: &str| manifest.build_requires.iter().any(|requirement| requirement.name == *name);
        let builder = match manifest.build_backend.as_deref() {
            Some("maturin") => Builder::Maturin,
            _ if requires("setuptools-rust") => Builder::SetuptoolsRust,
            _ if requires("maturin") => Builder::Hook,
            _ => return None,
        };
        let directory = manifest.directory().to_owned();
        let crates: Vec<_> = match builder {
            Builder::Maturin => vec![maturin_crate(&manifest)],
            Builder::SetuptoolsRust if !manifest.build.setuptools_rust.is_empty() => {
                manifest.build.setuptools_rust.iter().map(|path| directory.join(path)).collect()
            }
            Builder::SetuptoolsRust | Builder::Hook => {
                let beside = directory.join("Cargo.toml");
                if !beside.is_file() {
                    return None;
                }
                vec![beside]
            }
        };
        let crates = crates.into_iter().map(|path| path.canonicalize_utf8().unwrap_or(path)).collect();
        Some(Self { name, directory, builder, crates, manifest })
    }

    /// Returns the directory whose files an editable installation reads in place.
    pub(super) fn python_source(&self) -> Option<Utf8PathBuf> {
        self.manifest.build.maturin.python_source.as_ref().map(|path| self.directory.join(path))
    }
}

/// Returns the crate of a maturin package, following maturin's own rules.
fn maturin_crate(manifest: &Manifest) -> Utf8PathBuf {
    let directory = manifest.directory();
    let maturin = &manifest.build.maturin;
    if let Some(path) = &maturin.manifest_path {
        return directory.join(path);
    }
    let inner = directory.join("rust/Cargo.toml");
    let is_python_first = || {
        let module = manifest.name().map(|name| name.as_str().replace('-', "_")).unwrap_or_default();
        maturin.python_source.is_some() || directory.join("src").join(module).join("__init__.py").is_file()
    };
    if inner.is_file() && is_python_first() { inner } else { beside(directory) }
}

fn beside(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join("Cargo.toml")
}
