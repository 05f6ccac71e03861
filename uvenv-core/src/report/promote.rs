//! The report of a promotion.

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{FileChange, FindingReport, LockedChange};
use crate::model::{Name, Profile};

/// `promote-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromoteReport {
    /// The profile whose pins are changed.
    pub profile: Profile,
    /// Its manifest.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub manifest: Utf8PathBuf,
    /// Its lockfile.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub lockfile: Utf8PathBuf,
    /// Whether it was a dry run, which writes nothing.
    pub dry_run: bool,
    /// Whether the manifest and the lockfile changed, or would change.
    pub changed: bool,
    /// The packages that were considered, by name.
    pub packages: Vec<PromotedPackage>,
    /// The changes in the lockfile; empty with `--dry-run`, which does not lock.
    pub locked: Vec<LockedChange>,
    /// The change of the manifest.
    pub changes: Vec<FileChange>,
    /// The findings of a check of the profile afterwards; empty with `--dry-run`.
    pub findings: Vec<FindingReport>,
    /// The git commit that was created.
    pub commit: Option<String>,
    /// The branch that has the promotion, in place of the files.
    pub branch: Option<PromotionBranch>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// The branch of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromotionBranch {
    /// Its name.
    pub name: String,
    /// Its last commit, which has the promotion.
    pub commit: String,
    /// What became of it.
    pub outcome: BranchOutcome,
}

/// What became of the branch of a promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BranchOutcome {
    /// There was none.
    Created,
    /// It had an older promotion.
    Updated,
    /// It had this promotion already.
    Unchanged,
}

/// The outcome for one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PromotedPackage {
    /// The package.
    pub name: Name,
    /// Its git repository, without secrets; none if it is unknown.
    pub url: Option<String>,
    /// What became of it.
    pub outcome: PromotionOutcome,
    /// What the profile had.
    pub from: Option<PinnedRelease>,
    /// The pin afterwards.
    pub to: Option<PinnedRelease>,
    /// The newest matching tag, if it is not the one that was used.
    pub newest: Option<String>,
    /// The commits between the two, if the repository could be reached and they are known.
    pub commits: Option<CommitsBetween>,
}

impl PromotedPackage {
    /// Whether its pin has changed.
    pub fn is_changed(&self) -> bool {
        matches!(self.outcome, PromotionOutcome::Updated | PromotionOutcome::Added | PromotionOutcome::Downgraded)
    }
}

/// What became of a package's pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PromotionOutcome {
    /// It got a newer tag.
    Updated,
    /// The profile did not have it.
    Added,
    /// It got an older tag, which was asked for.
    Downgraded,
    /// It has the newest tag that fits.
    Unchanged,
    /// Its pin is newer than the newest tag that fits, and stays.
    Newer,
    /// There is no tag that fits.
    NoRelease,
    /// It is unknown in which git repository it is.
    NoRepository,
}

/// A tag and its commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PinnedRelease {
    /// The tag, or the branch or revision.
    pub reference: String,
    /// The version in its name, if there is one.
    pub version: Option<String>,
    /// The commit, if it is known.
    pub commit: Option<String>,
}

/// The commits between two tags.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommitsBetween {
    /// How many there are.
    pub count: usize,
    /// The newest of them, newest first.
    pub newest: Vec<CommitSummary>,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommitSummary {
    /// Its hash.
    pub commit: String,
    /// The first line of its message.
    pub subject: String,
}
