//! What a commit of a remote holds, fetched into uvenv's cache and kept there.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError, RemoteTag, run, run_within};
use crate::{
    fs::{
        cache::{CacheError, FileLock},
        digest::digest,
    },
    manifest::{self, Manifest, ManifestError},
    model::{git_url, redact},
    process::{Invocation, Terminal},
    toml::File,
};

/// A commit of a remote.
#[derive(Debug)]
pub(crate) struct CommitContents {
    repository: Invocation,
    commit: String,
    /// The remote and what was asked of it, for messages.
    shown: String,
}

/// A commit, as a log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitLine {
    /// Its hash.
    pub(crate) commit: String,
    /// The first line of its message.
    pub(crate) subject: String,
}

impl Git {
    /// What the commit of `tag` holds. What was fetched before is not fetched again.
    pub(crate) fn contents(
        &self,
        cache: &Utf8Path,
        url: &str,
        tag: &RemoteTag,
        limit: Duration,
    ) -> crate::Result<CommitContents> {
        self.fetch(cache, url, &[tag], limit).map(|repository| CommitContents {
            repository,
            commit: tag.commit.clone(),
            shown: format!("{}@{}", redact(git_url::plain(url)), tag.name),
        })
    }

    /// Has the commits of `tags` in the cache, with one fetch where any is missing.
    pub(crate) fn fetch(
        &self,
        cache: &Utf8Path,
        url: &str,
        tags: &[&RemoteTag],
        limit: Duration,
    ) -> crate::Result<Invocation> {
        let wanted = tags.iter().map(|tag| (format!("refs/tags/{}", tag.name), tag.commit.as_str()));
        self.fetched(cache, url, &wanted.collect::<Vec<_>>(), limit)
    }

    /// When `commit` was made, `2025-01-01`, if the remote still has it.
    pub(crate) fn date_of(&self, cache: &Utf8Path, url: &str, commit: &str, limit: Duration) -> Option<String> {
        let repository = self.fetched(cache, url, &[(commit.to_owned(), commit)], limit).ok()?;
        let answer = run(repository, &["show", "--no-patch", "--format=%cs", commit]).ok()?;
        Some(answer.stdout.trim().to_owned())
    }

    /// The commits that are in `new` and not in `old`, newest first; `None` where the remote does not tell.
    pub(crate) fn commits_between(
        &self,
        cache: &Utf8Path,
        url: &str,
        (old, new): (&str, &str),
        limit: Duration,
    ) -> Option<Vec<CommitLine>> {
        let repository = self.repository(cache, "history", url).ok()?;
        let log = ["log", "--format=%H %s", &format!("{old}..{new}"), "--"];
        // Of trees and files nothing is needed.
        let fetch = ["fetch", "--quiet", "--no-tags", "--filter=tree:0", "origin", old, new];
        if !(has(&repository, old) && has(&repository, new)) {
            run_within(repository.clone(), &fetch, Some(limit)).ok()?;
        }
        let answer = run_within(repository, &log, Some(limit)).ok()?;
        let line = |line: &str| {
            let (commit, subject) = line.split_once(' ')?;
            Some(CommitLine { commit: commit.to_owned(), subject: subject.to_owned() })
        };
        Some(answer.stdout.lines().filter_map(line).collect())
    }

    /// A repository of the cache that has these commits, each with what the remote calls it.
    fn fetched(
        &self,
        cache: &Utf8Path,
        url: &str,
        wanted: &[(String, &str)],
        limit: Duration,
    ) -> crate::Result<Invocation> {
        let lock = directory(cache, "contents", url).with_extension("lock");
        let _guard = FileLock::acquire(&lock, &Terminal { quiet: true }, String::new)?;
        let repository = self.repository(cache, "contents", url)?;
        let missing = wanted.iter().filter(|(_, commit)| !has(&repository, commit));
        let mut fetch = vec!["fetch", "--quiet", "--no-tags", "--depth=1", "origin"];
        fetch.extend(missing.map(|(name, _)| name.as_str()));
        if fetch.last() != Some(&"origin") {
            run_within(repository.clone(), &fetch, Some(limit))?;
        }
        Ok(repository)
    }

    /// A bare repository of the cache, with `url` as its remote for this call: it may have credentials, which are not kept.
    fn repository(&self, cache: &Utf8Path, purpose: &str, url: &str) -> crate::Result<Invocation> {
        let directory = directory(cache, purpose, url);
        if !directory.join("HEAD").is_file() {
            std::fs::create_dir_all(&directory).map_err(CacheError::unusable(&directory))?;
            run(self.prepared(), &["init", "--quiet", "--bare", "--", directory.as_str()])?;
        }
        let url = format!("remote.origin.url={}", git_url::plain(url));
        Ok(self.prepared().args(["-c", &url]).arg(format!("--git-dir={directory}")))
    }
}

fn has(repository: &Invocation, commit: &str) -> bool {
    // Or git would look for it in the remote.
    let repository = repository.clone().env("GIT_NO_LAZY_FETCH", "1");
    run(repository, &["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok()
}

fn directory(cache: &Utf8Path, purpose: &str, url: &str) -> Utf8PathBuf {
    cache.join("git").join(purpose).join(digest(git_url::canonical(url).as_bytes()))
}

impl CommitContents {
    /// The manifest in a directory of the commit, the top where there is none; `None` where it has no manifest.
    pub(crate) fn manifest(&self, subdirectory: Option<&str>) -> crate::Result<Option<Manifest>> {
        let path = match subdirectory {
            Some(directory) => format!("{}/{}", directory.trim_end_matches('/'), manifest::FILE_NAME),
            None => manifest::FILE_NAME.to_owned(),
        };
        let Some(text) = self.file(&path)? else { return Ok(None) };
        let file = File { path: format!("{}/{path}", self.shown).into(), text: text.into() };
        match Manifest::from_file(file) {
            // A file of other tools' settings.
            Err(ManifestError::NoProject { .. }) => Ok(None),
            read => Ok(Some(read?)),
        }
    }

    /// The text of a file of the commit; `None` where it has none of that path.
    fn file(&self, path: &str) -> Result<Option<String>, GitError> {
        let listed = run(self.repository.clone(), &["ls-tree", &self.commit, "--", path])?;
        let Some(object) = listed.stdout.split_whitespace().nth(2) else { return Ok(None) };
        Ok(Some(run(self.repository.clone(), &["cat-file", "blob", object])?.stdout))
    }

    /// Whether the commit has a file or directory of this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        run(self.repository.clone(), &["cat-file", "-e", &format!("{}:{path}", self.commit)]).is_ok()
    }

    /// The directories of the commit that have a manifest; the top is the empty path.
    pub(crate) fn manifest_directories(&self) -> Result<Vec<String>, GitError> {
        let listed = run(self.repository.clone(), &["ls-tree", "-r", "-z", "--name-only", &self.commit])?;
        let directory = |path: &str| Some(path.strip_suffix(manifest::FILE_NAME)?.to_owned());
        let directories = listed.stdout.split('\0').filter_map(directory);
        let whole = directories.filter(|directory| directory.is_empty() || directory.ends_with('/'));
        Ok(whole.map(|directory| directory.trim_end_matches('/').to_owned()).collect())
    }
}
