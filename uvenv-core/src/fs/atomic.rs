//! Replaces files atomically, by renaming, so that they are never half-written.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    sync::atomic::{AtomicU32, Ordering},
};

use camino::Utf8Path;

/// Distinguishes the files that threads write at the same time.
static WRITTEN: AtomicU32 = AtomicU32::new(0);

/// Replaces or creates a file. The file keeps its permissions, and a read-only file is not replaced. If the path is a
/// link, the link is kept. After a power failure, the file has either its old or its new content.
#[cfg(feature = "full")]
pub(crate) fn replace(path: &Utf8Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    write(&path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned()), content.as_ref(), File::sync_all)
}

/// Like [`replace`], for files that only uvenv writes: a link in place of one is replaced, and its target is not.
pub(crate) fn replace_own(path: &Utf8Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    write(path, content.as_ref(), File::sync_all)
}

/// Like [`replace_own`], but does not wait for the disk: for caches and notes about running processes,
/// where a file that is lost or damaged only costs time.
pub(crate) fn replace_cached(path: &Utf8Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    write(path, content.as_ref(), |_| Ok(()))
}

fn write(real: &Utf8Path, content: &[u8], flush: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let permissions = fs::symlink_metadata(real).ok().filter(|file| !file.is_symlink()).map(|file| file.permissions());
    if permissions.as_ref().is_some_and(fs::Permissions::readonly) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let name = real.file_name().unwrap_or_default();
    let beside = real.with_file_name(format!(".{name}.{}-{number}", std::process::id()));
    let done = File::create(&beside)
        .and_then(|mut file| file.write_all(content).and_then(|()| flush(&file)))
        .and_then(|()| permissions.map_or(Ok(()), |permissions| fs::set_permissions(&beside, permissions)))
        .and_then(|()| fs::rename(&beside, real));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done
}

#[cfg(all(test, unix, feature = "full"))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::fs::TestTree;

    #[test]
    fn keeps_permissions_and_links() {
        let directory = TestTree::new();
        let (file, link) = (directory.join("real/file"), directory.join("link"));
        fs::create_dir(directory.join("real")).unwrap();
        replace(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "two").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(directory.join("real")).unwrap().count(), 1);
    }

    #[test]
    fn replaces_a_link_in_place_of_its_own_file() {
        let directory = TestTree::new();
        let (file, link) = (directory.write("file", "theirs"), directory.join("link"));
        symlink(&file, &link).unwrap();
        replace_own(&link, "ours").unwrap();
        assert_eq!(
            (fs::read_to_string(&file).unwrap(), fs::read_to_string(&link).unwrap()),
            ("theirs".to_owned(), "ours".to_owned())
        );
        assert!(!link.is_symlink());
    }

    #[test]
    fn never_replaces_a_read_only_file() {
        let directory = TestTree::new();
        let file = directory.join("file");
        replace(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        assert_eq!(replace(&file, "two").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
    }
}
