//! A promotion as a commit on a branch of its own. The work tree, the index and `HEAD` stay as they are, so that a bot can run
//! it again and again, and two at once make the same commit.

use super::{PromoteError, PromotePlan, staged::StagedProfile};
use crate::{
    git::{CommitFacts, CommittedFile},
    model::Profile,
    ops::{DiffSide, Session, diff},
    report::{BranchOutcome, PromoteReport, PromotionBranch},
};

/// The last line of the messages of our commits. A branch with another commit at its end has somebody's own work.
const TRAILER: &str = "Promoted-by: cargo uvenv promote";

/// Returns the name of the branch for promotions to a profile.
pub(super) fn default_name(profile: Profile) -> String {
    format!("uvenv/promote-to-{profile}")
}

impl PromotePlan<'_> {
    /// Commits the files of `staged` to the branch `name`, which is made or moved, unless it has this commit.
    pub(super) fn commit_to_branch(
        &self,
        session: &Session,
        staged: &StagedProfile,
        report: &PromoteReport,
        name: &str,
    ) -> crate::Result<PromotionBranch> {
        let directory = &self.paths.directory;
        let head = self.git.head(directory)?;
        let files = [
            CommittedFile { path: self.paths.manifest(), content: staged.paths().manifest() },
            CommittedFile { path: self.paths.lockfile(), content: staged.paths().lockfile() },
        ];
        let tree = self.git.tree_with(&head.commit, &files, &staged.paths().directory.join("index"))?;
        let message = self.branch_message(session, report, (&head, &tree), name)?;
        let commit = self.git.commit_tree(directory, &tree, &head, &message)?;
        let outcome = match self.git.branch(directory, name)? {
            Some(old) if old.commit == commit => BranchOutcome::Unchanged,
            Some(old) if !self.is_own_commit(&old)? => {
                return Err(PromoteError::ForeignBranch { branch: name.to_owned(), commit: old.commit }.into());
            }
            old => {
                self.git.move_branch(directory, name, &commit)?;
                if old.is_some() { BranchOutcome::Updated } else { BranchOutcome::Created }
            }
        };
        Ok(PromotionBranch { name: name.to_owned(), commit, outcome })
    }

    /// Returns the message: a title, and what differs from `HEAD`, as Markdown.
    fn branch_message(
        &self,
        session: &Session,
        report: &PromoteReport,
        (head, tree): (&CommitFacts, &str),
        name: &str,
    ) -> crate::Result<String> {
        let title = super::title(report);
        let unnamed = self.git.commit_tree(&self.paths.directory, tree, head, &title)?;
        let at = |revision: &str| DiffSide { profile: self.paths.profile, revision: Some(revision.to_owned()) };
        let mut differences = diff(self.monorepo, session, &at(&head.commit), &at(&unnamed))?;
        differences.from.revision = None;
        differences.to.revision = Some(name.to_owned());
        Ok(format!("{title}\n\n{}\n{TRAILER}\n", differences.markdown()))
    }

    /// Whether a commit is as we have made it: one that was amended has another time than the one before.
    fn is_own_commit(&self, commit: &CommitFacts) -> crate::Result<bool> {
        let [parent] = commit.parents.as_slice() else { return Ok(false) };
        let parent = self.git.commit_facts(&self.paths.directory, parent)?;
        let is_amended = parent.is_none_or(|parent| parent.committed != commit.committed);
        let directory = &self.paths.directory;
        let own = [self.paths.manifest(), self.paths.lockfile()].map(|path| self.git.path_in_repository(&path));
        let has_more =
            self.git.paths_changed_by(directory, &commit.commit)?.into_iter().any(|path| !own.contains(&Some(path)));
        Ok(!is_amended && !has_more && commit.message.trim_end().ends_with(TRAILER))
    }
}
