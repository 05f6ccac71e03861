//! What was set up, in words.

use std::io::Write as _;

use annotate_snippets::{Group, Level, Renderer};
use uvenv_core::report::SetUpReport;

use super::text::{done, shown};

/// Says what was written and pinned, and what could not be known.
pub(super) fn message(verb: &str, report: &SetUpReport) {
    for path in &report.written {
        done("Wrote", shown(path));
    }
    for pin in &report.pins {
        done("Pinned", format_args!("{} in {} to {} of {}", pin.name, pin.profile, pin.tag, pin.url));
    }
    for problem in &report.unknown {
        let title = Level::WARNING.primary_title(problem.message.as_str()).id(problem.code.as_str());
        let help = problem.help.as_deref().map(|help| Level::HELP.message(help));
        let group = Group::with_title(title).elements(help);
        let _ = writeln!(anstream::stderr(), "{}", Renderer::styled().render(&[group]));
    }
    if report.written.is_empty() {
        done(verb, "nothing: all is there");
    } else {
        done(verb, "run `cargo uvenv lock --all-profiles`, then `cargo uvenv check`");
    }
}
