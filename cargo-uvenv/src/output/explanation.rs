//! Shows a page of the documentation on a terminal. Supports only the Markdown that our pages use.

use anstyle::{AnsiColor, Style};
use uvenv_core::{check::Severity, report::ExplanationReport};

use super::{
    stdout,
    text::{line as add_line, table},
};

const TITLE: Style = Style::new().bold();
const CODE: Style = AnsiColor::Cyan.on_default();

/// Prints the explanation of a code.
pub(super) fn print(explanation: &ExplanationReport) {
    let ExplanationReport { code, severity, summary, text } = explanation;
    let title = format!("{TITLE}{}[{code}]: {summary}{TITLE:#}", word(*severity));
    stdout::styled(&format!("{title}\n\n{}\n", terminal(text)));
}

/// Prints all codes, each with a one-sentence summary.
pub(super) fn list(explanations: &[ExplanationReport]) {
    let mut table = table(&["code", "is", "means"]);
    for ExplanationReport { code, severity, summary, .. } in explanations {
        table.add_row([code, word(*severity), &plain(summary)]);
    }
    for row in table.lines() {
        stdout::styled(&format!("{}\n", row.trim_end()));
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// Formats Markdown for a terminal: code blocks are indented, code spans are coloured, links are replaced by their
/// text.
fn terminal(markdown: &str) -> String {
    let mut text = String::new();
    for (index, part) in markdown.split("```").enumerate() {
        if index % 2 == 0 {
            text += &styled(&without_links(part));
            continue;
        }
        // The first line names the language.
        for line in part.trim_end().lines().skip(1) {
            add_line(&mut text, format_args!("    {CODE}{line}{CODE:#}"));
        }
        text.truncate(text.trim_end_matches('\n').len());
    }
    text
}

/// Returns the plain text, without links and code marks.
fn plain(markdown: &str) -> String {
    without_links(markdown).replace('`', "")
}

fn styled(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 1 { format!("{CODE}`{part}`{CODE:#}") } else { part.to_owned() })
        .collect()
}

/// Replaces `[words](target)` with `words`.
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

    /// Returns the text without colours.
    fn shown(markdown: &str) -> String {
        anstream::adapter::strip_str(&terminal(markdown)).to_string()
    }

    #[test]
    fn shows_only_the_text_of_links() {
        assert_eq!(shown("See [the\npage](check.md#levels), [a] (b)."), "See the\npage, [a] (b).");
        assert_eq!(shown("`[tool.uv]` and [`lock`](x) [open"), "`[tool.uv]` and `lock` [open");
        assert_eq!(plain("a `b` [c](d)"), "a b c");
    }

    #[test]
    fn indents_code_blocks() {
        assert_eq!(shown("Write\n\n```toml\n[a]\nb = `1`\n```\n\nor not."), "Write\n\n    [a]\n    b = `1`\n\nor not.");
    }

    #[test]
    fn never_panics_on_malformed_markdown() {
        for markdown in ["", "`", "```", "[", "](", "[](", "```\n```", "[a](b"] {
            shown(markdown);
        }
    }
}
