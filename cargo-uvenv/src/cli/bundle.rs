//! `bundle`.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;

use super::VendoredEnvironment;

/// Make one file of a vendored profile, which installs itself
///
/// The file has the wheels, uv and this program. On a machine with a Python, `./BUNDLE run -- COMMAND` unpacks it once, makes
/// the environment, and runs the command in it; `./BUNDLE verify` compares the environment with the wheels.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv bundle --profile prod --backend cu124 -o prod.run   of the directory `vendored`, made with `vendor --with-uv`
  cargo uvenv bundle --profile prod --vendored DIR -o prod.run")]
pub(crate) struct Bundle {
    #[command(flatten)]
    pub(crate) environment: VendoredEnvironment,
    /// The `cargo-uvenv` for the machines that the bundle is for; defaults to this program
    #[arg(long, value_name = "FILE")]
    pub(crate) launcher: Option<PathBuf>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Do something in a bundle, which calls this.
#[derive(Debug, Args)]
pub(crate) struct OpenBundle {
    pub(crate) bundle: PathBuf,
    #[arg(last = true)]
    pub(crate) words: Vec<OsString>,
}
