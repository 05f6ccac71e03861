//! `diff`.

use clap::Args;

use super::{MessageFormat, formats};

/// Show what differs between two profiles, or between a profile now and at a git revision
///
/// A side is a profile, or a profile at a revision: `prod@v1.0`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv diff staging prod
  cargo uvenv diff prod@v1.0..prod
  cargo uvenv diff prod@origin/main --message-format markdown   for a pull request")]
pub(crate) struct Diff {
    /// First side, or both sides as `A..B`
    #[arg(value_name = "A")]
    pub(crate) from: String,
    /// Second side; defaults to the current state of A's profile if A names a revision
    #[arg(value_name = "B")]
    pub(crate) to: Option<String>,
    // Replaces the global option of the same name: clap also stores its value there.
    /// Output format
    #[arg(
        long,
        id = "message_format",
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Global options",
        value_parser = formats(&[MessageFormat::Markdown])
    )]
    _message_format: MessageFormat,
}
