//! Commits on a branch that is not checked out: the work tree, the index and `HEAD` stay as they are.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError, run};
use crate::process::Invocation;

/// A file of a commit.
#[derive(Clone, Debug)]
pub(crate) struct CommittedFile {
    /// Where it is in the work tree, absolute.
    pub(crate) path: Utf8PathBuf,
    /// The file with its new content.
    pub(crate) content: Utf8PathBuf,
}

/// What a commit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitFacts {
    pub(crate) commit: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) message: String,
    /// When it was committed, in ISO 8601.
    pub(crate) committed: String,
}

impl Git {
    /// Returns the commit that is checked out in the work tree of `directory`.
    pub(crate) fn head(&self, directory: &Utf8Path) -> Result<CommitFacts, GitError> {
        self.commit_facts(directory, "HEAD")?.ok_or_else(|| GitError::NoRevision { revision: "HEAD".to_owned() })
    }

    /// Whether this can be the name of a branch. What is short for another branch, such as `@{-1}`, is not one.
    pub(crate) fn is_branch_name(&self, directory: &Utf8Path, name: &str) -> bool {
        let answer = run(self.prepared().current_dir(directory), &["check-ref-format", "--branch", name]);
        answer.is_ok_and(|answer| answer.stdout.trim_end() == name)
    }

    /// Returns the paths that a commit changes, relative to the top directory of the repository.
    pub(crate) fn paths_changed_by(&self, directory: &Utf8Path, commit: &str) -> Result<Vec<String>, GitError> {
        let words = ["diff-tree", "--no-commit-id", "--name-only", "--no-renames", "-r", "-z", commit];
        let answer = run(self.prepared().current_dir(directory), &words)?;
        Ok(answer.stdout.split_terminator('\0').map(str::to_owned).collect())
    }

    /// Returns the path of a file as [`paths_changed_by`](Self::paths_changed_by) has it.
    pub(crate) fn path_in_repository(&self, path: &Utf8Path) -> Option<String> {
        Some(in_repository(&self.top_level(path.parent()?)?, path))
    }

    /// Returns the last commit of a branch, if there is one.
    pub(crate) fn branch(&self, directory: &Utf8Path, name: &str) -> Result<Option<CommitFacts>, GitError> {
        self.commit_facts(directory, &format!("refs/heads/{name}"))
    }

    /// Returns what a commit is; `None` if there is no such one.
    pub(crate) fn commit_facts(&self, directory: &Utf8Path, revision: &str) -> Result<Option<CommitFacts>, GitError> {
        let git = || self.prepared().current_dir(directory);
        let revision = format!("{revision}^{{commit}}");
        let Ok(commit) = run(git(), &["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]) else {
            return Ok(None);
        };
        let commit = commit.stdout.trim().to_owned();
        let facts =
            run(git(), &["show", "--no-patch", "--no-show-signature", "--format=%T%n%P%n%cI%n%B", &commit])?.stdout;
        let mut parts = facts.splitn(4, '\n');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let (tree, parents, committed) = (part(), part(), part());
        let parents = parents.split_whitespace().map(str::to_owned).collect();
        Ok(Some(CommitFacts { commit, tree, parents, committed, message: part() }))
    }

    /// Returns the tree of `parent` with other contents of `files`. `index` is a path for a temporary file.
    pub(crate) fn tree_with(
        &self,
        parent: &str,
        files: &[CommittedFile],
        index: &Utf8Path,
    ) -> Result<String, GitError> {
        let Some(top) = files.first().and_then(|file| self.top_level(file.path.parent()?)) else {
            return Err(GitError::NoRevision { revision: parent.to_owned() });
        };
        // A temporary index shares nothing with that of the repository.
        let git = || self.prepared().args(["-c", "core.splitIndex=false"]).current_dir(&top);
        let git = || git().env("GIT_INDEX_FILE", index.as_str());
        run(git(), &["read-tree", parent])?;
        for file in files {
            let path = in_repository(&top, &file.path);
            // With the filters of the path, such as for line endings.
            let hash = run(git(), &["hash-object", "-w", &format!("--path={path}"), "--", file.content.as_str()])?;
            let mode = mode_of(git(), &path)?;
            let entry = format!("{mode},{},{path}", hash.stdout.trim());
            run(git(), &["update-index", "--add", "--cacheinfo", &entry])?;
        }
        Ok(run(git(), &["write-tree"])?.stdout.trim().to_owned())
    }

    /// Makes a commit of the user's with this tree and message, and the time of `parent`: the same commit each time.
    pub(crate) fn commit_tree(
        &self,
        directory: &Utf8Path,
        tree: &str,
        parent: &CommitFacts,
        message: &str,
    ) -> Result<String, GitError> {
        let git = self.prepared().current_dir(directory);
        let git =
            ["GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"].iter().fold(git, |git, name| git.env(*name, &parent.committed));
        Ok(run(git, &["commit-tree", "-p", &parent.commit, "-m", message, tree])?.stdout.trim().to_owned())
    }

    /// Moves or makes a branch. git refuses one that is checked out somewhere.
    pub(crate) fn move_branch(&self, directory: &Utf8Path, name: &str, commit: &str) -> Result<(), GitError> {
        run(self.prepared().current_dir(directory), &["branch", "--force", "--no-track", "--", name, commit]).map(drop)
    }
}

/// Returns a path as git has it.
fn in_repository(top: &Utf8Path, path: &Utf8Path) -> String {
    let real = path.parent().and_then(|parent| Some(parent.canonicalize_utf8().ok()?.join(path.file_name()?)));
    let real = real.unwrap_or_else(|| path.to_owned());
    real.strip_prefix(top).unwrap_or(path).as_str().replace('\\', "/")
}

/// Returns the mode that a file has in the index, or that of a usual file.
fn mode_of(git: Invocation, path: &str) -> Result<String, GitError> {
    let entry = run(git.arg("--literal-pathspecs"), &["ls-files", "--stage", "--", path])?.stdout;
    Ok(entry.split_whitespace().next().unwrap_or("100644").to_owned())
}
