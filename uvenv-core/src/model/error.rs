//! The parts that all errors of uvenv have: a stable code, a message, a suggested fix and, if a file causes the error,
//! the location in it.
//!
//! Each module defines its own error enum with `thiserror` and implements [`Diagnostic`] for the other parts; [`Error`]
//! holds any of them. This module does not decide how errors are presented: the command line renders them, Python raises
//! them.

use std::{
    borrow::Cow,
    error::Error as StdError,
    fmt,
    ops::{Deref, Range},
    sync::Arc,
};

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::redact::{redact, redact_in_place};

/// A range in a text file that the user wrote. Cheap to clone, and small enough for an error type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    path: Utf8PathBuf,
    text: Arc<str>,
    span: Range<usize>,
}

impl Place {
    /// Creates a location: the bytes `span` of `text`, which was read from `path`.
    pub fn new(path: impl Into<Utf8PathBuf>, text: Arc<str>, span: Range<usize>) -> Self {
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        Self(Arc::new(Inner { path: path.into(), text, span: start..end }))
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Utf8Path {
        &self.0.path
    }

    /// Returns the whole text of the file as it was read.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Returns the text with the credentials in its URLs masked byte by byte, so that [`Self::span`] is also valid in
    /// the masked text.
    pub fn text_without_secrets(&self) -> Cow<'_, str> {
        redact_in_place(&self.0.text)
    }

    /// Returns the range, in bytes of [`Self::text`].
    pub fn span(&self) -> Range<usize> {
        self.0.span.clone()
    }

    /// Returns the empty location at the end of the range.
    #[must_use]
    pub fn end(&self) -> Self {
        let end = self.0.span.end;
        self.at(end..end)
    }

    /// Returns another range of the same file.
    pub(crate) fn at(&self, span: Range<usize>) -> Self {
        Self::new(self.0.path.clone(), Arc::clone(&self.0.text), span)
    }

    /// Returns the line on which the range starts, counted from 1.
    pub fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    /// Returns the column at which the range starts, in characters, counted from 1.
    pub fn column(&self) -> usize {
        let before = self.before();
        before[before.rfind('\n').map_or(0, |newline| newline + 1)..].chars().count() + 1
    }

    fn before(&self) -> &str {
        &self.0.text[..self.0.text.floor_char_boundary(self.0.span.start)]
    }
}

/// The kind of problem that an error reports, which determines the exit status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request or a file is wrong: exit status 2.
    Request,
    /// A check has findings, or a program that uvenv ran failed: exit status 1.
    Finding,
}

/// The parts of an error in addition to its message (`Display`).
pub trait Diagnostic: std::error::Error {
    /// Returns the stable code, in kebab case: `backend-required`.
    fn code(&self) -> &'static str;

    /// Returns the command or the edit that fixes the problem.
    fn help(&self) -> Option<String>;

    /// Returns the location in the user's files.
    fn place(&self) -> Option<&Place> {
        None
    }

    /// Returns whether the request is wrong or the error is a finding.
    fn fault(&self) -> Fault {
        Fault::Request
    }
}

/// Any error of uvenv, with the code, help and place of the module that found it. What remains the same from version to
/// version is the [code](Diagnostic::code).
///
/// Its `Debug` output is the whole message with code, place and help, because `fn main() -> Result<(),
/// uvenv_core::Error>`, which is common in build scripts, prints it.
pub struct Error(Box<dyn Diagnostic + Send + Sync>);

impl Error {
    /// Returns the error as the type of the module that found it, if it is a `T`.
    pub(crate) fn downcast_ref<T: Diagnostic + 'static>(&self) -> Option<&T> {
        (&*self.0 as &dyn StdError).downcast_ref()
    }
}

impl<E: Diagnostic + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl From<Error> for Box<dyn Diagnostic + Send + Sync> {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl Deref for Error {
    type Target = dyn Diagnostic + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&*self.0, f)
    }
}

/// Writes an error as the command line shows it, without colours.
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

/// Returns the carets for the part of `place` on `line`, its first line in `text`.
fn underline(place: &Place, text: &str, line: &str) -> String {
    let before = place.column() - 1;
    let chosen = text.get(place.span()).and_then(|chosen| chosen.lines().next()).unwrap_or_default();
    let blank: String = line.chars().take(before).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    blank + &"^".repeat(chosen.chars().count().max(1))
}

/// Returns `items` as a list in a sentence: `` `a`, `b` ``.
pub(crate) fn quoted(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    items.into_iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
}

/// Returns `items` as a list in a sentence, or `none` if there are none.
pub(crate) fn quoted_or(items: &[impl fmt::Display], none: &str) -> String {
    if items.is_empty() { none.to_owned() } else { quoted(items) }
}

/// Returns the element of `names` that a misspelled `wanted` most likely means, with at most `within` edits.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>, within: usize) -> Option<&'a str> {
    let edits = |name: &&str| strsim::damerau_levenshtein(wanted, name);
    names.into_iter().min_by_key(edits).filter(|name| edits(name) <= within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monorepo::DiscoveryError;

    fn refused(text: &str, span: Range<usize>) -> Error {
        let place = Place::new("/repo/pyproject.toml", text.into(), span);
        let (pattern, message) = ("[".to_owned(), "unclosed".to_owned());
        DiscoveryError::Glob { pattern, message, place }.into()
    }

    #[test]
    fn debug_shows_the_whole_message() {
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
    fn does_not_panic_on_an_invalid_place() {
        for span in [0..0, 3..3, 2..9] {
            let shown = format!("{:?}", refused("a\r\n", span));
            assert!(shown.contains("\n  | "), "{shown}");
        }
        assert!(
            format!("{:?}", Error::from(DiscoveryError::NotFound { start: "/".into() })).contains("\n |\n = help: ")
        );
    }
}
