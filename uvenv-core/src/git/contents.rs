//! The contents of a remote's commit, fetched into uvenv's cache and kept there.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError, RemoteTag, run, run_within};
use crate::{
    fs::{
        cache::{CacheError, FileLock},
        digest::digest,
    },
    manifest::{self, Manifest, ManifestError},
    model::{Observer, Variables, git_url, redact},
    process::Invocation,
    toml::File,
};

/// Where commits of remotes are kept, and how they are fetched.
#[derive(Clone, Copy)]
pub(crate) struct ContentCache<'a> {
    /// uvenv's cache.
    pub(crate) directory: &'a Utf8Path,
    /// How long a fetch may take.
    pub(crate) limit: Duration,
    pub(crate) variables: &'a Variables,
    /// Who is told what is waited for.
    pub(crate) observer: &'a dyn Observer,
}

/// A commit of a remote.
#[derive(Debug)]
pub(crate) struct CommitContents {
    repository: Invocation,
    commit: String,
    /// The remote and the requested revision, for messages.
    shown: String,
}

/// A commit in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitLine {
    /// Its hash.
    pub(crate) commit: String,
    /// The first line of its message.
    pub(crate) subject: String,
}

impl Git {
    /// Returns the contents of the commit of `tag`. Fetches it only if it is not in the cache.
    pub(crate) fn contents(
        &self,
        cache: &ContentCache<'_>,
        url: &str,
        tag: &RemoteTag,
    ) -> crate::Result<CommitContents> {
        self.fetch(cache, url, &[tag]).map(|repository| CommitContents {
            repository,
            commit: tag.commit.clone(),
            shown: format!("{}@{}", redact(git_url::plain(url)), tag.name),
        })
    }

    /// Makes sure that the commits of `tags` are in the cache, with a single fetch if any is missing.
    pub(crate) fn fetch(&self, cache: &ContentCache<'_>, url: &str, tags: &[&RemoteTag]) -> crate::Result<Invocation> {
        let wanted = tags.iter().map(|tag| (format!("refs/tags/{}", tag.name), tag.commit.as_str()));
        self.fetched(cache, url, &wanted.collect::<Vec<_>>())
    }

    /// Returns the date of `commit`, `2025-01-01`, if the remote still has it.
    pub(crate) fn date_of(&self, cache: &ContentCache<'_>, url: &str, commit: &str) -> Option<String> {
        let repository = self.fetched(cache, url, &[(commit.to_owned(), commit)]).ok()?;
        let answer = run(repository, &["show", "--no-patch", "--format=%cs", commit]).ok()?;
        Some(answer.stdout.trim().to_owned())
    }

    /// Returns the commits that are in `new` but not in `old`, newest first; `None` if the remote does not provide
    /// them.
    pub(crate) fn commits_between(
        &self,
        cache: &ContentCache<'_>,
        url: &str,
        (old, new): (&str, &str),
    ) -> Option<Vec<CommitLine>> {
        let repository = self.repository(cache, "history", url).ok()?;
        let log = ["log", "--format=%H %s", &format!("{old}..{new}"), "--"];
        // Trees and files are not needed.
        let fetch = ["fetch", "--quiet", "--no-tags", "--filter=tree:0", "origin", old, new];
        if !(has(&repository, old) && has(&repository, new)) {
            run_within(repository.clone(), &fetch, Some(cache.limit)).ok()?;
        }
        let answer = run_within(repository, &log, Some(cache.limit)).ok()?;
        let line = |line: &str| {
            let (commit, subject) = line.split_once(' ')?;
            Some(CommitLine { commit: commit.to_owned(), subject: subject.to_owned() })
        };
        Some(answer.stdout.lines().filter_map(line).collect())
    }

    /// Returns a repository in the cache that has these commits. Each is given with its name in the remote.
    pub(super) fn fetched(
        &self,
        cache: &ContentCache<'_>,
        url: &str,
        wanted: &[(String, &str)],
    ) -> crate::Result<Invocation> {
        let lock = directory(cache, "contents", url).with_extension("lock");
        let busy = || format!("is fetching from {}", redact(url));
        let _guard = FileLock::acquire(&lock, cache.variables, cache.observer, busy)?;
        let repository = self.repository(cache, "contents", url)?;
        let missing = wanted.iter().filter(|(_, commit)| !has(&repository, commit));
        let mut fetch = vec!["fetch", "--quiet", "--no-tags", "--depth=1", "origin"];
        fetch.extend(missing.map(|(name, _)| name.as_str()));
        if fetch.last() != Some(&"origin") {
            run_within(repository.clone(), &fetch, Some(cache.limit))?;
        }
        Ok(repository)
    }

