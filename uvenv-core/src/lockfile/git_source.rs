//! Git sources in a lockfile: `https://host/a.git?subdirectory=python&tag=v0.1.2#<commit>`.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::{
    manifest::{GitReference, SourceKind},
    model::{git_url, redact},
};

/// A git repository, the requested reference, and the commit to which it was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitPin {
    /// The repository, without credentials.
    pub url: String,
    /// The requested tag, branch or revision; `None` for the default branch.
    pub reference: Option<LockedReference>,
    /// The package's directory in the repository.
    pub subdirectory: Option<String>,
    /// The full commit hash.
    pub commit: Option<String>,
}

/// A git source in a manifest.
pub(crate) struct GitSource<'a> {
    pub(crate) url: &'a str,
    pub(crate) reference: Option<&'a GitReference>,
    pub(crate) subdirectory: Option<&'a str>,
}

impl<'a> GitSource<'a> {
    /// Returns the git source in `kind`, if it is one.
    pub(crate) fn of(kind: &'a SourceKind) -> Option<Self> {
        match kind {
            SourceKind::Git { url, reference, subdirectory } => {
                Some(Self { url: &url.value, reference: reference.as_ref(), subdirectory: subdirectory.as_deref() })
            }
            _ => None,
        }
    }
}

/// A git reference in a lockfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedReference {
    /// `tag`, `branch` or `rev`.
    pub key: &'static str,
    /// The name or revision.
    pub text: String,
}

impl fmt::Display for LockedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.key, self.text)
    }
}

impl From<&GitReference> for LockedReference {
    fn from(reference: &GitReference) -> Self {
        Self { key: reference.key(), text: reference.text().value.clone() }
    }
}

impl GitPin {
    /// Parses the URL of a git source in a lockfile. Returns `None` if it has query parameters that uv does not write.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // A password with a `#` or `?` must not be taken for a host.
        let text = &*redact(text);
        let (text, commit) = match text.split_once('#') {
            Some((text, commit)) => (text, Some(commit.to_owned())),
            None => (text, None),
        };
        let (url, query) = text.split_once('?').unwrap_or((text, ""));
        let mut pin = Self { url: git_url::canonical(url), reference: None, subdirectory: None, commit };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=')?;
            // uv encodes them as a form does: a space is a plus.
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8().ok()?.into_owned();
            match key {
                "subdirectory" => pin.subdirectory = canonical_directory(&value),
                "tag" => pin.reference = Some(LockedReference { key: "tag", text: value }),
                "branch" => pin.reference = Some(LockedReference { key: "branch", text: value }),
                "rev" => pin.reference = Some(LockedReference { key: "rev", text: value }),
                _ => {} // `lfs=true`, and whatever a later revision adds
            }
        }
        Some(pin)
    }

    /// Whether this is what a git source of a manifest requires.
    pub(crate) fn satisfies(&self, source: &GitSource<'_>) -> bool {
        self.is_same_directory(source) && self.reference == source.reference.map(LockedReference::from)
    }

    /// Whether this is the repository directory that a git source names, at any commit.
    pub(crate) fn is_same_directory(&self, source: &GitSource<'_>) -> bool {
        self.url == git_url::canonical(source.url)
            && self.subdirectory == source.subdirectory.and_then(canonical_directory)
    }
}

/// Returns the directory in normalized form: `.` counts as no directory, and a trailing slash is ignored.
fn canonical_directory(directory: &str) -> Option<String> {
    let directory = directory.trim_start_matches("./").trim_end_matches('/');
    (!matches!(directory, "" | ".")).then(|| directory.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml::Spanned;

    #[test]
    fn parses_a_locked_url() {
        let pin = GitPin::parse("ssh://git@H.example.com/o/a.git?subdirectory=py%2Fa&tag=a%2Fv0.1.2#0123").unwrap();
        assert_eq!(pin.url, "ssh://h.example.com/o/a.git");
        assert_eq!(pin.reference.as_ref().unwrap().to_string(), "tag `a/v0.1.2`");
        assert_eq!(pin.subdirectory.as_deref(), Some("py/a"));
        assert_eq!(pin.commit.as_deref(), Some("0123"));
    }

    #[test]
    fn compares_sources_regardless_of_spelling() {
        let tag = GitReference::Tag(Spanned { value: "a/v0.1.2".to_owned(), span: 0..0 });
        let pin = GitPin::parse("ssh://git@h.example.com/o/a.git?tag=a%2Fv0.1.2#0123").unwrap();
        let satisfies = |url, reference, subdirectory| pin.satisfies(&GitSource { url, reference, subdirectory });
        assert!(satisfies("ssh://git@h.example.com/o/a.git/", Some(&tag), Some(".")));
        assert!(satisfies("ssh://user:secret@H.example.com/o/a.git", Some(&tag), None));
        assert!(!satisfies("ssh://git@h.example.com/o/b.git", Some(&tag), None));
        assert!(!satisfies("ssh://git@h.example.com/o/a.git", Some(&tag), Some("py")));
        assert!(!satisfies("ssh://git@h.example.com/o/a.git", None, None));
        let branch = GitReference::Branch(Spanned { value: "a/v0.1.2".to_owned(), span: 0..0 });
        assert!(!satisfies("ssh://git@h.example.com/o/a.git", Some(&branch), None));
    }
}
