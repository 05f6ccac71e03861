//! The answers of the git remotes of the pins, queried once for all rules.

use std::{collections::BTreeMap, thread};

use super::{Facts, pins::PinnedSource};
use crate::{
    git::{CommitContents, ContentCache, Git, GitError, RemoteTag, Remotes, TagSignature},
    model::git_url,
};

/// The answers.
pub(crate) struct Remote<'a> {
    git: Git,
    cache: ContentCache<'a>,
    remotes: Remotes,
    /// The contents of the tags, or why they are unknown, by repository and tag.
    contents: BTreeMap<(String, String), crate::Result<CommitContents>>,
    /// The signatures of the tags, where the configuration requires them.
    signatures: BTreeMap<(String, String), crate::Result<TagSignature>>,
}

impl<'a> Remote<'a> {
    /// Queries the remotes of all pins, each repository once and all at the same time.
    pub(crate) fn ask(facts: &Facts<'_>, git: &Git, cache: ContentCache<'a>) -> crate::Result<Self> {
        let urls = facts.pins().map(|pin| pin.url.value.clone());
        let remotes = Remotes::ask(git, urls, cache.limit, cache.observer)?;
        let mut wanted: BTreeMap<_, (String, Vec<&RemoteTag>)> = BTreeMap::new();
        for pin in facts.pins() {
            if let Some(tag) = tag(&remotes, &pin) {
                let entry = wanted.entry(git_url::canonical(&pin.url.value));
                let (_, tags) = entry.or_insert_with(|| (pin.url.value.clone(), Vec::new()));
                tags.push(tag);
            }
        }
        let mut contents = BTreeMap::new();
        thread::scope(|scope| {
            let fetch = |(repository, (url, tags)): (String, (String, Vec<_>))| {
                scope.spawn(move || fetch(git, &cache, &repository, &url, &tags))
            };
            let fetching: Vec<_> = wanted.into_iter().map(fetch).collect();
            // A thread that panicked has fetched nothing.
            contents.extend(fetching.into_iter().filter_map(|thread| thread.join().ok()).flatten());
        });
        let signatures = signatures(facts, git, &cache, &remotes);
        Ok(Self { git: git.clone(), cache, remotes, contents, signatures })
    }

    /// Returns the tags of the remote of `pin`.
    pub(crate) fn tags(&self, pin: &PinnedSource<'_>) -> Result<&[RemoteTag], &GitError> {
        self.remotes.tags(&pin.url.value)
    }

    /// Returns the tag of `pin` as it is in the remote now.
    pub(crate) fn tag(&self, pin: &PinnedSource<'_>) -> Option<&RemoteTag> {
        tag(&self.remotes, pin)
    }

    /// Returns the contents of that tag.
    pub(crate) fn contents(&self, pin: &PinnedSource<'_>) -> Option<&CommitContents> {
        self.fetched(pin)?.as_ref().ok()
    }

    /// Returns why the contents of the tag of `pin` are unknown although the remote has the tag.
    pub(crate) fn not_fetched(&self, pin: &PinnedSource<'_>) -> Option<&crate::Error> {
        self.fetched(pin)?.as_ref().err()
    }

    /// Returns what git says of the signature of the tag; `None` if none is required, or the remote does not have the tag.
    pub(crate) fn signature(&self, pin: &PinnedSource<'_>) -> Option<&crate::Result<TagSignature>> {
        let is_required = pin.facts.monorepo.config.trust.requires_signature(pin.profile());
        is_required.then(|| self.signatures.get(&(git_url::canonical(&pin.url.value), pin.tag.value.clone())))?
    }

    fn fetched(&self, pin: &PinnedSource<'_>) -> Option<&crate::Result<CommitContents>> {
        self.contents.get(&(git_url::canonical(&pin.url.value), pin.tag.value.clone()))
    }

    /// Formats a commit and, if the remote has the commit, its date: `0123… (2025-01-01)`.
    pub(crate) fn dated(&self, pin: &PinnedSource<'_>, commit: &str) -> String {
        match self.git.date_of(&self.cache, &pin.url.value, commit) {
            Some(date) => format!("{commit} ({date})"),
            None => commit.to_owned(),
        }
    }
}

fn tag<'a>(remotes: &'a Remotes, pin: &PinnedSource<'_>) -> Option<&'a RemoteTag> {
    remotes.tags(&pin.url.value).ok()?.iter().find(|tag| tag.name == pin.tag.value)
}

/// Verifies the signatures that the configuration requires.
fn signatures(
    facts: &Facts<'_>,
    git: &Git,
    cache: &ContentCache<'_>,
    remotes: &Remotes,
) -> BTreeMap<(String, String), crate::Result<TagSignature>> {
    let trust = &facts.monorepo.config.trust;
    let allowed = trust.allowed_signers.as_ref().map(|file| facts.monorepo.root.join(file));
    let mut signatures = BTreeMap::new();
    for pin in facts.pins().filter(|pin| trust.requires_signature(pin.profile())) {
        let Some(tag) = tag(remotes, &pin) else { continue };
        let key = (git_url::canonical(&pin.url.value), tag.name.clone());
        signatures.entry(key).or_insert_with(|| git.signature(cache, &pin.url.value, tag, allowed.as_deref()));
    }
    signatures
}

type Fetched = Vec<((String, String), crate::Result<CommitContents>)>;

/// Fetches the tags of one repository together. If that fails, each tag is fetched separately, because a single bad tag
/// makes the common fetch fail.
fn fetch(git: &Git, cache: &ContentCache<'_>, repository: &str, url: &str, tags: &[&RemoteTag]) -> Fetched {
    let _ = git.fetch(cache, url, tags);
    let key = |tag: &RemoteTag| (repository.to_owned(), tag.name.clone());
    tags.iter().map(|tag| (key(tag), git.contents(cache, url, tag))).collect()
}
