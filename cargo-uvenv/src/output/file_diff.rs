//! File changes as unified diffs.

use anstyle::{AnsiColor, Style};
use uvenv_core::report::FileChange;

use super::stdout;

/// Prints the diffs in git's colours.
pub(super) fn print(changes: &[FileChange]) {
    for line in changes.iter().flat_map(|change| change.diff.split_inclusive('\n')) {
        let style = style(line);
        let (text, end) = line.strip_suffix('\n').map_or((line, ""), |text| (text, "\n"));
        stdout::styled(&format!("{style}{text}{style:#}{end}"));
    }
}

fn style(line: &str) -> Style {
    match line {
        line if line.starts_with("---") || line.starts_with("+++") => Style::new().bold(),
        line if line.starts_with("@@") => AnsiColor::Cyan.on_default(),
        line if line.starts_with('-') => AnsiColor::Red.on_default(),
        line if line.starts_with('+') => AnsiColor::Green.on_default(),
        _ => Style::new(),
    }
}
