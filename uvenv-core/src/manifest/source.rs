//! `[tool.uv.sources]`: where a package comes from.

use std::ops::Range;

use super::{ManifestError, Selector};
use crate::{
    model::{
        Name,
        git_url::{self, UrlParts},
        redact,
    },
    toml::{Node, Spanned},
};

/// A source of a package. A package can have several, distinguished by `extra`, `group` and `marker`.
#[derive(Clone, Debug)]
pub struct UvSource {
    /// The location of the source.
    pub span: Range<usize>,
    /// Where the package comes from.
    pub kind: SourceKind,
    /// The extra or group to which the source applies.
    pub selector: Option<Selector>,
    /// The marker under which the source applies, as written.
    pub marker: Option<String>,
}

/// The forms of a source (uv's reference, "Dependency sources").
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// A member of the workspace.
    Workspace,
    /// A git repository.
    Git {
        /// The repository.
        url: Spanned<String>,
        /// The tag, branch or revision.
        reference: Option<GitReference>,
        /// The package's directory in the repository; `.` counts as no directory.
        subdirectory: Option<String>,
    },
    /// An archive.
    Url(String),
    /// A local directory or archive, as written.
    Path(String),
    /// An index, by its name.
    Index(String),
}

/// A tag, a branch or a revision.
#[derive(Clone, Debug)]
pub enum GitReference {
    /// `tag = "v0.1.2"`.
    Tag(Spanned<String>),
    /// `branch = "main"`.
    Branch(Spanned<String>),
    /// `rev = "0123abc"`.
    Rev(Spanned<String>),
}

impl GitReference {
    /// Returns the key of the reference.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Tag(_) => "tag",
            Self::Branch(_) => "branch",
            Self::Rev(_) => "rev",
        }
    }

    /// Returns the name of the tag or branch, or the revision.
    pub fn text(&self) -> &Spanned<String> {
        match self {
            Self::Tag(text) | Self::Branch(text) | Self::Rev(text) => text,
        }
    }
}

pub(super) fn read(package: &Name, node: &Node<'_>) -> crate::Result<Vec<UvSource>> {
    if node.is_list() {
        node.elements()?.iter().map(|element| read_one(package, element)).collect()
    } else {
        Ok(vec![read_one(package, node)?])
    }
}

fn read_one(package: &Name, element: &Node<'_>) -> crate::Result<UvSource> {
    let kind = if let Some(url) = element.get_string("git")? {
        read_git(package, url, element)?
    } else if let Some(url) = element.get_string("url")? {
        SourceKind::Url(url.value)
    } else if let Some(path) = element.get_string("path")? {
        SourceKind::Path(path.value)
    } else if let Some(index) = element.get_string("index")? {
        SourceKind::Index(index.value)
    } else if element.contains("workspace")? {
        // `true`, or in newer versions of uv the path of another workspace.
        SourceKind::Workspace
    } else {
        return Err(ManifestError::Source { package: package.clone(), place: element.place() }.into());
    };
    let name = |key| element.get(key)?.map(|node| node.name()).transpose();
    let selector = match (name("extra")?, name("group")?) {
        (Some(extra), _) => Some(Selector::Extra(extra)),
        (None, group) => group.map(Selector::Group),
    };
    let marker = element.get_string("marker")?.map(|marker| marker.value);
    Ok(UvSource { span: element.span(), kind, selector, marker })
}

fn read_git(package: &Name, url: Spanned<String>, element: &Node<'_>) -> crate::Result<SourceKind> {
    let refuse = |what, text: &Spanned<String>| ManifestError::UnsafeGit {
        package: package.clone(),
        what,
        text: redact(&text.value).into_owned(),
        place: element.place().at(text.span.clone()),
    };
    if !is_safe_url(&url.value) {
        return Err(refuse("git URL", &url).into());
    }
    let reference = if let Some(tag) = element.get_string("tag")? {
        Some(GitReference::Tag(tag))
    } else if let Some(branch) = element.get_string("branch")? {
        Some(GitReference::Branch(branch))
    } else {
        element.get_string("rev")?.map(GitReference::Rev)
    };
    if let Some(reference) = reference.as_ref().filter(|reference| !is_safe_reference(&reference.text().value)) {
        return Err(refuse(reference.key(), reference.text()).into());
    }
    let subdirectory = element.get_string("subdirectory")?.map(|directory| directory.value);
    let subdirectory = subdirectory.filter(|directory| !matches!(directory.trim_end_matches('/'), "" | "."));
    Ok(SourceKind::Git { url, reference, subdirectory })
}

/// Whether git can only interpret `url` as a location to fetch from. `ext::sh -c …` would run a command, and
/// `--upload-pack=…` would be an option (gitremote-helpers(7), gitnamespaces(7)).
fn is_safe_url(url: &str) -> bool {
    let Some(UrlParts { scheme, host, .. }) = git_url::split(url) else { return false };
    ["https", "ssh", "git", "http", "file"].contains(&scheme.to_ascii_lowercase().as_str())
        && !url.chars().any(char::is_control)
        // `ssh://-oProxyCommand=…/` would be interpreted as an option of ssh.
        && !host.starts_with('-')
}

/// Checks the rules of git-check-ref-format(1) that prevent a name from being interpreted as an option or as several
/// arguments.
fn is_safe_reference(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && !name.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_urls_that_git_fetches_from() {
        for url in
            ["https://h/a.git", "ssh://git@h/a.git", "file:///srv/it's $(id)/a.git", "git+https://h/a", "HTTPS://h/a"]
        {
            assert!(is_safe_url(url), "{url}");
        }
        for url in [
            "ext::sh -c id",
            "--upload-pack=id",
            "fd::17",
            "ssh://-oProxyCommand=id/a",
            "https://h/\na",
            "ssh://u@-x/a",
            "/srv/a",
        ] {
            assert!(!is_safe_url(url), "{url}");
        }
    }

    #[test]
    fn rejects_references_that_are_not_one_plain_argument() {
        assert!(is_safe_reference("auth-client/v0.1.0"));
        assert!(is_safe_reference("v$(id)'\""));
        for name in ["", "-f", "--exec=x", "a b", "a\nb"] {
            assert!(!is_safe_reference(name), "{name:?}");
        }
    }
}
