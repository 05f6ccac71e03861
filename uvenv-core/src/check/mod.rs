//! The findings of a check: what in a monorepo is inconsistent, differs between profiles or cannot be installed, each
//! with its place and how to fix it.
//!
//! A [`Rule`] has a stable code and a severity. Each rule is a module of its own and looks at facts that are read once
//! for all rules. Rules that query git remotes get the answers of the remotes too.

mod facts;
mod levels;
mod pins;
mod remote;
mod rules;
#[cfg(test)]
mod tests;
mod workspace;

use std::fmt;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

pub(crate) use facts::{Facts, LockedBackends, cuda_of};
pub(crate) use levels::CheckError;
pub(crate) use levels::Levels;
pub use levels::{Level, LevelOverride};
pub(crate) use remote::Remote;
pub(crate) use rules::tag_keeps_workspace_sources::outside as taken_from_outside;

use crate::{
    manifest::Edit,
    model::{Diagnostic, Fault, Name, Place, Profile},
    monorepo::ProfileContext,
};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information; no action is needed.
    Info,
    /// A change is recommended.
    Warning,
    /// The check fails.
    Error,
}

/// A kind of finding.
pub struct Rule {
    /// Stable, kebab-case: `dev-tag-in-prod`.
    pub code: &'static str,
    /// How serious it is by default.
    pub severity: Severity,
    /// What it finds, in one sentence.
    pub summary: &'static str,
    check: CheckFn,
}

/// How a rule finds problems.
enum CheckFn {
    /// In the files alone.
    Offline(fn(&Facts<'_>) -> Vec<Finding>),
    /// In the answers of git remotes.
    Remote(fn(&Facts<'_>, &Remote<'_>) -> Vec<Finding>),
    /// In the files and, where they do not contain the answer, in the answers of git remotes.
    Both(fn(&Facts<'_>) -> Vec<Finding>, fn(&Facts<'_>, &Remote<'_>) -> Vec<Finding>),
}

/// A problem that a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The code of the rule, or of the error if a file could not be read.
    pub code: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// The problem in one sentence, with the actual names.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    /// The line that causes the problem.
    pub place: Option<Place>,
    /// Other relevant lines, each with a short explanation.
    pub related: Vec<(String, Place)>,
    /// The affected profile.
    pub profile: Option<Profile>,
    /// The affected package.
    pub package: Option<Name>,
    /// The edits that fix it, if there is a single right way to fix it.
    pub fix: Option<Fix>,
}

/// Edits of one manifest that fix a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The manifest.
    pub manifest: Utf8PathBuf,
    /// The edits.
    pub edits: Vec<Edit>,
}

impl Rule {
    /// Returns all rules, in the order in which their findings are reported.
    pub fn all() -> &'static [Self] {
        rules::ALL
    }

    /// Returns the rule with this code.
    pub fn find(code: &str) -> Option<&'static Self> {
        Self::all().iter().find(|rule| rule.code == code)
    }

    /// Creates a finding of this rule.
    fn finding(&self, message: impl Into<String>, help: impl Into<String>) -> Finding {
        Finding {
            code: self.code,
            severity: self.severity,
            message: message.into(),
            help: Some(help.into()),
            place: None,
            related: Vec::new(),
            profile: None,
            package: None,
            fix: None,
        }
    }
}

impl Finding {
    /// Creates the finding for an error that prevents a file from being checked.
    fn unreadable(profile: Profile, error: &dyn Diagnostic) -> Self {
        Self {
            code: error.code(),
            severity: Severity::Error,
            message: error.to_string(),
            help: error.help(),
            place: error.place().cloned(),
            related: Vec::new(),
            profile: Some(profile),
            package: None,
            fix: None,
        }
    }

    /// Whether `other`, from another check, is the same finding.
    pub(crate) fn is_same_finding(&self, other: &Self) -> bool {
        let path = |finding: &Self| finding.place.as_ref().map(|place| place.path().to_owned());
        self.code == other.code
            && self.message == other.message
            && self.profile == other.profile
            && self.package == other.package
            && path(self) == path(other)
    }

    fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    fn related(mut self, words: impl Into<String>, place: Place) -> Self {
        self.related.push((words.into(), place));
        self
    }

    fn in_profile(self, profile: Profile) -> Self {
        Self { profile: Some(profile), ..self }
    }

    fn about(self, package: &Name) -> Self {
        Self { package: Some(package.clone()), ..self }
    }

    fn fixed_by(self, manifest: impl Into<Utf8PathBuf>, edits: Vec<Edit>) -> Self {
        Self { fix: Some(Fix { manifest: manifest.into(), edits }), ..self }
    }
}

/// Returns all findings that need only the files of a monorepo.
pub(crate) fn offline(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = facts.unreadable.clone();
    for rule in Rule::all() {
        if let CheckFn::Offline(check) | CheckFn::Both(check, _) = rule.check {
            findings.extend(check(facts));
        }
    }
    findings
}

/// Returns all findings that need the answers of git remotes.
pub(crate) fn remote(facts: &Facts<'_>, remote: &Remote<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in Rule::all() {
        if let CheckFn::Remote(check) | CheckFn::Both(_, check) = rule.check {
            findings.extend(check(facts, remote));
        }
    }
    findings
}

/// Returns the findings to report before an operation on `profile`. They need only files that the operation reads
/// anyway.
pub(crate) fn before_operation(context: &ProfileContext<'_>) -> Vec<Finding> {
    let mut findings = rules::unused_source::in_manifest(context.monorepo, context.profile, &context.manifest);
    if context.profile == Profile::Dev {
        findings.extend(rules::unmatched_member_pattern::in_monorepo(context.monorepo));
    }
    findings
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

impl Diagnostic for Finding {
    fn code(&self) -> &'static str {
        self.code
    }

    fn help(&self) -> Option<String> {
        self.help.clone()
    }

    fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }

    fn fault(&self) -> Fault {
        Fault::Finding
    }
}
