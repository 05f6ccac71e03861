//! Lines and tables that all results use.

use std::{
    fmt::{Display, Write as _},
    io::Write as _,
};

use anstyle::{AnsiColor, Style};
use camino::Utf8Path;
use comfy_table::{Cell, ContentArrangement, Table, presets};

use super::stdout;

/// Returns a path relative to the current directory, if it is below that directory.
pub(super) fn shown(path: &Utf8Path) -> String {
    let here = std::env::current_dir().ok();
    let relative = here.and_then(|here| path.strip_prefix(Utf8Path::from_path(&here)?).ok().map(Utf8Path::to_string));
    relative.filter(|path| !path.is_empty()).unwrap_or_else(|| path.to_string())
}

const DONE: Style = AnsiColor::Green.on_default().bold();

/// Prints a line in the style of cargo, with the verb in its own column.
pub(super) fn done(verb: &str, text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{DONE}{verb:>12}{DONE:#} {text}");
}

const HELP: Style = AnsiColor::BrightCyan.on_default().bold();

/// Prints advice on a separate line.
pub(super) fn help(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{HELP}help{HELP:#}: {text}");
}

/// Prints a line that is neither a result nor advice.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

pub(super) fn print(text: impl Display) {
    stdout::styled(&format!("{text}\n"));
}

/// Adds a line to a text.
pub(super) fn line(text: &mut String, line: impl Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

/// Adds a table, without the spaces that fill its last column.
pub(super) fn lines(text: &mut String, table: &Table) {
    for row in table.lines() {
        line(text, row.trim_end());
    }
}

/// Returns `1 file` or `2 files`.
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

pub(super) fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(Cell::new));
    table
}
