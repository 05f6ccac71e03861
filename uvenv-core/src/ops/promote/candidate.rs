//! The packages that a promotion considers: where each one is, and what the profile has of it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{PackageRequest, PromoteError};
use crate::{
    Monorepo,
    check::Facts,
    git::{Git, file_url},
    lockfile::GitSource,
    manifest::{Edit, GitReference, NewSource, Requirement, SourceKind},
    model::{
        Name, Profile, Release,
        git_url::{self, UrlParts},
    },
    monorepo::ProfileContext,
    report::PinnedRelease,
};

/// An internal package, as a profile has it.
#[derive(Clone, Debug)]
pub(super) struct PromotionCandidate {
    pub(super) package: Name,
    /// The git repository; `None` if it is unknown.
    pub(super) repository: Option<Repository>,
    /// The profile's pin; `None` if it takes the package from elsewhere, or does not use it.
    pub(super) current: Option<PinnedRelease>,
    /// Whether the request names it.
    pub(super) is_named: bool,
    /// What the manifest lacks besides the tag.
    missing: MissingParts,
}

/// The location of a package in git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) url: String,
    pub(super) subdirectory: Option<String>,
}

/// The parts of a package that a manifest lacks.
#[derive(Clone, Debug)]
struct MissingParts {
    /// Whether it lacks a git source.
    source: bool,
    /// The missing dependency, as it must be written.
    dependency: Option<String>,
}

impl PromotionCandidate {
    /// Returns the edits that pin the package to this tag of `repository`.
    pub(super) fn edits(&self, repository: &Repository, tag: &str) -> Vec<Edit> {
        let package = self.package.clone();
        let source = if self.missing.source {
            let Repository { url, subdirectory } = repository.clone();
            let source = NewSource::Git { url, tag: tag.to_owned(), subdirectory };
            Edit::SetSource { package, source }
        } else {
            Edit::SetTag { package, tag: tag.to_owned() }
        };
        let dependency = self.missing.dependency.clone().map(|requirement| Edit::AddDependency { requirement });
        dependency.into_iter().chain([source]).collect()
    }

    /// Whether the profile does not have the package yet.
    pub(super) fn is_new(&self) -> bool {
        self.current.is_none()
    }

    /// Returns the pin as written in the manifest.
    pub(super) fn pinned(&self) -> Option<&str> {
        self.current.as_ref().map(|current| current.reference.as_str())
    }
}

/// Returns the named packages or, if none is named, all that `profile` has or lacks; sorted by name.
pub(super) fn candidates(
    facts: &Facts<'_>,
    profile: &ProfileContext<'_>,
    named: &[PackageRequest],
    git: &Git,
    common: Option<&str>,
) -> crate::Result<Vec<PromotionCandidate>> {
    let internal = || facts.internal.iter().filter(|package| profile.manifest.name() != Some(package));
    if let Some(unknown) = named.iter().find(|request| !internal().any(|package| *package == request.name)) {
        let available = internal().cloned().collect();
        return Err(PromoteError::UnknownPackage { name: unknown.name.clone(), available }.into());
    }
    let chosen: BTreeSet<&Name> = if named.is_empty() {
        let wanted = wanted(facts, profile);
        internal().filter(|package| wanted.contains(package)).collect()
    } else {
        named.iter().map(|request| &request.name).collect()
    };
    let candidate = |package: &Name| {
        let pin = pin(profile, package);
        let missing = MissingParts { source: pin.is_none(), dependency: missing_dependency(facts, profile, package) };
        let (repository, current) = if let Some((repository, current)) = pin {
            (Some(repository), current)
        } else {
            let common = common.and_then(|url| in_common(facts.monorepo, package, url));
            (common.or_else(|| elsewhere(facts, profile, package, git)), None)
        };
        PromotionCandidate { package: package.clone(), repository, current, is_named: !named.is_empty(), missing }
    };
    Ok(chosen.into_iter().map(candidate).collect())
}

/// Returns the packages that the profile takes and those that the previous profiles depend on. Staging and prod may
/// need direct dependencies on packages that dev gets indirectly, because uv uses only the sources of direct
/// dependencies.
fn wanted<'a>(facts: &'a Facts<'_>, profile: &'a ProfileContext<'a>) -> BTreeSet<&'a Name> {
    let mut wanted: BTreeSet<&Name> = facts.taken_by(profile).collect();
    let earlier = facts.profiles.iter().filter(|earlier| earlier.profile < profile.profile);
    wanted.extend(earlier.flat_map(|context| context.manifest.direct_requirements()));
    wanted
}

/// Returns the first git source of a package, and its pin.
fn pin(facts: &ProfileContext<'_>, package: &Name) -> Option<(Repository, Option<PinnedRelease>)> {
    facts.manifest.sources_of(package).iter().find_map(|source| match &source.kind {
        SourceKind::Git { url, reference, subdirectory } => {
            let repository = Repository { url: url.value.clone(), subdirectory: subdirectory.clone() };
            let lockfile = facts.readable_lockfile();
            let locked = lockfile.and_then(|lockfile| lockfile.locked_for(package, &GitSource::of(&source.kind)?));
            let commit = locked.and_then(|(_, pin)| pin.commit.clone());
            Some((repository, Some(release(reference.as_ref(), commit))))
        }
        _ => None,
    })
}

