//! A commit of a remote, with its files, to build from.

use camino::Utf8Path;

use super::{Git, GitError, run};

impl Git {
    /// Clones `url` into `directory`, which is made, and checks `commit` out there, with its submodules. The answer is when
    /// the commit was made, in seconds since 1970.
    ///
    /// All of the history comes with it: versions are often read from tags.
    pub(crate) fn check_out(&self, url: &str, commit: &str, directory: &Utf8Path) -> Result<u64, GitError> {
        let url = url.strip_prefix("git+").unwrap_or(url);
        run(self.prepared(), &["clone", "--quiet", "--no-checkout", "--", url, directory.as_str()])?;
        let inside = || self.prepared().current_dir(directory);
        let check_out = || run(inside(), &["checkout", "--quiet", "--force", "--detach", commit]);
        // A commit that no branch or tag has kept may still be had by its name.
        if check_out().is_err() {
            run(inside(), &["fetch", "--quiet", "origin", commit])?;
            check_out()?;
        }
        run(inside(), &["submodule", "--quiet", "update", "--init", "--recursive"])?;
        let time = run(inside(), &["show", "--no-patch", "--format=%ct", "HEAD"])?;
        time.stdout.trim().parse().map_err(|_| GitError::NoRevision { revision: commit.to_owned() })
    }
}