    /// Returns a bare repository in the cache, with `url` as its remote for this call only: it can contain credentials,
    /// which are not stored.
    fn repository(&self, cache: &ContentCache<'_>, purpose: &str, url: &str) -> crate::Result<Invocation> {
        let directory = directory(cache, purpose, url);
        if !directory.join("HEAD").is_file() {
            std::fs::create_dir_all(&directory).map_err(CacheError::unusable(&directory))?;
            run(self.prepared(), &["init", "--quiet", "--bare", "--", directory.as_str()])?;
        }
        let url = format!("remote.origin.url={}", self.rewritten(git_url::plain(url)));
        Ok(self.prepared().args(["-c", &url]).arg(format!("--git-dir={directory}")))
    }
}

impl Git {
    /// Returns `url` as git rewrites it (`insteadOf`) in the current directory, whose repository can have settings of its
    /// own, as for the question which tags the remote has.
    pub(super) fn rewritten(&self, url: &str) -> String {
        let answer = run(self.prepared(), &["ls-remote", "--get-url", "--", url]);
        let rewritten = answer.ok().map(|answer| answer.stdout.trim().to_owned()).filter(|url| !url.is_empty());
        rewritten.unwrap_or_else(|| url.to_owned())
    }
}

fn has(repository: &Invocation, commit: &str) -> bool {
    // Otherwise git would look for it in the remote.
    let repository = repository.clone().env("GIT_NO_LAZY_FETCH", "1");
    run(repository, &["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok()
}

fn directory(cache: &ContentCache<'_>, purpose: &str, url: &str) -> Utf8PathBuf {
    cache.directory.join("git").join(purpose).join(digest(git_url::canonical(url).as_bytes()))
}

impl CommitContents {
    /// Returns the manifest in a directory of the commit, or in its root if no directory is given; `None` if there is
    /// no manifest.
    pub(crate) fn manifest(&self, subdirectory: Option<&str>) -> crate::Result<Option<Manifest>> {
        let path = match subdirectory {
            Some(directory) => format!("{}/{}", directory.trim_end_matches('/'), manifest::FILE_NAME),
            None => manifest::FILE_NAME.to_owned(),
        };
        let Some(text) = self.file(&path)? else { return Ok(None) };
        let file = File { path: format!("{}/{path}", self.shown).into(), text: text.into() };
        match Manifest::from_file(file) {
            // The file has only settings of other tools.
            Err(error) if ManifestError::is_no_project(&error) => Ok(None),
            read => Ok(Some(read?)),
        }
    }

    /// Returns the text of a file in the commit; `None` if it does not exist.
    fn file(&self, path: &str) -> Result<Option<String>, GitError> {
        let listed = run(self.repository.clone(), &["ls-tree", &self.commit, "--", path])?;
        let Some(object) = listed.stdout.split_whitespace().nth(2) else { return Ok(None) };
        Ok(Some(run(self.repository.clone(), &["cat-file", "blob", object])?.stdout))
    }

    /// Whether the commit has a file or directory with this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        run(self.repository.clone(), &["cat-file", "-e", &format!("{}:{path}", self.commit)]).is_ok()
    }

    /// Returns the directories of the commit that have a manifest; the root is the empty path.
    pub(crate) fn manifest_directories(&self) -> Result<Vec<String>, GitError> {
        let listed = run(self.repository.clone(), &["ls-tree", "-r", "-z", "--name-only", &self.commit])?;
        let directory = |path: &str| Some(path.strip_suffix(manifest::FILE_NAME)?.to_owned());
        let directories = listed.stdout.split('\0').filter_map(directory);
        let whole = directories.filter(|directory| directory.is_empty() || directory.ends_with('/'));
        Ok(whole.map(|directory| directory.trim_end_matches('/').to_owned()).collect())
    }
}
