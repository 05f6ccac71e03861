//! uv's workspaces: which directories match the patterns of `[tool.uv.workspace]` (uv's docs, "Workspaces").
//!
//! uv walks the file system with the crate `glob`, so `*` in `members` does not cross directory boundaries. But it
//! matches `exclude` against whole paths, so `*` there matches at any depth.

use camino::{Utf8Path, Utf8PathBuf};
use glob::{MatchOptions, Pattern};

use crate::{manifest::Workspace, toml::Spanned};

/// The options that match paths in the same way as a walk of the file system.
const WALKED: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// The patterns of a workspace, relative to its root. For the contents of a git commit, the root is empty.
pub(crate) struct WorkspaceGlobs<'a> {
    root: &'a Utf8Path,
    workspace: &'a Workspace,
}

impl<'a> WorkspaceGlobs<'a> {
    pub(crate) fn new(root: &'a Utf8Path, workspace: &'a Workspace) -> Self {
        Self { root, workspace }
    }

    /// Returns the pattern of `members` that matches `directory`, unless one of `exclude` matches it too. Does not
    /// access the file system.
    pub(crate) fn selects(&self, directory: &Utf8Path) -> Option<&'a Spanned<String>> {
        let is_match = |pattern: &&Spanned<String>| {
            self.absolute(&pattern.value).is_some_and(|pattern| pattern.matches_with(directory.as_str(), WALKED))
        };
        self.workspace.members.iter().find(is_match).filter(|_| !self.is_excluded(directory))
    }

    /// Whether `exclude` matches `directory`.
    pub(crate) fn is_excluded(&self, directory: &Utf8Path) -> bool {
        let patterns = self.workspace.exclude.iter().filter_map(|pattern| self.absolute(&pattern.value));
        patterns.into_iter().any(|pattern| pattern.matches(directory.as_str()))
    }

    /// Returns the paths on disk that match `pattern`, one of `members`, whether or not they are excluded. Skips paths
    /// that cannot be read or are not Unicode.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the pattern.
    pub(crate) fn expand(&self, pattern: &str) -> Result<impl Iterator<Item = Utf8PathBuf>, &'static str> {
        let paths = glob::glob(&self.text(pattern)).map_err(|error| error.msg)?;
        Ok(paths.filter_map(Result::ok).filter_map(|path| Utf8PathBuf::try_from(path).ok()))
    }

    fn absolute(&self, pattern: &str) -> Option<Pattern> {
        Pattern::new(&self.text(pattern)).ok()
    }

    fn text(&self, pattern: &str) -> String {
        let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
        match self.root.as_str() {
            "" => pattern.to_owned(),
            root => format!("{}/{pattern}", Pattern::escape(root)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(members: &[&str], exclude: &[&str]) -> Workspace {
        let spanned = |patterns: &[&str]| {
            patterns.iter().map(|pattern| Spanned { value: (*pattern).to_owned(), span: 0..0 }).collect()
        };
        Workspace { members: spanned(members), exclude: spanned(exclude) }
    }

    #[test]
    fn members_stay_within_one_directory_and_excludes_do_not() {
        let workspace = workspace(&["./packages/*/", "libs/a"], &["packages/old*"]);
        for root in ["", "/code/[x]"] {
            let globs = WorkspaceGlobs::new(root.into(), &workspace);
            let selects = |path: &str| globs.selects(&Utf8Path::new(root).join(path)).is_some();
            assert!(selects("packages/a") && selects("libs/a"));
            assert!(!selects("packages/a/b") && !selects("libs/b") && !selects("packages/old"));
            assert!(globs.is_excluded(&Utf8Path::new(root).join("packages/old/deep/below")));
        }
    }
}