fn release(reference: Option<&GitReference>, commit: Option<String>) -> PinnedRelease {
    let text = reference.map_or("HEAD", |reference| reference.text().value.as_str());
    let version = match reference {
        Some(GitReference::Tag(_)) => Release::parse(text).map(|release| release.version.to_string()),
        _ => None,
    };
    PinnedRelease { reference: text.to_owned(), version, commit }
}

/// Returns the dependency that the manifest lacks, as it is in dev or otherwise in staging, but without version
/// specifiers, because the tag determines the version.
fn missing_dependency(facts: &Facts<'_>, profile: &ProfileContext<'_>, package: &Name) -> Option<String> {
    if profile.manifest.asks_for(package) || profile.manifest.has_dynamic_requirements() {
        return None;
    }
    let projects = facts.profiles.iter().filter_map(|facts| facts.manifest.project.as_ref());
    let asked = projects.flat_map(|project| &project.dependencies).find(|requirement| requirement.name == *package);
    Some(asked.map_or_else(|| package.to_string(), Requirement::without_versions))
}

/// Returns the location of a package in a repository with the same layout as the monorepo.
fn in_common(monorepo: &Monorepo, package: &Name, url: &str) -> Option<Repository> {
    let directory = checkout(monorepo, package)?.canonicalize_utf8().ok()?;
    let below = directory.strip_prefix(&monorepo.root).ok()?.as_str().replace('\\', "/");
    Some(Repository { url: url.to_owned(), subdirectory: Some(below).filter(|below| !below.is_empty()) })
}

/// Returns the location of a package for which `profile` has no git source: from the other pinned profile, or from its
/// checkout.
fn elsewhere(facts: &Facts<'_>, profile: &ProfileContext<'_>, package: &Name, git: &Git) -> Option<Repository> {
    let others = facts.pinned().filter(|other| other.profile != profile.profile);
    let pinned = others.filter_map(|other| pin(other, package)).map(|(repository, _)| repository).next();
    pinned.or_else(|| {
        let checkout = checkout(facts.monorepo, package)?;
        of_checkout(git, &checkout)
    })
}

/// Returns the directory from which dev takes a package.
pub(super) fn checkout(monorepo: &Monorepo, package: &Name) -> Option<Utf8PathBuf> {
    if let Some(member) = monorepo.members.iter().find(|member| member.name == *package) {
        return Some(member.directory.clone());
    }
    monorepo.dev.sources_of(package).iter().find_map(|source| match &source.kind {
        SourceKind::Path(path) => Some(monorepo.dev.directory().join(path)).filter(|path| path.is_dir()),
        _ => None,
    })
}

/// Returns the remote of the repository that contains `directory`, and the directory's path in it.
fn of_checkout(git: &Git, directory: &Utf8Path) -> Option<Repository> {
    let url = source_url(&git.remote_url(directory)?)?;
    let top = git.top_level(directory)?;
    let within = directory.canonicalize_utf8().ok()?.strip_prefix(&top).ok()?.as_str().replace('\\', "/");
    Some(Repository { url, subdirectory: Some(within).filter(|within| !within.is_empty()) })
}

/// Returns the stable release that prod takes with `--exact`.
pub(super) fn of_staging(facts: &Facts<'_>, package: &Name) -> Option<Release> {
    let staging = facts.profile(Profile::Staging)?;
    let (_, current) = pin(staging, package)?;
    Release::parse(&current?.reference)
}

/// Converts a git remote to the form used in a source: a URL without credentials, because credentials belong to the
/// user and not in a manifest.
fn source_url(remote: &str) -> Option<String> {
    if let Some(UrlParts { scheme, authority, host, path }) = git_url::split(remote) {
        let authority = if scheme == "ssh" { authority } else { host };
        return Some(format!("{scheme}://{authority}/{path}")).filter(|_| !path.is_empty());
    }
    let directory = Utf8Path::new(remote);
    if directory.is_absolute() {
        return Some(file_url(directory));
    }
    // This is `git@host:path`. A relative path on the local machine is meaningless elsewhere.
    let (host, path) = remote.split_once(':').filter(|(host, _)| !host.contains('/'))?;
    Some(format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::source_url;

    #[test]
    fn converts_a_remote_to_a_source_url() {
        for (remote, source) in [
            ("https://host/o/a.git", Some("https://host/o/a.git")),
            ("https://user:token@host/o/a.git", Some("https://host/o/a.git")),
            ("ssh://git@host:22/o/a.git", Some("ssh://git@host:22/o/a.git")),
            ("git@host:o/a.git", Some("ssh://git@host/o/a.git")),
            ("host:/srv/a.git", Some("ssh://host/srv/a.git")),
            ("../a.git", None),
            ("a.git", None),
        ] {
            assert_eq!(source_url(remote).as_deref(), source, "{remote}");
        }
        #[cfg(unix)]
        assert_eq!(source_url("/srv/a b.git").as_deref(), Some("file:///srv/a%20b.git"));
    }
}
