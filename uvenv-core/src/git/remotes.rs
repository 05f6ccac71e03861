//! Git remotes, asked for their tags: each once, all at the same time.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Git, GitError, RemoteTag, run_within, with_settings};
use crate::model::{Interrupted, Observer, PERIOD, Progress, git_url, redact};

/// What a tag may have after the version, so that `v1.0rc1` and `v1.0.dev0` are older than `v1.0`.
pub(super) const BEFORE_A_RELEASE: [&str; 8] = [".dev", "-dev", "a", "b", "rc", "-a", "-b", "-rc"];

/// How many remotes are asked at a time. Each is a process that waits for the network.
const AT_A_TIME: usize = 64;

/// After this long, people are told what is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What remotes have said.
#[derive(Debug)]
pub(crate) struct Remotes {
    /// By the canonical spelling of the URL.
    answers: BTreeMap<String, Result<Vec<RemoteTag>, GitError>>,
}

type RemoteReply = (String, Result<Vec<RemoteTag>, GitError>);

impl Remotes {
    /// Asks each distinct repository of `urls` once, all at the same time. git is killed where it has no answer after
    /// `limit`.
    pub(crate) fn ask(
        git: &Git,
        urls: impl IntoIterator<Item = String>,
        limit: Duration,
        observer: &dyn Observer,
    ) -> Result<Self, GitError> {
        let waiting: BTreeMap<_, _> = urls.into_iter().map(|url| (git_url::canonical(&url), url)).collect();
        let mut pending: BTreeSet<_> = waiting.values().cloned().collect();
        for url in &pending {
            observer.progress(&Progress::Fetching { url: redact(url).into_owned() });
        }
        let answered = ask_all(git, waiting, limit);
        let mut answers = BTreeMap::new();
        let mut patience = Some(Instant::now() + PATIENCE);
        while !pending.is_empty() {
            match answered.recv_timeout(PERIOD) {
                Ok((url, answer)) => {
                    observer.progress(&Progress::Fetched { url: redact(&url).into_owned() });
                    pending.remove(&url);
                    answers.insert(git_url::canonical(&url), answer);
                }
                // A thread that panicked has no answer.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => Interrupted::check(observer)?,
            }
            if patience.is_some_and(|end| Instant::now() >= end) {
                patience = None;
                observer.say(&format!(
                    "Waiting for git remotes: {} of {}",
                    pending.len(),
                    pending.len() + answers.len()
                ));
            }
        }
        Ok(Self { answers })
    }

    /// The tags of a remote that was asked, newest version first.
    pub(crate) fn tags(&self, url: &str) -> Result<&[RemoteTag], &GitError> {
        match self.answers.get(&git_url::canonical(url)) {
            Some(Ok(tags)) => Ok(tags),
            Some(Err(error)) => Err(error),
            None => Err(&GitError::NotFound),
        }
    }
}

/// Asks on threads of their own, which nobody has to wait for.
fn ask_all(git: &Git, urls: BTreeMap<String, String>, limit: Duration) -> mpsc::Receiver<RemoteReply> {
    let workers = urls.len().min(AT_A_TIME);
    let queue: Arc<Mutex<VecDeque<String>>> = Arc::new(Mutex::new(urls.into_values().collect()));
    let (answer, answered) = mpsc::channel();
    for _ in 0..workers {
        let (git, queue, answer) = (git.clone(), Arc::clone(&queue), answer.clone());
        thread::spawn(move || {
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            while let Some(url) = next() {
                let tags = git.remote_tags(&url, limit);
                if answer.send((url, tags)).is_err() {
                    break;
                }
            }
        });
    }
    answered
}

impl Git {
    /// The tags of the remote at `url`, newest version first. git is killed if it has no answer after `limit`.
    pub fn remote_tags(&self, url: &str, limit: Duration) -> Result<Vec<RemoteTag>, GitError> {
        let arguments = ["ls-remote", "--tags", "--sort=-version:refname", "--", git_url::plain(url)];
        let answer = run_within(self.sorting_versions(), &arguments, Some(limit))?;
        Ok(read_tags(&answer.stdout))
    }

    /// git, for which `v1.0rc1` comes before `v1.0`.
    pub(super) fn sorting_versions(&self) -> crate::process::Invocation {
        let suffixes = BEFORE_A_RELEASE.map(|suffix| format!("versionsort.suffix={suffix}"));
        with_settings(self.prepared(), &suffixes)
    }
}

/// Reads the answer of `git ls-remote --tags`. An annotated tag has two lines, the second with `^{}` after the name and
/// the commit that it names.
fn read_tags(answer: &str) -> Vec<RemoteTag> {
    let lines: Vec<_> = answer
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(object, name)| Some((name.strip_prefix("refs/tags/")?, object)))
        .collect();
    let commits: BTreeMap<_, _> =
        lines.iter().filter_map(|(name, commit)| Some((name.strip_suffix("^{}")?, *commit))).collect();
    let tag = |(name, object): &(&str, &str)| RemoteTag {
        name: (*name).to_owned(),
        commit: (*commits.get(name).unwrap_or(object)).to_owned(),
    };
    lines.iter().filter(|(name, _)| !name.ends_with("^{}")).map(tag).collect()
}
