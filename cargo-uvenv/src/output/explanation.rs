//! A page of the documentation on a terminal: Markdown, as far as our pages go.

use std::io::Write as _;

use anstyle::{AnsiColor, Style};
use uvenv_core::{check::Severity, report::ExplanationReport};

use super::text::{line as add_line, table};

const TITLE: Style = Style::new().bold();
const CODE: Style = AnsiColor::Cyan.on_default();

/// Prints the page of a code.
pub(super) fn print(explanation: &ExplanationReport) {
    let ExplanationReport { code, severity, summary, text } = explanation;
    let title = format!("{TITLE}{}[{code}]: {summary}{TITLE:#}", word(*severity));
    let _ = writeln!(anstream::stdout(), "{title}\n\n{}", terminal(text));
}

/// Prints all codes, each with its sentence.
pub(super) fn list(explanations: &[ExplanationReport]) {
    let mut table = table(&["code", "is", "means"]);
    for ExplanationReport { code, severity, summary, .. } in explanations {
        table.add_row([code, word(*severity), &plain(summary)]);
    }
    for row in table.lines() {
        let _ = writeln!(anstream::stdout(), "{}", row.trim_end());
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Blocks of code are set in, spans of code are coloured, links are their words.
fn terminal(markdown: &str) -> String {
    let mut text = String::new();
    for (index, part) in markdown.split("```").enumerate() {
        if index % 2 == 0 {
            text += &styled(&without_links(part));
            continue;
        }
        // The first line says which language it is.
        for line in part.trim_end().lines().skip(1) {
            add_line(&mut text, format_args!("    {CODE}{line}{CODE:#}"));
        }
        text.truncate(text.trim_end_matches('\n').len());
    }
    text
}

/// Nothing but words: no link, no mark of code.
fn plain(markdown: &str) -> String {
    without_links(markdown).replace('`', "")
}

fn styled(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 1 { format!("{CODE}`{part}`{CODE:#}") } else { part.to_owned() })
        .collect()
}

/// `[words](target)` as `words`.
fn without_links(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, link)) = rest.split_once('[') {
        text += before;
        match link.split_once("](").and_then(|(words, behind)| Some((words, behind.split_once(')')?.1))) {
            Some((words, behind)) if !words.contains('[') => {
                text += words;
                rest = behind;
            }
            _ => {
                text.push('[');
                rest = link;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without the colours.
    fn shown(markdown: &str) -> String {
        anstream::adapter::strip_str(&terminal(markdown)).to_string()
    }

    #[test]
    fn links_are_their_words() {
        assert_eq!(shown("See [the\npage](check.md#levels), [a] (b)."), "See the\npage, [a] (b).");
        assert_eq!(shown("`[tool.uv]` and [`lock`](x) [open"), "`[tool.uv]` and `lock` [open");
        assert_eq!(plain("a `b` [c](d)"), "a b c");
    }

    #[test]
    fn blocks_of_code_are_set_in() {
        assert_eq!(shown("Write\n\n```toml\n[a]\nb = `1`\n```\n\nor not."), "Write\n\n    [a]\n    b = `1`\n\nor not.");
    }

    #[test]
    fn whatever_a_page_has_is_no_panic() {
        for markdown in ["", "`", "```", "[", "](", "[](", "```\n```", "[a](b"] {
            shown(markdown);
        }
    }
}
