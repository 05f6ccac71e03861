//! What an environment contained before a sync: the RECORD of each distribution, and the names in `site-packages`.
//!
//! uv removes the RECORD of a distribution among its first files, and adds a new one among the last. If it is killed in
//! between, only the inventory tells what else is left of the old distribution, and what is there of a new one.

use std::{collections::BTreeSet, fs, io, time::SystemTime};

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};

use super::{
    Distributions, Environment, STATE_DIRECTORY,
    distributions::{may_have_changed, since_with_slack},
    make_own_directory,
};
use crate::fs::{atomic, normal};

/// The file with the names in `site-packages`, one a line.
const NAMES: &str = "names";

fn directory(environment: &Environment) -> Utf8PathBuf {
    environment.root().join(STATE_DIRECTORY).join("records")
}

fn make_directory(environment: &Environment) -> io::Result<Utf8PathBuf> {
    let directory = directory(environment);
    make_own_directory(&environment.root().join(STATE_DIRECTORY))?;
    make_own_directory(&directory)?;
    Ok(directory)
}

/// Saves the inventory. Must be called before uv starts.
pub(super) fn save(environment: &Environment, distributions: &Distributions) -> io::Result<()> {
    let Some(site_packages) = environment.site_packages() else { return Ok(()) };
    let directory = make_directory(environment)?;
    let mut kept = BTreeSet::from([NAMES.to_owned()]);
    for distribution in distributions.iter() {
        let Some(name) = distribution.folder().file_name() else { continue };
        let copy = directory.join(name);
        if !is_copy(&copy, &distribution.record_file()) {
            copy_file(&distribution.record_file(), &copy)?;
        }
        kept.insert(name.to_owned());
    }
    for old in entries(&directory).filter(|entry| !kept.contains(entry.file_name())) {
        fs::remove_file(old.path())?;
    }
    atomic::replace_cached(&directory.join(NAMES), names(&site_packages))
}

/// Returns the names in `site-packages`, one a line.
fn names(site_packages: &Utf8Path) -> String {
    let names: BTreeSet<_> = entries(site_packages).map(|entry| entry.file_name().to_owned()).collect();
    names.into_iter().collect::<Vec<_>>().join("\n")
}

/// Whether `site-packages` has the same names as when the inventory was saved.
pub(crate) fn has_same_names(environment: &Environment) -> bool {
    let saved = fs::read_to_string(directory(environment).join(NAMES)).ok();
    environment.site_packages().is_some_and(|site_packages| saved == Some(names(&site_packages)))
}

/// Saves the names again, after a sync has ended well.
pub(super) fn save_names(environment: &Environment) -> io::Result<()> {
    let Some(site_packages) = environment.site_packages() else { return Ok(()) };
    // It does not exist after the first sync, which has made the environment.
    atomic::replace_cached(&make_directory(environment)?.join(NAMES), names(&site_packages))
}

/// Whether a distribution that was there after the last sync by uvenv is gone or has another version, or it is not known
/// what was there.
pub(crate) fn has_lost_since_sync(environment: &Environment) -> bool {
    let saved = fs::read_to_string(directory(environment).join(NAMES)).ok();
    let now = environment.site_packages();
    let is_there = |site_packages: &Utf8Path, name: &str| site_packages.join(name).exists();
    saved
        .zip(now)
        .is_none_or(|(saved, now)| saved.lines().any(|name| name.ends_with(".dist-info") && !is_there(&now, name)))
}

/// Whether `copy` was made from `file`, which has not changed since.
fn is_copy(copy: &Utf8Path, file: &Utf8Path) -> bool {
    let stamp = |path: &Utf8Path| fs::symlink_metadata(path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
    stamp(copy).is_some_and(|copied| stamp(file) == Some(copied))
}

/// Copies a file with its time: as a link if possible, which takes no space.
fn copy_file(file: &Utf8Path, copy: &Utf8Path) -> io::Result<()> {
    let _ = fs::remove_file(copy);
    if fs::hard_link(file, copy).is_ok() {
        return Ok(());
    }
    match fs::copy(file, copy) {
        // uv cannot remove such a distribution.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        copied => {
            copied?;
            fs::File::options().write(true).open(copy)?.set_modified(fs::metadata(file)?.modified()?)
        }
    }
}

