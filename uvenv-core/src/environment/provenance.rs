//! Makes an installation from vendored wheels the same as one from the original sources: where each distribution came from.

use std::{fs, io};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use camino::Utf8Path;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Distribution;
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
    /// Returns the text of `direct_url.json`, as uv writes it.
    pub(crate) fn direct_url(&self) -> String {
        // uv's order of keys; a map would sort them.
        let text = |value: &str| json!(value).to_string();
        let reference = self.reference.map(|reference| format!(",\"requested_revision\":{}", text(reference)));
        let subdirectory = self.subdirectory.map(|directory| {
            // uv writes the root of the repository as an empty name.
            format!(",\"subdirectory\":{}", text(if directory == "." { "" } else { directory }))
        });
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
    /// Files can be linked to uv's cache, so none is written in place.
    pub(crate) fn set_info(&self, files: &[(&str, Option<&str>)]) -> io::Result<()> {
        let Some(folder) = self.folder().file_name() else { return Ok(()) };
        let path = self.record_file();
        // Without a list, uv itself repairs the distribution.
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            text => text?,
        };
        let is_of = |line: &str, name: &str| {
            line.strip_prefix(folder).is_some_and(|rest| rest.starts_with(&format!("/{name},")))
        };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| files.iter().all(|(name, _)| !is_of(line, name)));
        for (name, text) in files {
            match text {
                Some(text) => {
                    let file = self.folder().join(name);
                    // Writing would make the distribution look as if it had been installed again.
                    if fs::read_to_string(&file).ok().as_deref() != Some(*text) {
                        atomic::replace_cached(&file, text)?;
                    }
                    let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(text));
                    lines.push(format!("{folder}/{name},sha256={hash},{}", text.len()));
                }
                None => remove(&self.folder().join(name))?,
            }
        }
        lines.sort();
        let new = lines.join("\n") + "\n";
        if new == text { Ok(()) } else { atomic::replace_cached(&path, new) }
    }
}

fn remove(path: &Utf8Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
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
