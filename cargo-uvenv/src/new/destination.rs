//! Directories that are created completely or not at all.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};

use super::{NewError, not_writable};

/// A directory to create. It is filled in a staging directory on the same file system, which is moved into place at the
/// end.
#[derive(Debug)]
pub(super) struct Destination {
    path: Utf8PathBuf,
    staging: Utf8PathBuf,
    /// Whether `path` is an empty directory. It is kept, because it can be the current directory, a mount point or the
    /// target of a link.
    exists: bool,
}

/// A directory that was moved into place.
#[derive(Debug)]
pub(super) struct Placed(Utf8PathBuf);

impl Destination {
    /// Creates a destination at `path`, which must not exist.
    pub(super) fn new(path: &Utf8Path) -> uvenv_core::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(_) => Err(exists(path, "exists already").into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::stage(path, false),
            Err(error) => Err(not_writable(path)(error).into()),
        }
    }

    /// Creates a destination at `path`, which must not exist or be an empty directory.
    pub(super) fn new_or_empty(path: &Utf8Path) -> uvenv_core::Result<Self> {
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(true) => Self::stage(path, true),
            Ok(false) => Err(exists(path, "is a directory that is not empty").into()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(exists(path, "exists and is no directory").into())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::new(path),
            Err(error) => Err(not_writable(path)(error).into()),
        }
    }

    /// Returns the directory in which to create the contents of the destination.
    pub(super) fn staging(&self) -> &Utf8Path {
        &self.staging
    }

    /// Returns an existing directory that contains the destination, or is the destination.
    pub(super) fn containing_directory(&self) -> &Utf8Path {
        self.staging.parent().unwrap_or(&self.staging)
    }

    /// Returns the final path of `file` in the staging directory.
    pub(super) fn place_of(&self, file: &str) -> Utf8PathBuf {
        self.path.join(file)
    }

    fn stage(path: &Utf8Path, exists: bool) -> uvenv_core::Result<Self> {
        let parent_directory = if exists { path } else { path.parent().unwrap_or(path) };
        fs::create_dir_all(parent_directory).map_err(not_writable(parent_directory))?;
        let staging = create_unique(parent_directory).map_err(not_writable(path))?;
        Ok(Self { path: path.to_owned(), staging, exists })
    }

    /// Moves the staging directory, or its contents, into place.
    pub(super) fn finish(self) -> uvenv_core::Result<Placed> {
        let result =
            if self.exists { move_entries(&self.staging, &self.path) } else { fs::rename(&self.staging, &self.path) };
        result.map_err(not_writable(&self.path))?;
        Ok(Placed(self.path.clone()))
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        // After `finish`, the staging directory no longer exists. If it cannot be removed, another error is already
        // being reported.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

impl Placed {
    /// Removes the directory again.
    pub(super) fn undo(&self) {
        // Another error is already being reported.
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

/// Moves everything from `from` to `to`; moves it back if that fails.
fn move_entries(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    let mut moved: Vec<(Utf8PathBuf, Utf8PathBuf)> = Vec::new();
    for entry in from.read_dir_utf8()? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if let Err(error) = fs::rename(entry.path(), &place) {
            for (origin, place) in moved {
                // The first error is the one that is reported.
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
    fn keeps_a_directory_created_in_the_meantime() {
        let (_guard, directory) = temporary();
        let path = directory.join("made");
        let destination = Destination::new(&path).unwrap();
        fs::write(destination.staging().join("ours"), "").unwrap();
        fs::create_dir(&path).unwrap();
        fs::write(path.join("theirs"), "").unwrap();
        assert_eq!(destination.finish().err().unwrap().code(), "not-writable");
        assert_eq!(names(&directory), ["made"]);
        assert_eq!(names(&path), ["theirs"]);
    }

    #[test]
    fn fills_an_existing_directory_completely_or_not_at_all() {
        let (_guard, directory) = temporary();
        let destination = Destination::new_or_empty(&directory).unwrap();
        for name in ["a", "b", "c"] {
            fs::create_dir(destination.staging().join(name)).unwrap();
        }
        // Put a file where a directory should go.
        fs::write(directory.join("b"), "theirs").unwrap();
        assert!(destination.finish().is_err());
        assert_eq!(names(&directory), ["b"]);
        assert_eq!(fs::read_to_string(directory.join("b")).unwrap(), "theirs");
    }

    #[test]
    fn undo_removes_everything_it_created() {
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
