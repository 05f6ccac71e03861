//! The differences between two profiles as tables, for people and for a pull request.

use std::fmt::{self, Write as _};

use super::{DiffReport, DiffSideReport, InternalOrigin, PythonRequest};

/// How many characters of a commit are shown.
const SHORT: usize = 8;

/// A table of differences.
#[derive(Clone, Debug)]
pub struct DiffTable {
    /// What its rows are about; empty for the Python requirement.
    pub heading: &'static str,
    /// Each row: the name, the first side and the second side.
    pub rows: Vec<[String; 3]>,
}

impl DiffReport {
    /// Returns the differences as Markdown tables, for a pull request.
    pub fn markdown(&self) -> String {
        let (from, to) = (self.from.to_string(), self.to.to_string());
        let mut parts = vec![format!("### `{from}` → `{to}`\n")];
        for DiffTable { heading, rows } in self.tables() {
            let mut table = format!("| {heading} | {} | {} |\n| --- | --- | --- |\n", cell(&from), cell(&to));
            for [name, from, to] in rows {
                // Writing to a string cannot fail.
                let _ = writeln!(table, "| {} | {} | {} |", cell(&name), cell(&from), cell(&to));
            }
            parts.push(table);
        }
        let notes = self.notes();
        if !notes.is_empty() {
            parts.push(notes.join("\n") + "\n");
        }
        parts.join("\n")
    }

    /// Returns the differences as tables, those without rows left out.
    pub fn tables(&self) -> Vec<DiffTable> {
        let internal = self.internal.iter().map(|difference| {
            [difference.name.to_string(), origin(difference.from.as_ref()), origin(difference.to.as_ref())]
        });
        let packages =
            self.packages.iter().map(|change| [change.name.to_string(), list(&change.from), list(&change.to)]);
        let backends = self.backends.iter().map(|difference| {
            let of = |requirements: &Option<Vec<String>>| requirements.as_deref().map_or_else(none, adds);
            [difference.name.to_string(), of(&difference.from), of(&difference.to)]
        });
        let python = self.python.iter().map(|python| ["Python".to_owned(), request(&python.from), request(&python.to)]);
        let tables = [
            DiffTable { heading: "internal package", rows: internal.collect() },
            DiffTable { heading: "package", rows: packages.collect() },
            DiffTable { heading: "backend", rows: backends.collect() },
            DiffTable { heading: "", rows: python.collect() },
        ];
        tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
    }

    /// Returns what the tables do not say, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let unlocked = [&self.from, &self.to].into_iter().filter(|side| !side.is_locked);
        let mut notes: Vec<_> =
            unlocked.map(|side| format!("{side} has no lockfile: only the manifests are compared.")).collect();
        if self.is_empty() {
            notes.insert(0, format!("{} and {} do not differ.", self.from, self.to));
        }
        notes
    }
}

impl fmt::Display for DiffSideReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.revision {
            Some(revision) => write!(f, "{}@{revision}", self.profile),
            None => self.profile.fmt(f),
        }
    }
}

/// Escapes characters that would end a table cell or have a meaning in Markdown.
fn cell(text: &str) -> String {
    if text == NONE { text.to_owned() } else { format!("`{}`", text.replace('|', "\\|").replace('`', "'")) }
}

const NONE: &str = "-";

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
        (Some(reference), Some(commit), _) => format!("{reference} ({})", commit.get(..SHORT).unwrap_or(commit)),
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
