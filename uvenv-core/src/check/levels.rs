//! The level of each rule: the default of the rule, overridden by the configuration and then by the command line.

use std::collections::BTreeMap;

use super::{Finding, Rule, Severity};
use crate::{
    model::{Diagnostic, Place, nearest},
    monorepo::{Code, Config},
};

/// How a finding is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is not reported.
    Allow,
    /// It is reported as a warning.
    Warn,
    /// It is reported as an error.
    Deny,
}

/// A level for the findings of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelOverride {
    /// The code of the rule.
    pub code: String,
    /// Its level.
    pub level: Level,
    /// The place in the configuration that sets it.
    pub place: Option<Place>,
}

/// The configured levels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels(BTreeMap<&'static str, Level>);

/// An error of a check that cannot be made as requested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    /// No rule has this code.
    #[error("there is no check with the code `{code}`")]
    UnknownCode { code: String, nearest: Option<&'static str>, place: Option<Place> },
    /// Remotes cannot be queried without the network.
    #[error("git remotes cannot be checked without network access")]
    Offline,
    /// A code has two levels in the same place.
    #[error("`{code}` is set to both `{first}` and `{second}`")]
    TwoLevels { code: &'static str, first: Level, second: Level, place: Option<Place> },
}

impl Diagnostic for CheckError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownCode { .. } => "unknown-code",
            Self::TwoLevels { .. } => "two-levels",
            Self::Offline => "no-network",
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::UnknownCode { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownCode { .. } => "`cargo uvenv explain` lists all codes".to_owned(),
            Self::TwoLevels { .. } => "keep one of the two".to_owned(),
            Self::Offline => {
                "remove `--remote` or `--offline`; `UV_OFFLINE` and `CARGO_NET_OFFLINE` have the effect of `--offline`"
                    .to_owned()
            }
        })
    }

    fn place(&self) -> Option<&Place> {
        match self {
            Self::UnknownCode { place, .. } | Self::TwoLevels { place, .. } => place.as_ref(),
            Self::Offline => None,
        }
    }
}

impl Levels {
    /// Returns the levels of the configuration, overridden by `said`, the levels of the command line.
    pub(crate) fn new(config: &Config, said: &[LevelOverride]) -> crate::Result<Self> {
        let Self(mut levels) = Self::read(&configured(config))?;
        levels.extend(Self::read(said)?.0);
        Ok(Self(levels))
    }

    fn read(said: &[LevelOverride]) -> crate::Result<Self> {
        let mut levels = BTreeMap::new();
        for LevelOverride { code, level, place } in said {
            let Some(rule) = Rule::find(code) else {
                let nearest = nearest(&code.replace('_', "-"), Rule::all().iter().map(|rule| rule.code), 4);
                return Err(CheckError::UnknownCode { code: code.clone(), nearest, place: place.clone() }.into());
            };
            if let Some(first) = levels.insert(rule.code, *level).filter(|first| first != level) {
                return Err(
                    CheckError::TwoLevels { code: rule.code, first, second: *level, place: place.clone() }.into()
                );
            }
        }
        Ok(Self(levels))
    }

    /// Returns the finding with its level; `None` if it is not to be reported.
    pub(crate) fn apply(&self, mut finding: Finding) -> Option<Finding> {
        finding.severity = match self.0.get(finding.code) {
            None => finding.severity,
            Some(Level::Allow) => return None,
            Some(Level::Warn) => Severity::Warning,
            Some(Level::Deny) => Severity::Error,
        };
        Some(finding)
    }
}

fn configured(config: &Config) -> Vec<LevelOverride> {
    let of = |level, codes: &[Code]| {
        let codes = codes.iter().cloned();
        codes.map(|code| LevelOverride { code: code.text, level, place: Some(code.place) }).collect::<Vec<_>>()
    };
    let config = &config.check;
    [of(Level::Allow, &config.allow), of(Level::Warn, &config.warn), of(Level::Deny, &config.deny)].concat()
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        })
    }
}
