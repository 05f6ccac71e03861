//! Makes an installation from vendored wheels the same as one from the original sources: where each distribution came from.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, Write as _},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use camino::Utf8Path;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Distribution, Source};
use crate::fs::atomic;

/// The commit from which a distribution was built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provenance<'a> {
    pub(crate) url: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) reference: Option<&'a str>,
    pub(crate) subdirectory: Option<&'a str>,
}

impl Provenance<'_> {
    /// Whether it is what `direct_url.json` says.
    pub(crate) fn is_of(&self, source: &Source) -> bool {
        let Source::Git { url, commit, requested, subdirectory } = source else { return false };
        let own = (self.url, self.commit, self.reference, self.installed_subdirectory());
        own == (url, commit, requested.as_deref(), subdirectory.as_deref())
    }

    /// Returns the directory as uv records it: the root of the repository has an empty name.
    fn installed_subdirectory(&self) -> Option<&str> {
        self.subdirectory.map(|directory| if directory == "." { "" } else { directory })
    }

    /// Returns the text of `direct_url.json`, as uv writes it.
    pub(crate) fn direct_url(&self) -> String {
        // uv's order of keys; a map would sort them.
        let text = |value: &str| json!(value).to_string();
        let reference = self.reference.map(|reference| format!(",\"requested_revision\":{}", text(reference)));
        let subdirectory = self.installed_subdirectory();
        let subdirectory = subdirectory.map(|directory| format!(",\"subdirectory\":{}", text(directory)));
        format!(
            "{{\"url\":{},\"vcs_info\":{{\"vcs\":\"git\",\"commit_id\":{}{}}}{}}}",
            text(self.url),
            text(self.commit),
            reference.unwrap_or_default(),
            subdirectory.unwrap_or_default()
        )
    }
}

impl Distribution {
    /// Replaces files of the `dist-info` directory, and the lines about them in RECORD; a file without a text is removed.
    /// Files can be linked to uv's cache, and such a file is not written in place. Returns whether anything was changed.
    pub(crate) fn set_info(&self, files: &[(&str, Option<&str>)]) -> io::Result<bool> {
        let Some(folder) = self.folder().file_name() else { return Ok(false) };
        let path = self.record_file();
        // Without a list, uv itself repairs the distribution.
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            text => text?,
        };
        let is_replaced = |line: &str| {
            let file = line.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')?.split(',').next());
            file.is_some_and(|file| files.iter().any(|(name, _)| *name == file))
        };
        let mut lines: Vec<Cow<'_, str>> = text.lines().filter(|line| !is_replaced(line)).map(Cow::Borrowed).collect();
        let mut is_changed = false;
        for (name, text) in files {
            is_changed |= set(&self.folder().join(name), *text)?;
            if let Some(text) = text {
                let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text));
                lines.push(format!("{folder}/{name},sha256={hash},{}", text.len()).into());
            }
        }
        lines.sort();
        let new = lines.join("\n") + "\n";
        if new == text {
            return Ok(is_changed);
        }
        // After a crash, the sync counts as interrupted, so that a list is repaired of which only the beginning is there.
        if is_linked(&path)? { atomic::replace_cached(&path, new) } else { overwrite(&path, &new) }.map(|()| true)
    }
}

/// Gives the file this text, or removes it. Returns whether it was otherwise: writing would make the distribution look as if
/// it had been installed again.
fn set(file: &Utf8Path, text: Option<&str>) -> io::Result<bool> {
    match text {
        Some(text) if fs::read_to_string(file).is_ok_and(|present| present == text) => Ok(false),
        Some(text) => atomic::replace_cached(file, text).map(|()| true),
        None => match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        },
    }
}

/// Whether the file has other names, or the path is a link.
fn is_linked(path: &Utf8Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::nlink(&metadata) > 1 || metadata.is_symlink());
    #[cfg(not(unix))]
    Ok(true)
}

/// Writes the file in place. It is cut only at the end: some file systems write one that was emptied to the disk at once.
fn overwrite(path: &Utf8Path, text: &str) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_direct_url_as_uv_does() {
        let provenance =
            Provenance { url: "https://h/a.git", commit: "c0", reference: Some("v1"), subdirectory: Some("py") };
        assert_eq!(
            provenance.direct_url(),
            r#"{"url":"https://h/a.git","vcs_info":{"vcs":"git","commit_id":"c0","requested_revision":"v1"},"subdirectory":"py"}"#
        );
        let root = Provenance { reference: None, subdirectory: Some("."), ..provenance };
        assert!(root.direct_url().ends_with(r#""c0"},"subdirectory":""}"#));
    }
}
