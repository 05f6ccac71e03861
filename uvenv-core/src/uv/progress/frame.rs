//! The bars and spinners that uv draws on a terminal.

use super::{bytes, package};
use crate::model::Progress;

/// Whether uv removes a row when it is finished.
pub(super) fn is_transient(row: &str) -> bool {
    // A bar that has no name yet.
    let is_bar = row.starts_with(['█', '░']);
    is_bar || spinner(row).is_some() || step(row).is_some()
}

/// Parses a row, unless lines show the same.
pub(super) fn step(row: &str) -> Option<Progress> {
    match spinner(row) {
        Some("") => None,
        Some(message) => spinning(message),
        None => download(row).or_else(|| installation(row)),
    }
}

/// Returns the text after the spinner in `⠙ numpy==2.1.0`.
fn spinner(row: &str) -> Option<&str> {
    let rest = row.strip_prefix(|first| ('\u{2801}'..='\u{28ff}').contains(&first))?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim())
}

/// Parses `Preparing packages... (3/12)`, `Resolving dependencies...`, `numpy==2.1.0` or `numpy @ URL`.
fn spinning(message: &str) -> Option<Progress> {
    if let Some(count) = message.strip_prefix("Preparing packages... ") {
        let (done, total) = fraction(count.strip_prefix('(')?.strip_suffix(')')?)?;
        return Some(Progress::Preparing { done, total });
    }
    if message.ends_with("...") {
        return message.starts_with("Resolving").then_some(Progress::Resolving { package: None });
    }
    (message.contains("==") || message.contains(" @ ")).then(|| Progress::Resolving { package: Some(package(message)) })
}

/// Parses `numpy                ------------------------------ 4.20 MiB/15.58 MiB`, or `NAME ....` if the size is
/// unknown.
fn download(row: &str) -> Option<Progress> {
    const BAR: &str = " ------------------------------ ";
    if let Some(name) = row.strip_suffix(" ....") {
        let name = name.trim().to_owned();
        return (!name.is_empty()).then_some(Progress::Downloading { name, bytes: 0, total: None });
    }
    let (name, sizes) = row.split_once(BAR)?;
    let (here, total) = sizes.split_once('/')?;
    Some(Progress::Downloading { name: name.trim().to_owned(), bytes: bytes(here)?, total: Some(bytes(total)?) })
}

/// Parses `██████████████░░░░░░ [5/7] numpy==2.1.0`.
fn installation(row: &str) -> Option<Progress> {
    let (bar, rest) = row.split_once(" [")?;
    let is_bar = bar.chars().count() == 20 && bar.chars().all(|cell| ('\u{2580}'..='\u{259f}').contains(&cell));
    let (done, total) = fraction(rest.split_once(']').filter(|_| is_bar)?.0)?;
    Some(Progress::Installing { done, total })
}

fn fraction(text: &str) -> Option<(u64, u64)> {
    let (done, total) = text.split_once('/')?;
    Some((done.parse().ok()?, total.parse().ok()?))
}
