//! The differences between two profiles, as tables for people.

use uvenv_core::report::{DiffReport, DiffTable};

use super::text::{line, lines, table};

/// Returns the tables for people.
pub(super) fn text(report: &DiffReport) -> String {
    let mut text = String::new();
    let (from, to) = (report.from.to_string(), report.to.to_string());
    for DiffTable { heading, rows } in report.tables() {
        let mut packages = table(&[heading, &from, &to]);
        for row in rows {
            packages.add_row(row);
        }
        lines(&mut text, &packages);
        line(&mut text, "");
    }
    for note in report.notes() {
        line(&mut text, note);
    }
    // End with a single line ending, even if no note follows the last table.
    text.truncate(text.trim_end().len());
    text + "\n"
}
