//! Checks a commit out, for a build, and reads the tag that names it.

use camino::Utf8Path;

use super::{Git, GitError, git_url, run, shown};

/// A commit that was checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// When it was committed, in seconds since 1970.
    pub(crate) time: u64,
    /// The hash of its tree.
    pub(crate) tree: String,
}

/// An annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagObject {
    /// Its hash.
    pub(crate) object: String,
    /// Its signature, as it is in the tag; `None` if it has none.
    pub(crate) signature: Option<String>,
}

impl Git {
    /// Checks out `commit` of the repository at `url` in `directory`, which does not exist yet, with its submodules and with
    /// all tags, from which some packages take their version. The files have the usual permissions, whatever the user's
    /// are, because they get into the wheel.
    pub(crate) fn check_out(&self, url: &str, commit: &str, directory: &Utf8Path) -> Result<Checkout, GitError> {
        let program = self.program.clone().with_usual_umask();
        let git = Self { program };
        run(git.prepared(), &["init", "--quiet", "--", directory.as_str()])?;
        // The URL can contain credentials, which are not stored.
        let url = format!("remote.origin.url={}", git.rewritten(git_url::plain(url)));
        let within = || git.prepared().args(["-c", &url, "-C", directory.as_str()]);
        let heads = "+refs/heads/*:refs/remotes/origin/*";
        run(within(), &["fetch", "--quiet", "--tags", "--force", "origin", heads])?;
        if run(within(), &["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_err() {
            run(within(), &["fetch", "--quiet", "origin", commit])?;
        }
        run(within(), &["checkout", "--quiet", "--detach", commit])?;
        run(within(), &["submodule", "--quiet", "update", "--init", "--recursive"])?;
        let show = ["show", "--no-patch", "--format=%ct %T", commit];
        let facts = run(within(), &show)?.stdout;
        let read = || {
            let (time, tree) = facts.trim().split_once(' ')?;
            Some(Checkout { time: time.parse().ok()?, tree: tree.to_owned() })
        };
        let unreadable =
            || GitError::Failed { command: shown(&show), ending: format!("printed `{facts}`"), stderr: String::new() };
        read().ok_or_else(unreadable)
    }

    /// Returns the annotated tag `name` of the checkout in `directory`, if it is one and names `commit`.
    pub(crate) fn tag_object(&self, directory: &Utf8Path, name: &str, commit: &str) -> Option<TagObject> {
        let answer = |arguments: &[&str]| {
            let said = run(self.prepared().args(["-C", directory.as_str()]), arguments).ok()?.stdout;
            Some(said.trim_end().to_owned())
        };
        let tag = format!("refs/tags/{name}");
        let object = answer(&["rev-parse", "--verify", "--quiet", &tag])?;
        if answer(&["rev-parse", "--verify", "--quiet", &format!("{tag}^{{commit}}")])? != commit || object == commit {
            return None;
        }
        let text = answer(&["cat-file", "tag", &object])?;
        // gitformat-signature(5): what follows the message, which can quote another one.
        let start = text.rfind("\n-----BEGIN ");
        Some(TagObject { object, signature: start.map(|start| text[start + 1..].to_owned()) })
    }
}
