//! What was changed in an environment, as a table.

use indicatif::BinaryBytes;
use uvenv_core::report::{Difference, DifferenceKind, VerifyReport};

use super::text::{counted, done, line, lines, print, short, shown, table};

/// The number of files of one distribution and kind that are shown.
const SHOWN: usize = 10;

/// Prints the differences and a summary.
pub(super) fn message(report: &VerifyReport) {
    let differences = differences(report);
    if !differences.is_empty() {
        print(differences.trim_end());
    }
    done("Verified", summary(report));
}

/// Returns the same text for callers that print it elsewhere.
pub(super) fn text(report: &VerifyReport) -> String {
    let mut text = differences(report);
    line(&mut text, format_args!("Verified {}", summary(report)));
    text
}

fn differences(report: &VerifyReport) -> String {
    let mut text = String::new();
    if report.differences.is_empty() {
        return text;
    }
    let mut rows = table(&["difference", "distribution", "file", "installed", "expected"]);
    let key = |one: &Difference| (one.kind, one.distribution.clone());
    for same in report.differences.chunk_by(|one, other| key(one) == key(other)) {
        for one in same.iter().take(SHOWN) {
            let value =
                |value: &Option<String>| value.as_deref().map_or("-", |value| shorter(one.kind, value)).to_owned();
            let distribution = one.distribution.as_ref().map_or("-", |name| name.as_str()).to_owned();
            let file = one.file.as_ref().map_or("-", |file| file.as_str()).to_owned();
            rows.add_row([
                one.kind.as_str().to_owned(),
                distribution,
                file,
                value(&one.installed),
                value(&one.expected),
            ]);
        }
        if let Some(more) = same.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            rows.add_row([String::new(), String::new(), format!("and {more} more"), String::new(), String::new()]);
        }
    }
    lines(&mut text, &rows);
    text
}

fn shorter(kind: DifferenceKind, value: &str) -> &str {
    if kind == DifferenceKind::WrongCommit { short(value) } else { value }
}

/// `prod with cu124 in prod/.venv: 12 distributions, 345 files (2.10 MiB), 2 differences`.
fn summary(report: &VerifyReport) -> String {
    let backend = report.backend.as_ref().map(|backend| format!(" with {backend}")).unwrap_or_default();
    let found = match report.differences.len() {
        0 => "no differences".to_owned(),
        count => counted(count, "difference"),
    };
    format!(
        "{}{backend} in {}: {}, {} ({}), {found}",
        report.profile,
        shown(&report.environment),
        counted(report.distributions, "distribution"),
        counted(report.files, "file"),
        BinaryBytes(report.bytes),
    )
}
