//! `sbom`.

use std::path::PathBuf;

use clap::Args;

use super::ExistingEnvironment;

/// Describe what is installed in an environment: a software bill of materials
///
/// The document, an object of CycloneDX 1.6, has the distributions with their hashes, licenses and commits, and the crates and libraries
/// that are linked into them. The environment must be up to date with its lockfile. Without `--output`, the document is
/// printed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv sbom --profile prod
  cargo uvenv sbom --profile prod --backend cu124 -o prod.cdx.json
  cargo uvenv sbom --profile prod --vendored DIR -o prod.cdx.json   with the hashes of the wheels in DIR")]
pub(crate) struct Sbom {
    #[command(flatten)]
    pub(crate) environment: ExistingEnvironment,
    /// The environment was synced from this directory, which `vendor` has made
    #[arg(long, value_name = "DIR")]
    pub(crate) vendored: Option<PathBuf>,
    /// File to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
