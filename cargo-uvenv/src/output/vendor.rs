//! What `vendor` says.

use indicatif::BinaryBytes;
use uvenv_core::report::VendorReport;

use super::human::{done, shown};

pub(super) fn message(report: &VendorReport) {
    let backend = report.backend.as_ref().map(|backend| format!(" with {backend}")).unwrap_or_default();
    let (wheels, bytes) = (counted(report.wheels, "wheel"), BinaryBytes(report.bytes));
    let changes = match (report.downloaded.len(), report.built.len(), report.removed.len()) {
        (0, 0, 0) => "nothing new".to_owned(),
        (downloaded, built, removed) => format!("{downloaded} downloaded, {built} built, {removed} removed"),
    };
    let directory = shown(&report.directory);
    done("Vendored", format_args!("{}{backend} in {directory}: {wheels}, {bytes}; {changes}", report.profile));
    for target in &report.targets {
        let distributions = counted(target.distributions, "distribution");
        done("For", format_args!("Python {} on {}: {distributions}", target.python, target.platform));
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
