//! Describes what was set up.

use std::io::Write as _;

use annotate_snippets::{Group, Level, Renderer};
use uvenv_core::report::SetUpReport;

use super::text::{done, help, shown};

/// Prints the outcome of `init`.
pub(super) fn finished(report: &SetUpReport) {
    details(report);
    if report.written.is_empty() {
        done("Checked", "staging and prod: nothing to change");
    } else {
        next();
    }
}

/// Prints the outcome of `add-package`.
pub(super) fn package_added(report: &SetUpReport) {
    details(report);
    let package = report.package.as_deref().unwrap_or(&report.root);
    if report.written.is_empty() {
        done("Checked", format_args!("{package}: nothing to change"));
    } else {
        done("Added", package);
        next();
    }
}

fn next() {
    help("run `cargo uvenv lock --all-profiles`, then `cargo uvenv check`");
}

/// Prints the written files, the new pins, and warnings about what could not be determined.
fn details(report: &SetUpReport) {
    for path in &report.written {
        done("Wrote", shown(path));
    }
    for pin in &report.pins {
        done("Pinned", format_args!("{} in {} to {} from {}", pin.name, pin.profile, pin.tag, pin.url));
    }
    for problem in &report.unknown {
        let title = Level::WARNING.primary_title(problem.message.as_str()).id(problem.code.as_str());
        let help = problem.help.as_deref().map(|help| Level::HELP.message(help));
        let group = Group::with_title(title).elements(help);
        let _ = writeln!(anstream::stderr(), "{}", Renderer::styled().render(&[group]));
    }
}
