//! The findings of a check, in the style of rustc.

use std::io::Write as _;

use annotate_snippets::{Level, Renderer};
use camino::Utf8Path;
use uvenv_core::{
    check::Severity,
    report::{CheckReport, FindingReport},
};

use super::{
    Drawing, file_diff,
    text::{counted, done, line},
};

/// Prints the findings and a summary; if only errors may be printed, only the findings that are errors.
pub(super) fn message(report: &CheckReport, quiet: bool) {
    let mut stderr = anstream::stderr();
    for finding in report.findings.iter().filter(|finding| !quiet || finding.severity == Severity::Error) {
        let _ = writeln!(stderr, "{}\n", draw(finding, &Renderer::styled()));
    }
    if quiet {
        return;
    }
    if report.dry_run {
        file_diff::print(&report.changes);
    } else {
        for fixed in &report.fixed {
            done("Fixed", format_args!("{}: {}", fixed.code, fixed.message));
        }
    }
    done("Checked", summary(report));
}

/// Returns the same text for callers that print it elsewhere.
pub(super) fn text(report: &CheckReport) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        line(&mut text, format_args!("{}\n", draw(finding, &Renderer::plain())));
    }
    line(&mut text, format_args!("Checked {}", summary(report)));
    text
}

pub(super) fn draw(finding: &FindingReport, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let related = finding.related.iter().map(|related| (related.message.as_str(), &related.place));
    let drawing = Drawing {
        level,
        code: &finding.code,
        message: &finding.message,
        help: finding.help.as_deref(),
        place: finding.place.as_ref(),
        related: related.collect(),
    };
    drawing.render(renderer)
}

/// `dev, staging, prod: 1 error, 2 warnings`.
pub(super) fn summary(report: &CheckReport) -> String {
    let profiles: Vec<_> = report.profiles.iter().map(|profile| profile.as_str()).collect();
    let counts = [(report.errors, "error"), (report.warnings, "warning"), (report.infos, "info")];
    let counts: Vec<_> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what)).collect();
    let counts = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    let fixable = match report.findings.iter().filter(|finding| finding.fixable).count() {
        0 => String::new(),
        count => format!(" ({count} fixable with `--fix`)"),
    };
    format!("{}: {counts}{fixable}", profiles.join(", "))
}

/// Returns `path` as code hosts expect it: relative to the root of the git repository, or else of the monorepo, with
/// `/` as the separator. A path outside is returned unchanged.
pub(super) fn from_repository(root: &Utf8Path, path: &Utf8Path) -> String {
    let repository = root.ancestors().find(|directory| directory.join(".git").exists()).unwrap_or(root);
    match path.strip_prefix(repository) {
        Ok(path) => path.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/"),
        Err(_) => path.as_str().replace('\\', "/"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use uvenv_core::error::Place;

    use super::*;

    /// Creates a report for a monorepo at `/r`.
    pub(in crate::output) fn report(findings: &[FindingReport]) -> CheckReport {
        CheckReport {
            root: "/r".into(),
            profiles: vec![uvenv_core::Profile::Dev],
            remote: false,
            findings: findings.to_vec(),
            errors: 0,
            warnings: findings.len(),
            infos: 0,
            fixed: Vec::new(),
            changes: Vec::new(),
            dry_run: false,
        }
    }

    /// Creates a warning about all of `text`, a file at `path`.
    pub(in crate::output) fn finding(path: &str, text: &str) -> FindingReport {
        FindingReport {
            severity: Severity::Warning,
            code: "some-code".to_owned(),
            message: "a sentence".to_owned(),
            help: None,
            profile: None,
            package: None,
            file: Some(path.into()),
            line: Some(1),
            column: Some(1),
            related: Vec::new(),
            fixable: false,
            place: Some(Place::new(path, text.into(), 0..text.len())),
        }
    }

    #[test]
    fn summary_counts_findings_by_severity() {
        assert_eq!(summary(&report(&[])), "dev: no findings");
        let fixable = FindingReport { fixable: true, ..finding("/r/x", "") };
        let one_of_each = CheckReport { errors: 2, infos: 1, ..report(&[fixable]) };
        assert_eq!(summary(&one_of_each), "dev: 2 errors, 1 warning, 1 info (1 fixable with `--fix`)");
    }

    #[test]
    fn plain_text_has_no_colours() {
        let text = text(&report(&[finding("/r/x.toml", "a = 1")]));
        assert!(text.contains("warning[some-code]: a sentence\n --> /r/x.toml:1:1\n"), "{text}");
        assert!(text.ends_with("\n\nChecked dev: 1 warning\n") && !text.contains('\u{1b}'), "{text}");
    }
}
