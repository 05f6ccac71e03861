//! Queries git remotes for their tags: each remote once, all of them at the same time.

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

/// The suffixes after which a version counts as older, so that `v1.0rc1` and `v1.0.dev0` are older than `v1.0`.
pub(super) const BEFORE_A_RELEASE: [&str; 8] = [".dev", "-dev", "a", "b", "rc", "-a", "-b", "-rc"];

/// How many remotes are queried at the same time. Each query is a process that waits for the network.
const AT_A_TIME: usize = 64;

/// The time after which users are told what uvenv is waiting for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The answers of remotes.
#[derive(Debug)]
pub(crate) struct Remotes {
    /// The answers by canonical URL.
    answers: BTreeMap<String, Result<Vec<RemoteTag>, GitError>>,
}

type RemoteReply = (String, Result<Vec<RemoteTag>, GitError>);

impl Remotes {
    /// Queries each distinct repository of `urls` once, all at the same time. Kills git if it has no answer after
    /// `limit`.
    pub(crate) fn ask(
        git: &Git,
        urls: impl IntoIterator<Item = String>,
        limit: Duration,
        observer: &dyn Observer,
    ) -> crate::Result<Self> {
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
                // A thread that panicked sends no answer.
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

    /// Returns the tags of a remote that was queried, newest version first.
    pub(crate) fn tags(&self, url: &str) -> Result<&[RemoteTag], &GitError> {
        match self.answers.get(&git_url::canonical(url)) {
            Some(Ok(tags)) => Ok(tags),
            Some(Err(error)) => Err(error),
            None => Err(&GitError::NotFound),
        }
    }
}

/// Queries the remotes on separate threads, which nobody has to wait for.
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
    /// Returns the tags of the remote at `url`, newest version first. Kills git if it has no answer after `limit`.
    pub(crate) fn remote_tags(&self, url: &str, limit: Duration) -> Result<Vec<RemoteTag>, GitError> {
        let arguments = ["ls-remote", "--tags", "--sort=-version:refname", "--", git_url::plain(url)];
        let answer = run_within(self.sorting_versions(), &arguments, Some(limit))?;
        Ok(read_tags(&answer.stdout))
    }

    /// Returns a git command that sorts `v1.0rc1` before `v1.0`.
    pub(super) fn sorting_versions(&self) -> crate::process::Invocation {
        let suffixes = BEFORE_A_RELEASE.map(|suffix| format!("versionsort.suffix={suffix}"));
        with_settings(self.prepared(), &suffixes)
    }
}

/// Parses the output of `git ls-remote --tags`. An annotated tag has two lines; the second has `^{}` after the name,
/// and the commit to which the tag points.
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
        object: (*object).to_owned(),
    };
    lines.iter().filter(|(name, _)| !name.ends_with("^{}")).map(tag).collect()
}
