//! What `verify` says, in words and a table.

use uvenv_core::report::{VerifyFinding, VerifyKind, VerifyReport};

use super::human::{line, lines, shown, table};

pub(super) fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    if !report.findings.is_empty() {
        let mut found = table(&["distribution", "what is wrong", "file"]);
        for finding in &report.findings {
            let path = finding.path.as_deref().map(shown).unwrap_or_default();
            found.add_row([finding.name.to_string(), in_words(finding), path]);
        }
        lines(&mut text, &found);
        line(&mut text, "");
    }
    let outcome = match report.findings.len() {
        0 => "as it is locked".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    };
    let (environment, counts) = (shown(&report.environment), (report.distributions, report.files));
    line(
        &mut text,
        format_args!("{} in {environment}: {outcome}; {} distributions, {} files", report.profile, counts.0, counts.1),
    );
    text
}

fn in_words(finding: &VerifyFinding) -> String {
    let of = |text: &Option<String>| text.clone().unwrap_or_default();
    let (expected, found) = (of(&finding.expected), of(&finding.found));
    match finding.kind {
        VerifyKind::Missing => format!("{expected} is missing").trim_start().to_owned(),
        VerifyKind::Extra => format!("{found} is not to be there"),
        VerifyKind::Version => format!("is {found}, locked is {expected}"),
        VerifyKind::Commit => format!("is from {}, locked is {}", short(&found), short(&expected)),
        VerifyKind::Changed => "was changed".to_owned(),
        VerifyKind::Gone => "is gone".to_owned(),
        _ => format!("cannot be read: {found}"),
    }
}

/// A commit as git shows it.
fn short(commit: &str) -> &str {
    let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { &commit[..8] } else { commit }
}
