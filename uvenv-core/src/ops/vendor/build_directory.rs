//! Where wheels are built. The path gets into some of them, so it is the same each time.

use std::{fs, io, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    fs::{
        cache::{self, FileLock},
        digest::digest,
    },
    model::Variables,
    process::Invocation,
    vendor::{VendorContext, VendorError},
};

/// The directory, for this process alone. It is removed at the end.
pub(super) struct BuildDirectory {
    path: Utf8PathBuf,
    lock: FileLock,
}

impl BuildDirectory {
    /// Waits until no other process builds there, and makes the directory anew. Others can neither read nor write it: the
    /// checkouts can have credentials in their configuration.
    pub(super) fn make(context: &VendorContext<'_>) -> crate::Result<Self> {
        let path = path(context.variables);
        let lock = cache::directory(context.variables)?.join("vendoring/builds.lock");
        let lock = FileLock::acquire(&lock, context.variables, context.observer, || "is building wheels".to_owned())?;
        make_private(&path).map_err(VendorError::io(&path))?;
        Ok(Self { path, lock })
    }

    /// Returns the directory for one build.
    pub(super) fn of(&self, key: &str) -> Utf8PathBuf {
        self.path.join(&digest(key.as_bytes())[..8])
    }

    /// Returns a program that writes there, and keeps the lock even if this process is killed.
    pub(super) fn covers(&self, program: Invocation) -> Invocation {
        program.holding(Arc::clone(self.lock.file()))
    }
}

impl Drop for BuildDirectory {
    fn drop(&mut self) {
        // What is left, the next process removes.
        let _ = fs::remove_dir_all(&self.path);
    }
}

fn path(variables: &Variables) -> Utf8PathBuf {
    let temporary = variables.get(if cfg!(windows) { "TEMP" } else { "TMPDIR" });
    let temporary = temporary.filter(|path| Utf8Path::new(path).is_absolute()).unwrap_or("/tmp");
    let user = digest(variables.get("HOME").unwrap_or_default().as_bytes());
    Utf8Path::new(temporary).join(format!("uvenv-builds-{}", &user[..8]))
}

/// Makes an empty directory that only this user can use. One of another user, who could change what is built, cannot be
/// removed, or is in the way.
#[cfg(unix)]
fn make_private(path: &Utf8Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path)?,
        Ok(_) => return Err(io::Error::other("it is not a directory")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_private(path: &Utf8Path) -> io::Result<()> {
    let _ = fs::remove_dir_all(path);
    fs::create_dir_all(path)
}
