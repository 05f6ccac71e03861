//! The user's own repository: files at a revision, the staging area, commits and submodules.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError, RemoteTag, run};

/// A git link in the index (a submodule).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submodule {
    /// Its directory, absolute.
    pub(crate) directory: Utf8PathBuf,
    /// Whether `.gitmodules` has the location of its repository.
    pub(crate) is_declared: bool,
    /// Whether its repository exists.
    pub(crate) is_initialised: bool,
}

impl Git {
    /// Returns the text of the file `path` at `revision`; `None` if it did not exist. `directory` is in the repository,
    /// and `path` is relative to it.
    pub(crate) fn show(
        &self,
        directory: &Utf8Path,
        revision: &str,
        path: &Utf8Path,
    ) -> Result<Option<String>, GitError> {
        let git = || self.prepared().current_dir(directory);
        let commit =
            run(git(), &["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")]);
        let commit = commit.map_err(|error| error.of_revision(revision))?;
        let relative = path.strip_prefix(directory).unwrap_or(path).as_str().replace('\\', "/");
        let file = format!("{}:./{relative}", commit.stdout.trim());
        match run(git(), &["cat-file", "-e", &file]) {
            Ok(_) => Ok(Some(run(git(), &["cat-file", "blob", &file])?.stdout)),
            Err(_) => Ok(None),
        }
    }

    /// Returns the tags of a local repository, newest version first.
    pub(crate) fn local_tags(&self, directory: &Utf8Path) -> Result<Vec<RemoteTag>, GitError> {
        let format = "--format=%(refname:strip=2)%09%(objectname)%09%(*objectname)";
        let git = self.sorting_versions().current_dir(directory);
        let answer = run(git, &["for-each-ref", "--sort=-version:refname", format, "refs/tags"])?;
        let tag = |line: &str| {
            let mut parts = line.split('\t');
            let (name, object) = (parts.next()?, parts.next()?);
            // An annotated tag is a separate object that refers to the commit.
            let commit = parts.next().filter(|commit| !commit.is_empty()).unwrap_or(object);
            Some(RemoteTag { name: name.to_owned(), commit: commit.to_owned(), object: object.to_owned() })
        };
        Ok(answer.stdout.lines().filter_map(tag).collect())
    }

    /// Whether nothing is staged.
    pub(crate) fn is_index_clean(&self, directory: &Utf8Path) -> Result<bool, GitError> {
        let answer = run(self.prepared().current_dir(directory), &["diff", "--cached", "--name-only"])?;
        Ok(answer.stdout.is_empty())
    }

    /// Whether a file is not as the last commit has it; no, if that does not have it.
    pub(crate) fn is_changed(&self, path: &Utf8Path) -> Result<bool, GitError> {
        let git = || self.prepared().arg("--literal-pathspecs").current_dir(path.parent().unwrap_or(path));
        if run(git(), &["rev-parse", "--verify", "--quiet", "HEAD"]).is_err() {
            return Ok(false);
        }
        // As git compares: with the filters of the path, such as for line endings.
        Ok(!run(git(), &["diff", "--name-only", "HEAD", "--", path.as_str()])?.stdout.is_empty())
    }

    /// Whether git is told to ignore a file that no commit has.
    pub(crate) fn is_ignored(&self, path: &Utf8Path) -> bool {
        let git = self.prepared().current_dir(path.parent().unwrap_or(path));
        run(git, &["check-ignore", "--quiet", "--", path.as_str()]).is_ok()
    }

    /// Commits `paths` and nothing else, as the user's own `git commit` would, and returns the commit. If git refuses,
    /// nothing stays staged.
    pub(crate) fn commit(
        &self,
        directory: &Utf8Path,
        paths: &[Utf8PathBuf],
        message: &str,
    ) -> Result<String, GitError> {
        // Do not treat paths as patterns.
        let git = || self.prepared().arg("--literal-pathspecs").current_dir(directory);
        let with = |words: &[&str]| -> Vec<String> {
            words.iter().map(|&word| word.to_owned()).chain(paths.iter().map(Utf8PathBuf::to_string)).collect()
        };
        let run_owned = |words: Vec<String>| run(git(), &words.iter().map(String::as_str).collect::<Vec<_>>());
        run_owned(with(&["add", "--"]))?;
        let message = format!("--message={message}");
        if let Err(error) = run_owned(with(&["commit", "--quiet", &message, "--"])) {
            let _ = run_owned(with(&["reset", "--quiet", "--"]));
            return Err(error);
        }
        Ok(run(git(), &["rev-parse", "HEAD"])?.stdout.trim().to_owned())
    }

    /// Returns the URL of the remote `origin`, or of the only remote, as it is configured: not rewritten (`insteadOf`) for
    /// this machine or this repository.
    pub(crate) fn remote_url(&self, directory: &Utf8Path) -> Option<String> {
        let git = || self.prepared().current_dir(directory);
        let remotes = run(git(), &["remote"]).ok()?.stdout;
        let name = match remotes.lines().collect::<Vec<_>>().as_slice() {
            [only] => (*only).to_owned(),
            several if several.contains(&"origin") => "origin".to_owned(),
            _ => return None,
        };
        let answer = run(git(), &["config", "--get", &format!("remote.{name}.url")]).ok()?;
        Some(answer.stdout.trim().to_owned())
    }

    /// Returns the top directory of the work tree that contains `directory`.
    pub(crate) fn top_level(&self, directory: &Utf8Path) -> Option<Utf8PathBuf> {
        let answer = run(self.prepared().current_dir(directory), &["rev-parse", "--show-toplevel"]).ok()?;
        Some(answer.stdout.trim_end_matches('\n').into())
    }

    /// Returns the git links of the repository that contains `directory`; empty if it is not in a repository.
    pub(crate) fn submodules(&self, directory: &Utf8Path) -> Vec<Submodule> {
        let Some(top) = self.top_level(directory) else { return Vec::new() };
        let git = || self.prepared().current_dir(&top);
        let Ok(index) = run(git(), &["ls-files", "--stage", "-z"]) else { return Vec::new() };
        let declared = self.declared(&top);
        let link = |entry: &str| {
            let (about, path) = entry.split_once('\t')?;
            about.starts_with("160000 ").then(|| Submodule {
                directory: top.join(path),
                is_declared: declared.contains_key(path),
                is_initialised: top.join(path).join(".git").exists(),
            })
        };
        index.stdout.split('\0').filter_map(link).collect()
    }

    /// Returns the path and the name of each submodule in `.gitmodules`.
    fn declared(&self, top: &Utf8Path) -> BTreeMap<String, String> {
        let words = ["config", "--file", ".gitmodules", "--null", "--get-regexp", r"^submodule\..*\.path$"];
        let Ok(answer) = run(self.prepared().current_dir(top), &words) else { return BTreeMap::new() };
        let entry = |entry: &str| entry.split_once('\n').map(|(name, path)| (path.to_owned(), name.to_owned()));
        answer.stdout.split('\0').filter_map(entry).collect()
    }
}
