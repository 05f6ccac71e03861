//! `vendor`.

use std::path::PathBuf;

use clap::Args;
use uvenv_core::backend::Choice;

use super::OneProfile;

/// Put everything that an environment needs into one directory
///
/// The directory has a PEP 751 lock and the wheels that it names: those of the lockfile, checked against its hashes, and
/// those of the pins, built from their commits. A second run downloads and builds only what has changed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv vendor --profile prod --backend cu124 -o vendored
  cargo uvenv vendor --profile prod --backend cu124 --backend cu128 -o vendored
  cargo uvenv vendor --profile prod --backend cu124 --python 3.11 --python 3.12 -o vendored
  cargo uvenv vendor --profile prod --backend cu124 --platform x86_64-manylinux_2_28 -o vendored")]
pub(crate) struct Vendor {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// GPU backend to vendor; can be repeated: each gets a lock of its own
    #[arg(long, value_name = "NAME|auto|none", value_parser = Choice::parse)]
    pub(crate) backend: Vec<Choice>,
    /// Python to vendor for: a version or a path; can be repeated; defaults to the one that `sync` would use
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Vec<String>,
    /// Platform to vendor for, by uv's name, such as `aarch64-manylinux_2_28`; can be repeated; defaults to this machine's
    #[arg(long, value_name = "PLATFORM")]
    pub(crate) platform: Vec<String>,
    /// Vendor uv itself too, for machines without it
    #[arg(long)]
    pub(crate) with_uv: bool,
    /// Vendor what the builds require too, so that they can be repeated without an index
    #[arg(long)]
    pub(crate) with_build_requirements: bool,
    /// Directory to write: new, empty, or of an earlier run
    #[arg(short, long, value_name = "DIR", default_value = "vendored")]
    pub(crate) output: PathBuf,
}
