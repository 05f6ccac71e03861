//! Directories that appear whole or not at all.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

use super::{NewError, not_writable};

/// A directory to be made: filled in a staging directory on the same file system, which takes its place at the end.
#[derive(Debug)]
pub(super) struct Destination {
    path: Utf8PathBuf,
    staging: Utf8PathBuf,
    /// Whether `path` is an empty directory, which stays: it may be the current one, a mount point or a link's target.
    exists: bool,
}

/// A directory that has taken its place.
#[derive(Debug)]
pub(super) struct Placed(Utf8PathBuf);

impl Destination {
    /// `path`, at which there must be nothing.
    pub(super) fn new(path: &Utf8Path) -> Result<Self, NewError> {
        match fs::symlink_metadata(path) {
            Ok(_) => Err(exists(path, "exists already")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::stage(path, false),
            Err(error) => Err(not_writable(path)(error)),
        }
    }

    /// `path`, at which there must be nothing or an empty directory.
    pub(super) fn new_or_empty(path: &Utf8Path) -> Result<Self, NewError> {
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Self::stage(path, true),
            Ok(false) => Err(exists(path, "is a directory that is not empty")),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(exists(path, "exists and is no directory"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::new(path),
            Err(error) => Err(not_writable(path)(error)),
        }
    }

    /// Where to make what will be at the destination.
    pub(super) fn staging(&self) -> &Utf8Path {
        &self.staging
    }

    /// A directory that is there and that the destination is in, or is.
    pub(super) fn containing_directory(&self) -> &Utf8Path {
        self.staging.parent().unwrap_or(&self.staging)
    }

    /// Where `file` of the staging directory will be.
    pub(super) fn place_of(&self, file: &str) -> Utf8PathBuf {
        self.path.join(file)
    }

    fn stage(path: &Utf8Path, exists: bool) -> Result<Self, NewError> {
        let parent_directory = if exists { path } else { path.parent().unwrap_or(path) };
        fs::create_dir_all(parent_directory).map_err(not_writable(parent_directory))?;
        let staging = create_unique(parent_directory).map_err(not_writable(path))?;
        Ok(Self { path: path.to_owned(), staging, exists })
    }

    /// Puts the staging directory, or all that is in it, into its place.
    pub(super) fn finish(self) -> Result<Placed, NewError> {
        let result =
            if self.exists { move_entries(&self.staging, &self.path) } else { fs::rename(&self.staging, &self.path) };
        result.map_err(not_writable(&self.path))?;
        Ok(Placed(self.path.clone()))
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        // After `finish` there is none any more. Where it cannot be removed, there is an error to report already.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

impl Placed {
    /// Removes it again.
    pub(super) fn undo(&self) {
        // There is an error to report already.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn exists(path: &Utf8Path, is: &'static str) -> NewError {
    NewError::DestinationExists { path: path.to_owned(), is }
}

fn create_unique(parent: &Utf8Path) -> io::Result<Utf8PathBuf> {
    let mut number = 0;
    loop {
        let path = parent.join(format!(".uvenv-new-{}-{number}", std::process::id()));
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Moves all that is in `from` into `to`; if that fails, back again.
fn move_entries(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let mut moved: Vec<(Utf8PathBuf, Utf8PathBuf)> = Vec::new();
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if let Err(error) = fs::rename(entry.path(), &place) {
            for (origin, place) in moved {
                // The first error is the one to report.
                let _ = fs::rename(place, origin);
            }
            return Err(error);
        }
        moved.push((entry.path().to_owned(), place));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    fn names(directory: &Utf8Path) -> Vec<String> {
        let entries = directory.read_dir_utf8().unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_somebody_made_meanwhile_is_left_alone() {
        let (_guard, directory) = temporary();
        let path = directory.join("made");
        let destination = Destination::new(&path).unwrap();
        fs::write(destination.staging().join("ours"), "").unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("theirs"), "").unwrap();
        assert!(matches!(destination.finish(), Err(NewError::NotWritable { .. })));
        assert_eq!(names(&directory), ["made"]);
        assert_eq!(names(&path), ["theirs"]);
    }

    #[test]
    fn an_existing_directory_gets_all_or_nothing() {
        let (_guard, directory) = temporary();
        let destination = Destination::new_or_empty(&directory).unwrap();
        for name in ["a", "b", "c"] {
            fs::create_dir(destination.staging().join(name)).unwrap();
        }
        // A file where a directory is to be.
        fs::write(directory.join("b"), "theirs").unwrap();
        assert!(destination.finish().is_err());
        assert_eq!(names(&directory), ["b"]);
        assert_eq!(fs::read_to_string(directory.join("b")).unwrap(), "theirs");
    }

    #[test]
    fn what_has_taken_its_place_can_be_undone() {
        let (_guard, directory) = temporary();
        let destination = Destination::new(&directory.join("deep/made")).unwrap();
        fs::write(destination.staging().join("file"), "").unwrap();
        assert_eq!(destination.place_of("file"), directory.join("deep/made/file"));
        let placed = destination.finish().unwrap();
        assert_eq!(names(&directory.join("deep/made")), ["file"]);
        placed.undo();
        assert_eq!(names(&directory.join("deep")), [""; 0]);
    }
}
