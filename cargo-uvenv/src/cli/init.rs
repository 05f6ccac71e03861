//! `init` and `add-package`.

use std::path::PathBuf;

use clap::Args;

/// Write the staging and prod manifests of a repository that has dev's only
///
/// They have the metadata, dependencies, backends, indexes and conflicts of dev, and pin each internal package to its
/// newest tag that fits. The configuration, the lines of `.gitignore` and a workflow of continuous integration are written
/// too. What is there is never overwritten: a second run changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv init                                        pins from the git remotes of the checkouts
  cargo uvenv init --git https://example.com/bench.git    one repository that has all packages")]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Put an internal package into all profiles
///
/// It becomes a member of the workspace and a dependency in dev; staging and prod pin it to its newest tag that fits.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv add-package packages/bench-plots")]
pub(crate) struct AddPackage {
    /// Its directory
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Where packages without a git remote of their own are.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The git repository that has the packages, each in the directory where it lies here; else that of its checkout
    #[arg(long, value_name = "URL")]
    pub(crate) git: Option<String>,
}
