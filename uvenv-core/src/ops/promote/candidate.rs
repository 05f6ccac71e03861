//! What a promotion looks at: the internal packages, where each is, and what the profile has of it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{PackageRequest, PromoteError};
use crate::{
    Monorepo,
    check::Facts,
    git::{Git, file_url},
    lockfile::GitSource,
    manifest::{Edit, GitReference, NewSource, Requirement, SourceKind},
    model::{Name, Profile, Release},
    monorepo::ProfileContext,
    report::PinnedRelease,
};

/// A package, as a profile has it.
#[derive(Clone, Debug)]
pub(super) struct PromotionCandidate {
    pub(super) package: Name,
    /// Where it is; none where nobody says.
    pub(super) repository: Option<Repository>,
    /// The pin that the profile has; none where it takes the package from elsewhere, or not at all.
    pub(super) current: Option<PinnedRelease>,
    /// Whether it is named in the request.
    pub(super) is_named: bool,
    /// What the manifest lacks beside the tag.
    missing: MissingParts,
}

/// A package's place in git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    pub(super) url: String,
    pub(super) subdirectory: Option<String>,
}

/// What a manifest lacks of a package.
#[derive(Clone, Debug)]
struct MissingParts {
    /// A git source.
    source: bool,
    /// The dependency, as it is to be written.
    dependency: Option<String>,
}

impl PromotionCandidate {
    /// The edits that give the manifest this tag of `repository`.
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

    /// What is pinned, as the manifest says it.
    pub(super) fn pinned(&self) -> Option<&str> {
        self.current.as_ref().map(|current| current.reference.as_str())
    }
}

/// The packages that are asked for or, where none is named, all that `profile` has or lacks; by name.
pub(super) fn candidates(
    facts: &Facts<'_>,
    profile: &ProfileContext<'_>,
    named: &[PackageRequest],
    git: &Git,
    common: Option<&str>,
) -> Result<Vec<PromotionCandidate>, PromoteError> {
    let internal = || facts.internal.iter().filter(|package| profile.manifest.name() != Some(package));
    if let Some(unknown) = named.iter().find(|request| !internal().any(|package| *package == request.name)) {
        let available = internal().cloned().collect();
        return Err(PromoteError::UnknownPackage { name: unknown.name.clone(), available });
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

/// What the profile takes, and what the profiles before it depend on. Staging and prod may need packages as direct
/// dependencies which dev gets through others, because uv looks at the sources of direct dependencies only.
fn wanted<'a>(facts: &'a Facts<'_>, profile: &'a ProfileContext<'a>) -> BTreeSet<&'a Name> {
    let mut wanted: BTreeSet<&Name> = facts.taken_by(profile).collect();
    let earlier = facts.profiles.iter().filter(|earlier| earlier.profile < profile.profile);
    wanted.extend(earlier.flat_map(|context| context.manifest.direct_requirements()));
    wanted
}

/// The first git source of a package, and what it pins.
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

/// The dependency that the manifest lacks, as dev or else staging has it, without its versions: the tag says which.
fn missing_dependency(facts: &Facts<'_>, profile: &ProfileContext<'_>, package: &Name) -> Option<String> {
    if profile.manifest.asks_for(package) || profile.manifest.has_dynamic_requirements() {
        return None;
    }
    let projects = facts.profiles.iter().filter_map(|facts| facts.manifest.project.as_ref());
    let asked = projects.flat_map(|project| &project.dependencies).find(|requirement| requirement.name == *package);
    Some(asked.map_or_else(|| package.to_string(), Requirement::without_versions))
}

/// Where a package is in a repository that has the monorepo's own layout.
fn in_common(monorepo: &Monorepo, package: &Name, url: &str) -> Option<Repository> {
    let directory = checkout(monorepo, package)?.canonicalize_utf8().ok()?;
    let below = directory.strip_prefix(&monorepo.root).ok()?.as_str().replace('\\', "/");
    Some(Repository { url: url.to_owned(), subdirectory: Some(below).filter(|below| !below.is_empty()) })
}

/// Where a package is that `profile` has no git source of: as the other pinned profile says, or as its checkout does.
fn elsewhere(facts: &Facts<'_>, profile: &ProfileContext<'_>, package: &Name, git: &Git) -> Option<Repository> {
    let others = facts.pinned().filter(|other| other.profile != profile.profile);
    let pinned = others.filter_map(|other| pin(other, package)).map(|(repository, _)| repository).next();
    pinned.or_else(|| {
        let checkout = checkout(facts.monorepo, package)?;
        of_checkout(git, &checkout)
    })
}

/// The directory from which dev takes a package.
pub(super) fn checkout(monorepo: &Monorepo, package: &Name) -> Option<Utf8PathBuf> {
    if let Some(member) = monorepo.members.iter().find(|member| member.name == *package) {
        return Some(member.directory.clone());
    }
    monorepo.dev.sources_of(package).iter().find_map(|source| match &source.kind {
        SourceKind::Path(path) => Some(monorepo.dev.directory().join(path)).filter(|path| path.is_dir()),
        _ => None,
    })
}

/// The remote of the repository that `directory` is in, and where in it that is.
fn of_checkout(git: &Git, directory: &Utf8Path) -> Option<Repository> {
    let url = source_url(&git.remote_url(directory)?)?;
    let top = git.top_level(directory)?;
    let within = directory.canonicalize_utf8().ok()?.strip_prefix(&top).ok()?.as_str().replace('\\', "/");
    Some(Repository { url, subdirectory: Some(within).filter(|within| !within.is_empty()) })
}

/// The stable release that prod takes with `--exact`.
pub(super) fn of_staging(facts: &Facts<'_>, package: &Name) -> Option<Release> {
    let staging = facts.profile(Profile::Staging)?;
    let (_, current) = pin(staging, package)?;
    Release::parse(&current?.reference)
}

/// A remote of git as a source has it: a URL, and without credentials, which belong to the user and not in a manifest.
fn source_url(remote: &str) -> Option<String> {
    if let Some((scheme, rest)) = remote.split_once("://") {
        let (authority, path) = rest.split_once('/')?;
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let authority = if scheme == "ssh" { authority } else { host };
        return Some(format!("{scheme}://{authority}/{path}"));
    }
    let directory = Utf8Path::new(remote);
    if directory.is_absolute() {
        return Some(file_url(directory));
    }
    // `git@host:path`; a path of the local machine that is not absolute says nothing elsewhere.
    let (host, path) = remote.split_once(':').filter(|(host, _)| !host.contains('/'))?;
    Some(format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::source_url;

    #[test]
    fn a_remote_becomes_the_url_of_a_source() {
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
