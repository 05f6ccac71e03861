//! `verify`.

use std::path::PathBuf;

use clap::Args;

use super::ExistingEnvironment;

/// Find what was changed in an environment since it was synced
///
/// Compares the installed distributions with the lockfile, and each file with the list of its distribution. Nothing is
/// changed. The exit status is 1 if there are differences.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv verify
  cargo uvenv verify --profile prod --backend cu124
  cargo uvenv verify --profile prod --vendored DIR   compare with the wheels in a vendored directory
  cargo uvenv verify --profile prod --fast           trust files of the right size and age")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) environment: ExistingEnvironment,
    /// Compare with the wheels in this directory, which `vendor` has made
    #[arg(long, value_name = "DIR")]
    pub(crate) vendored: Option<PathBuf>,
    /// Trust files that have the right size and are older than the installation
    #[arg(long)]
    pub(crate) fast: bool,
}
