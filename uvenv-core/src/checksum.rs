//! Hashes that others have written down: of files in a `RECORD`, in a lockfile, in a vendored manifest.

use std::{fmt::Write as _, fs, io, io::Read as _};

use camino::Utf8Path;
use sha2::{Digest, Sha256};

/// The hash of a file's content.
pub(crate) fn of<D: Digest>(path: &Utf8Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let (mut digest, mut buffer) = (D::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digest.finalize().to_vec()),
            count => digest.update(&buffer[..count]),
        }
    }
}

/// The SHA-256 of a file's content, in hexadecimal digits.
pub(crate) fn sha256(path: &Utf8Path) -> io::Result<String> {
    of::<Sha256>(path).map(|hash| hexadecimal(&hash))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
