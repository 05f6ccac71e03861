//! Collects the tags of remotes and checkouts, and verifies that a tag contains the expected release.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use pep440_rs::Version;

use super::{
    PromoteError, PromoteRequest, SHOWN,
    candidate::{PromotionCandidate, Repository, checkout},
    error::{TagRef, shown},
};
use crate::{
    Monorepo, check,
    fs::cache,
    git::{CommitLine, Git, RemoteTag, Remotes, TagSignature},
    manifest::Manifest,
    model::{Name, Release},
    ops::Session,
    report::{CommitSummary, CommitsBetween},
    uv::variables::http_timeout,
};

/// The maximum number of commits between two tags in a report.
const COMMITS: usize = 20;

/// The sources of tags.
pub(super) struct TagSources<'a> {
    git: Git,
    session: &'a Session,
    remotes: Remotes,
    /// The tags of checkouts, if those are used.
    local: Option<BTreeMap<Name, (Utf8PathBuf, Vec<RemoteTag>)>>,
    /// What the signatures of the tags must satisfy, if they must be signed.
    trust: Option<RequiredSignature>,
}

/// A requirement that tags are signed.
struct RequiredSignature {
    /// The file with the trusted keys.
    allowed_signers: Option<Utf8PathBuf>,
}

impl<'a> TagSources<'a> {
    /// Queries all remotes at the same time.
    pub(super) fn ask(
        monorepo: &Monorepo,
        git: &Git,
        session: &'a Session,
        candidates: &[PromotionCandidate],
        request: &PromoteRequest,
    ) -> crate::Result<Self> {
        let urls: BTreeSet<_> =
            candidates.iter().filter_map(|candidate| Some(candidate.repository.as_ref()?.url.clone())).collect();
        let remotes = Remotes::ask(git, urls, http_timeout(&session.settings.variables), session.settings.observer())?;
        let mut local = BTreeMap::new();
        for candidate in candidates.iter().filter(|_| request.from_local) {
            if let Some(directory) = checkout(monorepo, &candidate.package) {
                let tags = git.local_tags(&directory)?;
                local.insert(candidate.package.clone(), (monorepo.relative(&directory).to_owned(), tags));
            }
        }
        let trust = &monorepo.config.trust;
        let required = || RequiredSignature {
            allowed_signers: trust.allowed_signers.as_ref().map(|file| monorepo.root.join(file)),
        };
        Ok(Self {
            git: git.clone(),
            session,
            remotes,
            local: request.from_local.then_some(local),
            trust: trust.requires_signature(request.profile).then(required),
        })
    }

    /// Returns the tags to choose from: those of the checkout, or those of the remote.
    pub(super) fn tags(&self, candidate: &PromotionCandidate, repository: &Repository) -> crate::Result<&[RemoteTag]> {
        match &self.local {
            Some(local) => Ok(local.get(&candidate.package).map_or(&[], |(_, tags)| tags)),
            None => self.of_remote(candidate, repository),
        }
    }

    fn of_remote(&self, candidate: &PromotionCandidate, repository: &Repository) -> crate::Result<&[RemoteTag]> {
        Ok(self.remotes.tags(&repository.url).map_err(|error| PromoteError::Unreachable {
            package: candidate.package.clone(),
            url: shown(&repository.url),
            reason: error.to_string(),
        })?)
    }

    /// Verifies that the remote has `tag`, and that its commit is this release of the package and can be installed by
    /// uv.
    pub(super) fn verify(
        &self,
        candidate: &PromotionCandidate,
        repository: &Repository,
        tag: &RemoteTag,
    ) -> crate::Result<()> {
        self.is_pushed(candidate, repository, tag)?;
        let directory = cache::directory(&self.session.settings.variables)?;
        self.verify_signature(candidate, repository, tag, &directory)?;
        let contents = self.git.contents(&self.session.contents(&directory), &repository.url, tag)?;
        let manifest = contents.manifest(repository.subdirectory.as_deref())?;
        let manifest = is_there(candidate, repository, tag, manifest)?;
        let here = repository.subdirectory.as_deref().unwrap_or_default();
        if let Some((needed, place)) = check::taken_from_outside(&manifest, &contents, here).into_iter().next() {
            let (package, tag) = (candidate.package.clone(), tag.name.clone());
            return Err(PromoteError::NotInstallable { package, tag, needed, place }.into());
        }
        let project = manifest.project.as_ref();
        if let Some(version) = project.and_then(|project| project.version.as_ref()) {
            same_version(&candidate.package, &tag.name, &version.value)?;
        }
        Ok(())
    }

