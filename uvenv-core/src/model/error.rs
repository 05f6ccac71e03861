//! What every error of uvenv has: a stable code, a sentence, a way out and, where a file is to blame, the place in it.
//!
//! Each module defines its own error enum with `thiserror` and says the rest through [`Diagnostic`];
//! [`Error`](crate::Error) joins them. Nothing here knows how errors are rendered: the command line draws them, Python raises them.

use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::redact::{redact, redact_in_place};

/// A range of a text file that the user wrote. Cheap to clone, and small in an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    path: Utf8PathBuf,
    text: Arc<str>,
    span: Range<usize>,
}

impl Place {
    /// The bytes `span` of `text`, which was read from `path`.
    pub fn new(path: impl Into<Utf8PathBuf>, text: Arc<str>, span: Range<usize>) -> Self {
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        Self(Arc::new(Inner { path: path.into(), text, span: start..end }))
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.0.path
    }

    /// The whole text of the file as it was read.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The same text with the credentials of its URLs masked, byte by byte: [`Self::span`] is a range of it too.
    pub fn text_without_secrets(&self) -> Cow<'_, str> {
        redact_in_place(&self.0.text)
    }

    /// The range, in bytes of [`Self::text`].
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// The empty place behind the range.
    #[must_use]
    pub fn end(&self) -> Self {
        let end = self.0.span.end;
        self.at(end..end)
    }

    /// Another range of the same file.
    pub(crate) fn at(&self, span: Range<usize>) -> Self {
        Self::new(self.0.path.clone(), Arc::clone(&self.0.text), span)
    }

    /// The line on which the range starts, from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// The column at which the range starts, in characters, from 1.
    pub fn column(&self) -> usize {
        let before = self.before();
        before[before.rfind('\n').map_or(0, |newline| newline + 1)..].chars().count() + 1
    }

    fn before(&self) -> &str {
        &self.0.text[..self.0.text.floor_char_boundary(self.0.span.start)]
    }
}

/// Whom an error speaks to, which decides the exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request or a file is wrong: exit status 2.
    Request,
    /// A check found something, or a program that was asked failed: exit status 1.
    Finding,
}

/// The parts of an error beside its sentence (`Display`).
pub trait Diagnostic: std::error::Error {
    /// Stable, kebab-case: `backend-required`.
    fn code(&self) -> &'static str;

    /// The command or the edit that mends it.
    fn help(&self) -> Option<String>;

    /// Where in the user's files it is.
    fn place(&self) -> Option<&Place> {
        None
    }

    /// Whether the request is wrong or something was found.
    fn fault(&self) -> Fault {
        Fault::Request
    }
}

/// Writes an error as the command line draws it, without colours.
pub(crate) fn write(error: &dyn Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "error[{}]: {}", error.code(), redact(&error.to_string()))?;
    let mut margin = String::new();
    if let Some(place) = error.place() {
        margin = " ".repeat(place.line().to_string().len());
        write!(f, "\n{margin}--> {}:{}:{}\n{margin} |\n", place.path(), place.line(), place.column())?;
        let text = place.text_without_secrets();
        let line = text.lines().nth(place.line() - 1).unwrap_or_default();
        write!(f, "{} | {line}\n{margin} | {}", place.line(), underline(place, &text, line))?;
    }
    match error.help() {
        Some(help) => write!(f, "\n{margin} |\n{margin} = help: {}", redact(&help)),
        None => Ok(()),
    }
}

/// The carets under what `place` says of `line`, its first line in `text`.
fn underline(place: &Place, text: &str, line: &str) -> String {
    let before = place.column() - 1;
    let chosen = text.get(place.span()).and_then(|chosen| chosen.lines().next()).unwrap_or_default();
    let blank: String = line.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    blank + &"^".repeat(chosen.chars().count().max(1))
}

/// The one of `names` that a mistyped `wanted` is most likely to mean: at most `within` edits away.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>, within: usize) -> Option<&'a str> {
    let edits = |name: &&str| strsim::damerau_levenshtein(wanted, name);
    names.into_iter().min_by_key(edits).filter(|name| edits(name) <= within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, monorepo::DiscoveryError};

    fn refused(text: &str, span: Range<usize>) -> Error {
        let place = Place::new("/repo/pyproject.toml", text.into(), span);
        let (pattern, message) = ("[".to_owned(), "unclosed".to_owned());
        DiscoveryError::Glob { pattern, message, place }.into()
    }

    #[test]
    fn debug_is_the_whole_message() {
        let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n\tü = \"[\" # https://u:p@h\n11";
        let start = text.find('"').unwrap();
        assert_eq!(
            format!("{:?}", refused(text, start..start + 3)),
            "error[invalid-value]: the workspace pattern `[` is not valid: unclosed\n  \
             --> /repo/pyproject.toml:10:6\n   |\n10 | \tü = \"[\" # https://***@h\n   | \t    ^^^\n   |\n   \
             = help: write it like `packages/*`"
        );
    }

    #[test]
    fn a_place_that_is_not_there_is_no_panic() {
        for span in [0..0, 3..3, 2..9] {
            let shown = format!("{:?}", refused("a\r\n", span));
            assert!(shown.contains("\n  | "), "{shown}");
        }
        assert!(
            format!("{:?}", Error::from(DiscoveryError::NotFound { start: "/".into() })).contains("\n |\n = help: ")
        );
    }
}
