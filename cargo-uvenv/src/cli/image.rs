//! `image`.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use uvenv_core::image::Compression;

use super::VendoredEnvironment;

/// Make a container image with the environment of a profile, without a container engine
///
/// The environment is installed from a directory that `vendor` has made. The image has the layers of its base, one with the
/// environment, and one with the internal packages, so that a promotion changes only the last one. The same inputs make the
/// same image.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv image --profile prod --backend cu124 --base python:3.12-slim -t app:1.0 -o app.tar
  cargo uvenv image --profile prod --backend cu124 --base rootfs.tar -o layout -- python -m app
  cargo uvenv image --profile prod --backend cu124 --base python:3.12-slim --push ghcr.io/team/app:1.0")]
pub(crate) struct Image {
    #[command(flatten)]
    pub(crate) environment: VendoredEnvironment,
    /// Base image: an OCI layout, an archive of one, a root file system as a tar file, or a name in a registry
    #[arg(long, value_name = "BASE")]
    pub(crate) base: String,
    /// Python of this machine to install with, of the version in the base: a version or a path; defaults to one that uv finds
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<String>,
    /// Name of the image
    #[arg(short, long, value_name = "NAME[:TAG]")]
    pub(crate) tag: Option<String>,
    /// OCI layout to add the image to or, with the extension `.tar`, archive to write
    #[arg(short, long, value_name = "DIR|FILE.tar", required_unless_present = "push")]
    pub(crate) output: Option<PathBuf>,
    /// Push the image to a registry
    #[arg(long, value_name = "REGISTRY/NAME[:TAG]")]
    pub(crate) push: Option<String>,
    /// Directory for the environment, as `.venv`, and the manifest; also the working directory of containers
    #[arg(long, value_name = "PATH", default_value = "/app")]
    pub(crate) workdir: PathBuf,
    /// User of containers; defaults to that of the base
    #[arg(long, value_name = "USER[:GROUP]")]
    pub(crate) user: Option<String>,
    /// How the layers are compressed
    #[arg(long, value_name = "FORMAT", value_parser = formats(), default_value = "gzip")]
    pub(crate) compression: Compression,
    /// What containers run; defaults to what the base says
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) entrypoint: Vec<String>,
}

fn formats() -> impl TypedValueParser<Value = Compression> {
    PossibleValuesParser::new(Compression::NAMES).try_map(|text| text.parse::<Compression>())
}
