//! Hashes of files, as RECORD and lockfiles have them.

use std::{
    fs::{self, File},
    io::{self, Read as _},
};

use camino::Utf8Path;
use sha2::{Digest, digest::Output};

/// How much of a file is read at once, in bytes.
pub(crate) const BUFFER: usize = 1 << 17;

/// Returns the hash of a regular file and its size in bytes, read through `buffer`.
pub(crate) fn hash_file<D: Digest>(path: &Utf8Path, buffer: &mut [u8]) -> io::Result<(Output<D>, u64)> {
    // Opening something else, such as a FIFO, could block.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = File::open(path)?;
    let mut hasher = D::new();
    let mut size = 0;
    loop {
        match file.read(buffer)? {
            0 => return Ok((hasher.finalize(), size)),
            length => {
                hasher.update(&buffer[..length]);
                size += length as u64;
            }
        }
    }
}
