//! The files of an installed distribution, against its `RECORD`
//! (<https://packaging.python.org/en/latest/specifications/recording-installed-packages/>).

use std::{fs, io};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Sha256, Sha384, Sha512};

use super::Distribution;
use crate::checksum;

/// A file that a `RECORD` lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstalledFile {
    /// Where it is.
    pub(crate) path: Utf8PathBuf,
    /// `sha256=…`: the algorithm, and the digest as base64 without padding.
    hash: Option<String>,
    size: Option<u64>,
}

/// What a file is otherwise than its `RECORD` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alteration {
    Missing,
    Changed,
    Unreadable(String),
}

impl Distribution {
    /// The files that its `RECORD` lists. An error is why that cannot be read.
    pub(crate) fn contents(&self) -> Result<Vec<InstalledFile>, String> {
        let record = fs::read(self.record_file()).map_err(|error| error.to_string())?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_slice());
        let rows = reader.deserialize::<(String, Option<String>, Option<u64>)>();
        let file = |(path, hash, size): (String, Option<String>, Option<u64>)| InstalledFile {
            path: self.site_packages().join(path),
            hash: hash.filter(|hash| !hash.is_empty()),
            size,
        };
        rows.map(|row| row.map(file).map_err(|error| error.to_string())).collect()
    }
}

impl InstalledFile {
    /// What has become of it since it was installed. What has no hash, as the `RECORD` itself, only has to be there; and
    /// compiled files come and go.
    pub(crate) fn alteration(&self) -> Option<Alteration> {
        let metadata = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(_) if self.path.extension() == Some("pyc") => return None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Alteration::Missing),
            Err(error) => return Some(Alteration::Unreadable(error.to_string())),
        };
        let hash = self.hash.as_deref()?;
        if metadata.is_file() && self.size.is_some_and(|size| size != metadata.len()) {
            return Some(Alteration::Changed);
        }
        match is_hash_of(hash, &self.path) {
            Ok(true) => None,
            Ok(false) => Some(Alteration::Changed),
            Err(error) => Some(Alteration::Unreadable(error.to_string())),
        }
    }
}

fn is_hash_of(expected: &str, path: &Utf8Path) -> io::Result<bool> {
    let (algorithm, expected) = expected.split_once('=').unwrap_or_default();
    let found = match algorithm {
        "sha256" => checksum::of::<Sha256>(path)?,
        "sha384" => checksum::of::<Sha384>(path)?,
        "sha512" => checksum::of::<Sha512>(path)?,
        _ => return Err(io::Error::other(format!("its hash is of an unknown kind, `{algorithm}`"))),
    };
    Ok(BASE64_URL_SAFE_NO_PAD.encode(found) == expected.trim_end_matches('='))
}
