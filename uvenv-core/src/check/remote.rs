//! What the git remotes of the pins say, asked once for all rules.

use std::{collections::BTreeMap, thread, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

use super::{Facts, pins::Pin};
use crate::{
    git::{Contents, Git, GitError, RemoteTag, Remotes},
    git_url,
    observer::Observer,
    variables::Variables,
};

/// How long a remote may take to answer, where `UV_HTTP_TIMEOUT` does not say.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The answers.
pub(crate) struct Remote {
    git: Git,
    cache: Utf8PathBuf,
    limit: Duration,
    remotes: Remotes,
    /// What the tags hold, by repository and tag. What cannot be fetched is missing.
    contents: BTreeMap<(String, String), Contents>,
}

impl Remote {
    /// Asks the remote of every pin, each repository once and all at the same time.
    pub(crate) fn ask(
        facts: &Facts<'_>,
        git: &Git,
        cache: &Utf8Path,
        observer: &dyn Observer,
    ) -> Result<Self, GitError> {
        let limit = limit(facts.variables);
        let urls = facts.pins().map(|pin| pin.url.value.clone());
        let remotes = Remotes::ask(git, urls, limit, observer)?;
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
                scope.spawn(move || fetch(git, cache, &repository, &url, &tags, limit))
            };
            let fetching: Vec<_> = wanted.into_iter().map(fetch).collect();
            // A thread that panicked has fetched nothing.
            contents.extend(fetching.into_iter().filter_map(|thread| thread.join().ok()).flatten());
        });
        Ok(Self { git: git.clone(), cache: cache.to_owned(), limit, remotes, contents })
    }

    /// The tags of the remote of `pin`.
    pub(crate) fn tags(&self, pin: &Pin<'_>) -> Result<&[RemoteTag], &GitError> {
        self.remotes.tags(&pin.url.value)
    }

    /// The tag of `pin`, as its remote has it now.
    pub(crate) fn tag(&self, pin: &Pin<'_>) -> Option<&RemoteTag> {
        tag(&self.remotes, pin)
    }

    /// What that tag holds.
    pub(crate) fn contents(&self, pin: &Pin<'_>) -> Option<&Contents> {
        self.contents.get(&(git_url::canonical(&pin.url.value), pin.tag.value.clone()))
    }

    /// A commit and, where the remote has it, its date: `0123… (2025-01-01)`.
    pub(crate) fn dated(&self, pin: &Pin<'_>, commit: &str) -> String {
        match self.git.date_of(&self.cache, &pin.url.value, commit, self.limit) {
            Some(date) => format!("{commit} ({date})"),
            None => commit.to_owned(),
        }
    }
}

/// `UV_HTTP_TIMEOUT` is uv's: seconds.
pub(crate) fn limit(variables: &Variables) -> Duration {
    let seconds = variables.get("UV_HTTP_TIMEOUT").and_then(|seconds| seconds.parse().ok());
    seconds.map_or(TIMEOUT, Duration::from_secs)
}

fn tag<'a>(remotes: &'a Remotes, pin: &Pin<'_>) -> Option<&'a RemoteTag> {
    remotes.tags(&pin.url.value).ok()?.iter().find(|tag| tag.name == pin.tag.value)
}

type Fetched = Vec<((String, String), Contents)>;

/// Fetches the tags of one repository together.
fn fetch(git: &Git, cache: &Utf8Path, repository: &str, url: &str, tags: &[&RemoteTag], limit: Duration) -> Fetched {
    if git.fetch(cache, url, tags, limit).is_err() {
        return Vec::new();
    }
    let contents = |tag: &&RemoteTag| {
        let contents = git.contents(cache, url, tag, limit).ok()?;
        Some(((repository.to_owned(), tag.name.clone()), contents))
    };
    tags.iter().filter_map(contents).collect()
}
