//! Why a promotion cannot be.

use std::{fmt, io};

use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;

use crate::{
    manifest::EditError,
    model::{Diagnostic, Fault, Name, Place, Profile, redact},
};

/// Why a promotion cannot be. The manifest and the lockfile are as before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromoteError {
    /// What was asked for has no meaning.
    #[error("{problem}")]
    Meaningless {
        /// Why.
        problem: String,
        /// What does.
        help: String,
    },
    /// A package that was named and is not internal.
    #[error("`{name}` is no internal package")]
    UnknownPackage {
        /// The name.
        name: Name,
        /// The internal packages.
        available: Vec<Name>,
    },
    /// Nobody says where the package's git repository is.
    #[error("nothing says in which git repository `{package}` is")]
    NoRepository {
        /// The package.
        package: Name,
        /// The profile's manifest, as seen from the root.
        manifest: Utf8PathBuf,
    },
    /// No tag of the package fits.
    #[error("`{package}` has no {wanted}: {url} has {}", of_tags(tags))]
    NoRelease {
        /// The package.
        package: Name,
        /// `tag of a stable release`, `release 0.1.2`.
        wanted: String,
        /// The repository, without secrets.
        url: String,
        /// Its tags, newest first; not more than a few.
        tags: Vec<String>,
    },
    /// The remote does not answer.
    #[error("the git remote of `{package}`, {url}, cannot be reached: {reason}")]
    Unreachable {
        /// The package.
        package: Name,
        /// The repository, without secrets.
        url: String,
        /// What git said.
        reason: String,
    },
    /// The remote does not have the tag.
    #[error("{} does not have the tag `{}` of `{}`", at.url, at.tag, at.package)]
    MissingTag {
        /// The tag.
        at: Box<TagRef>,
        /// The checkout that has it, where one has.
        checkout: Option<Utf8PathBuf>,
        /// Its tags, newest first; not more than a few.
        tags: Vec<String>,
    },
    /// The tag names another commit than it did elsewhere.
    #[error("the tag `{}` of `{}` is the commit {there} in {}, and {here} in {by}", at.tag, at.package, at.url)]
    MovedTag {
        /// The tag.
        at: Box<TagRef>,
        /// The remote's commit.
        there: String,
        /// The other commit.
        here: String,
        /// Who has that: a checkout, or the lockfile that uv has made.
        by: Utf8PathBuf,
    },
    /// There is no such package at the tag.
    #[error("the tag `{}` in {} has no package `{}` in `{path}`{}", at.tag, at.url, at.package, also(.found.as_ref()))]
    NotThere {
        /// The tag.
        at: Box<TagRef>,
        /// The manifest in the repository.
        path: String,
        /// What that manifest is about.
        found: Option<Name>,
    },
    /// The package has another version than the tag.
    #[error("`{package}` has version {version} at the tag `{tag}`")]
    OtherVersion {
        /// The package.
        package: Name,
        /// The tag.
        tag: String,
        /// The package's version there.
        version: String,
        /// The tag's version.
        expected: Version,
    },
    /// The package takes others from outside of its repository.
    #[error("at its tag `{tag}`, `{package}` takes `{needed}` from {place}, which is not in its repository")]
    NotInstallable {
        /// The package.
        package: Name,
        /// The tag.
        tag: String,
        /// What it takes.
        needed: Name,
        /// From where.
        place: String,
    },
    /// A check finds errors that were not there before.
    #[error("with these pins, {profile} is not true to the other profiles: {}", .problems.join("; "))]
    CheckFailed {
        /// The profile.
        profile: Profile,
        /// The errors' codes and sentences.
        problems: Vec<String>,
        /// Where the first of them is.
        place: Option<Place>,
    },
    /// `--commit`, and something is staged already.
    #[error("there are staged changes, which would be committed too")]
    DirtyIndex,
    /// `--commit`, and a file that is to be committed has changes of somebody else's.
    #[error("`{file}` has changes that are not committed, which would be committed too")]
    Uncommitted {
        /// The file, as seen from the root.
        file: Utf8PathBuf,
    },
    /// The candidate would be a member of the workspace above.
    #[error("the members of the workspace in `{manifest}` would include `{directory}`")]
    InWorkspace {
        /// The dev manifest, as seen from the root.
        manifest: Utf8PathBuf,
        /// The candidate, as seen from the root.
        directory: Utf8PathBuf,
        /// The workspace's patterns.
        place: Option<Place>,
    },
    /// The manifest has no place for a pin.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// A file cannot be written or removed.
    #[error("cannot write in `{directory}`: {source}")]
    Unwritable {
        /// The directory.
        directory: Utf8PathBuf,
        /// What the operating system said.
        source: io::Error,
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
    pub(super) fn unwritable(directory: &Utf8Path) -> impl FnOnce(io::Error) -> Self {
        let directory = directory.to_owned();
        move |source| Self::Unwritable { directory, source }
    }

    pub(super) fn meaningless(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Meaningless { problem: problem.into(), help: help.into() }
    }
}

