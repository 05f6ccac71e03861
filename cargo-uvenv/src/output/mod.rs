//! All that is printed: summaries and tables for people, messages for programs. Outcomes go to stdout, the rest to stderr.

mod human;
mod variables;

use std::io::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use uvenv_core::{
    error::{Diagnostic, Place},
    report::{Message, Problem},
};

pub(crate) use self::variables::Form;
use crate::cli::{MessageFormat, Verbosity};

/// Where a command says what it has to say.
#[derive(Debug)]
pub(crate) struct Output {
    format: MessageFormat,
    verbosity: Verbosity,
}

impl Output {
    pub(crate) fn new(format: MessageFormat, verbosity: Verbosity) -> Self {
        Self { format, verbosity }
    }

    /// Whether programs read what is printed.
    pub(crate) fn is_json(&self) -> bool {
        self.format.is_json()
    }

    /// Prints the outcome of a command.
    pub(crate) fn message(&mut self, message: &Message) {
        if self.format.is_json() {
            json(message);
        } else if self.verbosity != Verbosity::Quiet {
            human::message(message);
        }
    }

    pub(crate) fn error(&mut self, error: &dyn Diagnostic) {
        if self.format.is_json() {
            json(&Message::Error(Problem::new(error)));
        } else {
            render(Level::ERROR, error);
        }
    }

    pub(crate) fn warning(&mut self, warning: &dyn Diagnostic) {
        if self.format.is_json() {
            json(&Message::Warning(Problem::new(warning)));
        } else if self.verbosity != Verbosity::Quiet {
            render(Level::WARNING, warning);
        }
    }
}

/// What `message` is for people, where that is tables or sentences.
pub(crate) fn text(message: &Message) -> Option<String> {
    human::text(message)
}

/// Prints what a shell or another program is to read. A reader that has gone away is no reason to fail.
pub(crate) fn script(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One object a line. A reader that has gone away is no reason to fail.
fn json(message: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(message) {
        let _ = writeln!(anstream::stdout(), "{text}");
    }
}

/// Draws an error as rustc does: `error[code]: sentence`, the place, `help:`.
fn render(level: Level<'_>, error: &dyn Diagnostic) {
    let problem = Problem::new(error);
    let mut group = Group::with_title(level.primary_title(problem.message).id(problem.code));
    let place = error.place();
    let text = place.map(Place::text_without_secrets).unwrap_or_default();
    if let Some(place) = place {
        let path = human::shown(place.path());
        // An empty range has nothing to underline; the line is shown all the same.
        let annotation = AnnotationKind::Primary.span(place.span());
        group = group.element(Snippet::source(text).path(path).annotation(annotation));
    }
    if let Some(help) = problem.help {
        group = group.element(Level::HELP.message(help));
    }
    let text = Renderer::styled().render(&[group]);
    let _ = writeln!(anstream::stderr(), "{text}");
}
