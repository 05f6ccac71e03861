//! The files and variables that the result of a build script's sync depends on, and that cargo must therefore watch.

use camino::Utf8PathBuf;

use super::output::CargoDirectives;
use crate::{
    environment::{Environment, SyncRecord},
    manifest::{self, SourceKind},
    model::{Variables, redact},
    monorepo::{Monorepo, ProfilePaths},
    uv,
};

/// The variables that uvenv itself goes by, in addition to those of uv.
///
/// `PATH`, `UV` and similar variables are not included, because they differ between shells and lead to the same result.
const OWN_VARIABLES: [&str; 7] =
    ["UVENV_BACKEND", "UVENV_UV", "UVENV_VENDORED", "UV_FROZEN", "UV_LOCKED", "UV_NO_SYNC", "UV_TORCH_BACKEND"];

/// The files of a profile that determine what is installed.
#[derive(Debug)]
pub(super) struct WatchedFiles {
    /// The files that people write.
    written: Vec<Utf8PathBuf>,
    /// The lockfile, which uv writes.
    lockfile: Utf8PathBuf,
}

impl WatchedFiles {
    pub(super) fn new(monorepo: &Monorepo, paths: &ProfilePaths) -> Self {
        let settings =
            [uv::settings::FILE_NAME, uv::settings::PYTHON_VERSION_FILES[0]].map(|name| paths.directory.join(name));
        // These contain the configuration. The members' manifests are added below; no other `Cargo.toml` matters.
        let root = ["Cargo.toml", manifest::FILE_NAME].map(|name| monorepo.root.join(name));
        let members = monorepo.members_of(paths.profile);
        let manifests = members.iter().map(|member| member.directory.join(manifest::FILE_NAME));
        let written = [paths.manifest()].into_iter().chain(root).chain(settings).chain(manifests);
        Self { written: written.chain(path_sources(monorepo)).collect(), lockfile: paths.lockfile() }
    }

    /// Tells cargo about the files that exist before the sync.
    pub(super) fn emit(&self, variables: &Variables, output: &mut CargoDirectives) -> crate::Result<()> {
        for name in OWN_VARIABLES.into_iter().chain(uv::variables::deciding_the_outcome()) {
            // Cargo stores the values in the target directory, which must not contain credentials.
            if variables.get(name).is_none_or(|value| redact(value) == value) {
                output.reads_variable(name)?;
            }
        }
        self.written.iter().try_for_each(|path| output.reads_file(path))
    }

    /// Returns the files that the sync itself may have written.
    pub(super) fn generated(&self, environment: &Environment) -> [Utf8PathBuf; 2] {
        [self.lockfile.clone(), SyncRecord::path(environment)]
    }
}

/// Returns the manifests of packages whose sources are other directories on this machine.
fn path_sources(monorepo: &Monorepo) -> Vec<Utf8PathBuf> {
    let manifests = || std::iter::once(&monorepo.dev).chain(monorepo.members.iter().map(|member| &member.manifest));
    let of = |manifest: &manifest::Manifest| {
        let names = manifest.requirements().map(|requirement| &requirement.name);
        let sources: Vec<_> = names.flat_map(|name| manifest.sources_of(name)).collect();
        let path = |source: &&manifest::UvSource| match &source.kind {
            SourceKind::Path(path) => Some(manifest.directory().join(path).join(manifest::FILE_NAME)),
            _ => None,
        };
        sources.iter().filter_map(path).collect::<Vec<_>>()
    };
    manifests().flat_map(of).collect()
}
