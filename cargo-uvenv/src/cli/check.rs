//! `check` and `explain`.

use clap::Args;
use uvenv_core::{
    Profile,
    check::{Level, LevelOverride},
    ops::FixMode,
};

use super::{MessageFormat, formats, profiles};

/// Find contradictions, drift, and packages that will not install
///
/// Reads the manifests and lockfiles of all profiles, changes nothing and needs no network. One run reports all
/// findings. `cargo uvenv explain CODE` explains a finding.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv check
  cargo uvenv check --remote --deny staging-behind-prod
  cargo uvenv check --fix --dry-run                      show the fixes as a diff
  cargo uvenv check --message-format github              in a GitHub workflow
  cargo uvenv check --message-format sarif > uvenv.sarif")]
pub(crate) struct Check {
    /// Profile to check; can be repeated; defaults to all profiles
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub(crate) profile: Vec<Profile>,
    /// Also ask the git remotes whether they have the tags, and which commits these point to
    #[arg(long)]
    pub(crate) remote: bool,
    /// Treat a finding as an error; can be repeated
    #[arg(long, value_name = "CODE")]
    deny: Vec<String>,
    /// Treat a finding as a warning; can be repeated
    #[arg(long, value_name = "CODE")]
    warn: Vec<String>,
    /// Ignore a finding; can be repeated
    #[arg(long, value_name = "CODE")]
    allow: Vec<String>,
    /// Fix findings that have exactly one correct fix
    #[arg(long)]
    fix: bool,
    /// With --fix: show the fixes without writing anything
    #[arg(long, requires = "fix")]
    dry_run: bool,
    // Replaces the global option of the same name: clap also stores its value there.
    /// Output format
    #[arg(
        long,
        id = "message_format",
        value_name = "FORMAT",
        default_value = "human",
        help_heading = "Global options",
        value_parser = formats(&[MessageFormat::Sarif, MessageFormat::Github])
    )]
    _message_format: MessageFormat,
}

/// Explain a finding, an error or a warning, and how to fix it
///
/// Without a code, the command lists all codes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv explain dev-tag-in-prod
  cargo uvenv explain")]
pub(crate) struct Explain {
    /// Code to explain
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
}

impl Check {
    pub(crate) fn levels(&self) -> Vec<LevelOverride> {
        let of = |level, codes: &[String]| {
            let codes = codes.iter().cloned();
            codes.map(|code| LevelOverride { code, level, place: None }).collect::<Vec<_>>()
        };
        [of(Level::Allow, &self.allow), of(Level::Warn, &self.warn), of(Level::Deny, &self.deny)].concat()
    }

    pub(crate) fn fix_mode(&self) -> FixMode {
        match (self.fix, self.dry_run) {
            (false, _) => FixMode::No,
            (true, false) => FixMode::Write,
            (true, true) => FixMode::DryRun,
        }
    }
}
