//! `init` and `add-package`.

use std::path::PathBuf;

use clap::Args;

/// Write staging and prod manifests for a repository that has only a dev manifest
///
/// They have the metadata, dependencies, backends, indexes and conflicts of dev, and pin each internal package to its
/// newest matching tag. The command also writes the configuration, entries in `.gitignore` and a CI workflow. It never
/// overwrites existing content: a second run changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv init                                        pins from the git remotes of the checkouts
  cargo uvenv init --git https://example.com/bench.git    one repository that has all packages")]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Add an internal package to all profiles
///
/// In dev, it becomes a workspace member and a dependency. Staging and prod pin it to its newest matching tag.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv add-package packages/bench-plots")]
pub(crate) struct AddPackage {
    /// Directory of the package
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Where packages without a git remote of their own are.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Git repository with the packages, laid out as in this one; defaults to the remote of each package's checkout
    #[arg(long, value_name = "URL")]
    pub(crate) git: Option<String>,
}