/// `the tags v1 and v2`, for the end of a sentence.
fn of_tags(tags: &[String]) -> String {
    if tags.is_empty() { "no tags".to_owned() } else { format!("`{}`", tags.join("`, `")) }
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
            Self::NotThere { .. } => "package-not-at-tag",
            Self::OtherVersion { .. } => "version-tag-mismatch",
            Self::NotInstallable { .. } => "tag-keeps-workspace-sources",
            Self::CheckFailed { .. } => "promotion-fails-check",
            Self::DirtyIndex | Self::Uncommitted { .. } => "dirty-index",
            Self::InWorkspace { .. } => "promotion-in-workspace",
            Self::Edit(error) => error.code(),
            Self::Unwritable { .. } => "not-writable",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Meaningless { help, .. } => help.clone(),
            Self::UnknownPackage { available, .. } => {
                let names: Vec<_> = available.iter().map(Name::as_str).collect();
                format!("the internal packages are {}", of_tags_or(&names, "none"))
            }
            Self::NoRepository { package, manifest } => {
                format!(
                    "add `{package} = {{ git = \"https://…\", tag = \"…\" }}` to `[tool.uv.sources]` in `{manifest}`"
                )
            }
            Self::NoRelease { .. } => "tag a release and push the tag, or name a tag with `PKG=TAG`".to_owned(),
            Self::Unreachable { url, .. } => {
                format!("check the URL, the network and your credentials: `git ls-remote {url}` must succeed")
            }
            Self::MissingTag { at, checkout: Some(checkout), .. } => {
                format!("push it with `git -C {checkout} push origin {}`", at.tag)
            }
            Self::MissingTag { tags, .. } => format!("push the tag, or take one that it has: {}", of_tags(tags)),
            Self::MovedTag { .. } => {
                "find out who moved the tag and why; a release that has changed needs a tag of its own".to_owned()
            }
            Self::NotThere { .. } => {
                "correct `subdirectory` of the source, or take a tag at which the package is there".to_owned()
            }
            Self::OtherVersion { expected, .. } => {
                format!("release a commit whose `version` is {expected} with a tag of its own")
            }
            Self::NotInstallable { .. } => {
                "uv cannot install that from git: release a commit whose sources are in git, or in its own repository"
                    .to_owned()
            }
            Self::CheckFailed { .. } => "nothing was changed; take other tags, or mend what is found".to_owned(),
            Self::Uncommitted { .. } => "commit them first, or leave `--commit` out".to_owned(),
            Self::DirtyIndex => "commit or unstage them, or leave `--commit` out".to_owned(),
            Self::InWorkspace { .. } => {
                "add `\".*\"` to `exclude` in `[tool.uv.workspace]`: a promotion is tried in a directory of that name"
                    .to_owned()
            }
            Self::Edit(error) => return error.help(),
            Self::Unwritable { .. } => "check the permissions and the space on the disk".to_owned(),
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::CheckFailed { place, .. } | Self::InWorkspace { place, .. } => place.as_ref(),
            Self::Edit(error) => error.place(),
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
            | Self::InWorkspace { .. }
            | Self::Edit(_)
            | Self::Unwritable { .. } => Fault::Request,
            _ => Fault::Finding,
        }
    }
}

fn of_tags_or(names: &[&str], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { format!("`{}`", names.join("`, `")) }
}

/// A repository as messages name it.
pub(super) fn shown(url: &str) -> String {
    redact(url).into_owned()
}
