//! The errors of a promotion.

use std::fmt;

use camino::Utf8PathBuf;
use pep440_rs::Version;

use crate::model::{Diagnostic, Fault, Name, Place, Profile, quoted_or, redact};

/// The error of a promotion that failed. The manifest and the lockfile are unchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PromoteError {
    /// The request makes no sense.
    #[error("{problem}")]
    Meaningless { problem: String, help: String },
    /// A named package is not internal.
    #[error("`{name}` is not an internal package")]
    UnknownPackage { name: Name, available: Vec<Name> },
    /// The git repository of the package is unknown.
    #[error("the git repository of `{package}` is unknown")]
    NoRepository {
        package: Name,
        /// The profile's manifest, as seen from the root.
        manifest: Utf8PathBuf,
    },
    /// No tag of the package fits.
    #[error("`{package}` has no {wanted}: {url} has {}", quoted_or(tags, "no tags"))]
    NoRelease {
        package: Name,
        /// What was looked for: `tag of a stable release`, `release 0.1.2`.
        wanted: String,
        /// The repository, without secrets.
        url: String,
        /// Its tags, newest first; only a few of them.
        tags: Vec<String>,
    },
    /// The remote does not answer.
    #[error("the git remote of `{package}`, {url}, cannot be reached: {reason}")]
    Unreachable {
        package: Name,
        /// The repository, without secrets.
        url: String,
        reason: String,
    },
    /// The configuration requires a signature, and the tag has none.
    #[error("the tag `{}` of `{}` is not signed", at.tag, at.package)]
    UnsignedTag { at: Box<TagRef> },
    /// git does not trust the signature of the tag.
    #[error("the signature of the tag `{}` of `{}` is not trusted: {words}", at.tag, at.package)]
    UntrustedSigner {
        at: Box<TagRef>,
        /// git's words, without secrets.
        words: String,
    },
    /// The remote does not have the tag.
    #[error("{} has no tag `{}` for `{}`", at.url, at.tag, at.package)]
    MissingTag {
        at: Box<TagRef>,
        /// The checkout that has the tag, if there is one.
        checkout: Option<Utf8PathBuf>,
        /// The remote's tags, newest first; only a few of them.
        tags: Vec<String>,
    },
    /// The tag points to a different commit than elsewhere.
    #[error("the tag `{}` of `{}` points to the commit {there} in {}, but to {here} in {by}", at.tag, at.package, at.url)]
    MovedTag {
        at: Box<TagRef>,
        there: String,
        here: String,
        /// Where that commit was found: a checkout, or the lockfile that uv created.
        by: Utf8PathBuf,
    },
    /// The commit of the tag does not contain the package.
    #[error("the tag `{}` in {} has no package `{}` in `{path}`{}", at.tag, at.url, at.package, also(.found.as_ref()))]
    NotThere { at: Box<TagRef>, path: String, found: Option<Name> },
    /// The version of the package differs from that of the tag.
    #[error("`{package}` has version {version} at the tag `{tag}`")]
    OtherVersion { package: Name, tag: String, version: String, expected: Version },
    /// The package depends on sources outside its repository.
    #[error("at its tag `{tag}`, `{package}` has a source for `{needed}` that is not in its repository: {place}")]
    NotInstallable { package: Name, tag: String, needed: Name, place: String },
    /// A check finds new errors.
    #[error("with these pins, {profile} does not agree with the other profiles: {}", .problems.join("; "))]
    CheckFailed { profile: Profile, problems: Vec<String>, place: Option<Place> },
    /// With `--commit`, there are changes in the index already.
    #[error("there are staged changes, which would also be committed")]
    DirtyIndex,
    /// With `--commit` or `--branch`, a file to commit has other uncommitted changes.
    #[error("`{file}` has uncommitted changes, which would also be committed")]
    Uncommitted {
        /// The file, as seen from the root.
        file: Utf8PathBuf,
    },
    /// With `--branch`, the branch has a commit that is not a promotion.
    #[error("the branch `{branch}` has commits of somebody else: {commit}")]
    ForeignBranch { branch: String, commit: String },
    /// The candidate would be a member of the workspace above it.
    #[error("the members of the workspace in `{manifest}` would include `{directory}`")]
    InWorkspace {
        /// The dev manifest, as seen from the root.
        manifest: Utf8PathBuf,
        /// The candidate, as seen from the root.
        directory: Utf8PathBuf,
        place: Option<Place>,
    },
}

/// A tag of a package.
#[derive(Clone, Debug)]
pub struct TagRef {
    /// The package.
    pub package: Name,
    /// The tag.
    pub tag: String,
    /// The repository, without secrets.
    pub url: String,
}

