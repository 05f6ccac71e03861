//! `verify`.

use std::path::PathBuf;

use clap::Args;
use uvenv_core::backend::Choice;

use super::OneProfile;

/// Compare an environment with its lockfile, and its files with what was installed
///
/// Missing, extra and other distributions are found, pins from another commit, and files that were changed since they were
/// installed. Then the exit status is 1. Nothing is changed, and the network is not needed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv verify --profile prod
  cargo uvenv verify --profile prod --vendored wheelhouse
  cargo uvenv verify --profile prod --message-format json")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// The GPU backend that it is to have; else that of its last sync
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Option<Choice>,
    /// Compare it with what is vendored in DIR, in place of the lockfile
    #[arg(long, value_name = "DIR", conflicts_with = "backend")]
    pub(crate) vendored: Option<PathBuf>,
}
