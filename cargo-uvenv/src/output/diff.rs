//! The differences between two profiles, as tables for people and for a pull request.

use uvenv_core::report::{DiffReport, DiffSideReport, InternalOrigin, PythonRequest};

use super::text::{line, lines, short, table};

/// A table of differences: its heading, and rows with the name, the first side and the second side.
struct Section {
    heading: &'static str,
    rows: Vec<[String; 3]>,
}

/// Returns the tables for people.
pub(super) fn text(report: &DiffReport) -> String {
    let mut text = String::new();
    let (from, to) = (side(&report.from), side(&report.to));
    for Section { heading, rows } in sections(report) {
        let mut packages = table(&[heading, &from, &to]);
        for row in rows {
            packages.add_row(row);
        }
        lines(&mut text, &packages);
        line(&mut text, "");
    }
    for note in notes(report) {
        line(&mut text, note);
    }
    // End with a single line ending, even if no note follows the last table.
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Returns the tables as Markdown.
pub(super) fn markdown(report: &DiffReport) -> String {
    let mut text = String::new();
    let (from, to) = (side(&report.from), side(&report.to));
    line(&mut text, format_args!("### `{from}` → `{to}`\n"));
    for Section { heading, rows } in sections(report) {
        line(&mut text, format_args!("| {heading} | {} | {} |\n| --- | --- | --- |", cell(&from), cell(&to)));
        for [name, from, to] in rows {
            line(&mut text, format_args!("| {} | {} | {} |", cell(&name), cell(&from), cell(&to)));
        }
        line(&mut text, "");
    }
    for note in notes(report) {
        line(&mut text, note);
    }
    // End with a single line ending, even if no note follows the last table.
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Escapes characters that would end a table cell or have a meaning in Markdown.
fn cell(text: &str) -> String {
    if text == NONE { text.to_owned() } else { format!("`{}`", text.replace('|', "\\|").replace('`', "'")) }
}

const NONE: &str = "-";

fn sections(report: &DiffReport) -> Vec<Section> {
    let internal = report.internal.iter().map(|difference| {
        [difference.name.to_string(), origin(difference.from.as_ref()), origin(difference.to.as_ref())]
    });
    let packages = report.packages.iter().map(|change| [change.name.to_string(), list(&change.from), list(&change.to)]);
    let backends = report.backends.iter().map(|difference| {
        let of = |requirements: &Option<Vec<String>>| requirements.as_deref().map_or_else(none, adds);
        [difference.name.to_string(), of(&difference.from), of(&difference.to)]
    });
    let python = report.python.iter().map(|python| ["Python".to_owned(), request(&python.from), request(&python.to)]);
    let sections = [
        Section { heading: "internal package", rows: internal.collect() },
        Section { heading: "package", rows: packages.collect() },
        Section { heading: "backend", rows: backends.collect() },
        Section { heading: "", rows: python.collect() },
    ];
    sections.into_iter().filter(|section| !section.rows.is_empty()).collect()
}

fn notes(report: &DiffReport) -> Vec<String> {
    let unlocked = [&report.from, &report.to].into_iter().filter(|side| !side.is_locked);
    let mut notes: Vec<_> = unlocked
        .map(|unlocked| format!("{} has no lockfile: only the manifests are compared.", side(unlocked)))
        .collect();
    if report.is_empty() {
        notes.insert(0, format!("{} and {} do not differ.", side(&report.from), side(&report.to)));
    }
    notes
}

fn side(side: &DiffSideReport) -> String {
    match &side.revision {
        Some(revision) => format!("{}@{revision}", side.profile),
        None => side.profile.to_string(),
    }
}

fn none() -> String {
    NONE.to_owned()
}

fn list(versions: &[String]) -> String {
    if versions.is_empty() { none() } else { versions.join(", ") }
}

/// A backend that adds nothing is still a backend.
fn adds(requirements: &[String]) -> String {
    if requirements.is_empty() { "nothing".to_owned() } else { requirements.join(", ") }
}

fn origin(origin: Option<&InternalOrigin>) -> String {
    let Some(origin) = origin else { return none() };
    let version = origin.version.as_deref().unwrap_or("dynamic");
    match (&origin.reference, &origin.commit, &origin.directory) {
        (Some(reference), Some(commit), _) => format!("{reference} ({})", short(commit)),
        (Some(reference), None, _) if origin.version.is_none() => format!("{reference} (not locked)"),
        (Some(reference), None, _) => format!("{version} from {reference}"),
        (None, _, Some(directory)) => format!("{version} in {directory}"),
        (None, _, None) => version.to_owned(),
    }
}

fn request(python: &PythonRequest) -> String {
    let requires = python.requires_python.as_deref().unwrap_or("any");
    match &python.python_version {
        Some(version) => format!("{requires}, .python-version {version}"),
        None => requires.to_owned(),
    }
}