impl TagRef {
    pub(super) fn new(package: &Name, tag: &str, url: &str) -> Self {
        Self { package: package.clone(), tag: tag.to_owned(), url: shown(url) }
    }
}

impl PromoteError {
    pub(super) fn meaningless(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Meaningless { problem: problem.into(), help: help.into() }
    }
}

fn also(found: Option<&Name>) -> impl fmt::Display {
    found.map_or_else(String::new, |name| format!(", but `{name}`"))
}

impl Diagnostic for PromoteError {
    fn code(&self) -> &'static str {
        match self {
            Self::Meaningless { .. } => "invalid-promotion",
            Self::UnknownPackage { .. } => "unknown-package",
            Self::NoRepository { .. } => "unknown-repository",
            Self::NoRelease { .. } => "no-release",
            Self::Unreachable { .. } => "unreachable-remote",
            Self::MissingTag { .. } => "missing-tag",
            Self::MovedTag { .. } => "moved-tag",
            Self::UnsignedTag { .. } => "unsigned-tag",
            Self::UntrustedSigner { .. } => "untrusted-signer",
            Self::NotThere { .. } => "package-not-at-tag",
            Self::OtherVersion { .. } => "version-tag-mismatch",
            Self::NotInstallable { .. } => "tag-keeps-workspace-sources",
            Self::CheckFailed { .. } => "promotion-fails-check",
            Self::DirtyIndex | Self::Uncommitted { .. } => "dirty-index",
            Self::ForeignBranch { .. } => "foreign-branch",
            Self::InWorkspace { .. } => "promotion-in-workspace",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Meaningless { help, .. } => help.clone(),
            Self::UnknownPackage { available, .. } => {
                let names: Vec<_> = available.iter().map(Name::as_str).collect();
                format!("the internal packages are {}", quoted_or(&names, "none"))
            }
            Self::NoRepository { package, manifest } => {
                format!(
                    "add `{package} = {{ git = \"https://…\", tag = \"…\" }}` to `[tool.uv.sources]` in `{manifest}`"
                )
            }
            Self::NoRelease { .. } => "tag a release and push the tag, or select a tag with `PKG=TAG`".to_owned(),
            Self::Unreachable { url, .. } => {
                format!("check the URL, the network and your credentials: `git ls-remote {url}` must succeed")
            }
            Self::MissingTag { at, checkout: Some(checkout), .. } => {
                format!("push it with `git -C {checkout} push origin {}`", at.tag)
            }
            Self::MissingTag { tags, .. } => {
                format!("push the tag, or use one of the existing tags: {}", quoted_or(tags, "no tags"))
            }
            Self::MovedTag { .. } => {
                "find out who moved the tag and why; a changed release requires a new tag".to_owned()
            }
            Self::UnsignedTag { .. } => "release it with a new tag that is signed: `git tag -s`".to_owned(),
            Self::UntrustedSigner { .. } => {
                "find out who signed the tag; add the key to the file that `trust.allowed-signers` names, or to your \
                 keyring, only if you trust it"
                    .to_owned()
            }
            Self::NotThere { .. } => {
                "correct `subdirectory` of the source, or use a tag that contains the package".to_owned()
            }
            Self::OtherVersion { expected, .. } => {
                format!("set `version` to {expected} in a new commit, and release it with a new tag")
            }
            Self::NotInstallable { .. } => {
                "uv cannot install it from git: release a commit whose sources are git sources or in the same \
                 repository"
                    .to_owned()
            }
            Self::CheckFailed { .. } => "nothing was changed; use other tags, or fix the findings".to_owned(),
            Self::Uncommitted { .. } => "commit them first, or leave out `--commit` and `--branch`".to_owned(),
            Self::ForeignBranch { .. } => "merge or delete the branch, or name another one: `--branch=NAME`".to_owned(),
            Self::DirtyIndex => "commit or unstage them, or remove `--commit`".to_owned(),
            Self::InWorkspace { .. } => {
                "add `\".*\"` to `exclude` in `[tool.uv.workspace]`: a promotion is tested in a directory with such a \
                 name"
                    .to_owned()
            }
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::CheckFailed { place, .. } | Self::InWorkspace { place, .. } => place.as_ref(),
            _ => None,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Meaningless { .. }
            | Self::UnknownPackage { .. }
            | Self::NoRepository { .. }
            | Self::DirtyIndex
            | Self::Uncommitted { .. }
            | Self::ForeignBranch { .. }
            | Self::InWorkspace { .. } => Fault::Request,
            _ => Fault::Finding,
        }
    }
}

/// Returns a repository's URL as messages show it.
pub(super) fn shown(url: &str) -> String {
    redact(url).into_owned()
}
