//! `vendor`.

use std::path::PathBuf;

use clap::Args;
use uvenv_core::{
    Name,
    vendor::{TargetPlatform, TargetPython},
};

use super::{BackendArgs, OneProfile, parse_name};

/// Bring all that an environment is made of into a directory, to sync it where there is no network
///
/// The wheels that the lockfile names for the Pythons and platforms, checked against its hashes; wheels built from the
/// commits of the pins; and a manifest of it all. `sync --vendored` installs from it. What is there already is not brought
/// again, and an interrupted run is gone on with.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv vendor --profile prod --backend cu124
  cargo uvenv vendor --profile prod --backend cu124 --python 3.12 --platform x86_64-manylinux_2_28 -o wheelhouse
  cargo uvenv sync --profile prod --backend cu124 --vendored wheelhouse")]
pub(crate) struct Vendor {
    #[command(flatten)]
    pub(crate) profile: OneProfile,
    /// A version of Python; can be given several times; else that of the environment
    #[arg(long, value_name = "VERSION", value_parser = python)]
    pub(crate) python: Vec<TargetPython>,
    /// A platform, as uv or a wheel names it; can be given several times; else this machine
    #[arg(long, value_name = "PLATFORM", value_parser = platform)]
    pub(crate) platform: Vec<TargetPlatform>,
    /// The directory; else vendor/PROFILE-BACKEND in the monorepo
    #[arg(short = 'o', long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Bring uv itself as well
    #[arg(long)]
    pub(crate) with_uv: bool,
    /// Take what is locked. In staging and prod, pins that differ from the manifest's are an error
    #[arg(long, conflicts_with = "locked")]
    pub(crate) frozen: bool,
    /// Fail if the lockfile does not satisfy the manifest
    #[arg(long)]
    pub(crate) locked: bool,
    /// With --frozen: take what is locked even if the manifest's pins are others
    #[arg(long, requires = "frozen")]
    pub(crate) allow_stale: bool,
    /// An extra; can be given several times
    #[arg(long, value_name = "EXTRA", value_parser = parse_name)]
    pub(crate) extra: Vec<Name>,
    /// A dependency group; can be given several times
    #[arg(long, value_name = "GROUP", value_parser = parse_name)]
    pub(crate) group: Vec<Name>,
    /// Without the default groups
    #[arg(long)]
    pub(crate) no_default_groups: bool,
    // Last, because its heading holds for what follows.
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

fn python(text: &str) -> Result<TargetPython, String> {
    TargetPython::parse(text).map_err(|error| error.to_string())
}

fn platform(text: &str) -> Result<TargetPlatform, String> {
    TargetPlatform::parse(text).map_err(|error| error.to_string())
}
