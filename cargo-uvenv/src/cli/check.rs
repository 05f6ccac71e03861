//! `check` and `explain`.

use clap::Args;
use uvenv_core::{
    Profile,
    check::{Level, LevelOverride},
    ops::FixMode,
};

use super::{MessageFormat, formats, profiles};

/// Find what contradicts itself, drifts apart or will not install
///
/// Looks at the manifests and lockfiles of all profiles, changes nothing and needs no network. All findings come in one
/// run. `cargo uvenv explain CODE` says more of one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv check
  cargo uvenv check --remote --deny staging-behind-prod
  cargo uvenv check --fix --dry-run                       what would be mended, as a diff
  cargo uvenv check --message-format github               in a workflow of GitHub
  cargo uvenv check --message-format sarif > uvenv.sarif")]
pub(crate) struct Check {
    /// A profile; can be given several times; else all
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    pub(crate) profile: Vec<Profile>,
    /// Ask the git remotes too: whether they have the tags, and where these lead
    #[arg(long)]
    pub(crate) remote: bool,
    /// Take a finding for an error; can be given several times
    #[arg(long, value_name = "CODE")]
    deny: Vec<String>,
    /// Take a finding for a warning; can be given several times
    #[arg(long, value_name = "CODE")]
    warn: Vec<String>,
    /// Do not tell of a finding; can be given several times
    #[arg(long, value_name = "CODE")]
    allow: Vec<String>,
    /// Mend what has one right answer
    #[arg(long)]
    fix: bool,
    /// With --fix: show what would be mended, and write nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    // In place of the global option of this name, whose value clap takes from here.
    /// How outcomes are printed
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

/// Say what a code of a finding, an error or a warning means, and what mends it
///
/// Without a code it lists them all.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo uvenv explain dev-tag-in-prod
  cargo uvenv explain")]
pub(crate) struct Explain {
    /// The code
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
