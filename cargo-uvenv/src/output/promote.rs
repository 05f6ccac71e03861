//! The promoted packages, as a table with the commits in between.

use std::io::Write as _;

use annotate_snippets::Renderer;
use uvenv_core::{
    check::Severity,
    report::{
        BranchOutcome, CommitsBetween, PinnedRelease, PromoteReport, PromotedPackage, PromotionBranch, PromotionOutcome,
    },
};

use super::{
    check, file_diff,
    text::{counted, done, line, lines, print, short, shown, table},
};

/// The maximum number of commits that are listed for a package.
const COMMITS: usize = 10;

/// Prints the table and then further information.
pub(super) fn message(report: &PromoteReport) {
    print(text(report).trim_end());
    if report.dry_run && report.changed {
        print("");
        file_diff::print(&report.changes);
    }
    for finding in report.findings.iter().filter(|finding| finding.severity != Severity::Info) {
        let _ = writeln!(anstream::stderr(), "{}", check::draw(finding, &Renderer::styled()));
    }
    let (label, text) = summary(report);
    done(label, text);
    if let Some(commit) = &report.commit {
        done("Committed", short(commit));
    }
    if let Some(PromotionBranch { name, commit, outcome }) = &report.branch {
        let label = match outcome {
            BranchOutcome::Created => "Created",
            BranchOutcome::Updated => "Updated",
            BranchOutcome::Unchanged => "Unchanged",
        };
        done(label, format!("{name} ({})", short(commit)));
    }
}

/// Returns the table and the commits.
pub(super) fn text(report: &PromoteReport) -> String {
    let mut text = String::new();
    if report.packages.is_empty() {
        line(&mut text, format_args!("{} has no internal packages.", report.profile));
        return text;
    }
    let mut packages = table(&["package", "old", "new", "commits", ""]);
    for package in &report.packages {
        let commits = package.commits.as_ref().map_or_else(|| "-".to_owned(), |commits| commits.count.to_string());
        let commits = if package.is_changed() { commits } else { "-".to_owned() };
        let (old, new) = (pin(package.from.as_ref()), pin(package.to.as_ref()));
        let new = if package.is_changed() { new } else { "-".to_owned() };
        packages.add_row([package.name.to_string(), old, new, commits, words(package)]);
    }
    lines(&mut text, &packages);
    for package in &report.packages {
        if let Some(commits) = package.commits.as_ref().filter(|commits| !commits.newest.is_empty()) {
            list(&mut text, package, commits);
        }
    }
    text
}

fn pin(release: Option<&PinnedRelease>) -> String {
    match release {
        Some(PinnedRelease { reference, commit: Some(commit), .. }) => format!("{reference} ({})", short(commit)),
        Some(PinnedRelease { reference, .. }) => reference.clone(),
        None => "-".to_owned(),
    }
}

fn words(package: &PromotedPackage) -> String {
    match (package.outcome, &package.newest) {
        (PromotionOutcome::Updated, _) => "newer".to_owned(),
        (PromotionOutcome::Added, _) => "added".to_owned(),
        (PromotionOutcome::Downgraded, _) => "older".to_owned(),
        (PromotionOutcome::Unchanged, _) => "up to date".to_owned(),
        (PromotionOutcome::Newer, Some(newest)) => format!("kept: newer than {newest}"),
        (PromotionOutcome::Newer, None) => "kept".to_owned(),
        (PromotionOutcome::NoRelease, _) => "no matching tag".to_owned(),
        (PromotionOutcome::NoRepository, _) => "unknown repository".to_owned(),
    }
}

fn list(text: &mut String, package: &PromotedPackage, commits: &CommitsBetween) {
    line(text, format_args!("\n{}:", package.name));
    for commit in commits.newest.iter().take(COMMITS) {
        line(text, format_args!("  {} {}", short(&commit.commit), commit.subject));
    }
    let more = commits.count.saturating_sub(commits.newest.len().min(COMMITS));
    if more > 0 {
        line(text, format_args!("  and {more} more"));
    }
}

/// Returns `2 packages to prod (prod/pyproject.toml)`.
fn summary(report: &PromoteReport) -> (&'static str, String) {
    let count = report.packages.iter().filter(|package| package.is_changed()).count();
    let (profile, path) = (report.profile, shown(&report.manifest));
    match (count, report.dry_run) {
        (0, _) => ("Checked", format!("{profile} ({path}): no newer releases")),
        (_, true) => ("Planned", format!("{} to {profile} ({path})", counted(count, "promotion"))),
        (_, false) => ("Promoted", format!("{} to {profile} ({path})", counted(count, "package"))),
    }
}