/// Removes what belongs to no distribution of `environment` because a sync that began at `since` was interrupted: the
/// rest of distributions that it has begun to remove, and the beginnings of those that it wanted to install.
pub(super) fn remove_leftovers(environment: &Environment, since: SystemTime) -> io::Result<()> {
    let Some(site_packages) = environment.site_packages() else { return Ok(()) };
    let directory = directory(environment);
    let Ok(names) = fs::read_to_string(directory.join(NAMES)) else { return Ok(()) };
    let since = since_with_slack(since);
    let mut listed = BTreeSet::new();
    let mut whole = BTreeSet::from([NAMES.to_owned()]);
    for distribution in Distributions::read(environment).map_err(io::Error::other)?.iter() {
        if let Ok(record) = fs::read_to_string(distribution.record_file()) {
            listed.extend(files(&site_packages, &record));
            whole.extend(distribution.folder().file_name().map(str::to_owned));
        }
    }
    let leftovers = Leftovers { listed, since };
    for gone in entries(&directory).filter(|entry| !whole.contains(entry.file_name())) {
        let files = files(&site_packages, &fs::read_to_string(gone.path())?);
        let files: Vec<_> = files.into_iter().filter(|path| path.starts_with(environment.root())).collect();
        for path in files.iter().filter(|path| !leftovers.listed.contains(*path)) {
            ignore_absent(fs::remove_file(path))?;
        }
        let parents = files.iter().flat_map(|path| path.ancestors().skip(1));
        let inside = parents.filter(|path| path.starts_with(&site_packages) && *path != site_packages);
        // The deepest first.
        for directory in inside.collect::<BTreeSet<_>>().into_iter().rev() {
            leftovers.clean(directory)?;
        }
    }
    let names: BTreeSet<_> = names.lines().collect();
    for entry in entries(&site_packages).filter(|entry| !names.contains(entry.file_name())) {
        leftovers.remove(&entry)?;
    }
    Ok(())
}

struct Leftovers {
    /// The files of all distributions that have a RECORD.
    listed: BTreeSet<Utf8PathBuf>,
    /// When the sync began.
    since: SystemTime,
}

impl Leftovers {
    /// Removes what is new in the directory of a removed distribution, and the directory if nothing is left in it.
    fn clean(&self, directory: &Utf8Path) -> io::Result<()> {
        let mut is_empty = directory.is_dir();
        for entry in entries(directory) {
            self.remove(&entry)?;
            is_empty &= entry.file_name() == "__pycache__" || !entry.path().exists();
        }
        if is_empty { fs::remove_dir_all(directory) } else { Ok(()) }
    }

    /// Removes an entry that is new and in which no distribution has a file.
    fn remove(&self, entry: &Utf8DirEntry) -> io::Result<()> {
        let path = entry.path();
        let is_listed = self.listed.range(path.to_owned()..).next().is_some_and(|next| next.starts_with(path));
        let metadata = fs::symlink_metadata(path)?;
        if is_listed || !may_have_changed(&metadata, self.since) {
            return Ok(());
        }
        ignore_absent(if metadata.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) })
    }
}

fn entries(directory: &Utf8Path) -> impl Iterator<Item = Utf8DirEntry> + use<> {
    directory.read_dir_utf8().into_iter().flatten().flatten()
}

/// Returns the files that `record` lists, without `..` in their paths.
fn files(site_packages: &Utf8Path, record: &str) -> Vec<Utf8PathBuf> {
    let listed = super::distributions::listed(record);
    listed.map(|path| normal(&site_packages.join(path))).collect()
}

fn ignore_absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
