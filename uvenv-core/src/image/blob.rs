//! Blobs: files that have their SHA-256 hash as their name.

use std::io::{self, Write};

use camino::Utf8Path;
use oci_spec::image::{Descriptor, MediaType, Sha256Digest};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::vendor::hex;

/// What the name of a blob begins with that is being written.
pub(super) const UNFINISHED: &str = ".blob";

/// Writes a blob that gets its name at the end.
pub(super) struct BlobWriter {
    file: NamedTempFile,
    hasher: Sha256,
    size: u64,
}

impl BlobWriter {
    /// Begins a blob in `directory`.
    pub(super) fn new(directory: &Utf8Path) -> io::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(UNFINISHED);
        // Others can read a layout, as far as the user's own setting lets them.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Self { file: builder.tempfile_in(directory)?, hasher: Sha256::new(), size: 0 })
    }

    /// Ends the blob, which is then in the directory. `expected` is its hash, if it is known: it must have this one then.
    pub(super) fn finish(self, media_type: MediaType, expected: Option<&str>) -> io::Result<Descriptor> {
        let digest = hex(&self.hasher.finalize());
        if expected.is_some_and(|expected| expected != digest) {
            return Err(io::Error::other(format!("it has the hash {digest} and not its name")));
        }
        let directory = self.file.path().parent().unwrap_or(self.file.path()).to_owned();
        self.file.as_file().sync_data()?;
        self.file.persist(directory.join(&digest)).map_err(|error| error.error)?;
        Ok(Descriptor::new(media_type, self.size, sha256(&digest)?))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.hasher.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Returns a digest, given in hexadecimal.
pub(super) fn sha256(hex: &str) -> io::Result<Sha256Digest> {
    hex.parse().map_err(io::Error::other)
}
