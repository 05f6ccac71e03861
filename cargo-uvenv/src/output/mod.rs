//! All output: summaries and tables for people, messages for programs. Results go to stdout, everything else to stderr.

mod board;
mod check;
mod diff;
mod explanation;
mod file_diff;
mod github;
mod human;
mod init;
mod promote;
mod sarif;
mod status;
mod stdout;
mod text;
mod variables;
mod verify;

use std::io::Write;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use uvenv_core::{
    error::{Diagnostic, Place},
    report::{ExplanationReport, Message, Problem},
};

pub(crate) use self::{board::Board, variables::Form};
use crate::cli::{MessageFormat, Verbosity};

/// The output of a command.
#[derive(Debug)]
pub(crate) struct Output {
    format: MessageFormat,
    verbosity: Verbosity,
}

impl Output {
    pub(crate) fn new(format: MessageFormat, verbosity: Verbosity) -> Self {
        Self { format, verbosity }
    }

    /// Whether the output is for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.format.is_json()
    }

    /// Returns the display for several profiles that are processed at the same time; `verb` names the operation.
    pub(crate) fn board(&self, verb: &'static str) -> Board {
        Board::new(verb, self.verbosity == Verbosity::Quiet)
    }

    /// Prints the result of a command.
    pub(crate) fn message(&mut self, message: &Message) {
        let is_quiet = self.verbosity == Verbosity::Quiet;
        match (self.format, message) {
            (MessageFormat::Json, message) => json(message),
            (MessageFormat::Sarif, Message::CheckFinished(report)) => script(&sarif::text(report)),
            (MessageFormat::Github, Message::CheckFinished(report)) => github::message(report, is_quiet),
            (MessageFormat::Markdown, Message::DiffFinished(report)) => script(&report.markdown()),
            (_, Message::CheckFinished(report)) => check::message(report, is_quiet),
            (_, Message::Explanation(report)) => explanation::print(report),
            // The document is the result, as for a pipe.
            (_, Message::SbomFinished(report)) if report.file.is_none() => script(&report.text()),
            _ if is_quiet => {}
            (_, Message::Status(report)) if matches!(self.verbosity, Verbosity::Verbose(_)) => {
                human::message(message);
                status::details(report);
            }
            (_, message) => human::message(message),
        }
    }

    /// Prints the explanations of all codes.
    pub(crate) fn explanations(&mut self, explanations: Vec<ExplanationReport>) {
        if self.format.is_json() {
            explanations.into_iter().map(Message::Explanation).for_each(|message| json(&message));
        } else {
            explanation::list(&explanations);
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

/// Returns the text of `message` for people, if it consists of tables or sentences.
pub(crate) fn text(message: &Message) -> Option<String> {
    human::text(message)
}

/// Says on stderr, whatever the format, if stdout could not take all.
pub(crate) fn report_failure() -> Option<impl Diagnostic> {
    let error = stdout::failure()?;
    render(Level::ERROR, &error);
    Some(error)
}

/// Prints text for a shell or another program.
pub(crate) fn script(text: &str) {
    stdout::plain(text);
}

/// Prints an object on one line.
fn json(message: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(message) {
        stdout::styled(&format!("{text}\n"));
    }
}

/// Prints an error in the style of rustc: `error[code]: sentence`, the location, `help:`.
fn render(level: Level<'_>, error: &dyn Diagnostic) {
    let Problem { code, message, help, .. } = Problem::new(error);
    let drawing =
        Drawing { level, code: &code, message: &message, help: help.as_deref(), place: error.place(), related: vec![] };
    let _ = writeln!(anstream::stderr(), "{}", drawing.render(&Renderer::styled()));
}

/// The parts of a printed error.
struct Drawing<'a> {
    level: Level<'a>,
    code: &'a str,
    message: &'a str,
    help: Option<&'a str>,
    place: Option<&'a Place>,
    /// Other locations, each with a label.
    related: Vec<(&'a str, &'a Place)>,
}

impl Drawing<'_> {
    fn render(&self, renderer: &Renderer) -> String {
        let title = self.level.clone().primary_title(self.message).id(self.code);
        let mut group = Group::with_title(title);
        for (main, others) in self.files() {
            let path = text::shown(main.path());
            let mut snippet = Snippet::source(main.text_without_secrets().into_owned()).path(path);
            if self.place.is_some_and(|place| place == main) {
                // An empty range has nothing to underline, but its line is shown.
                snippet = snippet.annotation(AnnotationKind::Primary.span(main.span()));
            }
            let labelled =
                others.into_iter().map(|(words, place)| AnnotationKind::Context.span(place.span()).label(words));
            group = group.element(snippet.annotations(labelled));
        }
        if let Some(help) = self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }

    /// Returns the locations grouped by file: one primary location per file, and the labeled ones.
    fn files(&self) -> Vec<(&Place, Vec<(&str, &Place)>)> {
        let mut files: Vec<(&Place, Vec<_>)> = self.place.map(|place| (place, Vec::new())).into_iter().collect();
        for (words, place) in &self.related {
            match files.iter_mut().find(|(other, _)| other.path() == place.path()) {
                Some((_, others)) => others.push((*words, *place)),
                None => files.push((place, vec![(*words, *place)])),
            }
        }
        files
    }
}
