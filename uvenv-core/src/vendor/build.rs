//! Building the wheels that nobody else has built: from the commits of pins, and from source distributions.

use std::{fs, sync::atomic::Ordering};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Tally, VendorError, wheel_name::wheel_in};
use crate::{
    cache::{self, FileLock},
    digest::digest,
    git::Git,
    observer::{Observer, Progress},
    process::{Follower, Invocation, ending},
    uv::BuildCommand,
    variables::Variables,
};

/// What files of a source distribution are dated where nothing says when it was made: the first day that a wheel, which is
/// a zip archive, can name.
const FIRST_DAY: u64 = 315_532_800;

/// Builds wheels with uv, as a sync does.
pub(crate) struct Builder<'a> {
    /// uv.
    pub(crate) uv: Invocation,
    /// Whose settings hold.
    pub(crate) project: &'a Utf8Path,
    pub(crate) git: Option<Git>,
    pub(crate) variables: &'a Variables,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) is_offline: bool,
}

/// What a wheel is built from.
pub(crate) enum SourceTree<'a> {
    /// The URL, with its credentials, and the rest.
    Git {
        url: &'a str,
        commit: &'a str,
        subdirectory: Option<&'a str>,
    },
    Sdist(Utf8PathBuf),
}

impl Builder<'_> {
    /// Builds a wheel of `package` into `directory` for `python`, and returns its file name.
    ///
    /// It is dated by its commit (<https://reproducible-builds.org/specs/source-date-epoch/>), and built in a place of
    /// uvenv's cache whose path depends on nothing else: what names its own files stays the same as well.
    pub(crate) fn build(
        &self,
        package: &str,
        tree: &SourceTree<'_>,
        python: &str,
        directory: &Utf8Path,
        tally: &Tally,
    ) -> Result<String, VendorError> {
        tally.check()?;
        tally.note(Progress::Building { name: package.to_owned() });
        let built = match tree {
            SourceTree::Sdist(path) => self.run(package, path, FIRST_DAY, python, directory, tally),
            SourceTree::Git { url, commit, subdirectory } => {
                let place = self.place(url, commit, *subdirectory)?;
                let why = || format!("Waiting for another process that is building {package}…");
                let _lock = FileLock::acquire(&place.with_extension("lock"), self.observer, why)?;
                let built = self.check_out(url, commit, &place).and_then(|time| {
                    let source = subdirectory.map_or_else(|| place.clone(), |subdirectory| place.join(subdirectory));
                    self.run(package, &source, time, python, directory, tally)
                });
                remove(&place)?;
                built
            }
        };
        tally.note(Progress::Built { name: package.to_owned() });
        built
    }

    fn place(&self, url: &str, commit: &str, subdirectory: Option<&str>) -> Result<Utf8PathBuf, VendorError> {
        let names = [crate::git_url::canonical(url), commit.to_owned(), subdirectory.unwrap_or_default().to_owned()];
        Ok(cache::directory(self.variables)?.join("build").join(digest(names.join("\n").as_bytes())))
    }

    /// Checks `commit` out into `place`, and says when it was made.
    fn check_out(&self, url: &str, commit: &str, place: &Utf8Path) -> Result<u64, VendorError> {
        let git = self.git.as_ref().ok_or(crate::git::GitError::NotFound)?;
        remove(place)?;
        Ok(git.check_out(url, commit, place)?)
    }

    fn run(
        &self,
        package: &str,
        source: &Utf8Path,
        time: u64,
        python: &str,
        directory: &Utf8Path,
        tally: &Tally,
    ) -> Result<String, VendorError> {
        remove(directory)?;
        fs::create_dir_all(directory).map_err(VendorError::unusable(directory))?;
        let command = BuildCommand { project: self.project, python, source, directory, time, offline: self.is_offline };
        let uv = command.invocation(self.uv.clone());
        let failed = |problem: String| VendorError::Build { package: package.to_owned(), problem };
        let said = uv
            .follow(&mut Silent { tally })
            .map_err(|error| failed(format!("`{uv}` could not be started: {error}")))?;
        if said.interrupted {
            return Err(crate::observer::Interrupted.into());
        }
        if !said.status.success() {
            return Err(failed(format!("`{uv}` {}\n{}", ending(said.status), said.stderr.trim_end())));
        }
        let wheel = wheel_in(directory).map_err(VendorError::unusable(directory))?;
        wheel.ok_or_else(|| failed(format!("`{uv}` made no wheel")))
    }
}

/// A build that nobody watches, and that ends when all is to end.
struct Silent<'a> {
    tally: &'a Tally,
}

impl Follower for Silent<'_> {
    fn line(&mut self, _: &str) {}

    #[cfg(all(unix, feature = "observer"))]
    fn frame(&mut self, _: &[String], _: bool) {}

    #[cfg(all(unix, feature = "observer"))]
    fn is_transient(&self, _: &str) -> bool {
        false
    }

    fn wants_stop(&self) -> bool {
        self.tally.stop.load(Ordering::Relaxed)
    }
}

fn remove(directory: &Utf8Path) -> Result<(), VendorError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(VendorError::unusable(directory)(error)),
        _ => Ok(()),
    }
}