    /// Fetches the contents of the tags into the cache, and returns the commits between each pin and the new tag, as
    /// far as the remotes provide them. All remotes are queried at the same time.
    pub(super) fn fetch(
        &self,
        taken: &[(&PromotionCandidate, &Repository, &RemoteTag)],
    ) -> BTreeMap<Name, CommitsBetween> {
        let Ok(directory) = cache::directory(&self.session.settings.variables) else { return BTreeMap::new() };
        let (git, cache) = (&self.git, self.session.contents(&directory));
        thread::scope(|scope| {
            let fetch = |(candidate, repository, tag): &(&PromotionCandidate, &Repository, &RemoteTag)| {
                let old = candidate.current.as_ref().and_then(|current| current.commit.clone());
                let (package, url, tag) = (candidate.package.clone(), repository.url.clone(), (*tag).clone());
                scope.spawn(move || {
                    // A failure here is reported when the tag is verified.
                    let _ = git.contents(&cache, &url, &tag);
                    let commits = git.commits_between(&cache, &url, (&old?, &tag.commit))?;
                    Some((package, summarised(&commits)))
                })
            };
            let fetching: Vec<_> = taken.iter().map(fetch).collect();
            fetching.into_iter().filter_map(|thread| thread.join().ok()?).collect()
        })
    }

    /// Verifies the signature of the tag in the remote, if one is required.
    fn verify_signature(
        &self,
        candidate: &PromotionCandidate,
        repository: &Repository,
        tag: &RemoteTag,
        cache: &Utf8Path,
    ) -> crate::Result<()> {
        let Some(RequiredSignature { allowed_signers }) = &self.trust else { return Ok(()) };
        let tags = self.of_remote(candidate, repository)?;
        let tag = tags.iter().find(|other| other.name == tag.name).unwrap_or(tag);
        let contents = self.session.contents(cache);
        let at = || Box::new(TagRef::new(&candidate.package, &tag.name, &repository.url));
        match self.git.signature(&contents, &repository.url, tag, allowed_signers.as_deref())? {
            TagSignature::Trusted => Ok(()),
            TagSignature::Missing => Err(PromoteError::UnsignedTag { at: at() }.into()),
            TagSignature::Untrusted { words } => Err(PromoteError::UntrustedSigner { at: at(), words }.into()),
        }
    }

    fn is_pushed(&self, candidate: &PromotionCandidate, repository: &Repository, tag: &RemoteTag) -> crate::Result<()> {
        let Some((checkout, _)) = self.local.as_ref().and_then(|local| local.get(&candidate.package)) else {
            return Ok(());
        };
        let there = self.of_remote(candidate, repository)?;
        let at = Box::new(TagRef::new(&candidate.package, &tag.name, &repository.url));
        match there.iter().find(|other| other.name == tag.name) {
            Some(other) if other.commit == tag.commit => Ok(()),
            Some(other) => Err(PromoteError::MovedTag {
                at,
                there: other.commit.clone(),
                here: tag.commit.clone(),
                by: checkout.clone(),
            }
            .into()),
            None => Err(PromoteError::MissingTag {
                at,
                checkout: Some(checkout.clone()),
                tags: there.iter().take(SHOWN).map(|tag| tag.name.clone()).collect(),
            }
            .into()),
        }
    }
}

fn summarised(commits: &[CommitLine]) -> CommitsBetween {
    let summary = |line: &CommitLine| CommitSummary { commit: line.commit.clone(), subject: line.subject.clone() };
    CommitsBetween { count: commits.len(), newest: commits.iter().take(COMMITS).map(summary).collect() }
}

/// Returns `manifest`, the one found at the tag, if it is the manifest of the package.
fn is_there(
    candidate: &PromotionCandidate,
    repository: &Repository,
    tag: &RemoteTag,
    manifest: Option<Manifest>,
) -> crate::Result<Manifest> {
    let found = manifest.as_ref().and_then(Manifest::name).cloned();
    match manifest {
        Some(manifest) if found.as_ref() == Some(&candidate.package) => Ok(manifest),
        _ => {
            let directory = repository.subdirectory.as_deref().map_or_else(String::new, |path| format!("{path}/"));
            Err(PromoteError::NotThere {
                at: Box::new(TagRef::new(&candidate.package, &tag.name, &repository.url)),
                path: format!("{directory}pyproject.toml"),
                found,
            }
            .into())
        }
    }
}

/// Verifies that a tag which names a version names this one.
pub(super) fn same_version(package: &Name, tag: &str, version: &str) -> crate::Result<()> {
    let Some(release) = Release::parse(tag) else { return Ok(()) };
    if Version::from_str(version).is_ok_and(|version| version == release.version) {
        return Ok(());
    }
    Err(PromoteError::OtherVersion {
        package: package.clone(),
        tag: tag.to_owned(),
        version: version.to_owned(),
        expected: release.version,
    }
    .into())
}
