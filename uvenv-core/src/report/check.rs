//! The report of a check.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::{
    check::{Finding, Severity},
    model::{Diagnostic, Name, Place, Profile, redact},
};

/// `check-finished`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CheckReport {
    /// The monorepo's root.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub root: Utf8PathBuf,
    /// The profiles that were checked.
    pub profiles: Vec<Profile>,
    /// Whether git remotes were contacted.
    pub remote: bool,
    /// The findings that remain.
    pub findings: Vec<FindingReport>,
    /// How many of them are errors.
    pub errors: usize,
    /// How many of them are warnings.
    pub warnings: usize,
    /// How many of them are for information only.
    pub infos: usize,
    /// The findings that `--fix` fixed; with `--dry-run`, those that it would fix, which are also in `findings`.
    pub fixed: Vec<FindingReport>,
    /// The files that `--fix` changed or would change.
    pub changes: Vec<FileChange>,
    /// Whether it was a dry run, which writes nothing.
    pub dry_run: bool,
}

/// A problem that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Finding"))]
pub struct FindingReport {
    /// How serious it is.
    pub severity: Severity,
    /// The stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    /// The affected profile.
    pub profile: Option<Profile>,
    /// The affected package.
    pub package: Option<Name>,
    /// The file that caused it.
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub file: Option<Utf8PathBuf>,
    /// The line in it, from 1.
    pub line: Option<usize>,
    /// The column in it, in characters, from 1.
    pub column: Option<usize>,
    /// Other relevant lines.
    pub related: Vec<RelatedPlace>,
    /// Whether `--fix` can fix it.
    pub fixable: bool,
    /// The same place with the text around it, for those who draw it.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// A line that is relevant to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RelatedPlace {
    /// Why it is relevant, in a few words.
    pub message: String,
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub file: Utf8PathBuf,
    /// The line in it, from 1.
    pub line: usize,
    /// The column in it, in characters, from 1.
    pub column: usize,
    /// The same place with the text around it, for those who draw it.
    #[serde(skip)]
    pub place: Place,
}

/// A file that was or would be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileChange {
    /// The file.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub file: Utf8PathBuf,
    /// The change as a unified diff.
    pub diff: String,
}

/// `explanation`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExplanationReport {
    /// The code.
    pub code: String,
    /// How serious it is by default.
    pub severity: Severity,
    /// What it is, in one sentence.
    pub summary: String,
    /// Its page of the documentation, as Markdown.
    pub text: String,
}

impl CheckReport {
    /// Creates a report of `findings`, none of which was fixed.
    pub(crate) fn new(root: Utf8PathBuf, profiles: Vec<Profile>, remote: bool, findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            root,
            profiles,
            remote,
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            infos: count(Severity::Info),
            findings: findings.iter().map(FindingReport::new).collect(),
            fixed: Vec::new(),
            changes: Vec::new(),
            dry_run: false,
        }
    }
}

impl FindingReport {
    /// Describes `finding`, without secrets.
    pub(crate) fn new(finding: &Finding) -> Self {
        let place = finding.place.as_ref();
        Self {
            severity: finding.severity,
            code: finding.code.to_owned(),
            message: redact(&finding.message).into_owned(),
            help: finding.help().map(|help| redact(&help).into_owned()),
            profile: finding.profile,
            package: finding.package.clone(),
            file: place.map(|place| place.path().to_owned()),
            line: place.map(Place::line),
            column: place.map(Place::column),
            related: finding.related.iter().map(|(words, place)| RelatedPlace::new(words, place)).collect(),
            fixable: finding.fix.is_some(),
            place: place.cloned(),
        }
    }
}

impl RelatedPlace {
    fn new(words: &str, place: &Place) -> Self {
        Self {
            message: redact(words).into_owned(),
            file: place.path().to_owned(),
            line: place.line(),
            column: place.column(),
            place: place.clone(),
        }
    }
}
