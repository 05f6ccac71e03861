//! What an installed distribution says of where it is from, put right where it was installed from a wheel that is only a
//! copy: an environment that was made without the network says the same of itself as one that was made with it.

use std::{fs, io};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use camino::Utf8Path;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Distribution;
use crate::file;

/// A commit of a git repository, as `direct_url.json` has it:
/// <https://packaging.python.org/en/latest/specifications/direct-url-data-structure/>.
#[derive(Debug, Serialize)]
pub(crate) struct GitOrigin<'a> {
    pub(crate) url: &'a str,
    pub(crate) vcs_info: VcsInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subdirectory: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct VcsInfo<'a> {
    pub(crate) vcs: &'static str,
    pub(crate) commit_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requested_revision: Option<&'a str>,
}

/// The origin of a distribution.
const DIRECT_URL: &str = "direct_url.json";

/// The file that uv had the distribution from, and when it was made. An online sync leaves none.
const UV_CACHE: &str = "uv_cache.json";

impl Distribution {
    /// Has the distribution say that it is from `origin`, or else from an index.
    pub(crate) fn restate(&self, origin: Option<&GitOrigin<'_>>) -> io::Result<()> {
        let folder = self.folder();
        let stated = origin.map(serde_json::to_string).transpose()?;
        let said = fs::read_to_string(folder.join(DIRECT_URL)).ok();
        if stated == said && !folder.join(UV_CACHE).exists() {
            return Ok(());
        }
        let record = fs::read_to_string(self.record_file())?;
        let name = folder.file_name().unwrap_or_default();
        let is_of = |line: &&str, file: &str| line.starts_with(&format!("{name}/{file},"));
        let others = record.lines().filter(|line| !is_of(line, DIRECT_URL) && !is_of(line, UV_CACHE));
        let mut lines: Vec<_> = others.map(str::to_owned).collect();
        if let Some(stated) = &stated {
            // A wheel's files may be links into uv's cache: a new file takes the place of the old.
            file::replace(&folder.join(DIRECT_URL), stated)?;
            let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(stated));
            lines.push(format!("{name}/{DIRECT_URL},sha256={hash},{}", stated.len()));
        }
        lines.sort();
        file::replace(&self.record_file(), lines.join("\n") + "\n")?;
        // Last: until it is gone, all of this is done again.
        remove(&folder.join(UV_CACHE))?;
        if stated.is_none() { remove(&folder.join(DIRECT_URL)) } else { Ok(()) }
    }
}

fn remove(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
